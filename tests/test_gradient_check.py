"""The judge itself: it must pass what is right, refuse what is slightly wrong, and leave no
trace."""

import re

import numpy as np
import pytest

from minitransformer.attention import MultiHeadAttention
from minitransformer.core import Module
from minitransformer.core.module import Parameter
from minitransformer.errors import InputError
from minitransformer.layers import Dropout, Linear
from minitransformer.testing import away_from_initialisation, gradient_check, gradient_error
from minitransformer.testing.gradient_check import ANOTHER, ROUNDING, GradientReport, GradientRow


class Cubic(Module):
    """y = a x³ + b m, with a backward that can be made wrong."""

    def __init__(self, wrong=None):
        self.a = Parameter(np.array([[0.7, -1.3], [0.4, 2.1]]))
        self.b = Parameter(np.array([1.5, 0.3]))
        self.wrong = wrong

    def forward(self, x, m):
        self.save(x, m)
        return self.a.data * x**3 + self.b.data * m

    def backward(self, d_y):
        x, m = self.saved()
        factor = {
            None: 1.0, "slightly": 1 + 1e-5, "sign": -1.0, "nan": np.nan, "infinite": np.inf,
        }.get(self.wrong, 1.0)
        self.a.grad += d_y * x**3 * (1 + 1e-5 if self.wrong == "parameter" else 1)
        self.b.grad += (d_y * m).sum(axis=0)
        d_x = d_y * self.a.data * 3 * x**2
        d_m = d_y * self.b.data
        if self.wrong == "swapped":
            return d_m, d_x
        if self.wrong == "one entry":
            d_x = d_x.copy()
            d_x[1, 0] *= 1.01
        return d_x * factor, d_m


def inputs():
    rng = np.random.default_rng(1)
    return rng.standard_normal((2, 2)), rng.standard_normal((2, 2))


def test_a_right_gradient_passes_row_by_row():
    report = gradient_check(Cubic(), *inputs())
    assert report.passed and report.component == "Cubic"
    assert [row.name for row in report.rows] == ["d_input[0]", "d_input[1]", "a", "b"]
    assert [row.shape for row in report.rows] == [(2, 2), (2, 2), (2, 2), (2,)]
    assert [row.checked for row in report.rows] == [4, 4, 4, 2]
    assert all(row.error < 1e-8 and row.tolerance == 1e-6 for row in report.rows)


@pytest.mark.parametrize("wrong", ["slightly", "sign", "nan", "infinite", "swapped", "one entry"])
def test_a_wrong_input_gradient_does_not_pass(wrong):
    with np.errstate(all="ignore"):
        report = gradient_check(Cubic(wrong), *inputs())
    assert not report.passed
    assert [row.passed for row in report.rows] == [False, wrong != "swapped", True, True]


def test_a_wrong_parameter_gradient_does_not_pass():
    report = gradient_check(Cubic("parameter"), *inputs())
    assert [row.passed for row in report.rows] == [True, True, False, True]
    assert report.worst.name == "a"


def test_the_worst_row_is_a_failed_one_and_the_largest_of_several():
    rows = [
        GradientRow(name, (2,), 2, error, 1e-6)
        for name, error in [("a", 1e-7), ("b", 1e-3), ("c", 1e-5)]
    ]
    assert GradientReport("X", rows).worst.name == "b"
    rows[0].error = np.nan
    assert not rows[0].passed and not GradientReport("X", rows).passed


def test_the_report_prints_a_line_per_row_and_marks_the_wrong_one():
    lines = str(gradient_check(Cubic("sign"), *inputs())).splitlines()
    assert len(lines) == 7 and "Cubic" in lines[0]
    assert "d_input[0]" in lines[1] and "WRONG (at most 1e-06)" in lines[1]
    assert lines[2].startswith("    At [0, 0] backward says ")
    assert lines[3] == "    Every number has the wrong sign."
    assert all(line.endswith("ok") for line in lines[4:])


