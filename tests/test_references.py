"""A second opinion: outputs and all gradients equal PyTorch's in float64 to 10⁻¹⁰.

The answers lie in `references/*.npz`, written by `references/make_references.py`; PyTorch is not
needed to compare with them. The tests marked `parity` ask a live PyTorch instead.
"""

import functools
from pathlib import Path

import numpy as np
import pytest
from references.cases import CASES, build, fingerprint, unpack

from minitransformer.testing import all_components, gradient_error

TOLERANCE = 1e-10
# the gradient of a key bias: softmax ignores it, and both sides are left with rounding errors
ZERO = 1e-12
FOLDER = Path(__file__).resolve().parent / "references"


@functools.cache
def committed(room):
    """All arrays of `<room>.npz`, read without pickle."""
    with np.load(FOLDER / f"{room}.npz", allow_pickle=False) as file:
        return dict(file)


def reference(name):
    """{array: array} of the committed answer to the case `name`, and the fingerprint of what it
    answers."""
    room, what = name.split("/")
    arrays = {
        key.split("/")[1]: a for key, a in committed(room).items() if key.startswith(f"{what}/")
    }
    return unpack(arrays), arrays["fingerprint"]


def live(name):
    """The same from the PyTorch that is installed."""
    pytest.importorskip(
        "torch", reason='PyTorch is not installed: pip install "minitransformer[parity]"'
    )
    from references.answers import answer

    return answer(name)


def expect_equal(ours, theirs, tolerance=TOLERANCE):
    """Fail with a table of the arrays that differ, or of those that only one side has."""
    assert set(ours) == set(theirs), (
        f"only ours: {set(ours) - set(theirs)}, only theirs: {set(theirs) - set(ours)}"
    )
    wrong = []
    for name, a in ours.items():
        b = theirs[name]
        if np.shape(a) != b.shape:
            wrong.append(f"{name}: shape {np.shape(a)} for {b.shape}")
        elif a.dtype != np.float64:
            wrong.append(f"{name}: {a.dtype} for float64")
        elif name.startswith("d ") and name.endswith("key.bias"):
            if max(np.abs(a).max(), np.abs(b).max()) > ZERO:
                wrong.append(f"{name}: not zero, {np.abs(a).max():.1e} and {np.abs(b).max():.1e}")
        elif not gradient_error(a, b) <= tolerance:  # NaN does not pass
            wrong.append(f"{name}: error {gradient_error(a, b):.1e}")
    assert not wrong, "\n".join(["ours differs from PyTorch's:", *wrong])


@pytest.mark.parametrize("name", CASES)
def test_equals_the_committed_answer(name):
    case = build(name)
    theirs, theirs_fingerprint = reference(name)
    assert theirs_fingerprint == fingerprint(case), (
        f"{name}: other inputs or weights than the reference was made with; run "
        "tests/references/make_references.py"
    )
    expect_equal(case.ours(), theirs)


@pytest.mark.parametrize(
    "name", [name for name in CASES if name.split("/")[0] not in ("optim", "training")]
)
def test_a_second_backward_adds_to_the_gradients(name):
    """And changes nothing else: neither the output nor the gradients of the inputs."""
    case = build(name)
    first, second = case.ours(), case.ours(zero_grad=False)
    expect_equal(
        second, {key: a * (2 if key.startswith("d ") else 1) for key, a in first.items()},
        tolerance=1e-14,
    )


def test_the_committed_files_hold_these_cases_and_are_small():
    rooms = sorted({name.split("/")[0] for name in CASES})
    assert sorted(path.stem for path in FOLDER.glob("*.npz")) == rooms
    assert {f"{room}/{key.split('/')[0]}" for room in rooms for key in committed(room)} == set(
        CASES
    )
    assert sum(path.stat().st_size for path in FOLDER.glob("*.npz")) < 900_000


def test_every_component_occurs_in_a_case():
    models = [getattr(case, "component", None) or case.model for case in map(build, CASES)]
    assert {type(module) for model in models for _, module in model.named_modules()} >= set(
        all_components()
    )


def test_a_small_difference_is_seen():
    """The comparison itself: one entry off by 10⁻⁸, a missing array, NaN, float32 and a wrong shape
    all fail."""
    theirs, _ = reference("models/transformer_post")
    ours = {name: array.copy() for name, array in theirs.items()}
    expect_equal(ours, theirs)
    name = "d decoder.layers.1.cross_attention.value.weight"
    changed = ours[name].copy()
    changed[2, 3] *= 1 + 1e-8
    for wrong in (changed, ours[name].T[:4], ours[name] * np.nan, ours[name].astype(np.float32)):
        with pytest.raises(AssertionError, match="cross_attention.value.weight"):
            expect_equal({**ours, name: wrong}, theirs)
    with pytest.raises(AssertionError, match="only theirs"):
        expect_equal({key: array for key, array in ours.items() if key != name}, theirs)
    with pytest.raises(AssertionError, match="not zero"):
        bias = "d encoder.layers.0.self_attention.key.bias"
        expect_equal({**ours, bias: ours[bias] + 1e-11}, theirs)


@pytest.mark.parity
@pytest.mark.parametrize("name", CASES)
def test_equals_live_pytorch(name):
    theirs = live(name)
    expect_equal(build(name).ours(), theirs)
    expect_equal(reference(name)[0], theirs)
