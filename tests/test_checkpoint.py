"""Checkpoints: what is written comes back, whole or not at all."""

import os

import numpy as np
import pytest

from minitransformer.checkpoint import load_checkpoint, save_checkpoint
from minitransformer.errors import InputError


@pytest.fixture
def tensors():
    rng = np.random.default_rng(0)
    return {
        "first": rng.standard_normal((3, 5)).astype(np.float32),
        "transposed": rng.standard_normal((4, 6)).T,
        "strided": rng.standard_normal((8, 9))[::2, ::3],
        "last": np.arange(7),
    }


def saved(tmp_path, tensors, facts=None):
    path = tmp_path / "step-1.safetensors"
    save_checkpoint(path, tensors, facts or {"step": 1})
    return path


def test_every_array_comes_back_bit_for_bit_transposed_and_strided_ones_too(tmp_path, tensors):
    loaded, _ = load_checkpoint(saved(tmp_path, tensors))
    assert set(loaded) == set(tensors)
    for name, array in tensors.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)


def test_facts_come_back_with_their_large_integers(tmp_path, tensors):
    facts = {"random": np.random.default_rng(3).bit_generator.state, "vocabulary": ["é", "+"]}
    assert load_checkpoint(saved(tmp_path, tensors, facts))[1] == facts


def test_a_crash_while_writing_leaves_the_old_checkpoint(tmp_path, tensors, monkeypatch):
    path = saved(tmp_path, tensors)

    def crash(*_):
        raise OSError("power failure")

    for call in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, crash)
            with pytest.raises(OSError, match="power failure"):
                save_checkpoint(path, {"first": np.zeros(2)}, {"step": 2})
        loaded, facts = load_checkpoint(path)
        assert facts == {"step": 1}
        np.testing.assert_array_equal(loaded["first"], tensors["first"])


def test_the_file_is_synced_before_it_is_renamed(tmp_path, tensors, monkeypatch):
    calls = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append("sync"), sync(handle)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("rename"), replace(a, b)))
    saved(tmp_path, tensors)
    assert calls[:2] == ["sync", "rename"]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_a_file_that_is_cut_short_is_refused(tmp_path, tensors, share):
    path = saved(tmp_path, tensors)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match="cut short or damaged"):
        load_checkpoint(path)


def test_the_first_tensor_that_is_missing_from_a_cut_file_is_named(tmp_path):
    path = saved(tmp_path, {"a": np.zeros(100), "b": np.ones(100), "c": np.ones(100)})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 1200])  # all of c and half of b are gone
    with pytest.raises(InputError, match="from the tensor 'b' on"):
        load_checkpoint(path)


def test_a_flipped_bit_is_noticed_and_its_tensor_named(tmp_path, tensors):
    path = saved(tmp_path, tensors)
    content = bytearray(path.read_bytes())
    at = content.index(tensors["first"].tobytes()) + 9
    content[at] ^= 4
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="the tensor 'first' differs"):
        load_checkpoint(path)


def test_another_version_and_a_foreign_file_are_refused(tmp_path, tensors, monkeypatch):
    from safetensors.numpy import save_file

    monkeypatch.setattr("minitransformer.checkpoint.VERSION", 7)
    path = saved(tmp_path, tensors)
    monkeypatch.undo()
    with pytest.raises(InputError, match="format version 7; this minitransformer reads versions 2 and 3"):
        load_checkpoint(path)
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(InputError, match="no checkpoint of minitransformer"):
        load_checkpoint(path)
    with pytest.raises(InputError, match="There is no checkpoint"):
        load_checkpoint(tmp_path / "nothing.safetensors")


def test_every_flipped_bit_of_the_header_is_noticed(tmp_path, tensors):
    path = saved(tmp_path, tensors, {"step": 1, "random": np.random.default_rng(3).bit_generator.state})
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    length = int.from_bytes(content[:8], "little")
    for _ in range(300):
        damaged = bytearray(content)
        damaged[rng.integers(0, 8 + length)] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(damaged))
        with pytest.raises(InputError):
            load_checkpoint(path)


def test_a_full_disk_leaves_no_half_written_file(tmp_path, tensors, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path / "a.safetensors", tensors, {})
    assert not list(tmp_path.iterdir())