class Centred(Module):
    """y = γ (x − mean(x)), with a backward that may forget something, and a number of its own."""

    def __init__(self, forgets=""):
        super().__init__()
        self.gamma = Parameter(np.array([0.5, -1.5, 2.0, 0.7, 1.1]))
        self.forgets, self.count, self.is_used = forgets, 7, True

    def forward(self, x):
        self.save(x)
        return self.gamma.data * (x - x.mean(-1, keepdims=True))

    def backward(self, d_y):
        x = self.saved()
        if self.forgets == "last row":
            d_y = d_y.copy()
            d_y[:, -1] = 0
        if self.forgets == "mean over rows":
            d_y = d_y / d_y.shape[1]
        self.gamma.grad += (d_y * (x - x.mean(-1, keepdims=True))).sum((0, 1))
        if self.forgets == "mean of the gradient":
            return self.gamma.data * d_y
        d_x = self.gamma.data * d_y
        d_x = d_x - d_x.mean(-1, keepdims=True)
        if self.forgets == "count":
            d_x = d_x * self.count
        if self.forgets == "root":
            d_x = d_x / np.sqrt(d_x.shape[1])
        return d_x + d_y if self.forgets == "d_y" else d_x


@pytest.mark.parametrize(
    "forgets, said",
    [
        ("mean of the gradient", "Along axis 2 the difference is constant"),
        ("last row", "It is wrong only where axis 1 is 2 of 0 to 2; the rest is right."),
        ("count", "7 times what it should be, which is count here."),
        ("root", "0.57735 times what it should be, which is 1/√input[0].shape[1] here."),
        ("mean over rows", "0.333333 times what it should be, which is 1/input[0].shape[1] here."),
        ("d_y", "The difference is 1 · d_output[0]: such a term is missing, or one too many."),
    ],
)
def test_the_report_says_what_a_wrong_gradient_looks_like(forgets, said):
    x = np.random.default_rng(4).standard_normal((2, 3, 5))
    report = gradient_check(Centred(forgets), x)
    row = report.rows[0]
    assert row.name == "d_input[0]" and not row.passed
    assert len(row.evidence) == 2 and said in row.evidence[1]
    assert all(sentence.split()[-1] in str(report) for sentence in row.evidence)
    assert all(other.evidence == [] for other in report.rows if other.passed)


class Square(Module):
    """y = x², with a backward that has no factor d_y, or x once more."""

    def __init__(self, wrong):
        super().__init__()
        self.wrong = wrong

    def forward(self, x):
        self.save(x)
        return x**2

    def backward(self, d_y):
        x = self.saved()
        return 2 * x if self.wrong == "too few" else 2 * x * x * d_y


@pytest.mark.parametrize(
    "wrong, said",
    [
        ("too few", "Multiplied by d_output[0], it would be right."),
        ("too many", "It is the right one, multiplied by input[0]."),
    ],
)
def test_a_factor_that_is_an_array_at_hand_is_named(wrong, said):
    x = np.random.default_rng(4).standard_normal((2, 3, 5))
    assert gradient_check(Square(wrong), x).rows[0].evidence[1:] == [said]


def test_the_first_wrong_entry_is_named_with_both_numbers():
    x = np.random.default_rng(4).standard_normal((2, 3, 5))
    right, wrong = Centred(), Centred("last row")
    wrong.forward(x), right.forward(x)
    row = gradient_check(wrong, x, seed=3).rows[0]
    d_y = np.random.default_rng([3, 1]).standard_normal((2, 3, 5))
    expected = right.backward(d_y)[0, 2, 0]
    assert row.evidence[0] == (
        f"At [0, 2, 0] backward says 0, the differences {expected:.6g}; 10 of 30 entries are wrong."
    )


class Noisy(Module):
    """y = x ∘ noise, drawn anew at each call from a generator that nobody resets."""

    def forward(self, x):
        noise = DRAWN.standard_normal(x.shape)
        self.save(noise)
        return x * noise

    def backward(self, d_y):
        return d_y * self.saved()


class Tensor:
    """As PyTorch's: it can be detached."""

    def detach(self):
        return self


class OfTensors(Module):
    def forward(self, x):
        return Tensor()

    def backward(self, d_y):
        return d_y


DRAWN = np.random.default_rng(0)


def test_a_forward_that_draws_anew_is_called_so_and_no_kink():
    report = gradient_check(Noisy(), np.ones((2, 3)))
    assert not report.passed and report.rows[0].note == ANOTHER


def test_a_component_that_returns_a_tensor_is_told_where_to_go():
    with pytest.raises(InputError, match="forward returned a tensor. A component works on NumPy"):
        gradient_check(OfTensors(), np.ones((2, 3)))


def test_where_entries_were_drawn_the_report_says_no_more_than_that_it_is_wrong():
    x = np.random.default_rng(4).standard_normal((2, 3, 5))
    row = gradient_check(Centred("count"), x, max_entries=4).rows[0]
    assert not row.passed and row.evidence == []


@pytest.mark.parametrize(
    "analytic, numeric, error",
    [
        ([3.0, 4.0], [3.0, 4.0], 0.0),
        ([0.0, 0.0], [3.0, 4.0], 1.0),
        ([3.0, 4.0], [0.0, 0.0], 1.0),
        ([6.0, 8.0], [3.0, 4.0], 0.5),
        ([3.0, 4.0], [6.0, 8.0], 0.5),
        ([0.0, 1e-9], [0.0, 0.0], 0.1),
        ([0.0], [0.0], 0.0),
    ],
)
def test_the_error_is_relative_to_the_larger_norm_and_never_divides_by_zero(
    analytic, numeric, error
):
    assert gradient_error(np.array(analytic), np.array(numeric)) == pytest.approx(error)


def test_the_check_leaves_inputs_parameters_gradients_and_saves_as_they_were():
    component, (x, m) = Cubic(), inputs()
    component.a.grad[...] = 7
    kept = [
        v.copy()
        for v in (x, m, component.a.data, component.b.data, component.a.grad, component.b.grad)
    ]
    assert gradient_check(component, x, m).passed, "what was in the gradients before must not count"
    now = [x, m, component.a.data, component.b.data, component.a.grad, component.b.grad]
    assert all(np.array_equal(before, after) for before, after in zip(kept, now))
    assert component.leftover_saves() == {}


def test_the_upstream_gradient_is_random_because_an_even_one_hides_mistakes():
    class Double(Module):
        """y = 2x, with a backward that is right only where d_y is the same everywhere."""

        def forward(self, x):
            self.save(x)
            return 2 * x

        def backward(self, d_y):
            return 2 * d_y.mean() + 0 * self.saved()

    assert not gradient_check(Double(), np.array([1.0, 2.0, 3.0])).passed


def test_max_entries_limits_the_entries_of_large_arrays_only():
    linear = Linear(4, 5, np.random.default_rng(1)).to("float64")
    x = np.random.default_rng(2).standard_normal((3, 4))
    assert [row.checked for row in gradient_check(linear, x, max_entries=6).rows] == [6, 6, 5]


def test_no_limit_is_none_or_0_as_in_the_command():
    linear = Linear(4, 5, np.random.default_rng(1)).to("float64")
    x = np.random.default_rng(2).standard_normal((3, 4))
    for everything in (None, 0):
        assert [row.checked for row in gradient_check(linear, x, max_entries=everything).rows] == [
            12, 20, 5,
        ]


class ReLUAtZero(Module):
    """max(0, x), with the gradient 0 at 0."""

    def forward(self, x):
        self.save(x)
        return np.maximum(x, 0)

    def backward(self, d_y):
        return d_y * (self.saved() > 0)


@pytest.mark.parametrize("max_entries", [None, 2])
def test_a_kink_is_told_and_a_wrong_gradient_beside_it_is_not_called_one(max_entries):
    x = np.random.default_rng(3).standard_normal((3, 4))
    assert gradient_check(ReLUAtZero(), x).passed
    report = gradient_check(ReLUAtZero(), np.zeros((3, 4)), max_entries=max_entries)
    assert (
        not report.passed
        and "WRONG (the function has a kink here: move the input away from it)" in str(report)
    )


@pytest.mark.parametrize("at", [0.0, 1.0, 1e6])
@pytest.mark.parametrize("max_entries", [None, 1])
def test_a_smooth_function_with_a_wrong_gradient_has_no_kink(at, max_entries):
    report = gradient_check(
        Cubic("sign"), at + inputs()[0] * (at > 0), inputs()[1], max_entries=max_entries
    )
    assert "kink" not in str(report) and ("WRONG" in str(report) or at == 0)

    class Square(Module):
        def forward(self, x):
            self.save(x)
            return x**2

        def backward(self, d_y):
            return 3 * self.saved() * d_y + 1

    report = gradient_check(Square(), np.full((2, 2), at), max_entries=max_entries)
    assert not report.passed and "kink" not in str(report)


@pytest.mark.parametrize("size", [1e4, 1e5, 1e6])
@pytest.mark.parametrize("max_entries", [None, 5])
def test_large_inputs_raise_no_false_alarm_and_hide_no_mistake(size, max_entries):
    linear = Linear(20, 30, 0).to("float64")
    x = size * np.random.default_rng(0).standard_normal((4, 20))
    report = gradient_check(linear, x, max_entries=max_entries)
    assert report.passed, f"\n{report}"

    class SlightlyWrong(Linear):
        def backward(self, d_y):
            d_x = super().backward(d_y)
            self.bias.grad *= 1 + 1e-5
            return d_x * (1 + 1e-5)

    report = gradient_check(SlightlyWrong(20, 30, 0).to("float64"), x, max_entries=max_entries)
    assert [row.passed for row in report.rows] == [False, True, False]


@pytest.mark.parametrize("max_entries", [None, 1])
def test_the_step_follows_the_size_of_the_entry(max_entries):
    class Triple(Module):
        def forward(self, x):
            self.save()
            return 3 * x

        def backward(self, d_y):
            self.saved()
            return 3 * d_y

    report = gradient_check(Triple(), np.array([1e10, -2e10, 3e10]), max_entries=max_entries)
    assert report.passed, f"\n{report}"


def test_a_direction_moves_entries_of_mixed_sizes_each_by_its_own_step():
    class Cube(Module):
        def forward(self, x, scale):
            self.save(x, scale)
            return x**3 * scale

        def backward(self, d_y):
            x, scale = self.saved()
            return 3 * x**2 * scale * d_y, d_y * x**3

    x = np.array([1.0, -0.5, 1e5, 2.0])
    report = gradient_check(Cube(), x, 1 / np.maximum(1, abs(x)) ** 2, max_entries=2)
    assert report.passed, f"\n{report}"


def test_a_kink_beside_a_masked_score_is_looked_at_with_a_smaller_step():
    class Banned(ReLUAtZero):
        def forward(self, x):
            y = super().forward(x)
            return np.where(np.arange(4) < 2, y, -np.inf)

        def backward(self, d_y):
            return super().backward(np.where(np.arange(4) < 2, d_y, 0))

    report = gradient_check(Banned(), np.full((3, 4), 5e-6))
    assert report.passed, f"\n{report}"
    assert "the function has a kink here" in str(gradient_check(Banned(), np.zeros((3, 4))))


def test_where_rounding_alone_is_left_there_is_no_kink():
    report = gradient_check(
        Linear(20, 30, 0).to("float64"), 1e9 * np.random.default_rng(0).standard_normal((4, 20))
    )
    assert not report.passed and "kink" not in str(report)
    assert "the difference may be rounding alone: try inputs of a size near 1" in str(report)


def test_rounding_is_no_excuse_where_the_difference_is_larger():
    class Wrong(Linear):
        def backward(self, d_y):
            return super().backward(d_y) * 1.001

    x = np.random.default_rng(0).standard_normal((4, 20))
    report = gradient_check(Wrong(20, 30, 0).to("float64"), x)
    assert not report.passed and "rounding" not in str(report)


def test_a_chosen_entry_is_compared_with_its_own_difference():
    class Square(Module):
        def forward(self, x):
            self.save(x)
            return x**2

        def backward(self, d_y):
            return 2 * self.saved() * d_y

    x = np.random.default_rng(3).standard_normal((6, 7))
    for seed in range(3):
        assert gradient_check(Square(), x, seed=seed, max_entries=5).passed


def test_directions_reach_a_mistake_at_an_entry_that_is_much_larger_than_the_others():
    """Which entries are tried is drawn; a direction moves each by a part of its own size."""

    class Factor(Module):
        def forward(self, x):
            self.save()
            return 3 * x

        def backward(self, d_y):
            self.saved()
            d_x = 3 * d_y
            d_x[7] *= 1.01
            return d_x

    x = np.random.default_rng(3).standard_normal(200)
    x[7] = 1e4
    for seed in range(5):
        assert not gradient_check(Factor(), x, seed=seed, max_entries=1).passed


def test_the_rounding_error_is_that_of_float64():
    assert ROUNDING == np.finfo(np.float64).eps / 2


def test_dropout_draws_the_same_mask_in_every_forward():
    dropout = Dropout(0.4, np.random.default_rng(4))
    x = np.random.default_rng(5).standard_normal((4, 6))
    report = gradient_check(dropout, x)
    assert report.passed, f"\n{report}"


def test_a_masked_score_of_minus_infinity_is_a_constant():
    class Banned(Module):
        def forward(self, x):
            self.save()
            return np.where(np.arange(4) < 2, x, -np.inf)

        def backward(self, d_y):
            self.saved()
            return np.where(np.arange(4) < 2, d_y, 0)

    report = gradient_check(Banned(), np.random.default_rng(6).standard_normal((3, 4)))
    assert report.passed, f"\n{report}"


def test_several_outputs_each_get_a_gradient_of_their_own():
    class Both(Module):
        def forward(self, x):
            self.save(x)
            return x**2, np.sin(x)

        def backward(self, d_square, d_sine):
            x = self.saved()
            return 2 * x * d_square + np.cos(x) * d_sine

    report = gradient_check(Both(), np.random.default_rng(7).standard_normal((3, 4)))
    assert report.passed, f"\n{report}"


def test_ids_and_masks_are_inputs_without_a_gradient():
    class Pick(Module):
        def __init__(self):
            self.table = Parameter(np.arange(10.0).reshape(5, 2))

        def forward(self, ids, mask, scale):
            self.save(ids, mask, scale)
            return self.table.data[ids] * mask[:, None] * scale

        def backward(self, d_y):
            ids, mask, scale = self.saved()
            np.add.at(self.table.grad, ids, d_y * mask[:, None] * scale)
            return (d_y * mask[:, None] * self.table.data[ids]).sum(axis=0)

    report = gradient_check(
        Pick(), np.array([1, 1, 4]), np.array([True, True, False]), np.array([0.5, 2.0])
    )
    assert report.passed, f"\n{report}"
    assert [row.name for row in report.rows] == ["d_input[2]", "table"]


def test_the_step_and_the_tolerance_can_be_chosen():
    coarse = gradient_check(Cubic(), *inputs(), step=0.1)
    assert not coarse.passed
    assert gradient_check(Cubic(), *inputs(), step=0.1, tolerance=0.1).passed


def test_away_from_initialisation_moves_vectors_by_a_half_and_weights_to_one_over_fan_in():
    module = Module()
    module.gamma, module.weight = Parameter(np.ones(4000)), Parameter(np.zeros((25, 400)))
    arrays = module.gamma.data, module.weight.data
    assert away_from_initialisation(module, np.random.default_rng(8)) is module
    assert module.gamma.data is arrays[0] and module.weight.data is arrays[1]
    assert abs(module.gamma.data.mean() - 1) < 0.05 and abs(module.gamma.data.std() - 0.5) < 0.03
    assert abs(module.weight.data.mean()) < 0.02 and abs(module.weight.data.std() - 0.2) < 0.01


class Affine(Module):
    """y = a + b + x W, whose backward can be handed in."""

    def __init__(self, backward=None):
        self.weight = Parameter(np.random.default_rng(5).standard_normal((4, 4)))
        self._backward = backward

    def forward(self, x, shift):
        self.save(x)
        return x @ self.weight.data + shift

    def backward(self, d_y):
        x = self.saved()
        self.weight.grad += x.T @ d_y
        gradients = (d_y @ self.weight.data.T, d_y)
        return self._backward(*gradients) if self._backward else gradients


@pytest.mark.parametrize(
    "backward, note",
    [
        (lambda d_x, d_shift: d_x, "backward returned none"),
        (lambda d_x, d_shift: (d_x, None), "backward returned none"),
        (lambda d_x, d_shift: (d_x.T, d_shift), r"the gradient has shape \(4, 6\)"),
        (lambda d_x, d_shift: (d_x.reshape(-1), d_shift), r"the gradient has shape \(24,\)"),
        (
            lambda d_x, d_shift: (d_x, d_shift, d_x),
            "backward returned 3 gradients for 2 float inputs",
        ),
    ],
)
def test_a_gradient_too_few_too_many_or_of_another_shape_is_wrong_and_told(backward, note):
    inputs = [np.random.default_rng(3).standard_normal((6, 4)) for _ in range(2)]
    assert gradient_check(Affine(), *inputs).passed
    report = gradient_check(Affine(backward), *inputs)
    assert not report.passed and re.search(note, str(report))


def test_inputs_drawn_with_the_same_seed_do_not_hide_a_transposed_weight_gradient():
    class Transposed(Affine):
        def backward(self, d_y):
            x = self.saved()
            self.weight.grad += d_y.T @ x
            return d_y @ self.weight.data.T, d_y

    x = np.random.default_rng(0).standard_normal((4, 4))
    assert not gradient_check(Transposed(), x, np.zeros((4, 4)), seed=0).passed


def test_a_wrong_row_that_no_tried_entry_falls_into_is_caught_along_the_directions():
    class OneRow(Affine):
        def backward(self, d_y):
            d_x, d_shift = super().backward(d_y)
            self.weight.grad[3] *= 1.5
            return d_x, d_shift

    inputs = [np.random.default_rng(3).standard_normal((6, 4)) for _ in range(2)]
    for seed in range(5):
        report = gradient_check(OneRow(), *inputs, seed=seed, max_entries=1)
        assert [row.passed for row in report.rows] == [True, True, False]


def test_a_gradient_that_is_zero_by_nature_passes_and_a_small_wrong_one_does_not():
    attention = MultiHeadAttention(12, 3, np.random.default_rng(0), bias=True).to("float64")
    away_from_initialisation(attention, np.random.default_rng(1))
    x = np.random.default_rng(2).standard_normal((2, 5, 12))
    assert gradient_check(attention, x).passed
    assert gradient_error(np.full(3, 1e-13), np.full(3, 1e-10)) < 1e-12
    assert gradient_error(np.full(3, 1e-10), np.zeros(3)) > 1e-6
    assert gradient_error(np.zeros(3), np.full(3, 1e-5)) == 1.0


def test_float32_is_refused_with_what_to_do():
    with pytest.raises(
        InputError, match=r"needs float64, weight is float32: use component.to\('float64'\)"
    ):
        gradient_check(Linear(3, 4, np.random.default_rng(0)), np.ones((2, 3)))
    with pytest.raises(InputError, match="input 0 is float32"):
        gradient_check(
            Linear(3, 4, np.random.default_rng(0)).to("float64"), np.ones((2, 3), dtype=np.float32)
        )


def test_one_array_handed_in_twice_is_two_inputs_and_stays_as_it_was():
    attention = MultiHeadAttention(6, 2, np.random.default_rng(0)).to("float64")
    x = np.random.default_rng(2).standard_normal((2, 3, 6))
    before = x.copy()
    assert gradient_check(attention, x, x).passed
    np.testing.assert_array_equal(x, before)
