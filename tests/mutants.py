"""Wrong versions of the code, each as a patch of one file and the tests that must catch it, in two groups.

A number is one mistake that people make, 1 to 130 (tests/mistake_ids.txt); a letter tells apart several ways to make it. An x
marks a change of our own. `test_mutants.py` plants them one at a time: the mistakes of people in `make test`, changes of our own in
`make mutants`.
"""

import dataclasses

MUTANTS = []

NOT_PLANTED = {}


@dataclasses.dataclass(frozen=True)
class Mutant:
    """`before` stands exactly once in the file and becomes `after`; then (before, after) pairs of `more`, likewise.

    `judge` is the test file, `select` the names of tests in it (pytest's -k) of which one must fail.
    """

    id: str
    title: str
    file: str
    before: str
    after: str
    judge: str
    select: str
    more: tuple = ()

    @property
    def is_own(self):
        """Whether it is a change of our own, not a mistake that people make."""
        return self.id[0] == "x"

    @property
    def number(self):
        """The number on the list of mistakes; None for one of our own."""
        return None if self.is_own else int(self.id.rstrip("abcdefgh"))

    def plant(self, text):
        for before, after in ((self.before, self.after), *self.more):
            assert text.count(before) == 1, f"{self.id}: {before!r} stands {text.count(before)} times in {self.file}"
            text = text.replace(before, after)
        return text


def plants(file, judge, select):
    """A function that adds mutants of this file, judged by these tests unless it is told otherwise."""

    def plant(id, title, before, after, *more, select=select, judge=judge):
        MUTANTS.append(Mutant(id, title, file, before, after, judge, select, more))

    return plant


# -- the boundary -------------------------------------------------------------------------------------------------

p = plants("boundary/ids.py", "test_boundary.py", "right_numbers or embedding or sweep")
p("37", "id -1 wraps to the last row", "int(ids.astype(np.uint64).max(initial=0))", "int(ids.max(initial=0))",
    judge="test_layers.py", select="test_embedding")
p("x507", "a look at ids that are on the device", "if on_host(ids) and largest", "if largest", judge="test_device.py", select="training_follows and sgd")
p = plants("boundary/arrays.py", "test_boundary.py", "right_numbers or embedding or sweep")
p("x201", "a mask of numbers is taken", "BOOLEAN = Booleans(\n    \"b\", ", 'BOOLEAN = Booleans("biuf", ', judge="test_layers.py", select="refuses")
p("xb01", "half precision is taken", 'return dtype in FLOATS if self.kinds == "f"', 'return dtype.kind == "f" if self.kinds == "f"', select="half_precision")
p("xb02", "the mask of a masked array is lost", "if isinstance(value, np.ma.MaskedArray):", "if False:", select="right_numbers and Linear")
p("xb03", "one letter, two sizes", "sizes.setdefault(letter, size) != size\n", "False\n", select="never_broadcast")
p("xb04", "features may be empty", " or not size\n                and is_needed", "", select="no_features or axis_by_axis")
p("xb05", "the axes in front are not compared", "if known != front and not", "if False and not", select="never_broadcast")
p("xb06", "a size of 1 is any size, not in masks alone", "(repeats and size == 1)", "(size == 1)", select="never_broadcast")
p = plants("boundary/kinds.py", "test_boundary.py", "right_numbers or embedding or sweep")
p("xb07", "a probability may be 1", "value < self.below", "value <= self.below", select="out_of_range")
p("xb09", "0 is above 0", "value > self.above", "value >= self.above", select="out_of_range")
p("xb10", "a number stays NumPy's", "        return number\n", "        return value\n", select="change_no_dtype or any_function")
p = plants("boundary/gradients.py", "test_boundary.py", "right_numbers or embedding or sweep")
p("xb11", "d_y of as many axes", "if d_y.shape != shape:", "if d_y.ndim != len(shape):", select="held_to_the_kinds")
p("xb12", "d_y of any float dtype", "if d_y.dtype != dtype and shape:", "if d_y.dtype.kind != dtype.kind:", select="held_to_the_kinds")
p = plants("boundary/arrays.py", "test_boundary.py", "right_numbers or embedding or sweep")
p("xb13", "complex numbers are numbers", 'value.dtype.kind in "iub" and', 'value.dtype.kind in "iubc" and',
    select="held_to_the_kinds")
p = plants("boundary/objects.py", "test_boundary.py", "right_numbers or embedding or sweep")
p("xk38", "a state of another number of rows broadcasts", "self.has_as_many(value) and all(", "self.has_as_many(value) or all(", select="another_number and one-vector")
p("xk39", "the arrays of a GPU are none", "if hasattr(part, \"dtype\") and is_known(part)]\n            if", "if hasattr(part, \"dtype\")] if", select="any_array_was_seen")
p = plants("boundary/hints.py", "test_boundary.py", "right_numbers or embedding or sweep")
p("xk41", "an epsilon that is 0 in float32", "least=1e-30", "above=0", select="out_of_range or smallest_epsilon")
p = plants("boundary/arrays.py", "test_boundary.py", "right_numbers or embedding or sweep")
p("xk42", "a tuple of numbers is left to Python, which repeats it", "isinstance(value, (np.ndarray, list, tuple)) or", "isinstance(value, (np.ndarray, list)) or", select="list_or_tuple")
p("xk43", "a list of arrays is left to Python", "(numbers.Number, np.ndarray, *ARRAYS)", "numbers.Number", select="list_or_tuple")
p = plants("boundary/signature.py", "test_boundary.py", "right_numbers or embedding or sweep")
p("xk44", "any two arguments are called swapped", "pass_as(exchanged) and not pass_as(values)", "not pass_as(values)", select="in_any_order")
p("xk45", "what is right is called swapped, for a name that is not known", "pass_as(exchanged) and not pass_as(values)", "pass_as(exchanged)", select="in_any_order")
p("xk46", "an option that is left at None is called swapped", "if are_given and", "if", select="in_any_order")
p("xk47", "swapped arguments are told to change their dtype", "if names := self.swapped(letters, inputs, options):", "if names := \"\":", select="in_each_others_place")
p("xk1", "a call is shown with self", ' if p.name != "self"]', "]", select="how_to_call")
p("xk2", "the nearest name is not given", "[p.name for p in parameters])", "[])", select="how_to_call")
p = plants("core/parameter.py", "test_conformance.py", "told_of_its_data")
p("xk3", "a parameter is left to NumPy as an object", "def __array_ufunc__(self, *operands", "def array_ufunc(self, *operands")
p = plants("core/module.py", "test_boundary.py", "")
c = plants("boundary/calls.py", "test_boundary.py", "")
c("xb20", "a gradient's shape is that of the first output", "of = outputs[-1] if outputs", "of = outputs[0] if outputs", select="last_in_first_out")
c("xb21", "no_grad notes shapes", 'if thread.saving:\n            self.__dict__.setdefault("_outputs"', 'if True:\n            self.__dict__.setdefault("_outputs"',
    select="last_in_first_out")
c("xb22", "a parent's forward notes a shape of its own", "        if type(self).forward is not forward:  # a sub",
    "        if False:                            # a sub", select="learners_subclass")
c("xb23", "once inside, always inside", "            now(thread.saving, before)\n        if thread", "            pass\n        if thread", select="broadcast")
c("xb24", "a learner's parts are trusted", "now(thread.saving, is_ours and not signature.takes_more)", "now(thread.saving, True)",
    select="inside_a_learners_component")
c("xb25", "what a residual hands on is trusted", "is_ours and not signature.takes_more", "is_ours", select="inside_a_residual")
c("xb26", "a mask inside is not looked at", "mask_at is not None\n            and (options or", "False and (options or", select="mask_is_looked_at")
p("xb27", "shapes stay behind", '            module.__dict__.pop("_outputs", None)\n', "", select="last_in_first_out")
c("xb28", "a forward put in the place of another is passed over", 'type(self).forward is forward and "forward" not in own', "True", select="anothers_place")
c("xb29", "a refusal takes the shape", "        if outputs:\n            outputs.pop()\n        return run_of(self)(self, *d_outputs",
    "        return run_of(self)(self, *d_outputs", select="by_place_or_by_name")
p = plants("layers/cross_entropy.py", "test_boundary.py", "")
p("xk48", "one-hot targets are told to become integers", "if shape == of_scores:", "if False:", select="one_hot")
p("xk49", "scores in the place of targets are told to become integers", "if shape[:-1] == of_scores:", "if False:", select="in_each_others_place")
p = plants("training/optimizers.py", "test_boundary.py", "out_of_range")
p("xb40", "Adam's epsilon may be 0", "epsilon: Epsilon = 1e-9,\n    )", "epsilon: NonNegative = 1e-9,\n    )")
p("xb41", "momentum of any size", "momentum: Probability", "momentum: NonNegative")
p("xb42", "clipping at 0", "max_norm: Positive | None", "max_norm: NonNegative | None")
p("xb43", "decay below 0", "weight_decay: NonNegative", "weight_decay: float")
p = plants("training/schedules.py", "test_boundary.py", "out_of_range")
p("xb44", "a warm-up of no steps (Noam)", "warmup: Count = 4000", "warmup: Natural = 4000")
p("xb45", "a factor of 0", "factor: Positive", "factor: NonNegative")
p("xb46", "a schedule of no steps", "total: Count", "total: Natural")
p = plants("backend/reductions.py", "test_boundary.py", "empty_cases and Softmax")
p("xb47", "the maximum of nothing", "if x.shape[-1] == 0:", "if False:")
p = plants("layers/layer_norm.py", "test_boundary.py", "out_of_range")
p("xb48", "an epsilon below 0", "epsilon: Epsilon", "epsilon: float")
p("xk40", "an epsilon of 0: a row of equal features is 0/0", "import Count, Epsilon, Features", "import Count, NonNegative as Epsilon, Features")

# -- softmax ------------------------------------------------------------------------------------------------------

p = plants("layers/softmax.py", "test_layers.py", "softmax")
shift = "xp.where(largest == -xp.inf, 0, largest)"
total = "xp.maximum(exps.sum(axis=-1, keepdims=True), 1)"
p("1", "no shift by the maximum", f"x - {shift}", "x * 1")
p("2", "one denominator for the whole array", "exps.sum(axis=-1, keepdims=True)", "exps.sum(keepdims=True)")
p("3", "columns sum to one", "exps.sum(axis=-1, keepdims=True)", "exps.sum(axis=-2, keepdims=True)")
p("4", "no keepdims", "exps.sum(axis=-1, keepdims=True)", "exps.sum(axis=-1)")
p("5", "epsilon in the denominator", total, f"{total} + 1e-8")
p("6", "one maximum for the whole array", "feature_max(x)", "x.max(keepdims=True)")
p("7", "backward P(1-P)", "(d_y * weights).sum(axis=-1, keepdims=True)", "d_y * weights")
p("8", "backward without the sum", "(d_y - (d_y * weights).sum(axis=-1, keepdims=True))", "d_y")
p("9", "the sum is not weighted by P", "(d_y * weights).sum(", "d_y.sum(")
p("10", "mean for sum", "(d_y * weights).sum(", "(d_y * weights).mean(")
p("11", "the correction lacks its P", "weights * (d_y - (", "(d_y * weights - (")
p("12", "backward divided by the batch", "return weights * (", "return weights / len(weights) * (")
p("13", "the input saved instead of the output", "self.save(weights)", "self.save(x)")
p("81a", "a row of nothing but -inf: NaN from inf - inf", shift, "largest")
p("81b", "a row of nothing but -inf: 0/0", total, "exps.sum(axis=-1, keepdims=True)")
p("x01", "forward writes into its input", "exps = xp.exp(x - xp.where(largest == -xp.inf, 0, largest))",
    "x -= xp.where(largest == -xp.inf, 0, largest)\n        exps = xp.exp(x)",
    judge="test_conformance.py", select="keeps_the_contract and Softmax")
p("x02", "backward writes into d_y", "return weights * (d_y - (d_y * weights).sum(axis=-1, keepdims=True))", "d_y -= (d_y * weights).sum(axis=-1, keepdims=True)\n        return weights * d_y",
    judge="test_conformance.py", select="keeps_the_contract and Softmax")
p("x03", "the columns' sums in backward", "(d_y * weights).sum(axis=-1,", "(d_y * weights).sum(axis=-2,")

# -- cross-entropy and label smoothing ----------------------------------------------------------------------------

p = plants("layers/cross_entropy.py", "test_losses.py", "")
p("14", "no -1 at the target", "d_x[xp.arange(len(targets)), targets] -= 1 - smooth", "pass")
p("15a", "the gradient is not averaged", "d_loss / count", "d_loss")
p("15b", "the loss is not averaged", ".sum() / count", ".sum()")
p("16", "divided by the batch only", "d_loss / count", "d_loss / shape[0]")
p("17", "padding in the denominator", "count = int(real.sum())", "count = real.size")
p("18", "padded rows have a gradient", "        zero_rows(d_x, ~real)\n", "")
p("19", "the sign", "return (d_x * (", "return (-d_x * (")
p("20", "softmax of a softmax", "shifted = rows - rows.max",
    "rows = xp.exp(rows - rows.max()) / xp.exp(rows - rows.max()).sum(-1, keepdims=True)\n"
    "        shifted = rows - rows.max")
p("21", "-1 in every row", "d_x[xp.arange(len(targets)), targets] -=", "d_x[:, targets] -=")
p("22", "the target found by its value", "d_x[xp.arange(len(targets)), targets] -= 1 - smooth",
    "d_x -= (1 - smooth) * (p == p[xp.arange(len(targets)), targets][:, None])")
p("23", "log(p + epsilon)", "at_target = shifted[xp.arange(len(targets)), targets]",
    "at_target = xp.log((exps / total)[xp.arange(len(targets)), targets] + 1e-9) + log_total")
p("107a", "epsilon/(V-1) in the gradient", "p - smooth / vocabulary", "p - smooth / (vocabulary - 1)")
p("107b", "epsilon/(V-1) in the loss", "shifted.mean(axis=-1)", "shifted.sum(axis=-1) / (rows.shape[-1] - 1)")
p("107c", "epsilon/(V-2) in the gradient", "p - smooth / vocabulary", "p - smooth / (vocabulary - 2)")
p("108a", "the smoothed target sums to 1 + epsilon", "targets] -= 1 - smooth", "targets] -= 1")
p("108b", "the smoothed target sums to 1 + epsilon in the loss", "(1 - smooth) * at_target", "at_target")
p("109a", "the padding id loses its smoothing mass", "d_x = p - smooth / vocabulary",
    "d_x = p - smooth / vocabulary\n        d_x[:, self.padding] += smooth / vocabulary")
p("109b", "the padding id has its smoothing mass twice", "d_x = p - smooth / vocabulary",
    "d_x = p - smooth / vocabulary\n        d_x[:, self.padding] -= smooth / vocabulary")
p("110", "the gradient is still one-hot", "smooth, vocabulary = self.label_smoothing,", "smooth, vocabulary = 0.0,")
p("111a", "ignored rows keep the uniform part of the loss", "xp.where(real, loss, 0)",
    "xp.where(real, loss, smooth * (log_total - shifted.mean(axis=-1)))")
p("111b", "ignored rows keep the uniform part of the gradient", "return (d_x * (",
    "d_x -= ~real[:, None] * smooth / vocabulary\n        return (d_x * (")
p("x04", "the gradient of the loss is ignored", "d_loss / count", "1.0 / count")
p("x05", "the logits are changed in place", "shifted = rows - rows.max",
    "rows -= 0.5\n        shifted = rows - rows.max")
p("x06", "no shift by the maximum", "shifted = rows - rows.max(axis=-1, keepdims=True)", "shifted = rows * 1")
p("x07", "a float64 loss from float32 logits", ".sum() / count", ".sum().astype('float64') / count")

p = plants("data/batching.py", "test_data.py", "shifted")
p("24", "targets not shifted: the decoder reads what it must predict", "Batch(source, target_in,",
    "Batch(source, target_out,")

# -- linear -------------------------------------------------------------------------------------------------------

p = plants("layers/linear.py", "test_layers.py", "test_linear")
p("25", "dW transposed", "position_product, x, d_y", "position_product, d_y, x")
p("26", "dW without the sum over the batch: one sample for all", "position_product, x, d_y",
    "position_product, x[0], d_y[0]")
p("27a", "dW is the mean over the batch", "position_product, x, d_y", "position_product, x / len(x), d_y")
p("27b", "db is the mean over the batch", "accumulate(position_sum, d_y)", "accumulate(position_sum, d_y / len(d_y))")
p("28", "db keeps the T axis, and sums the features instead", "self.bias.accumulate(position_sum, d_y)", "self.bias.grad += d_y.sum(axis=(0, -1))",
    select="linear_gradient and square")
p("29", "d_y W for d_y W^T", "feature_product(d_y, self.weight.data.T)", "feature_product(d_y, self.weight.data)")
p("30a", "dW assigned, not added", "self.weight.accumulate(position_product, x, d_y)",
    "self.weight.grad = position_product(x, d_y)", judge="test_conformance.py", select="keeps_the_contract and Linear")
p("30b", "db assigned, not added", "self.bias.accumulate(position_sum, d_y)", "self.bias.grad = position_sum(d_y)",
    judge="test_conformance.py", select="keeps_the_contract and Linear")
p("31", "W updated before d_x", "return feature_product(d_y, self.weight.data.T)",
    "self.weight.data -= 0.01 * self.weight.grad\n        return feature_product(d_y, self.weight.data.T)",
    judge="test_conformance.py", select="keeps_the_contract and Linear")
p("91", "dW_O from the output, not from the concatenated heads", "self.save(x)",
    "self.save(feature_product(x, self.weight.data))", judge="test_attention.py",
    select="multi_head_gradient and square")
p("x08", "no gradient for the bias", "self.bias.accumulate(position_sum, d_y)", "pass")
p("x09", "the weight drawn for the other shape", "xavier_uniform(rng, in_features, out_features)",
    "xavier_uniform(rng, in_features, in_features)")

# -- embedding ----------------------------------------------------------------------------------------------------

p = plants("layers/embedding.py", "test_layers.py", "test_embedding")
add = "add_rows(self.weight.grad, ids.reshape(-1), rows)"
p("32a", "the last of several equal ids wins: +=", add, "self.weight.grad[ids.reshape(-1)] += rows")
p("32b", "the last of several equal ids wins: =", add, "self.weight.grad[ids.reshape(-1)] = rows")
p("33", "equal ids averaged", add,
    "ids = ids.reshape(-1)\n"
    "        add_rows(self.weight.grad, ids, rows / (ids[:, None] == ids).sum(axis=1, keepdims=True))")
p("34", "root of D lost in backward", "(d_y * self.scale)", "d_y")
p("35", "root of D applied twice in backward", "(d_y * self.scale)", "(d_y * self.scale**2)")
p("x10", "D for the root of D", "features**0.5 if scale", "features if scale")
p("x11", "scale=False is ignored", "features**0.5 if scale else 1.0", "features**0.5")
p("123", "tied: no gradient from the output side", "self.weight.accumulate(position_product, d_y, x)", "pass",
    select="unembedding")
p("x12", "the output's dW transposed", "position_product, d_y, x", "position_product, x, d_y", select="unembedding")
p("30c", "the output's dW assigned, not added", "self.weight.accumulate(position_product, d_y, x)",
    "self.weight.grad = position_product(d_y, x)", judge="test_conformance.py", select="keeps_the_contract and Unembedding")

# -- layer norm ---------------------------------------------------------------------------------------------------

p = plants("layers/layer_norm.py", "test_layers.py", "layer_norm")
variance = "feature_mean(centred * centred)"
p("38", "epsilon outside the root", f"sqrt({variance} + self.epsilon)", f"sqrt({variance}) + self.epsilon")
p("39", "Bessel's correction", variance, f"{variance} * (x.shape[-1] / (x.shape[-1] - 1))")
p("40a", "the mean over positions", "centred = centre(x)", "centred = x - x.mean(axis=0)")
p("40b", "the variance over positions", variance, "(centred * centred).mean(axis=-2, keepdims=True)")
mean_term, variance_term = " - feature_mean(d_x_hat)", " - x_hat * feature_mean(d_x_hat * x_hat)"
p("41", "gamma outside the sums", "d_x_hat = self.gamma.data * d_y", "d_x_hat = d_y * 1",
    (") / sigma", ") / sigma * self.gamma.data"))
p("42", "no mean term", mean_term, "")
p("43", "no variance term", variance_term, "")
p("44", "neither term", mean_term + variance_term, "")
p("45", "gamma omitted", "d_x_hat = self.gamma.data * d_y", "d_x_hat = d_y * 1")
p("46", "divided by the variance", ") / sigma", ") / sigma**2")
p("47", "x - mean for x_hat in the variance term", variance_term, " - x_hat * sigma * feature_mean(d_x_hat * x_hat)")
p("48", "d_gamma from x - mean", "position_sum(d_y * x_hat)", "position_sum(d_y * x_hat * sigma)")
p("49a", "d_gamma of one position", "position_sum(d_y * x_hat)", "position_sum((d_y * x_hat)[:1])")
p("49b", "d_beta of one position", "position_sum(d_y)", "position_sum(d_y[:, -1:])")
p("50", "epsilon outside the root in forward, inside in backward", "x_hat = centred / sigma",
    f"x_hat = centred / (array_module(x).sqrt({variance}) + self.epsilon)")
p("30d", "d_gamma assigned, not added", "self.gamma.grad += ", "self.gamma.grad = ", judge="test_conformance.py", select="keeps_the_contract and LayerNorm")
p("x13", "forward centres its input in place", "centred = centre(x)", "x -= feature_mean(x)\n        centred = x * 1",
    judge="test_conformance.py", select="keeps_the_contract and LayerNorm")
p("x14", "beta left out", " + self.beta.data", "")
p("xc00", "the mean of large numbers is rounded (float32)", "centre(x)", "x - feature_mean(x)", select="in_float32")
p("x15", "the saved x_hat already scaled", "self.save(x_hat, sigma)", "self.save(self.gamma.data * x_hat, sigma)")

# -- ReLU and GELU ------------------------------------------------------------------------------------------------

p = plants("layers/activations.py", "test_layers.py", "relu or activation")
gate = "return d_y * positive"
p("51", "gated on d_y > 0", gate, "return d_y * (d_y > 0)")
p("52", "d_y forgotten", gate, "return 1.0 * positive")
p("53", "in place: the caller's x is changed", "maximum(x, 0)", "maximum(x, 0, out=x)", judge="test_conformance.py", select="keeps_the_contract and ReLU")
p("x16", "the gate open at 0, where every negative x ends", "self.save(x > 0)",
    "self.save(array_module(x).maximum(x, 0) >= 0)")
p = plants("layers/activations.py", "test_layers.py", "gelu or activation")
p("54", "GELU backward is the distribution alone", "d_y * (cdf + x * normal_density(x))", "d_y * cdf")
p("55", "tanh forward, erf backward", "return x * cdf",
    "return x * (1 + array_module(x).tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) * 0.5")
p("56", "the 3 * 0.044715 x^2 term dropped", "self.SLOPE * (1 + 3 * self.CUBIC * square)", "self.SLOPE")
p("x17", "the density not multiplied by x", "cdf + x * normal_density(x)", "cdf + normal_density(x)")
p("x19", "the cubic's factor mistyped", "CUBIC = 0.044715", "CUBIC = 0.44715")
p("x20", "1 - tanh for 1 - tanh^2", "1 - tanh**2)", "1 - tanh)")

# -- dropout ------------------------------------------------------------------------------------------------------

p = plants("layers/dropout.py", "test_layers.py", "test_dropout")
p("57", "no 1/(1-p)", "scaled(x * kept, 1 / keep)", "x * kept")
p("58", "scaled in eval", "self.save(None)\n            return x",
    "self.save(None)\n            return x / (1 - self.p)")
p("59", "backward draws a new mask", "d_y * kept", "d_y * keep_mask(self.rng, 1 - self.p, like=d_y)")
p("60", "backward unscaled", "scaled(d_y * kept, 1 / nearest_keep(1 - self.p))", "d_y * kept")
p("61", "keep and drop swapped", "keep_mask(self.rng, keep, like=x)", "keep_mask(self.rng, self.p, like=x)")
p("x21", "x itself is dropped out", "return scaled(x * kept, 1 / keep)", "x *= kept\n        return x * (1 / keep)",
    judge="test_conformance.py", select="keeps_the_contract and Dropout")
p("x22", "float32 becomes float64", "scaled(x * kept, 1 / keep)", "x * kept.astype('float64') * (1 / keep)",
    judge="test_conformance.py", select="keeps_the_contract and Dropout")
p("x23", "on in eval too", "if self.p == 0 or not self.training:", "if self.p == 0:")
p("x24", "backward goes through in training", "d_y if kept is None else", "d_y if True else")

# -- positional encoding ------------------------------------------------------------------------------------------

p = plants("layers/positional_encoding.py", "test_layers.py", "positions")
p("92", "sine only", "np.cos(positions", "np.sin(positions")
p("93a", "each channel has a frequency of its own", "frequencies[: features // 2]",
    "10000.0 ** (-np.arange(1, features, 2) / features)")
p("93b", "exponent i/D for 2i/D", "-np.arange(0, features, 2) / features",
    "-np.arange(0, features, 2) / (2 * features)")
p("94", "sines first, then cosines", "return table", "return np.concatenate([table[:, 0::2], table[:, 1::2]], axis=1)")
p("95", "positions start at 1", "np.arange(length)[:, None]", "np.arange(1, length + 1)[:, None]")
p("96", "indexed by the batch", "self.table[: x.shape[1]]", "self.table[: x.shape[0]][:, None]")
p("97", "a table of integers", "np.zeros(possible((length, features)))", "np.zeros((length, features), dtype=int)")
p("98", "d_y times the encoding", "self.saved()\n        return d_y",
    "self.saved()\n        return d_y * self.table[: d_y.shape[1]]")
p("x25", "the table's float64 leaks into x", "x + code.astype(x.dtype)", "x + code", judge="test_conformance.py", select="keeps_the_contract and Sinusoidal")
p("x26", "given positions are ignored", "if positions is None else self.table[positions]", "")
p("x27", "learned: the mean over the batch", "d_y.sum(axis=0)", "d_y.mean(axis=0)")
p("x28", "learned: of several tokens at one position the last wins",
    "add_rows(self.weight.grad, places.reshape(-1), d_y.reshape(-1, d_y.shape[-1]))", "self.weight.grad[places] += d_y")
p("x29", "the length check is off by one", "largest(positions) + 1", "largest(positions)")
p("x30", "positions added in place", "return x + code.astype(x.dtype)", "x += code\n        return x",
    judge="test_conformance.py", select="keeps_the_contract and Sinusoidal")

# -- feed-forward, residual ---------------------------------------------------------------------------------------

p = plants("layers/feed_forward.py", "test_layers.py", "feed_forward")
p("x31", "dropout forgotten in backward", "self.dropout.backward(self.contract.backward(d_y))",
    "self.contract.backward(d_y)")
p("x32", "the activation's backward forgotten", "self.activation.backward(d_hidden)", "d_hidden")

p = plants("layers/residual.py", "test_layers.py", "residual")
post = "return self.norm(x + self.dropout(self.sublayer(x, *others, **options)))"
pre = "return x + self.dropout(self.sublayer(self.norm(x), *others, **options))"
p("99", "no skip in backward", "d_x = d_sum + d_x", "pass")
p("100", "no branch in backward", "d_x = d_sum + d_x", "d_x = d_sum")
p("101", "x += changes what the branch saved", post,
    "x += self.dropout(self.sublayer(x, *others, **options))\n            return self.norm(x)")
p("102", "x + norm(f(x))", "self.norm(x + self.dropout(self.sublayer(x, *others, **options)))",
    "x + self.norm(self.dropout(self.sublayer(x, *others, **options)))")
p("103", "the skip taken after the pre-norm", pre,
    "x = self.norm(x)\n        return x + self.dropout(self.sublayer(x, *others, **options))")
p("x33", "dropout forgotten in backward", "self.dropout.backward(d_sum)", "d_sum")
p("x34", "dropout on the sum", pre, "return self.dropout(x + self.sublayer(self.norm(x), *others, **options))")
p("x35", "the further gradients are lost", "return (d_x, *d_others) if d_others else d_x", "return d_x")
p("x36", "the pre-norm's backward forgotten", "d_x = self.norm.backward(d_x)", "self.norm.saved()")
p("x37", "the pre-norm's backward over the sum", 'if self.order == "post" else d_y',
    'if self.order in ("post", "pre") else d_y', ('if self.order == "pre":', "if False:"))

# -- attention ----------------------------------------------------------------------------------------------------

p = plants("attention/scaled_dot_product.py", "test_attention.py", "dot_product")
p("63", "no scale", "query.shape[-1] ** -0.5", "1.0")
p("64", "divided by d_k", "query.shape[-1] ** -0.5", "query.shape[-1] ** -1.0")
p("65", "the root of d_model for the root of d_k", "query.shape[-1] ** -0.5",
    "(query.shape[1] * query.shape[-1]) ** -0.5")
p("66", "the scale forgotten in backward", "self.softmax.backward(d_weights)) * scale", "self.softmax.backward(d_weights))")
p("67", "scaled twice in backward", "self.softmax.backward(d_weights)) * scale", "self.softmax.backward(d_weights)) * scale**2")
p("68", "dV = P dO", "dropped.swapaxes(-1, -2) @ d_y", "dropped @ d_y")
p("69", "dK = dS Q", "d_scores.swapaxes(-1, -2) @ query", "d_scores @ query")
p("70", "K Q^T: attention transposed", "query_key_product(query, key, scale)", "query_key_product(key, query, scale)")
p("71", "the softmax's backward skipped", "self.softmax.backward(d_weights)", "(self.softmax.saved(), d_weights)[1]")
p("72", "dQ and dK swapped", "return d_query, d_key, d_value", "return d_key, d_query, d_value")
p("76", "masked after softmax, not renormalised", "weights = self.softmax(self.masking(scores, mask))",
    "self.masking(scores, mask)\n        weights = self.softmax(scores) * (1.0 if mask is None else mask)")
p("x38", "dV from the weights before dropout", "self.save(query, key, value, dropped, scale)",
    "self.save(query, key, value, weights, scale)")
p("x39", "dropout forgotten in backward", "self.dropout.backward(query_key_product(d_y, value))",
    "query_key_product(d_y, value)")
p("x40", "scores scaled after the mask and the softmax", "query_key_product(query, key, scale)", "query_key_product(query, key)",
    ("return dropped @ value", "return dropped @ value * scale"))
p("x42", "keeping weights changes the output", "self.weights = weights",
    "self.weights = weights\n            dropped = weights * 0.5", select="kept")

only_if_kept = "if self.keep:\n            self.d_weights = "
p("xc41", "d_P is kept outside keep_weights", only_if_kept, "if True:\n            self.d_weights = ", select="nothing_is_kept")
p("xc42", "P is kept outside keep_weights", "if self.keep:\n            self.weights = ", "if True:\n            self.weights = ",
    select="nothing_is_kept")
p = plants("older/expectation.py", "test_attention.py", "nothing_is_kept")
p("xc43", "d_P is kept outside keep_weights", only_if_kept, "if True:\n            self.d_weights = ")
p = plants("older/local.py", "test_attention.py", "nothing_is_kept")
p("xc44", "d_P is kept outside keep_weights", "if self.keep:\n            self.d_weights = self.spread(self.d_weights, length)",
    "self.d_weights = None")
p = plants("attention/kept_weights.py", "test_attention.py", "kept or keeping")
p("x41", "keeping weights never ends", "        _kept.on = before\n", "        pass\n")
p("x153", "an inner block ends the outer one", "        _kept.on = before\n", "        _kept.on = frozenset()\n")
p("x1000", "an inner block keeps nothing but its own", "before | {id(m) for", "{id(m) for", judge="test_observe.py",
    select="inner_keeping")
p("x1001", "every thread keeps", "class _Kept(threading.local):", "class _Kept:", judge="test_decoding.py",
    select="kept_weights_are or threads_get")
p("x1002", "all attentions keep, not those below the module", "id(self) in _kept.on", "bool(_kept.on)",
    judge="test_observe.py", select="inner_keeping")
p("x1003", "what was kept before is lost", "        _kept.arrays = before\n", "        pass\n", judge="test_plotting.py",
    select="left_as_it_was")
p("x1004", "what attention_weights looked at stays kept", "before, _kept.arrays = _kept.arrays, weakref.WeakKeyDictionary()",
    "before = _kept.arrays", judge="test_decoding.py", select="threads_get")

p = plants("attention/multi_head.py", "test_attention.py", "multi_head")
d_self = "return d_query + d_memory if is_self_attention"
p("73a", "self-attention keeps the queries' path only", d_self, "return d_query if is_self_attention")
p("73b", "self-attention loses the queries' path", d_self, "return d_memory if is_self_attention")
p("73c", "the keys' path is lost", "d_memory = d_memory + self.key.backward", "self.key.backward")
p("74", "backward 'simplified' to the identity", d_self, "return d_y if is_self_attention")
p("75", "dK not transposed back before the heads merge", "self.split_key.backward(d_k)",
    "self.split_key.backward(d_k.swapaxes(-1, -2))")
p("89", "no W_O", "return self.output(self.merge(self.attention(q, k, v, mask)))",
    "merged = self.merge(self.attention(q, k, v, mask))\n        self.output(merged)\n        return merged",
    select="multi_head and square")
p("90", "heads averaged", "return self.output(self.merge(self.attention(q, k, v, mask)))",
    "context = self.attention(q, k, v, mask)\n"
    "        return self.output(self.merge(0 * context + context.mean(axis=1, keepdims=True)))")
p("106", "cross-attention: queries and keys from the memory, values from the decoder",
    "q = self.split_query(self.query(query)) ",
    "asked, query = query, query if memory is None else memory\n        q = self.split_query(self.query(query)) ",
    ("k, v = self.keys_and_values(query if memory is None else memory)",
     "k, v = self.split_key(self.key(query)), self.split_value(self.value(asked))"), select="memory and square")
p("x43", "the mask is not handed on", "self.attention(q, k, v, mask)", "self.attention(q, k, v)")
p("x44", "always self-attention in backward", "self.save(memory is None)", "self.save(True)")
p("x45", "values from the queries' input", "k, v = self.keys_and_values(query if memory is None else memory)",
    "k, v = self.keys_and_values(query if memory is None else memory)[0], self.split_value(self.value(query))",
    select="multi_head and square")
p("x46", "the value width ignored", "value_features = value_features or key_features", "value_features = key_features",
    select="widths")
p("x47", "dQ goes back through the keys", "self.query.backward(self.split_query.backward(d_q))",
    "self.key.backward(self.split_query.backward(d_q))",
    ("self.key.backward(self.split_key.backward(d_k))", "self.query.backward(self.split_key.backward(d_k))"),
    select="multi_head_gradient and square")

# -- masks --------------------------------------------------------------------------------------------------------

p = plants("attention/masking.py", "test_attention.py", "mask or attend or dot_product")
where = "xp.minimum(x, xp.where(mask, np.inf, -np.inf).astype(x.dtype))"
p("77", "scores multiplied by the mask", where, "x * mask")
p("78a", "the mask inverted", where, "xp.where(mask, -np.inf, x).astype(x.dtype)")
p("78b", "True where a key is padding", "(ids != padding)[", "(ids == padding)[")
p("79", "the diagonal blocked", "length - rows, dtype=bool)", "length - rows - 1, dtype=bool)")
p("80", "one future position leaks", "length - rows, dtype=bool)", "length - rows + 1, dtype=bool)")
p("81c", "a large number for -inf: a fully masked row attends to everything", where,
    "xp.where(mask, x, -1e9)")
p("82", "query padding for key padding", "(ids != padding)[:, None, None, :]", "(ids != padding)[:, None, :, None]")
p("84", "the batch axis taken for the query axis", "(ids != padding)[:, None, None, :]", "(ids != padding)[None, None]")
p("85", "-inf * 0", where, "x + (1 - mask) * -np.inf")
p("x48", "the causal mask transposed", "length - rows, dtype=bool)", "length - rows, dtype=bool).T")
p("x49", "the mask forgotten in backward", "d_y * mask", "d_y")
p("x50", "scores masked in place", where, "(x.__setitem__(~np.broadcast_to(mask, x.shape), -np.inf), x)[1]",
    judge="test_conformance.py", select="keeps_the_contract and Masking")

# -- heads --------------------------------------------------------------------------------------------------------

p = plants("attention/heads.py", "test_attention.py", "heads")
cut = "x.reshape(batch, length, heads, features // heads).transpose(0, 2, 1, 3)"
p("86", "reshape without transpose", cut, "x.reshape(batch, heads, length, features // heads)")
p("87", "merged without the inverse transpose", "x.transpose(0, 2, 1, 3).reshape(", "x.reshape(")
p("88", "heads interleaved", cut, "x.reshape(batch, length, features // heads, heads).transpose(0, 3, 1, 2)")
p("x51", "the backward of splitting transposes again", "return merge(d_y)  ",
    "return d_y.reshape(len(d_y), d_y.shape[2], -1)  ")

# -- stacks and models --------------------------------------------------------------------------------------------

p = plants("models/decoder.py", "test_models.py", "decoder_gradient or decoder_memory")
p("104", "the memory gradient of one layer", "d_memory = d_memory + d_memory_of_layer", "d_memory = d_memory_of_layer")
p("83", "the causal mask on cross-attention", "mask=memory_mask", "mask=mask", select="transformer_equals and square")
p("x52", "the memory gradient of the first undone layer only", "d_memory = d_memory + d_memory_of_layer",
    "d_memory = d_memory_of_layer if isinstance(d_memory, int) else d_memory")
p("x53", "layers undone in forward order", "reversed(self.layers)", "self.layers", select="decoder_gradient")
p("x54", "the final norm is not undone", "self.final_norm.backward(d_y)", "(self.final_norm.saved(), d_y)[1]",
    select="decoder_gradient and pre")
p("x55", "the memory's padding is visible", "mask=memory_mask", "mask=None",
    select="transformer_equals and paper or padding_is_invisible and paper")
p("x56", "the future is visible", "self.add_norm_1(x, mask=mask, cache=own)",
    "self.add_norm_1(x, cache=own)", select="future and paper")
p("x57", "every layer is the same layer", "[DecoderLayer(config, rng) for _ in range(config.decoder_layers)]",
    "[DecoderLayer(config, rng)] * config.decoder_layers", select="every_attention")
p("x58", "cross-attention before self-attention", "x = self.add_norm_1(x, mask=mask, cache=own)",
    "x = FIRST",
    ("x = self.add_norm_2(x, memory, mask=memory_mask, cache=cross)",
     "x = self.add_norm_1(x, mask=mask, cache=own)"),
    ("x = FIRST", "x = self.add_norm_2(x, memory, mask=memory_mask, cache=cross)"),
    select="transformer_equals and square")

p = plants("models/encoder.py", "test_models.py", "encoder_gradient")
p("x59", "layers undone in forward order", "reversed(self.layers)", "self.layers")
p("x60", "the final norm is not undone", "self.final_norm.backward(d_y)", "(self.final_norm.saved(), d_y)[1]",
    select="encoder_gradient and pre")
p("x61", "the source's padding is visible", "self.add_norm_1(x, mask=mask, cache=cache)",
    "self.add_norm_1(x, cache=cache)",
    select="transformer_equals and paper or padding_is_invisible and paper")
p("x66", "the final norm is never applied", "return x if self.final_norm is None else self.final_norm(x)", "return x",
    select="transformer_equals and pre")

p = plants("models/sublayers.py", "test_models.py", "")
p("x62", "the wrong dropout on the weights", "config.bias,\n        config.attention_dropout", "config.bias, config.dropout",
    select="each_dropout")
p("x63", "the wrong dropout inside the feed-forward", "config.activation, config.activation_dropout",
    "config.activation, config.dropout", select="each_dropout")
p("x64", "the norm's order is ignored", "rng, config.norm, config.dropout", 'rng, "post", config.dropout',
    select="transformer_equals and pre")
p("x65", "key and value width swapped", "config.d_k, config.d_v, config.bias", "config.d_v, config.d_k, config.bias",
    select="widths_reach")

p = plants("models/input_embedding.py", "test_models.py", "input_embedding")
p("x67", "dropout forgotten in backward", "self.dropout.backward(d_y)", "d_y")
p("x68", "positions are not handed on", "self.position(self.embedding(ids), positions)",
    "self.position(self.embedding(ids))")
p("x69", "dropout on the embedding, not on the sum", "self.dropout(self.position(self.embedding(ids), positions))",
    "self.position(self.dropout(self.embedding(ids)), positions)")

p = plants(
    "models/transformer.py", "test_models.py", "transformer and (equals or gradient) and (paper or square or tied)"
)
p("36", "the padding row gets a gradient: padded keys are attended", "mask = padding_mask(source)",
    "mask = padding_mask(source, padding=-1)", select="embedding_of_padding or padding_is_invisible")
p("105", "gradients of decoder and encoder swapped", "d_x, d_memory = self.decoder.backward",
    "d_memory, d_x = self.decoder.backward", select="whole_model_gradient and transformer-square")
p("124", "tied weights copied", "Unembedding(target.weight)",
    "Unembedding(type(target.weight)(target.weight.data.copy()))", select="tied")
p("x70", "source and target always share a table", "source\n            if config.tie_embeddings\n            else", "source if True else",
    select="tied")
p("x71", "tied source and target have tables of their own", "source\n            if config.tie_embeddings\n            else",
    "source if False else", select="tied")
p("x72", "the encoder is not undone", "self.encoder.backward(d_memory)", "d_memory",
    select="whole_model_gradient and transformer-paper")
p("x73", "the target's padding is visible", " & padding_mask(target_in)", "", select="padding_inside")
p("x74", "the future is visible", "causal_mask(target_in.shape[1], like=target_in) & ", "", select="future and paper")
p("x75", "a step may not see itself", "real = xp.concatenate([before, ids[:, None] != 0], axis=1)",
    "real = xp.concatenate([before, ids[:, None] < 0], axis=1)", select="stepping and paper")
p("x76", "a step forgets the target so far", "caches = copied(caches)", "caches = [[Cache(), cross] for _, cross in caches]",
    ("real[:, None, None]", "real[:, None, None, -1:]"), select="stepping and paper")
p("x77", "the source's gradient goes into the target's table", "self.source_input.backward(self.encoder",
    "self.target_input.backward(self.encoder", ("self.target_input.backward(d_x)", "self.source_input.backward(d_x)"),
    select="whole_model_gradient and transformer-square")

p = plants("models/language_model.py", "test_models.py", "language_model")
p("122", "tied: no gradient from the input side", "self.input.backward(self.layers", "(self.layers",
    select="whole_model_gradient and language_model-tied")
p("x78", "positions count the padding", "(real.cumsum(axis=1) - 1).clip(0)[:, -count:]", "(0 * real + array_module(real).arange(real.shape[1]))[:, -count:]",
    select="language_model and (equals or counts)")
p("x79", "positions start at 1", "(real.cumsum(axis=1) - 1).clip(0)", "real.cumsum(axis=1)",
    select="language_model and (equals or counts)")
p("x80", "logits of one position earlier", "self.output(x[:, before:])",
    "self.output(x[:, before - 1 : -1] if before else x)", select="language_model_equals")
p("x81", "the target's gradient in the source's place", "concatenate([d_source, d_target], axis=1)",
    "concatenate([d_target, d_source], axis=1)", select="whole_model_gradient and language_model-paper")
p("x82", "padding is visible", " & real[:, None, None]", "", select="language_model_equals")
p("x83", "the future is visible", "causal_mask(real.shape[1], like=real, last=count) & ", "",
    select="future and language_model-paper")
p("x84", "a step forgets the source", "return ids != 0, caches",
    "return ids[:, :0] != 0, [Cache() for _ in caches]", select="stepping and language_model-paper")

p = plants("models/config.py", "test_models.py", "config")
p("x85", "no final norm for pre-norm", 'fill("final_norm", self.norm == "pre")', 'fill("final_norm", False)')
p("x86", "values as wide as d_model / heads although d_k is given", 'fill("d_v", self.d_k)',
    'fill("d_v", self.d_model // self.heads)')

# -- the older attentions -----------------------------------------------------------------------------------------

p = plants("older/expectation.py", "test_attention.py", "expectation or older_attention")
p("x154", "the mask dropped", "self.masking(scores, mask)", "self.masking(scores)")
p("x155", "the softmax's backward skipped", "self.softmax.backward(d_weights)", "(self.softmax.saved(), d_weights)[1]")
p("x156", "d_f = P d_y", "weights.swapaxes(-1, -2) @ d_y", "weights @ d_y", select="expectation_equals and square")
p("x157", "kept without the axis of the heads", "self.weights = weights[:, None]", "self.weights = weights")
p("x158", "the kept gradient is not d_P", "self.d_weights = d_weights[:, None]",
    "self.d_weights = (weights * d_weights)[:, None]")

p = plants("older/additive.py", "test_attention.py", "older_attention")
own = "older_attention_equals and additive and square"
p("x159", "no tanh'", "self.tanh.backward(self.score.backward(d_scores[..., None]))",
    "(self.tanh.saved(), self.score.backward(d_scores[..., None]))[1]")
p("x160", "summed over the queries for the query", "self.key.backward(d_pairs.sum(axis=1))",
    "self.key.backward(d_pairs.sum(axis=2))",
    ("self.query.backward(d_pairs.sum(axis=2))", "self.query.backward(d_pairs.sum(axis=1))"), select=own)
p("x161", "the mean over the queries", "d_pairs.sum(axis=1)", "d_pairs.mean(axis=1)")
p("x162", "keys that are annotations: no gradient from the scores", "(d_query, d_key + d_annotations)",
    "(d_query, d_annotations)")
p("x163", "keys that are annotations: no gradient from the context", "(d_query, d_key + d_annotations)",
    "(d_query, d_key)")
p("x164", "the keys looked up although annotations are given",
    "annotations = key if annotations is None else annotations", "annotations = key")
p("x165", "the mask ignored", "self.expectation(scores, annotations, mask)", "self.expectation(scores, annotations)")
p("x166", "queries along the keys' axis", "self.query(query)[:, :, None] + self.key(key)[:, None]",
    "self.query(query)[:, None] + self.key(key)[:, :, None]", select=own)
p("x167", "no tanh at all", "self.score(self.tanh(pairs))", "self.score((self.tanh(pairs), pairs)[1])")

p = plants("older/multiplicative.py", "test_attention.py", "older_attention")
own = "older_attention_equals and multiplicative and square"
p("x168", "d_key without the projection", "self.save(projected, key,", "self.save(query, key,", select=own)
p("x169", "d_key = d_E p", "d_scores.swapaxes(-1, -2) @ projected", "d_scores @ projected", select=own)
p("x170", "d_p = d_E^T x", "self.query.backward(d_scores @ key)",
    "self.query.backward(d_scores.swapaxes(-1, -2) @ key)", select=own)
p("x171", "d_query without the projection", "self.query.backward(d_scores @ key)",
    "(self.query.backward(d_scores @ key), d_scores @ key)[1]", select=own)
p("x172", "scaled as the dot product is", "projected @ key.swapaxes(-1, -2)",
    "projected @ key.swapaxes(-1, -2) * key.shape[-1] ** -0.5")
p("x173", "the mask ignored", "self.expectation(scores, annotations, mask)", "self.expectation(scores, annotations)")
p("x174", "keys that are annotations: no gradient from the context", "d_key + d_annotations)", "d_key)")

p = plants("older/local.py", "test_attention.py", "local_attention")
p("x175", "the band one too wide", "(back < self.width)", "(back <= self.width)")
p("x176", "the band one too narrow", "(back < self.width)", "(back < self.width - 1)")
p("x177", "one future position leaks", "(back >= 0)", "(back >= -1)")
p("x178", "the gradient of the block before is dropped",
    "d_block[..., :-1, :, :] += d_pair[..., 1:, : self.width, :]", "pass")
p("x179", "it goes to the block itself", "d_block[..., :-1, :, :] += d_pair[..., 1:, : self.width, :]",
    "d_block[..., 1:, :, :] += d_pair[..., 1:, : self.width, :]")
p("x180", "padding is visible", "xp.ones((1, key.shape[2]), dtype=bool) if mask is None else mask",
    "xp.ones((1, key.shape[2]), dtype=bool)")
p("x181", "what is before the beginning is visible", "xp.zeros_like(block[..., :1, :, :])",
    "xp.ones_like(block[..., :1, :, :])")
p("x182", "the block before the first is the last",
    "xp.concatenate(\n            [xp.zeros_like(block[..., :1, :, :]), block[..., :-1, :, :]], axis=-3\n        )",
    "xp.roll(block, 1, axis=-3)")
p("x183", "the block after instead of before", "[xp.zeros_like(block[..., :1, :, :]), block[..., :-1, :, :]]",
    "[block[..., 1:, :, :], xp.zeros_like(block[..., :1, :, :])]")
p("x184", "kept weights spread to the wrong columns", "full[:, :, :length, width : width + length]",
    "full[:, :, :length, :length]")
p("x185", "whole blocks are visible", "keys[..., None, :] & (back >= 0) & (back < self.width)",
    "keys[..., None, :] & (back >= 0)")

# -- windows, convolution, mean -----------------------------------------------------------------------------------

p = plants("older/sliding_window.py", "test_layers.py", "sliding_window or convolution")
p("xc45", "a single sequence is refused", '"..., T, D"', '"B, T, D"', select="single_sequence")
later = "concatenate([zeros, x[..., : x.shape[-2] - zeros.shape[-2], :]], axis=-2)"
p("x186", "anti-causal: the window holds the future", "[delayed(x, steps) for", "[advanced(x, steps) for",
    ("sum(advanced(d_y", "sum(delayed(d_y"))
p("x187", "the dilation ignored in backward", "advanced(d_y[..., j, :], steps)",
    "advanced(d_y[..., j, :], steps // self.dilation)")
p("x188", "the nearest first", "(self.width - 1 - j) * self.dilation", "j * self.dilation")
p("x189", "zeros at the wrong end", later, "concatenate([x[..., : x.shape[-2] - zeros.shape[-2], :], zeros], axis=-2)")
p("x190", "the end comes round to the beginning", later, "roll(x, steps, axis=-2)")
p("x191", "the gradient of one place only",
    "sum(advanced(d_y[..., j, :], steps) for j, steps in enumerate(self.delays()))", "d_y[..., -1, :]")
p("x192", "delayed again in backward", "sum(advanced(d_y", "sum(delayed(d_y")

p = plants("older/convolution.py", "test_layers.py", "convolution")
p("x193", "the mask forgotten in backward", "return only_real(d_x, mask)", "return d_x")
p("x194", "padding is seen", "seen = only_real(x, mask)", "seen = x")
p("x195", "features first, places second", "joined = windows.reshape(",
    "joined = windows.swapaxes(-1, -2).reshape(")

p = plants("older/pooling.py", "test_layers.py", "mean_over")
p("x196", "divided by all positions", "xp.maximum(real.sum(axis=1, keepdims=True), 1)", "0 * real[:, :1] + x.shape[1]")
p("x197", "padding counts", "xp.ones(x.shape[:-1], dtype=bool) if mask is None else mask",
    "xp.ones(x.shape[:-1], dtype=bool)")
p("x198", "the gradient is not divided", "(d_y / count)[:, None]", "d_y[:, None]")
p("x199", "padding has a gradient", "real[..., None] * (d_y / count)",
    "(0 * real + 1)[..., None] * (d_y / count)")
p("xc08", "multiplied by a rounded 1/n", "[:, 0] / count", "[:, 0] * (1 / count)")
p("x200", "divided by the batch's mean length", "real.sum(axis=1, keepdims=True), 1)", "real.sum() / len(real), 1)")


p = plants("layers/activations.py", "test_layers.py", "tanh_and_sigmoid")
p("x202", "1 - y for 1 - y^2", "d_y * (1 - y * y)", "d_y * (1 - y)")
p("x203", "1 - y for y(1 - y)", "d_y * y * (1 - y)", "d_y * (1 - y)")
p("x204", "tanh x for tanh x/2", "tanh(0.5 * x)", "tanh(x)")

# -- recurrence ---------------------------------------------------------------------------------------------------

p = plants("older/cells.py", "test_recurrent.py", "cell")
p("x205", "d_a W for d_a W^T", "d_h = self.state.backward(d_sum)",
    "self.state.backward(d_sum)\n        d_h = d_sum @ self.state.weight.data")
p("x206", "d_h does not go back through the weights", "d_h = self.state.backward(d_sum)",
    "self.state.backward(d_sum)\n        d_h = d_sum")
p("x207", "no tanh' in the simple step", "d_sum = self.tanh.backward(d_new)",
    "self.tanh.saved()\n        d_sum = d_new")
p("x208", "tanh before the sum", "self.tanh(self.input(x) + self.state(h))", "self.tanh(self.input(x)) + self.state(h)")
p("x209", "z and 1 - z swapped", "return (1 - z) * n + z * h", "return z * n + (1 - z) * h")
p("x210", "z and 1 - z swapped in backward", "d_new * (1 - z)", "d_new * z")
p("x211", "d_z with the wrong sign", "d_new * (h - n)", "d_new * (n - h)")
p("x212", "the reset gate on what is read", "self.tanh(x_n + r * h_n)", "self.tanh(r * x_n + h_n)")
p("x213", "the reset gate forgotten in backward", "d_sum_n * r], axis", "d_sum_n], axis")
p("x214", "the reset gate in the gradient of what is read", "d_sum_z, d_sum_n], axis", "d_sum_z, d_sum_n * r], axis")
p("x215", "d_r from h instead of h W", "d_sum_n * h_n", "d_sum_n * h")
p("x216", "the direct way back of the state is lost", "return d_x, d_h + d_new * z", "return d_x, d_h")
p("x217", "the gates' order swapped in backward", "[d_sum_r, d_sum_z, d_sum_n * r]", "[d_sum_z, d_sum_r, d_sum_n * r]")
p("x218", "the gates' order swapped in forward", "x_r, x_z, x_n = thirds", "x_z, x_r, x_n = thirds",
    ("h_r, h_z, h_n = thirds", "h_z, h_r, h_n = thirds"))
p("x219", "the gates undone in the wrong order", "d_sum_z = self.sigmoid.backward(d_new * (h - n))", "LATER",
    ("d_sum_r = self.sigmoid.backward(d_sum_n * h_n)", "d_sum_z = self.sigmoid.backward(d_new * (h - n))"),
    ("LATER", "d_sum_r = self.sigmoid.backward(d_sum_n * h_n)"))
p("x220", "no bias of the state", "self.state = Linear(state_features, 3 * state_features, rng)",
    "self.state = Linear(state_features, 3 * state_features, rng, bias=False)", select="widths_of_states")

p = plants("layers/linear.py", "test_recurrent.py", "through_time")
p("x221", "the gradient of the last undone step only", "self.weight.accumulate(position_product, x, d_y)",
    "self.weight.grad[...] = position_product(x, d_y)")

p = plants("older/recurrence.py", "test_recurrent.py", "recurrence")
p("x222", "truncated to one step", "d_h = d_h + d_y[:, t]", "d_h = d_y[:, t]")
p("x223", "only the last state's d_y counts", "d_h = d_h + d_y[:, t]",
    "d_h = d_h + d_y[:, t] * (t == self.order(d_y.shape[1])[-1])")
p("x224", "undone in the order of reading", "reversed(self.order(d_y.shape[1]))", "self.order(d_y.shape[1])")
p("x225", "the state moves on over padding", "new if mask is None else xp.where(mask[:, t, None], new, h)", "new")
p("x226", "padding resets the state", "xp.where(mask[:, t, None], new, h)", "xp.where(mask[:, t, None], new, 0)")
p("x227", "the gradient is not carried over padding", "d_h = d_h + d_carried", "pass")
p("x228", "padding's gradient goes through the cell", "self.cell.backward(d_new)", "self.cell.backward(d_h)")
p("x229", "the first state has the gradient of the second", "return (d_x, d_h) if", "return (d_x, d_y[:, 0]) if")
p("x230", "always forwards", "range(length - 1, -1, -1) if self.reverse else range(length)", "range(length)")
p("x231", "in reverse the states stand in the order of reading", "return xp.stack(states, axis=1)",
    "return xp.stack(states[::-1] if self.reverse else states, axis=1)")
p("x232", "the given state is ignored", "if h is None:", "if True:")
p("x233", "every step begins anew", "new = self.cell(x[:, t], h)", "new = self.cell(x[:, t], 0 * h)")

p = plants("older/recurrence.py", "test_recurrent.py", "bidirectional")
p("x234", "the backward reading's end is its beginning", "back[:, 0]], axis=-1)", "back[:, -1]], axis=-1)")
p("x235", "its gradient at the wrong end", "d_back[:, 0] += d_end", "d_back[:, -1] += d_end")
p("x236", "the end has no gradient", "d_ahead[:, -1] += d_end[..., :width]", "pass")
p("x237", "the end's gradient assigned, not added", "d_ahead[:, -1] += d_end", "d_ahead[:, -1] = d_end")
p("x238", "d_x of one reading", "return self.backwards.backward(d_back) + self.forwards.backward(d_ahead)",
    "self.backwards.backward(d_back)\n        return self.forwards.backward(d_ahead)")
p("x239", "the halves swapped in backward", "d_ahead, d_back =", "d_back, d_ahead =", select="bidirectional and square")
p("x240", "one reading reads the padding", "self.backwards(x, mask=mask)", "self.backwards(x)")
p("x241", "d_y is changed in place", "d_y[..., :width].copy()", "d_y[..., :width]",
    judge="test_conformance.py", select="keeps_the_contract and Bidirectional")
p("x242", "both readings forwards", "Recurrence(backward_cell, reverse=True)", "Recurrence(backward_cell)")

# -- the older models ---------------------------------------------------------------------------------------------

p = plants("older/rnn_seq2seq.py", "test_older_models.py", "rnn_equals or rnn_gradient")
p("x243", "the last annotation for both ends", "self.tanh(self.bridge(end))",
    "self.tanh(self.bridge(annotations[:, -1]))")
p("x244", "the end of one reading only", "self.tanh(self.bridge(end))",
    "self.tanh(self.bridge(end * (array_module(end).arange(end.shape[1]) < end.shape[1] // 2)))")
p("x245", "d_query dropped", "d_both[..., width:] + d_query", "d_both[..., width:]")
p("x246", "the state's own way dropped", "d_states = d_both[..., width:] + d_query", "d_states = d_query")
p("x247", "context and state swapped in backward", "self.cross_attention.backward(d_both[..., :width])",
    "self.cross_attention.backward(d_both[..., -width:])",
    ("d_both[..., width:] + d_query", "d_both[..., :-width] + d_query"))
p("x248", "attention sees the padding", "self.cross_attention(states, annotations, mask=real[:, None])",
    "self.cross_attention(states, annotations)", select="rnn_equals or padded_row")
p("x249", "the reader reads the padding", "self.encoder(x, real)", "self.encoder(x)", select="rnn_equals or padded_row")
p("x250", "the writer begins at zero", "self.dropout(self.target_embedding(target_in)), h)",
    "self.dropout(self.target_embedding(target_in)), 0 * h)")
p("x251", "no gradient through the first state", "self.tanh.backward(d_h)", "self.tanh.backward(0 * d_h)")
p("x252", "no gradient through the annotations", "self.encoder.backward(d_annotations, d_end)",
    "self.encoder.backward(0 * d_annotations, d_end)")
p("x253", "a step does not hand its state on", "logits, h = self.decode(ids[:, None]",
    "logits, _ = self.decode(ids[:, None]", select="stepping and rnn")
p("x254", "no tanh' at the bridge", "self.bridge.backward(self.tanh.backward(d_h))",
    "self.bridge.backward((self.tanh.saved(), d_h)[1])")

p = plants("older/one_vector.py", "test_older_models.py", "one_vector or one-vector")
p("x255", "the vector has the gradient of one position", "d_z.sum(axis=1)", "d_z[:, -1]")
p("x256", "padding is in the mean", "self.mean(self.squash(self.source_input(source)), source != 0)",
    "self.mean(self.squash(self.source_input(source)))")
p("x257", "every step stands at the first place", "(len(ids), 1), read)", "(len(ids), 1), 0)",
    select="stepping and one")
p("x258", "a bag of words: the mean before f", "self.mean(self.squash(self.source_input(source)), source != 0)",
    "self.squash(self.mean(self.source_input(source), source != 0))", select="one_vector_equals")

p = plants("models/language_model.py", "test_older_models.py", "joined or shorter_source")
p("x259", "a shorter source moved to the wrong side", "real = source != 0\n    # the new", "real = source == 0\n    # the new")
p("x259b", "tokens lose their order", "+ real.cumsum(axis=1) - 1", "+ real.sum(axis=1, keepdims=True) - real.cumsum(axis=1)")
p("x260", "a gap between source and target", "concatenate([moved, target_in]", "concatenate([source, target_in]")

p = plants("older/convolution_model.py", "test_older_models.py", "convolution_model or conv")
p("x261", "every layer has the same dilation", "config.kernel_width**i)", "1)", select="convolution_model_equals")
p("x262", "padding is convolved", "return real[:, -count:]", "return real[:, -count:] | True")
p = plants("older/local_attention_model.py", "test_older_models.py", "local")
p("x263", "padding is visible", "return real", "return real | True")
p("x264", "the window is ignored", "LocalAttention(config.window,", "LocalAttention(config.max_length,")
p("x265", "no dropout on the weights", "rng, config.attention_dropout)", "rng)")

p = plants("runs/kinds.py", "test_older_models.py", "option or names or kind")
p("x266", "an option that the model ignores is taken", "options, kind.options())",
    "options, [f.name for f in dataclasses.fields(kind.config)])")
p("x267", "the name decides nothing", "**options, **kind.fixed)", "**options)")
p("x268", "what the data decides is an option", "if name not in FROM_DATA]", "]")

# -- optimizers ---------------------------------------------------------------------------------------------------

p = plants("training/optimizers.py", "test_optim.py", "adam")
p("xk4", "zero_grad does nothing", "self.model.zero_grad()", "pass", select="zero_grad")
unbias = "unbias1, unbias2 = 1 - self.beta1**self.t, (1 - self.beta2**self.t) ** 0.5"
p("112a", "no bias correction", unbias, "unbias1, unbias2 = 1.0, 1.0")
p("112b", "no bias correction of the second moment", "(1 - self.beta2**self.t) ** 0.5", "1.0")
p("113", "the first step has t = 0", unbias,
    "one = array_module(1.0).float64(1.0)\n"
    "        unbias1, unbias2 = one - self.beta1 ** (self.t - 1), (one - self.beta2 ** (self.t - 1)) ** 0.5")
p("114", "t counts parameters, not steps", "self.t += 1", "self.t += len(self.model.parameters())")
p("115a", "epsilon inside the root", "sqrt(v) + epsilon", "sqrt(v + epsilon)")
p("115b", "epsilon before the bias correction", "self.epsilon * unbias2", "self.epsilon")
p("116", "g not squared", "grad**2", "grad")
p("x504", "the second moment corrected without the root", "(1 - self.beta2**self.t) ** 0.5", "1 - self.beta2**self.t")
p("117", "beta1 used for v", "update_mean(v, self.beta2,", "update_mean(v, self.beta1,")
p("119a", "the parameter is rebound", "data -= step_size", "data = data - step_size")
p("120", "the schedule runs once per parameter", "self.learning_rate(self.t)",
    "self.learning_rate(self.t * len(self.model.parameters()))")
p("x87", "the corrections swapped", "unbias1, unbias2 =", "unbias2, unbias1 =")
p("x88", "the schedule starts at step 0", "self.learning_rate(self.t)", "self.learning_rate(self.t - 1)")
p("x89", "weight decay through the moments", "data *= 1 - rate * self.weight_decay",
    "grad = grad + self.weight_decay * data")
p("x90", "weight decay without the rate", "data *= 1 - rate * self.weight_decay", "data *= 1 - self.weight_decay")
p("x91", "the gradient is changed by the step", "update_mean(m, self.beta1, grad) ",
    "m *= self.beta1\n        grad *= 1 - self.beta1\n        m += grad", select="adam or step")
p("x92", "a loaded optimizer starts at step 0 again", "self.t = t", "self.t = 0", select="saved")
p("x93", "momentum dampened", "velocity + grad", "velocity + (1 - self.momentum) * grad", select="sgd")
p("x94", "the rate inside the velocity", "velocity + grad", "velocity + rate * grad",
    ("data -= rate * velocity", "data -= velocity"), select="sgd")
p("x95", "clipped by the squared norm", "grad *= max_norm / float(norm)", "grad *= max_norm / float(norm) ** 2", select="clipping")
p("x96", "gradients below the bound are enlarged", "if max_norm is not None and max_norm < norm < math.inf:",
    "if max_norm is not None:", select="clipping")
p("x97", "the norm after clipping is returned", "return float(norm)",
    "return float(norm) if max_norm is None else min(float(norm), max_norm)", select="clipping")
p("x98", "the sum of absolute values for the norm", "norm = joined(by_block(sum_of_squares, grads)).sum() ** 0.5", "norm = float(abs(grads[0]).sum())", select="clipping")

p = plants("backend/updates.py", "test_optim.py", "adam")
p("xt01", "what is new counts in full", "(1 - beta) * new", "new")
p("xt02", "the mean forgets what was before", "mean *= beta", "mean *= 0")

p = plants("training/schedules.py", "test_optim.py", "noam or cosine or constant")
p("x99", "the maximum for the minimum", "min(max(t, 1) ** -0.5,", "max(max(t, 1) ** -0.5,")
p("x100", "multiplied by the root of D", "self.features**-0.5", "self.features**0.5")
p("x101", "the warm-up's exponent", "self.warmup**-1.5", "self.warmup**-0.5")
p("x102", "the cosine rises again after its end", "min(1.0, (t - self.warmup) / (self.total - self.warmup))",
    "(t - self.warmup) / (self.total - self.warmup)")
p("x103", "the cosine ends late by its warm-up", "(t - self.warmup) / (self.total - self.warmup)",
    "(t - self.warmup) / self.total")
p("x104", "the floor is added to the peak", "(self.peak - self.floor) * (1", "self.peak * (1")
p("x105", "a constant rate without its warm-up", "min(1.0, t / self.warmup if self.warmup else 1.0)", "1.0")

p = plants("training/loop.py", "test_training.py", "a_step_is")
p("118b", "the training loop does not zero the gradients", "self.optimizer.flat.zero_grad()", "pass")

# -- the contract -------------------------------------------------------------------------------------------------

p = plants("core/module.py", "test_module.py", "")
c = plants("boundary/calls.py", "test_module.py", "")
p("62", "one slot for the saves: the second mask serves both", "values = saves.pop()", "values = saves[-1]",
    judge="test_layers.py", select="test_dropout_used_twice")
p("118a", "gradients not zeroed", "p.zero_grad()", "pass")
p("125", "a tied parameter is listed twice, and updated twice",
    "found.setdefault(id(value), (path", "found.setdefault(path + name, (path")
p("x106", "saves first in, first out", "saves.pop()", "saves.pop(0)")
p("x107", "no_grad saves all the same", "if thread.saving:\n            self.__dict__.setdefault(\"_saves\"", "if True:\n            self.__dict__.setdefault(\"_saves\"")
p("x108", "no_grad never ends", "now(before, thread.inside)", "now(False, thread.inside)")
p("x109", "an inner no_grad ends the outer one", "now(before, thread.inside)", "now(True, thread.inside)")
c("x110", "no_grad switches every thread", "class Thread(threading.local):", "class Thread:")
p("x1062", "train and eval in a thread of its own reach all", "            thread.modes[id(self)] = on\n", "            self._training = on\n",
    judge="test_decoding.py", select="switches_nobody")
p("x1063", "the modes of a block stay", "thread.modes = before\n", "pass\n", judge="test_decoding.py", select="switches_nobody")
p("x1064", "an inner block begins with all as they are outside", "{} if before is None else before.copy()", "{}",
    judge="test_decoding.py", select="switches_nobody")
p("x1065", "an inner block's modes are the outer's", "before.copy()", "before", judge="test_decoding.py", select="switches_nobody")
c("xk28", "an inner observer takes the outer one's place", "    thread.observers = (*thread.observers, observer)", "    outer, thread.observers = thread.observers, (observer,)",
    ("        observers = [*thread.observers]\n        observers.remove(observer)\n        thread.observers = (*observers,)", "        thread.observers = outer"), judge="test_observe.py", select="inner_observation")
c("xk29", "only what a user calls is observed, not its parts", "inside and not thread.observers and 1", "inside and 1", judge="test_observe.py",
    select="innermost_components")
c("xk30", "an observer stays", "        observers.remove(observer)\n", "        pass\n", judge="test_observe.py", select="ends_with or inner_observation")
c("xk32", "a parent's backward is reported as well", "        if type(self).backward is not backward: ", "        if False: ",
    judge="test_observe.py", select="calls_its_parent")
c("xk33", "the quick way of backward passes the observers by", "outputs\n            and not is_observed\n", "outputs\n", judge="test_observe.py", select="innermost_components")
p("xk36", "a component is exchanged in one of its places", "if isinstance(before, Module) and isinstance(value, Module):", "if False:",
    judge="test_optim.py", select="exchanged_component")
p("xk37", "a wrapper takes itself in", "if module not in new:", "if True:", judge="test_optim.py", select="one_that_holds_it")
p("x111", "clear_saves forgets the submodules",
    'for _, module in self.named_modules():\n            module.__dict__.pop("_saves", None)\n            module',
    'module = self\n        if True:\n            self.__dict__.pop("_saves", None)\n            module')
p("x112", "eval reaches this module only", "for _, module in self.named_modules():\n            module.training = on",
    "self.training = on")
p("x113", "eval of one model switches all", "module.training = on", "type(module).training = on")
p("x116", "a module reached twice is listed twice", "if id(module) in seen:", "if False:")
p("x117", "the state is no copy", "{name: p.data.copy() for", "{name: p.data for")
p("x118", "loading rebinds the data", "p.data[...] = asarray(state[name], like=p.data)",
    "p.place(state[name], p.grad)")
p("x119", "loading takes a shape that broadcasts", "if (shape := expect(state[name], Floats, name).shape) != p.shape:", "if False:")
p("x120", "a new dtype for the data only", "p.place(change(p.data), change(p.grad))", "p.place(change(p.data), p.grad)")
p("x121", "saves of the old dtype stay",
    'module.__dict__.pop("_flat", None)\n        self.clear_saves()',
    'module.__dict__.pop("_flat", None)')
p("x122", "private attributes are searched", 'if name[0] == "_":', "if False:")
p("x126", "an exchanged parameter goes unnoticed", "[*map(id, parameters)] != [*map(id, flat.parameters)]",
    "len(parameters) != len(flat.parameters)")

p = plants("core/parameter.py", "test_module.py", "")
p("119b", "assigning rebinds the data: the optimizer's view goes stale", "_write(self._data, value)",
    "self._data = value")
p("119c", "assigning rebinds the gradient", "_write(self.grad, value)", "self._grad = value")
p("121", "gradients outside the optimizer's buffer: most of the model never trains", "p.place(*views)",
    "p.place(views[0], p.grad)")
p("x114", "the flat buffer in reverse order", "for p in self.parameters:\n            views",
    "for p in reversed(self.parameters):\n            views")
p("x115", "gradients lost when the buffers are made", "views[0][...], views[1][...] = p.data, p.grad",
    "views[0][...], views[1][...] = p.data, 0")
p("x123", "Xavier over one fan", "(6.0 / (fan_in + fan_out))", "(6.0 / (2 * fan_in))")
p("x124", "the variance for the deviation", "drawn = std * rng.standard_normal", "drawn = std**2 * rng.standard_normal")
p("x125", "moved parameters go unnoticed", "return all(p.data.base is self.data for p in self.parameters)",
    "return True")
p("x127", "a value of another shape is broadcast", "if shape != array.shape:", "if False:", select="refuses and scalar")

# -- the gradient check -------------------------------------------------------------------------------------------

p = plants("testing/gradient_check.py", "test_gradient_check.py", "")
p("x128", "a one-sided difference", "before - step * move", "before", ("/ (2 * step)", "/ step"))
p("x129", "the array is not put back", "array[...] = before\n", "pass\n")
p("x149", "no direction beside the entries", "moves = [\n            _unit(rng.standard_normal(array.shape)) * sizes / sizes.max() for _ in range(DIRECTIONS)\n        ]",
    "moves = []")
p("x150", "the caller's own stream", "default_rng([seed, 1])", "default_rng(seed)")
p("xgd20", "no word of what is wrong", "if not row.passed and not row.note and name in numeric:", "if False:", select="looks_like or first_wrong")
p("xgd21", "evidence from the entries that were drawn", "np.reshape(numeric, array.shape) if len(entries) == array.size else None", "np.resize(numeric, array.shape)", select="entries_were_drawn")
p("xgd22", "a component's numbers are no names", "vars(component).items()", "{}.items()", select="looks_like")
p("xgd23", "the first right entry is named", "np.argwhere(~agreeing(analytic", "np.argwhere(agreeing(analytic", select="first_wrong")
p("x151", "a gradient that is missing passes", "itertools.zip_longest(floats, d_inputs)", "zip(floats, d_inputs)")
p("x152", "a gradient of another shape passes", "np.shape(analytic) != array.shape", "np.size(analytic) != array.size")
p("x130", "NaN passes", "self.error <= self.tolerance", "not self.error > self.tolerance")
p("x131", "relative to one of the two only", "max(size_a, size_n, 1e-8)",
    "max(size_n, 1e-8)")
p("x132", "dropout draws anew in every forward", "generator.bit_generator.state = state", "pass")
p("x133", "existing gradients count", "component.zero_grad()", "pass")
p("x134", "the gradients of the check stay", "p.grad[...] = before[name]", "pass")
p("x135", "differences compared with other entries", "np.reshape(analytic, -1)[entries]", "np.reshape(analytic, -1)[: len(entries)]")
p("x136", "an upstream gradient of ones", "rng.standard_normal(np.shape(y))", "np.ones(np.shape(y))")
p("x137", "-inf is counted", "np.where(np.isneginf(y), 0, y)", "y")
p("xk5", "a step that does not follow an entry's size", "np.maximum(1, np.abs(array))", "np.ones(array.shape)", select="follows_the_size")
p("xk6", "the rounding of a large loss hides its gradient", "(step, 1000 * step, step / 10) if is_hidden else (step, step / 10)", "(step, step / 10)", select="large_inputs")
p("xk7", "a masked score makes all rounding infinite", "-abs(np.asarray(y, dtype=float))", "abs(np.asarray(y, dtype=float))", ("rounding = -ROUNDING", "rounding = ROUNDING"),
    select="kink_beside_a_masked")
p("xk8", "no entries at all for 0", "if max_entries and array", "if max_entries is not None and array", select="no_limit")
p("xk9", "a curve is a kink", "jumps[1] > jumps[0] / 2 and ", "", select="smooth")
p("xk10", "rounding is a kink", "max(1e-3 * slope, 4 * rounding / h)", "1e-3 * slope", select="rounding_alone")
p("xk11", "a kink is not told", "note = KINK", "note = ''", select="kink_is_told")
p("xk12", "the class for the component", "    if isinstance(component, Module):\n        return", "    if component is not None:\n        return",
    judge="test_conformance.py", select="comes_first")
p("xk13", "a forward that returned nothing", "    if y is None:\n        raise", "    if False:\n        raise", judge="test_conformance.py", select="without_return")
p("xk14", "whole numbers where floats belong", "    if whole and sum", "    if False and sum", judge="test_conformance.py", select="whole_numbers_where")
p("xk15", "a step of 0", "step: Positive", "step: float", judge="test_conformance.py", select="options_out_of_range")
p("xk16", "a direction in which small entries move far", "rng.standard_normal(array.shape)) * sizes / sizes.max()", "rng.standard_normal(array.shape))",
    select="mixed_sizes")
p("xc10", "a parameter that is a single number has no place to go", "p.data.ndim <= 1", "p.data.ndim == 1", judge="test_conformance.py",
    select="single_number")

# -- the contract's checks ----------------------------------------------------------------------------------------

p = plants("testing/contract.py", "test_conformance.py", "fails_alone or have_nothing or single_number or right_component")
p("xc11", "a change to d_y is not noticed", "expect_equal(d_outputs, case.given_back,", "expect_equal(d_outputs, d_outputs,")
p("xc12", "one backward is compared with itself", "range(times)", "range(1)")
p("xc13", "a wrong d_y that is taken is no breach", "            raise Breach(\n                f\"backward took", "            print(\n                f\"backward took")
p("xc14", "any error for a wrong d_y is as good as InputError", "component.backward(*d_outputs)\n            except InputError:",
    "component.backward(*d_outputs)\n            except Exception:", select="names_no_shapes")
p("xc15", "whole numbers stay floats", "lambda x: x.astype(np.int64), lambda", "lambda x: x, lambda")
p("xc16", "a list is given as an array", "lambda x: x.tolist(), np.copy", "np.copy, np.copy")
p("xc17", "a subclass is given as a plain array", "lambda x: x.view(_Subclass), np.copy", "np.copy, np.copy")
p("xc18", "the machine's own byte order", 'newbyteorder(">" if np.little_endian else "<")', 'newbyteorder("=")')
p("xc19", "no float16", "lambda x: x.astype(np.float16),\n        lambda", "lambda x: x, lambda")
p("xc20", "read-only arrays can be written", "x.flags.writeable = False", "x.flags.writeable = True")
p("xc21", "no transposed input", "for view in (transposed, every_second):", "for view in (every_second,):")
p("xc22", "no input with gaps", "for view in (transposed, every_second):", "for view in (transposed,):")
p("xc23", "the whole batch for an empty one", "return x[:0] if", "return x if")
p("xc24", "plain numbers stay plain", "np.float64(value) if type(value) is float else np.int64(value)", "value")
p("xc25", "nothing is run in between", "    component.forward(*case.inputs)\n    if before", "    if before")
p("xc26", "no gradient is compared", "if case.dtype != np.float64:", "if case.dtype != np.float16:")
p("xc27", "without parameters nothing is said of them", 'raise NotApplicable("no parameters")', "return")
p("xk17", "what to do about saved() is never said", '"saved()" in (steps[-1].line or "")', "False", select="told_once")
p("xk18", "it is said of any unpacking", 'and "saved()" in (steps[-1].line or "")', "", select="told_once")
p("xk19", "the array that is no parameter is not named", "arrays = plain_arrays(case.original, y.dtype)", 'arrays = ""', select="no_parameter")
p("xk20", "arrays of any dtype are named", " and value.dtype == dtype\n    ]", "\n    ]", select="other_arrays")
p = plants("testing/contract.py", "test_conformance.py", "wrong_component")
p("xc701", "gradients in training mode only", '" in eval mode", case.inputs, training=False', '" in eval mode", case.inputs, training=True')
p("xc702", "eval mode is taken to be the same", "if not all(map(np.array_equal, in_training, in_eval)):", "if False:")
p("xc703", "no other batch or length", 'for axis, name in ((0, "first"), (1, "second")):', "for axis, name in ():")
p("xc704", "no other length", '((0, "first"), (1, "second"))', '((0, "first"),)')
p("xc705", "no axis of size 1", '(("of size 1", first_of), ("of twice the size", twice))', '(("of twice the size", twice),)')
p("xc706", "no axis of twice the size", '(("of size 1", first_of), ("of twice the size", twice))', '(("of size 1", first_of),)')
p("xc707", "no larger inputs", "10 * x if is_float(x) else x for x in case.inputs", "x for x in case.inputs")
p("xc708", "float32 is compared in float16 alone", "if case.dtype != np.float32:", "if case.dtype != np.float16:")
p("xc709", "float32 in eval mode only", "(False,) if case.original.generators() else (False, True)", "(False,)")
p("xc710", "any rounding is small enough", "ROOM = 100 ", "ROOM = 1e6 ")
p("xc711", "what forward returned is not looked at again", "(y, d_x, silent), kept, (", "(d_x, silent), kept[1:], (", ('("forward", "backward", "forward inside no_grad()")', '("backward", "forward inside no_grad()")'),
    select="fails_alone")
p("xc712", "what backward returned is not looked at again", "component.backward(*others)\n", "pass\n")
p("xc713", "what forward returned inside no_grad is not looked at again", "        with no_grad():\n            component.forward(*case.others)\n", "")
p("xc714", "the same input again", "            expect_equal(\n                returned, before,", "            expect_equal(\n                before, before,")
p("xc715", "a result may depend on an earlier call", "component.forward(*case.others), case.fresh()", "case.fresh().eval().forward(*case.others), case.fresh()")
p("xc716", "another size that is refused is a breach", "    except Exception:  # it need not\n        return False", "    except Exception:\n        return True",
    select="what_keeps_the_contract or plain_numpy")
p("xc717", "an input of length 1 that NumPy repeats is a breach", "return not is_repeated and not any", "return not any", select="plain_numpy")
p("xc718", "NaN for a batch of one is a breach", " and not any(np.isnan(y).any() for y in outputs)", "", select="plain_numpy")
p("xc719", "a saturated softmax is a breach", "may_be=(KINK, BLURRED), max", "max", select="saturate")
p("xc720", "as precise for ten times as large", "max(OF_OTHERS, case.options", "max(0, case.options", select="saturate")
p("xc721", "a sum that is 0 may have no rounding", "(change + UNIT * largest[i >= outputs])", "change", select="false_alarm")
p("xc722", "the size of d_y does not count", "max(d_y, *sizes[outputs:], 0)", "max(*sizes[outputs:], 0)", select="false_alarm")
p("xc723", "the rounding of the data does not count", "(change + UNIT * largest[i >= outputs])", "UNIT * largest[i >= outputs]", select="false_alarm")
p("xc724", "for which size is not said", "The gradient check{where} has stopped", "The gradient check has stopped", select="another_size")
p("xc725", "the remedy is not said", "            REMEDY,\n        )\n\n\ndef check_integers", "        )\n\n\ndef check_integers", select="remedy")
p = plants("testing/gradient_check.py", "test_gradient_check.py", "rounding")
p("xc726", "rounding is never the reason", "elif is_blurred:", "elif False:")
p("xc727", "rounding is always the reason", "elif is_blurred:", "elif True:")
p = plants("boundary/calls.py", "test_observe.py", "observations_may_end or two_blocks")
p("xc728", "a block that ends takes away those within it", "        observers = [*thread.observers]\n        observers.remove(observer)\n        thread.observers = (*observers,)",
    "        thread.observers = thread.observers[: thread.observers.index(observer)]")
p("xc729", "a block that ends takes the latest observer away", "        observers.remove(observer)\n", "        observers.pop()\n")
p("xc730", "an observer of two blocks is taken away with the first", "        observers.remove(observer)\n", "        observers = [o for o in observers if o is not observer]\n")
p = plants("boundary/arrays.py", "test_boundary.py", "forward_without_hints_refuses")
p("xc731", "half precision is taken without hints", 'value.dtype in FLOATS or value.dtype.kind in "iub" and', 'value.dtype.kind in "fiub" and')
p("xc732", "what to do about it is not said", 'FLOAT.remedy * (array.dtype.kind == "f")', '""')
p("xc733", "complex numbers are told to become floats", 'FLOAT.remedy * (array.dtype.kind == "f")', "FLOAT.remedy")
p = plants("testing/conformance.py", "test_conformance.py", "breach or report or fails_alone or may_fail or crashes")
p("xc28", "the last dtype's result counts", "        if status == FAILED:\n            break\n", "")
p("xc29", "only the first failed check is in the message", "        for result in report.failed:\n", "        for result in report.failed[:1]:\n")
p("xc30", "a check that crashes has passed", 'status, why, raised = FAILED, f"({case.dtype}) {told', 'status, why, raised = PASSED, f"({case.dtype}) {told')
p("xc31", "what is expected to fail may pass", "if expected and status == PASSED:", "if False:")
p("xk21", "the same error is told each time", "if not result.same_as:", "if True:", select="told_once")
p("xk22", "breaches without an error are one", ' if breach.__cause__ else ""', "", select="without_an_error")
p("xk23", "the other checks are not named", "other.same_as == result.name", "False", select="told_once")
p("xc32", "nothing is raised", "if raises and not report.passed:", "if False:")
p = plants("core/module.py", "test_conformance.py", "numpy_number_as_an_attribute")
p("xc33", "a NumPy number as an attribute stays one", "value.item() if isinstance(value, np.generic) else value", "value")

# -- the helpers one floor down -----------------------------------------------------------------------------------

p = plants("backend/rows.py", "test_backend.py", "add_rows")
reduce = "table[sorted_ids[starts]] += np.add.reduceat(rows[order], starts, axis=0)"
p("x138", "the last of several equal ids wins", reduce, "table[ids] += rows")
p("x139", "rows in the old order", "rows[order]", "rows")
p = plants("backend/normal.py", "test_backend.py", "distribution or density")
p("x140", "cut off too early", "(48, 8.5)", "(48, 5.0)")
p("x141", "float32's accuracy for float64", "write = write_cdf if x.dtype == np.float64 else", "write = write_cdf if False else")
p("x18", "the density of another variance", "    y *= -0.5\n", "    y *= -1.0\n")
p("xs127", "a series of few terms", '"float32": (16, 5.5)', '"float32": (12, 5.5)')
p("xs128", "a probability above 1", "    xp.clip(y, 0, 1, out=y)\n", "")
p = plants("backend/random.py", "test_backend.py", "keep")
p("x142", "neighbours share a draw", "draws.view(np.uint16)[: like.size]",
    "np.repeat(draws.view(np.uint16)[::4], 4)[: like.size]")
p("x143", "rounded down", "keep * LEVELS + 0.5", "keep * LEVELS")
p("x144", "the complement is kept", "< round(keep * LEVELS)", ">= round(keep * LEVELS)")
p = plants("backend/reductions.py", "test_backend.py", "sums or reduction")
p("x145", "ones of float64", "np.full(count, value, dtype=np.result_type(dtype, np.float32))", "np.full(count, value)")
p("x146", "the mean over positions", "feature_sum(x) / x.shape[-1]", "feature_sum(x) / x.shape[0]")
p("xc02", "a mean is a product with a rounded 1/D", "feature_sum(x) / x.shape[-1]", "feature_sum(x) * x.dtype.type(1.0 / x.shape[-1])",
    select="loses_nothing")
p("xc03", "no feature is subtracted before the mean is taken", "x - x[..., :1]", "x - 0 * x[..., :1]", select="loses_nothing")
p("xc04", "what lies above the first feature is not centred", "shifted -= feature_mean(shifted)", "pass")
p = plants("backend/updates.py", "test_backend.py", "blocks")
p("x147", "the last block is left out", "range(0, arrays[0].size, block)",
    "range(0, arrays[0].size - block + 1, block)")
p = plants("backend/scores.py", "test_backend.py", "scores or key_axis")
p("x148", "scores in the slow memory layout", "return scores.swapaxes(-1, -2)", "return scores.swapaxes(-1, -2).copy()")
p("x430", "a mask in the slow memory layout",
    "return first_to(np.ascontiguousarray(mask.transpose(last, *range(last))), -1)", "return mask")

# -- fast ways that are not taken ---------------------------------------------------------------------------------

p = plants("layers/embedding.py", "test_fast_paths.py", "")
p("xc50", "rows are added one by one", "add_rows(self.weight.grad, ids.reshape(-1), rows)",
    "__import__('numpy').add.at(self.weight.grad, ids.reshape(-1), rows)")
p = plants("layers/layer_norm.py", "test_fast_paths.py", "")
p("xc51", "the mean by NumPy's reduction", "centre(x)", "x - x.mean(axis=-1, keepdims=True)")
p("xc52", "the bias's gradient by NumPy's reduction", "position_sum(d_y * x_hat)", "(d_y * x_hat).reshape(-1, d_y.shape[-1]).sum(axis=0)")
p = plants("core/parameter.py", "test_fast_paths.py", "")
p("xc53", "a gradient is made elsewhere and copied", "product(*inputs, out=self._grad)", "self._grad[...] = product(*inputs)")
p = plants("training/packing.py", "test_fast_paths.py", "")
p("xc54", "padding is computed", '"source": Packing.of(source != PAD)', '"source": None')
p = plants("attention/masking.py", "test_fast_paths.py", "")
p("xc55", "masked scores in the slow memory layout", "xp.minimum(x, xp.where", "xp.minimum(x.copy(order=\"C\"), xp.where")
p = plants("layers/dropout.py", "test_fast_paths.py", "")
p("xc56", "64 random bits for each coin", "keep_mask(self.rng, keep, like=x)", "self.rng.random(x.shape) < keep")
p = plants("training/optimizers.py", "test_fast_paths.py", "")
p("xc57", "Adam makes its passes over all of memory", "in_blocks(functools.partial(self.rule, rate), *(array[part] for array in arrays))",
    "self.rule(rate, *(array[part] for array in arrays))")
p = plants("attention/multi_head.py", "test_fast_paths.py", "")
p("xc58", "the source's keys and values anew for each token", "cache.once(lambda: self.keys_and_values(memory))", "self.keys_and_values(memory)")

# -- measuring ----------------------------------------------------------------------------------------------------

p = plants("testing/counting.py", "test_counting.py", "")
p("x269", "a product does not lengthen the chain", "depth += 1", "pass")
p("x270", "the size of the result for the multiply-adds", "int(result.size) * np.shape(inputs[0])[-1]",
    "int(result.size)")
p("x271", "the history of the first array only", "max(array.depth for array in found)", "found[0].depth")
p("x272", "what is written into an array is forgotten", "self.depth = max(self.depth, getattr(value, \"depth\", 0))", "pass")
p("x273", "counted in the component that encloses", "Product(where[-1]", "Product(where[0]")
p("x274", "gradients are left behind", "p.place(_counted(data, note, 0), grad.copy())", "p.place(_counted(data, note, 0), grad)")
p = plants("inspection/attention.py", "test_observe.py", "source_gradients")
p("x275", "the gradient of the logit, not of its logarithm", "gradient = -Softmax()(logits)", "gradient = np.zeros_like(logits)")
p("x276", "the gradient at the target's embedding", "if isinstance(component, Embedding) and reads_source[path].pop():",
    "if isinstance(component, Embedding) and not reads_source[path].pop():")
p("xk25", "the source is what has the source's ids", "inputs[0] is sources or", "np.array_equal(as_numpy(inputs[0]), as_numpy(sources)) or", select="same_ids")
p("xk26", "the source is what has the source's shape", "inputs[0] is sources or", "inputs[0].shape[1] == len(source) or", select="finite_differences")
p("x277", "all steps at once", "gradient[xp.arange(len(target)), xp.asarray(target)] += 1",
    "gradient[:, xp.asarray(target)] += 1")
p = plants("decoding/limits.py", "test_decoding.py", "padding_in_front or no_numbers")
p("xd1", "padding stays in front", "if source is None or not on_host(source) else vocabulary.padding_behind(source)", "if True else None")
p("xd2", "logits that are no numbers pass", "    if not are_numbers.all():\n", "    if False:\n")
p = plants("decoding/greedy.py", "test_decoding.py", "no_numbers")
p("xd3", "only the ids are looked at", "np.isfinite(logits[np.arange(len(ids)), ids])", "np.isfinite(ids)")
p = plants("decoding/beam.py", "test_decoding.py", "no_numbers")
p("xd4", "a beam of NaN goes on", "            expect_numbers(~np.isnan(log_p[:, EOS]))\n", "")
p = plants("training/optimizers.py", "test_optim.py", "changes_nothing or gives_no_rate")
p("xk34", "an exchanged parameter is never trained, without a word", "if {*map(id, present.values())} != mine:", "if len(present) != len(mine):", select="exchanged")
p("xk35", "an added parameter is never trained, without a word", "if {*map(id, present.values())} != mine:", "if not {*map(id, present.values())} & mine:",
    select="added_later")
p("xd5", "a state is loaded by halves", "                raise InputError(\n                    f\"The optimizer's {name} has shape {shape}, the model {self.flat.data.shape}.\"\n                )\n        for name in self.moments:\n", """                raise InputError(f"The optimizer's {name} has shape {shape}, the model {self.flat.data.shape}.")
""")
p("xd6", "any rate will do", 'expect(self.rate(), NonNegative, f"The learning rate of step {self.t}")', "self.rate()")
p = plants("core/evaluating.py", "test_decoding.py", "switches_nobody")
p("x1066", "evaluating switches all threads", "with no_grad(), own_modes():", "with no_grad():")
p = plants("decoding/evaluation.py", "test_training.py", "exact_match_is_that")
p("x278", "one right token is enough", "return ~wrong.any(axis=1), ", "return ~wrong.all(axis=1), ")
p("x279", "padding counts as wrong", "(batch.target_out == UNK)) & real",
    "(batch.target_out == UNK))")
p("x1005", "padding, which is never written, counts as greedy's choice", "writable(logits).argmax", "logits.argmax",
    select="are_no_mistakes")
p("x1006", "a search is not measured", "if search is not None:", "if False:", select="measured_by_its_answers")
p("x1007", "the target's order is not that of the answers", "zip(written, target)", "zip(written, target[::-1])",
    select="measured_by_its_answers")
p("x1008", "padding is read as the source", "[ids[ids != PAD] for ids in source]", "[ids[:1] for ids in source]",
    select="measured_by_its_answers")
p = plants("inspection/alignment.py", "test_training.py", "first_word")
p("x1009", "any place will do", "looks.argmax() == place", "looks.argmax() >= 0")
p("x1010", "half is enough", "looks[place] > 0.5, looks[place]", "looks[place] >= 0.5, looks[place]")
p("x1011", "the largest weight, not the first word's", "looks[place] > 0.5, looks[place]", "looks[place] > 0.5, looks.max()")
p("x1012", "all the answer's words look", "weights[row, :, : len(answer[0]), : sum(sizes)]", "weights[row, :, :, : sum(sizes)]",
    ("by_words(tokens, [len(answer[0])], sizes)", "by_words(tokens, [tokens.shape[1]], sizes)"))
p("x1013", "equal weights for words, not for tokens", "np.array(sizes) / sum(sizes)", "np.ones(len(sizes)) / len(sizes)")
p("x1014", "the maps of the first row serve all", "weights[row, :, : len(answer[0])", "weights[0, :, : len(answer[0])")
p("x1015", "only the first batch is counted", "for start in range(0, len(source), batch_size):\n        rows = slice(start, start + batch_size)\n        batch = make_batch(source[rows], target[rows])\n        maps",
    "for start in range(0, 1):\n        rows = slice(start, start + batch_size)\n        batch = make_batch(source[rows], target[rows])\n        maps")
p = plants("study/table1.py", "test_study.py", "crossing or cores or paths or core_of")
p("x280", "the whole layer taken for its core", "forward.multiply_adds(layer.core)", "forward.multiply_adds()")
p("x281", "a path from any output, not from the last", "d_x[:, -1] = 1", "d_x[:] = 1")

# -- decoding on a cache -------------------------------------------------------------------------------------------

p = plants("models/transformer.py", "test_cache.py", "cached_logits and transformer")
p("126", "the position is stuck at 0", "before.shape[1])", "0)")
p("130", "the cache of the sentence before serves the next", "[[Cache(), Cache()] for _ in self.decoder.layers]",
    "[[Cache(), self.__dict__.setdefault(\"_kept\", {}).setdefault(i, Cache())] for i, _ in enumerate(self.decoder.layers)]",
    ("caches = copied(caches)", "pass"), select="starting_anew and transformer")
p = plants("models/language_model.py", "test_cache.py", "cached_logits and language")
p("127", "the source's length is added to the positions again", "(real.cumsum(axis=1) - 1).clip(0)[:, -count:]",
    "(real.cumsum(axis=1) - 1).clip(0)[:, -count:] + real.shape[1] - count")
p("128", "a new token sees key 0 alone: tril(1, n)", "causal_mask(real.shape[1], like=real, last=count)",
    "array_module(real).tri(count, real.shape[1], dtype=bool)[None, None]")
p = plants("attention/multi_head.py", "test_cache.py", "projected_once")
p("129", "the memory's keys and values are appended at each step",
    "k, v = cache.once(lambda: self.keys_and_values(memory))",
    "k, v, mask = *cache.extend(*self.keys_and_values(memory)), None")
p = plants("layers/cache.py", "test_cache.py", "copies or copy or holds")
p("x283", "a copy writes over what the other has written", " or self.written[0] > self.length", "")
p("x284", "no room for more", "roomy(past, 2 * length)", "roomy(past, length)")
p("x285", "the buffers' spare room is returned too", "buffer[..., : self.length, :] for buffer", "buffer for buffer")
p("x286", "what never grows is made anew each time", "if self.buffers is None:\n            # they",
    "if True:\n            # they", select="made_once")
p("x287", "a cache serves where a backward follows", "if saving():", "if False:", select="refused")
p("x288", "rows are taken of the arrays, not of the caches", "Cache(take_rows(state.arrays, rows))",
    "Cache(take_rows(state.arrays, sorted(rows.tolist())))",
    select="rows_of_a_state")
p = plants("older/local.py", "test_cache.py", "last_queries")
p("xc34", "an empty batch cannot be joined", "count * width, features)", "-1, features)", judge="test_conformance.py",
    select="keeps_the_contract and LocalAttention and not Layer and not Model")
p("x289", "the window of a step is one too wide", "(behind < self.width)", "(behind <= self.width)")
p("x290", "the future is visible to several new queries", "(behind >= 0) & ", "")
p("x291", "a step sees padding", "allowed = allowed & mask[:, None, None, -seen:]", "pass")
p = plants("older/convolution.py", "test_cache.py", "convolution_on_a_cache")
p("xc35", "an empty batch has no windows", "windows.shape[-2] * windows.shape[-1])", "-1)", judge="test_conformance.py",
    select="keeps_the_contract and CausalConvolution")
p("xc36", "an empty batch has no gradient", "width, d_windows.shape[-1] // width)\n        )", "width, -1))", judge="test_conformance.py",
    select="keeps_the_contract and CausalConvolution")
p("x292", "the farthest place of the window is lost", "max(self.window.delays())", "max(self.window.delays()) - 1")
p = plants("decoding/beam.py", "test_decoding.py", "beam or score")
p("x294", "the score is multiplied by the penalty", "log_p / penalty(len(ids)", "log_p * penalty(len(ids)")
p("x295", "the penalty upside down", "((5 + length) / 6) ** alpha", "((5 + length) / 6) ** -alpha")
p("x296", "the end token is not counted", "penalty(len(ids), self.alpha)", "penalty(len(ids) - 1, self.alpha)")
p("x297", "the state is not that of the parents", "parents[left].reshape(-1), tokens",
    "np.sort(parents[left], axis=1).reshape(-1), tokens")
p("x298", "all beams begin alike", "self.scores[:, 0] = 0", "self.scores[:] = 0", select="wider_beam")
p("x299", "what has ended goes on", "np.argsort(ended, axis=1, kind=\"stable\")[:, : self.beam]",
    "np.tile(np.arange(self.beam), (len(self.rows), 1))")
p("x300", "an end outside the beam counts", "ended[:, : self.beam] & (totals[:, : self.beam]", "ended & (totals",
    select="beam_one")
p("x301", "logits taken for log-probabilities", "return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))",
    "return shifted")
p("x302", "the worst hypothesis", "key=lambda other: -other.score",
    "key=lambda other: other.score")
p("x303", "the words written so far are not the parent's", "np.take_along_axis(self.written, parents[:, :, None], axis=1)",
    "self.written")
p("x304", "of equals the last", "np.argsort(-flat, axis=1, kind=\"stable\")[:, :count]",
    "np.argsort(flat[:, ::-1], axis=1)[:, ::-1][:, :count]", select="equal_scores")
p = plants("decoding/sampling.py", "test_decoding.py", "distribution or tokens_come or sampling")
p("x305", "the temperature multiplies", "distribution(shifted / temperature", "distribution(shifted * temperature")
p("x1103", "a high temperature is cut off", "distribution(shifted / temperature", "distribution(shifted / min(temperature, 2)",
    select="high_temperatures")
p("x306", "the unlikeliest k", "xp.sort(logits, axis=-1)[:, -top_k, None]", "xp.sort(logits, axis=-1)[:, top_k, None]")
p("x307", "the token that reaches top_p is cut off", "before = falling.cumsum(axis=-1) - falling",
    "before = falling.cumsum(axis=-1)")
p("x308", "what is left is not made a distribution again", "p = p / p.sum(axis=-1, keepdims=True)", "pass")
p("x309", "one draw for all rows", "[generators[row] for row in rows]", "[generators[rows[0]] for _ in rows]",
    select="rows_own_ids")
p("x1016", "a row draws by its place in what is left of the batch", "[generators[row] for row in rows]",
    "[generators[row] for row in range(len(rows))]", select="rows_own_ids or any_company")
p("x1017", "a row draws by its place", "[row[row != PAD].tolist() for row in as_numpy(source)]", "[[n] for n in range(len(source))]",
    select="rows_own_ids")
p("x1018", "the seed is not asked", "seeds = [int(rng)] * len(rows)", "seeds = [0] * len(rows)", select="rows_own_ids")
p("x1019", "padding draws too", "row[row != PAD].tolist()", "row.tolist()", select="any_company")
p("x1020", "equal rows draw alike from a generator", ".integers(2**63, size=len(rows)).tolist()",
    ".integers(2**63, size=1).tolist() * len(rows)", select="answers_of_their_own")
p("x1021", "a seed below 0 is taken for another", "if rng < 0:", "rng = abs(rng)\n        if rng < 0:", select="answers_of_their_own")
p = plants("decoding/limits.py", "test_decoding.py", "never_written or untrained_model or may_be_written")
p("x1022", "padding may be written", "scores[..., PAD] = scores[..., BOS] =", "scores[..., BOS] =")
p("x1023", "begin may be written", "scores[..., PAD] = scores[..., BOS] =", "scores[..., PAD] =")
p("x1024", "the logits are changed in place", "scores = scores.copy()", "pass", select="is_a_copy")
p = plants("decoding/limits.py", "test_decoding.py", "own or positions_end or company or refused")
p("x1025", "the length of the batch counts", "(as_numpy(source) != PAD).sum(axis=1)", "np.full(len(source), source.shape[1])",
    select="rows_own or any_company")
p("x1026", "there is always room", "np.minimum(wanted, np.maximum(room, 1))", "np.minimum(wanted, 10**6) + 0 * lengths",
    select="positions_end")
p("x1027", "source and answer share nothing", "room = positions - lengths * getattr(model, \"one_sequence\", False)",
    "room = positions + 0 * lengths", select="positions_end")
p("x1028", "any limit will do", "wanted.dtype.kind not in \"iu\"\n        or wanted.shape not in ((), lengths.shape)\n        or (wanted < 0).any()",
    "False", select="limit_that_is_none")
p("x1029", "a limit below 0", " or (wanted < 0).any()", "", select="limit_that_is_none")
p = plants("decoding/greedy.py", "test_decoding.py", "company or integers or never_written or rows_own")
p("x1031", "ids take the source's integers", "PAD, dtype=np.int64)", "PAD, dtype=source.dtype)",
    ("np.full(len(rows), BOS)", "np.full(len(rows), BOS, dtype=source.dtype)"), select="sources_integers and not beam")
p("x1032", "all rows go on to the longest limit", "(length < longest[rows])", "(length < longest.max())", select="rows_own")
p("x1033", "a row of no tokens writes one", "rows = np.flatnonzero(longest > 0)", "rows = np.arange(len(longest))",
    select="rows_own")
p("x1034", "the state of other rows", "            state = take_rows(state, rows)\n",
    "            state = take_rows(state, np.arange(len(rows)))\n", select="rows_own")
p("x1035", "padding and begin are chosen", "logits = writable(logits)", "logits = logits",
    select="never_written or untrained_model")
p("x1036", "rows are counted anew when one has ended", "choose(logits, rows)", "choose(logits, np.arange(len(rows)))",
    select="company and sample")
p = plants("decoding/translation.py", "test_translation.py", "order or bleu")
p("x310", "answers in the order of length", "found[row] = ids",
    "found[sum(other is not None for other in found)] = ids")
p("x311", "BLEU counts capitals", "BLEU(lowercase=True)", "BLEU()")
p("x1037", "answers that are missing are left out", "zip(rows, produced, strict=True)", "zip(rows, produced)",
    select="belong_together")
p("x1038", "unlike many translations and references", "    expect_as_many(\n        \"BLEU compares translations and references\", translations=translations,\n        references=references,\n    )\n", "", select="belong_together")
p("x1039", "no translation at all", "if not translations:\n", "if not translations:\n        return 0.0, \"\"\n",
    select="belong_together")
p("x1040", "a text is a list of letters", "def bleu(translations: Texts, references: Texts)", "def bleu(translations, references)", select="belong_together")
p("x1041", "the limit of the longest for all", "longest_answer(model, source, max_tokens))",
    "longest_answer(model, source, max_tokens).max().repeat(len(rows)))", select="told_the_limit")
p("x1042", "the default limit, whatever was said", "longest_answer(model, source, max_tokens))", "longest_answer(model, source))",
    select="told_the_limit")
p = plants("errors.py", "test_translation.py", "belong_together")
p("x1043", "as many is not asked", "if len(set(counts.values())) > 1:", "if False:")
p = plants("data/corpus.py", "test_translation.py", "belong_together")
p("x1044", "sources and targets of unlike number are encoded", "        expect_as_many(\n            f\"The sentences of {split} belong together\", sources=sources, targets=targets\n        )\n", "")
p = plants("data/batching.py", "test_translation.py", "belong_together")
p("x1045", "sources and targets of unlike number make a batch",
    "expect_as_many(\"Sources and targets belong together\", sources=source, targets=target)", "pass")
p = plants("cli/asking.py", "test_translation.py", "is_evaluated or predict_and or line_n")
p("x1046", "what is evaluated is not what is answered", "evaluation.evaluate(*chosen, search=search, ", "evaluation.evaluate(*chosen, ",
    select="is_evaluated")
p("x1047", "answers are decoded in another way than is asked for", "translation.answers(run.model, sources, search, options.max_tokens)",
    "translation.answers(run.model, sources, greedy, options.max_tokens)", select="what_is_evaluated")
p("x1048", "samples are drawn from one generator", "sample, rng=options.seed,", "sample, rng=np.random.default_rng(options.seed),",
    select="line_n")
p("x1049", "an early stop is not passed on", "(\"beam\", \"alpha\", \"early_stopping\")", "(\"beam\", \"alpha\")",
    select="is_evaluated")
p = plants("inspection/attention.py", "test_translation.py", "map_of_words")
p("x312", "the sum over a word's queries", " / np.reshape(\n        query_sizes, (-1, 1)\n    )", "")
p("x313", "the mean over a word's keys", "return np.add.reduceat(to_words, starts(query_sizes), axis=-2)",
    "return np.add.reduceat(to_words / key_sizes, starts(query_sizes), axis=-2)")
p = plants("plotting/labels.py", "test_translation.py", "picture_of_words")
p("x314", "the inputs' words are not shifted", "inputs = [1, *target[:-1]]", "inputs = target")
p = plants("runs/run.py", "test_translation.py", "mean_of_its_last or not_from_the_mean")
p("x315", "the first checkpoints are averaged", "newest_checkpoints(self.folder, self.config, self.options.average)",
    "self.checkpoints()[: self.options.average]")
p("x316", "training goes on from the mean", "cls.open(path, averaged=False)", "cls.open(path)")

# -- texts, corpora, streams ----------------------------------------------------------------------------------------

p = plants("data/vocabulary.py", "test_text.py", "")
p("x317", "padding before the text", "ids[i, : len(row)] = row", "ids[i, ids.shape[1] - len(row) :] = row",
    select="many_texts_are_padded_behind")
p = plants("data/pieces.py", "test_text.py", "")
p("x318", "the shortest morpheme first", "sorted(MORPHEMES, key=len, reverse=True)", "MORPHEMES",
    select="german_numbers_are_cut or every_morpheme_is_a_piece")
p("x319", "what is no morpheme is dropped", " if found and \"\".join(found) == bare else (word,)", " if found else (word,)",
    select="other_words_keep or pieces_of_every_spelling or dropped_in_silence")
p("x320", "a space between all pieces", "return \"\".join(tokens).strip()", "return \" \".join(tokens).strip()",
    select="pieces_of_every_spelling")
p("x321", "small letters where capitals count", "text.lower() if self.small else text", "text.lower()",
    select="capital_letters_count")
p("x322", "white space is kept as it was", "\" \".join(text.split()).lstrip(", "text.strip().lstrip(",
    select="every_run_of_white_space")
p("x323", "the hint with its space", "map(bare, self.tokens) if", "self.tokens if", select="hint_is_the_bare_word")
p("x901", "the word with its space in the message", "typed(bare(token), text)\n                    if is_word",
    "token\n                    if is_word", select="refused_by_name_with_the_nearest")
p("x902", "a far word is suggested", "cutoff=0.7", "cutoff=0.3", select="left_out_where_nothing or only_words_of_the_sources")
p("x903", "words of the answers are suggested", "map(bare, self.tokens) if self.followers is None else self.followers",
    "map(bare, self.tokens)", select="only_words_of_the_sources")
p("x904", "the separator before a glued word is lost", "return (before + found[0], *found[1:])", "return tuple(found)",
    select="other_words_keep")
p("x905", "a million is read digit by digit", "\\d{7,}|", "", select="other_words_keep")
p("x906", "hyphens of other alphabets are not read", "**dict.fromkeys(HYPHENS, \"-\"), ", "", select="made_one")
p("x907", "what cannot be seen is read", ", **dict.fromkeys(INVISIBLE, \"\")", "", select="made_one")
p("x908", "a letter and its accent are not one", "unicodedata.normalize(\"NFC\", text)", "text", select="made_one")
p("x909", "squares are read as digits", "unicodedata.normalize(\"NFC\", text)", "unicodedata.normalize(\"NFKC\", text)", select="made_one")
p("x910", "a fraction is read as thousands", "(?=\\d{3}(?!\\d))", "(?=\\d)", select="made_one")
p("x911", "zeros in front are read", "re.sub(r\"(?<!\\d)0+(?=\\d)\", \"\", text)", "text", select="made_one")
p("x912", "zeros within are not read", "(?<!\\d)0+", "0+", select="made_one")
p("x913", "a mark that is a token is left out", "c for c in marks if c not in self.ids", "marks", select="mark_that_is_a_token")
p("x914", "a stop in front is no point", ".lstrip(self.quotes + \" \")", ".lstrip(self.quotes + self.stops + \" \")", select="made_one")
p("x915", "a minus is a hyphen", "if not bare(piece).isalpha() or (before", "if (before", select="minus_before_digits")
p("x916", "a word behind another separator is unknown", "(joint + bare(piece) for joint in JOINTS)", "()",
    select="whatever_stands_before")
p("x917", "nobody says that a word is of the other language", "if word not in self.followers:", "if False:",
    select="remark_says", judge="test_translation.py")
p("x918", "no ends", "in zip([\"\", *found], [*found, \"\"])\n            }",
    "in zip(found, found[1:])}", select="which_words_follow")
p("x919", "what followed is lost in a checkpoint", "facts[\"cut\"], facts.get(\"followers\"), ", "facts[\"cut\"], None, ",
    select="which_words_follow")
p("xw1", "a joint that never stood there is read", "if way in seen), next(iter(ways), piece))", "), piece)",
    select="joint_that_never_stood")
p("xw2", "an old file's bare words are taken for joints", "(before, ()) if self.joints_known else", "(before, ()) if self.followers else",
    select="joint_that_never_stood")
p("xw3", "the minus in front of a text is a hyphen", " or (before == \"\" and piece.startswith(\"-\")):", ":", select="begins_a_text_is_a_minus")
p("xw4", "a word twice is not strange", "if words.count(word) > 1:", "if False:", select="three_in_a_row_or_twice")
p("xw5", "three words in a row are not looked at", "if third not in self.thirds.get(f\"{first} {second}\", ()):", "if False:",
    select="three_in_a_row_or_twice")
p("xw6", "fuenf is not fünf", ".replace(\"ue\", \"ü\")", "", select="can_be_read_is_familiar", judge="test_corpora.py")
p("xw7", "the third word is lost in a checkpoint", "facts.get(\"thirds\"),", "None, ", select="three_in_a_row_or_twice or which_words_follow")
p("xw8", "the words that came once are lost in a checkpoint", "facts.get(\"once\", ())", "()", select="three_in_a_row_or_twice or which_words_follow")
p("xw9", "a number that cannot be read is cut", "else number_with(token.strip(), text) or token", "else token.strip() or token", select="shown_as_it_was_typed")
p("xw10", "a word loses its capitals in the message", "return found.group() if found else word", "return word", select="shown_as_it_was_typed")
p("xw11", "nobody says what can be read", "else f\" {self.reads}\".rstrip()", "else \"\"", select="shown_as_it_was_typed")
p("xw12", "the whole text is repeated", "if word != text.strip():", "if True:", select="shown_as_it_was_typed")
p("x324", "a special token's name is a token", "if token not in self.ids or token in SPECIAL:",
    "if token not in self.ids:", select="called_like_a_special_token")
p = plants("data/subwords.py", "test_text.py", "")
p("x325", "white space is kept as it was", "return \" \".join(text.split())", "return text",
    select="comes_back_from_subwords or subword_text_without")
p("x327", "a letter and its accent are not one", "[normalizers.NFC(), *([normalizers.Lowercase()] if lowercase else [])]",
    "[*([normalizers.Lowercase()] if lowercase else [])]", select="same_letter_written")
p("x328", "punctuation sticks to words", "splits.Sequence([splits.Metaspace(SPACE), splits.Punctuation()])",
    "splits.Metaspace(SPACE)", select="no_subword_reaches")
p("x329", "an unknown character vanishes", "library.models.BPE(unk_token=SPECIAL[3])", "library.models.BPE()",
    select="never_occurred_becomes")
p("x330", "the text begins with a space", ".replace(SPACE, \" \").strip()", ".replace(SPACE, \" \")",
    select="comes_back_from_subwords")
p = plants("data/byte_pairs.py", "test_byte_pairs.py", "")
p("xb801", "the signs of bytes in any order", "enumerate(sorted({*range(256)} - {*SIGNS}))", "enumerate({*range(256)} - {*SIGNS})", select="same_tokens_in_the_same_order or files_of_gpt2")
p("xb802", "no space belongs to a number", "| ?[{numbers}]+|", "|[{numbers}]+|", select="words_are_cut")
p("xb803", "Python's white space", 'space = r"\\t-\\r ', 'space = r"\\s\\t-\\r ', select="words_are_cut or class_that_unicode_says")
p("xb804", "the last space stays with the spaces before it", "|[{space}]+(?![^{space}])|", "|", select="words_are_cut")
p("xb805", "a neighbour still points to what was merged", "self.after[place], self.before[beyond] = beyond, place", "self.after[place] = beyond", select="counting_all_pairs_anew")
p("xb806", "words run together", "if GAP not in pair:", "if pair[0] != GAP:", select="counting_all_pairs_anew or older_tokens")
p("xb807", "of equally frequent pairs any", "names = [*BYTES]\n    of_byte = {byte: i for i, byte in enumerate(SIGNS)}", "names = [*BYTES][::-1]\n    of_byte = {byte: 255 - i for i, byte in enumerate(SIGNS)}", select="older_tokens")
p("xb808", "a count that is too high wins", "if counts[pair] != -times:", "if False:", select="counting_all_pairs_anew")
p("xb809", "a pair that occurs once is merged", "if counts[pair] < 2:", "if counts[pair] < 1:", select="example_of_the_docstring")
p("xb810", "a word counts once, however often it occurs", "weights += [count] *", "weights += [1] *", select="counting_all_pairs_anew")
p("xb811", "the pair on the right is counted for ever", "for neighbour in around:", "for neighbour in around[:2]:", select="counting_all_pairs_anew")
p("xb812", "from right to left", "for place in sorted(places.pop(rank)):", "for place in sorted(places.pop(rank))[::-1]:", select="merged_everywhere_then")
p("xb813", "a new pair on the left is not seen", "                    note(chain.before[place])\n", "", select="merged_everywhere_then")
p("xb814", "the pair that was learned last is merged first", "rank = heapq.heappop(ranks)", "rank = ranks.pop()", select="merged_everywhere_then")
p("xb815", "bytes that are no UTF-8 are lost", 'text.decode("utf-8", "surrogateescape")', 'text.decode("utf-8", "replace")', select="any_bytes_come_back")
p("xb816", "half a surrogate pair cannot be read", "            text = whole_characters(text)\n        if not", "            pass\n        if not", select="any_text_comes_back")
p("xb817", "half a surrogate pair cannot be learned", "findall(whole_characters(text))", "findall(text)", select="any_text_comes_back")
p("xb818", "one character behind a word is enough", "word.end() > len(whole) - 2:", "word.end() > len(whole) - 1:", select="text_in_pieces")
p("xb819", "a surrogate pair is cut between two pieces", 'end = len(text) - ("\\ud800" <= text[-1:] <= "\\udbff")', "end = len(text)", select="text_in_pieces")
p("xb820", "the last word of the pieces is lost", "if rest or waiting:", "if waiting:", select="text_in_pieces")
p("xb821", "a long word is read anew with every piece", "if size <= len(rest):", "if False:", select="not_read_anew")
p("xb822", "a special token's name is the token, unasked", "if not (special and self.special):", "if not self.special:", select="only_where_they_are_asked_for")
p("xb823", "the shorter special token wins", "sorted(self.special, key=len, reverse=True)", "self.special", select="only_where_they_are_asked_for")
p("xb824", "a merge that begins with # is a comment", 'line.startswith("#version")', 'line.startswith("#")', select="begin_with_a_hash")
p("xb825", "a merge of tokens that nothing makes", "space and left in made and right in made and", "space and", select="of_another_kind")
p("xb826", "two tokens of one id", "if len({*ids.values()}) < len(ids) or not all(", "if not all(", select="of_another_kind")
p("xb827", "deeply nested JSON crashes", "(ValueError, RecursionError)", "ValueError", select="of_another_kind")
p("xb836", "a token without a name is read everywhere", "is str and name and", "is str and", select="of_another_kind")
p("xb828", "all words are kept", "if len(self) >= KEPT:", "if False:", select="few_and_short_ones")
p("xb829", "long words are kept", "if len(word) <= LONG:", "if True:", select="few_and_short_ones")
p("xb830", "an empty text has no ids", "if not text:", "if False:", select="every_vocabulary_does")
p("xb831", "words end where characters do", "len(utf8(word)) for word", "len(word) for word", select="tokens_of_one_word")
p("xb833", "a merge that is none is a token with spaces", "    spaces = True  #", "    #", select="describes_no_byte_pairs")
p("xb832", "the special tokens are not counted", "learned_merges(words, size - FIRST)", "learned_merges(words, size)", select="size_is_of_all_tokens")
p("xb834", "half a character crashes", 'return self.to_bytes(ids).decode("utf-8", "replace")', 'return self.to_bytes(ids).decode("utf-8")', select="any_bytes or half_a_character or comes_back")
p = plants("data/vocabulary.py", "test_byte_pairs.py", "")
p("xb835", "every token is a word", "complete = length in ends", "complete = True", select="tokens_of_one_word")
p = plants("boundary/objects.py", "test_byte_pairs.py", "")
p("xb840", "a stream is kept in memory", "    streams = True\n", "", select="not_kept or little_memory")
p("xb841", "a list of anything is a stream of texts", "if self.streams and not isinstance(value, (list, tuple)) else", "if self.streams else", select="refused_in_a_sentence and encode_stream", judge="test_python.py")
p = plants("data/multi30k.py", "test_translation.py", "asked_for_before")
p("xj30", "a download for nothing", "        extra(\"tokenizers\", \"Cutting a corpus into subwords\")  # before", "        # before")
p = plants("runs/run.py", "test_translation.py", "asked_for_before")
p("xj32", "a resume changes a run that cannot go on", "            # that there are data, and what makes them, before anything is changed\n            run.task.batch(np.random.default_rng(0), 1)", "            pass")
p = plants("cli/asking.py", "test_translation.py", "asked_for_before")
p("xj33", "what counts BLEU is missed at the end", "        translation.bleu_metric()  # before", "        pass  # before")
p = plants("study/translators.py", "test_translation.py", "asked_for_before")
p("xj34", "what counts BLEU is missed when all is translated", "    bleu_metric()  #", "    #")
p = plants("terminal/extras.py", "test_text.py", "")
p("x331", "the line that installs the package itself", "minitransformer[{name}]", "minitransformer",
    select="missing_package_is_named")
p("x1101", "of what is missing, only the first package is named", "for p in packages if importlib", "for p in [package] if importlib",
    select="missing_package_is_named")
p("x1102", "what is there is called missing", "if importlib.util.find_spec(p) is None", "if p", select="missing_package_is_named")
p = plants("data/numbers.py", "test_corpora.py", "")
p("x332", "no words from behind a thousand", "(1000 * word, 1000 + word, 2000 + word)", "(1000 * word,)",
    ("numbers += [m for n in ends for m in (100_000 + n, 1000 * n + 100)]", "pass"),
    select="vocabularies_are_complete or can_be_read_is_familiar")
p("x920", "numbers are told apart by how they are written", "return questions[:, :1] ", "return questions ",
    select="no_number_is_in_two_splits")
p("x921", "all sources are canonical", "* (rng.random(count) < 0.75)", "* (rng.random(count) < 0)", select="of_four_sources or same_number_in_both")
p("x922", "the answers vary too", "encode(\n            [spell(number, self.target) for number in questions[:, 0].tolist()]\n        )",
    "encode([written(number, self.target, way) for number, way in questions.tolist()])", select="same_number_in_both")
p("x923", "an old run reads what it never learned", "if vocabulary.followers is None:", "if False:", select="from_before_wrote")
p("x924", "the longest as it is spelled", "if self.spelling == \"varied\":\n            sources =", "if False:\n            sources =",
    select="longest_source_is_reached or fits")
p("x925", "the numbers are drawn before the digits of an old run", "ways = np.zeros_like(numbers)", "ways = numbers * 0 + 1",
    select="from_before_wrote or same_number_in_both")
p = plants("data/spelling.py", "test_corpora.py", "")
p("x926", "hunderteinstausend", "return words.replace(\"einstausend\", \"eintausend\")", "return words", select="as_the_language or german_says")
p("xj60", "twenty hundred is a number", "f\"(?:{teens}|{tens}{unit}){hundreds}\"", "f\"(?:{teens}|{tens}{unit}?){hundreds}\"", select="form_of_a_number")
p("xj61", "a thousand behind nothing", "thousand(?:{rest})?\"", "thousand(?:{first})?\"", select="form_of_a_number")
p("xj62", "an and too few", "hundreds = f\"hundred(?:(?:and)?{below_100})?\"", "hundreds = f\"hundred(?:{below_100})?\"", select="form_of_a_number")
p("xj63", "eins stands before tausend", "(?:{below_100}|ein)?|{below_100}|ein|", "(?:{below_100}|eins?)?|{below_100}|eins?|", select="form_of_a_number")
p("xj64", "eins und zwanzig", "f\"(?:{either(unit, 'ein')}und)?{tens}\"", "f\"(?:{either(unit, 'eins?')}und)?{tens}\"", select="form_of_a_number")
p("xj65", "un mille", "(?!unmille)", "", select="form_of_a_number")
p("xj66", "soixante-onze", "(?!onze)", "", select="form_of_a_number")
p("xj67", "a thousand and none before it in digits", "THOUSANDS = r\"\\d{1,6}\", r\"[1-9]\\d{0,2}\"", "THOUSANDS = r\"\\d{1,6}\", r\"\\d{1,6}\"", select="form_of_a_number")
p("x927", "one place, one way", "lambda ways: [rng.choice(ways)]", "lambda ways: [ways[0]]", select="seed_draws")
p("x928", "quatre-vingt-dix stays", "((70, \"septante\"), (90, \"nonante\"))", "((70, \"septante\"),)", select="as_in_belgium")
p("x929", "twenty hundred", " and number // 100 % 10:", ":", select="would_be_another")
p("x930", "a hundred and a thousand", "^one (?=hundred|thousand)", "one (?=hundred|thousand)", select="would_be_another or two_numbers")
p("x931", "other forms are never drawn", "rng.random() < 0.5", "True", select="seed_draws")
p("x932", "way 0 is drawn", "if way == 0:", "if way is None:", select="seed_draws or same_number_in_both")
p = plants("runs/run.py", "test_translation.py", "training_alone or knows_of_no_longest")
p("x933", "the longest source is not kept", "\"longest_source\": self.longest_source,", "\"longest_source\": None,")
p("xw13", "the shortest source is not kept", "\"shortest_source\": self.shortest_source,", "\"shortest_source\": None,", select="shorter_than_all")
p("xw14", "a checkpoint without the shortest is not opened", "facts.get(\"shortest_source\")", "facts[\"shortest_source\"]", select="shorter_than_all")
p("x934", "an old checkpoint is not opened", "facts.get(\"longest_source\")", "facts[\"longest_source\"]")
p = plants("data/corpus.py", "test_translation.py", "training_alone")
p("x935", "the longest of validation counts as trained on", "return int(self.sequences(\"train\")[0].lengths.max(initial=0))", "return self.longest[0]")
p("xw15", "the longest is called the shortest", "[0].lengths.min())", "[0].lengths.max())",
    select="knows_its_shortest", judge="test_corpora.py")
p = plants("data/symbols.py", "test_corpora.py", "knows_its_shortest")
p("xw16", "the longest is the shortest", "return self.min_length\n", "return self.max_length\n")
p = plants("data/addition.py", "test_corpora.py", "knows_its_shortest")
p("xw17", "the plus is not counted", "return len(\"1+1\")", "return len(\"11\")")
p = plants("cli/asking.py", "test_translation.py", "shorter_than_all")
p("xw18", "the shortest is not asked for", ", run.longest_source, run.shortest_source)", ", run.longest_source)")
p = plants("decoding/translation.py", "test_translation.py", "remark or training_alone")
p("xw19", "as short as the shortest is too short", "length < shortest", "length <= shortest", select="shorter_than_all")
p("x936", "as long as the longest is too long", "length > longest", "length >= longest")
p("x937", "unknown characters are not named", "if unknown := vocabulary.unknown(text):", "if unknown := \"\":")
p("x938", "a long text is repeated whole", "{shortened(text)} is unlike", "{text!r} is unlike")
p = plants("cli/lines.py", "test_translation.py", "remark or training_alone")
p("x939", "remarks are not said", "[str(problem)] if problem else [*remarks(text)]", "[str(problem)] if problem else []")
p("x940", "every line is line 1", "            answer_to_it, problem, sentences = line\n", "            answer_to_it, problem, sentences = line\n            number = 1\n")
p = plants("data/numbers.py", "test_corpora.py", "")
p("xw20", "an opened run does not say what it reads", "        vocabulary.reads, vocabulary.form = self.reads, NUMBER.get(self.source)\n\n    def draw", "\n    def draw",
    select="say_what_they_read", judge="test_translation.py")
p("xw21", "no three words with another thousand", "more |= {1000 * a + b for a in ends for b in ends}", "more |= set()", select="can_be_read_is_familiar")
p("x333", "no zero", "smallest = np.where(digits == 1, 0, 10 ** (digits - 1))", "smallest = 10 ** (digits - 1)",
    select="drawn_equally_often")
p("x334", "no number of six digits", "digits = rng.integers(1, 7, size=count)",
    "digits = rng.integers(1, 6, size=count)", select="drawn_equally_often")
p("x335", "source and target change places", "return encode(sources), encode(\n            [spell(number, self.target) for number in questions[:, 0].tolist()]\n        )",
    "return encode([spell(number, self.target) for number in questions[:, 0].tolist()]), encode(sources)", select="same_number_in_both or four_directions")
p = plants("data/corpus.py", "test_corpora.py", "")
p("x336", "targets shuffled apart from their sources", "target.reordered(order)",
    "target.reordered(rng.permutation(len(source)))", select="pool_is_every")
p("x337", "an epoch with repetitions", "order = rng.permutation(len(source))",
    "order = rng.integers(len(source), size=len(source))", select="pool_is_every")
p("x338", "a sentence twice among distinct ones", "rng.permutation(len(source))[:count]\n            if distinct",
    "rng.integers(len(source), size=min(count, len(source))) if distinct", select="distinct_samples_of_a_corpus")
p("x339", "the same sentences again and again", "rng.integers(len(source), size=count)",
    "rng.permutation(len(source))[:count]", select="other_samples_of_a_corpus")
p("x340", "every split is the training set", "source, target = self.sequences(split)\n        rows",
    "source, target = self.sequences(\"train\")\n        rows", select="samples_of_a_corpus")
p("x341", "the longest of the training set only", "zip(*map(self.sequences, SPLITS))", "zip(self.sequences(\"train\"))",
    select="longest_of_a_corpus")
p("x342", "what was read with the old vocabulary stays", "self.__dict__.pop(made_with_the_old, None)", "pass",
    select="adopts_a_vocabulary")
p = plants("data/multi30k.py", "test_corpora.py", "")
p("x343", "an altered file is read",
    "    PUBLISHED.expect_unaltered(\n        path, name, content, f\"Delete it, and download it again from {ADDRESS}\"\n    )\n",
    "", select="altered_file_is_refused")
p("x345", "other line ends cut sentences", ".removesuffix(\"\\n\").split(\"\\n\")", ".splitlines()",
    select="line_feeds_only")
p("x346", "languages of unlike length are paired", "    expect_as_many(split, dict(zip((source, target), both)))\n",
    "", select="not_as_long_are_refused")
p("x349", "subwords of one language", "Subwords.learn([*source, *target], self.vocabulary_size)",
    "Subwords.learn(source, self.vocabulary_size)", select="learned_from_the_training_sentences")
p("x350", "subwords of the validation set", "source, target = self.sentences(\"train\")",
    "source, target = self.sentences(\"validation\")", select="learned_from_the_training_sentences")
p("x351", "the languages in the order of the alphabet", "for language in (source, target)]",
    "for language in sorted((source, target))]", select="line_feeds_only")
p = plants("data/download.py", "test_corpora.py", "")
p("x344", "an altered download is kept",
    "        self.expect_unaltered(\n            f\"{self.address}{file}\", name, content, \"Try again later; nothing was kept.\"\n        )\n", "",
    select="not_the_file_leaves_none")
p("x347", "a broken download takes the file's place", "part = folder / f\"{file}.part\"",
    "part = folder / file", select="dies_while_it_is_written")
p("x348", "every time a download", "if not (folder / f\"{name}{self.end}\").is_file():", "if True:", select="not_fetched")
p = plants("data/stream.py", "test_stream.py", "")
p("x352", "the end token does not count", "Sequences.of(target).lengths + 1)", "Sequences.of(target).lengths)",
    select="target_counts_with_its_end or several_pairs")
p("x353", "the last sentence counts as the longest", "longest = max(longest, length)", "longest = length",
    select="several_pairs")
p("x354", "one sentence too many", "longest * (place - starts[-1] + 1) > tokens", "longest * (place - starts[-1]) > tokens",
    select="several_pairs")
p("x355", "neighbours of unlike length",
    "order = np.argsort(lengths + rng.uniform(0, 2, len(lengths)), kind=\"stable\")",
    "order = rng.permutation(len(lengths))", select="like_lengths_are_together")
p("x356", "the same neighbours in every epoch", "lengths + rng.uniform(0, 2, len(lengths))", "lengths",
    select="same_neighbours")
p("x357", "short batches first", "[batches[i] for i in rng.permutation(len(batches))]", "batches",
    select="no_order_of_length")
p("x358", "the epoch's end for its beginning", "return {\"random\": self.before, \"taken\": self.taken}",
    "return {\"random\": self.rng.bit_generator.state, \"taken\": self.taken}", select="fresh_stream_goes_on")
p("x359", "a place not yet reached is forgotten",
    "return {\"random\": self.rng.bit_generator.state, \"taken\": self.skip}",
    "return {\"random\": self.rng.bit_generator.state, \"taken\": 0}", select="gave_no_batch_yet")
p("x360", "a place is skipped twice", "self.taken, self.skip = self.skip, 0", "self.taken = self.skip",
    select="fresh_stream_goes_on or same_stream_goes_back")
p("x361", "the old epoch goes on", "self.batches, self.taken, self.skip = [], 0, state[\"taken\"]",
    "self.taken, self.skip = 0, state[\"taken\"]", select="same_stream_goes_back")
p("x362", "the epoch begins again", "self.batches, self.taken, self.skip = [], 0, state[\"taken\"]",
    "self.batches, self.taken, self.skip = [], 0, 0", select="fresh_stream_goes_on")
p = plants("runs/run.py", "test_translation.py", "stop_between")
p("x363", "a checkpoint of Ctrl-C stays among the last", "if self.is_regular(file)]", "]")
p("x364", "the last checkpoint that was due makes room for one that was not", "regular[: -self.options.keep]",
    "self.checkpoints()[: -self.options.keep]")
p = plants("data/vocabulary.py", "test_translation.py", "words_and_sizes_cut")
p("x365", "the last token of a source is cut off its word", "if written and groups", "if groups")
p = plants("decoding/beam.py", "test_decoding.py", "beam or score or never_ends")
p("x366", "what was cut off competes with what ended", "if not self.finished[self.rows[n]]:", "if True:")
p("x367", "done at the first end", "len(found) >= self.enough or", "len(found) >= 1 or", select="stops_only")
p("x1050", "done when there are as many as the beam", "enough = beam if early_stopping or beam == 1 else np.inf", "enough = beam",
    select="stops_only or cannot_lose")
p("x1051", "an early stop is never", "beam if early_stopping or beam == 1", "beam if beam == 1", select="early_stop")
p("x1052", "a beam of 1 goes on after its end", "beam if early_stopping or beam == 1", "beam if early_stopping", select="beam_one")
p("x1053", "nothing open can grow, so the penalty is that of now", "self.scores[:, 0] / penalty(longest, self.alpha)",
    "self.scores[:, 0] / penalty(self.written.shape[2] + 1, self.alpha)", select="stops_only or cannot_lose")
p("x1054", "any open beginning keeps the search going", "found[self.wanted - 1].score >= attainable", "False",
    select="no_longer_than")
p("x1055", "the list is done with its first", "alpha, early_stopping, wanted=beam)", "alpha, early_stopping, wanted=1)",
    select="stops_only")
p("x1056", "more than the beam in the list", "        del found[self.beam :]\n", "", select="stops_only")
p("x1057", "of equals the last found is first", "bisect.insort_right(", "bisect.insort_left(", select="order_in_which")
p("x1058", "padding and begin are searched", "beams.advance(writable(log_p))", "beams.advance(log_p)",
    select="never_written or untrained_model")
p("x1059", "the longest limit of the batch for all", "longest = self.longest[self.rows] ", "longest = np.full(len(self.rows), self.longest.max()) ",
    select="rows_own or company")
p("x1060", "ids take the source's integers", "parents, ids = beams.advance(writable(log_p))",
    "parents, ids = beams.advance(writable(log_p))\n            ids = ids.astype(source.dtype)", select="sources_integers and beam")
p("x1061", "nothing is left open, and yet it goes on", " or attainable == -np.inf:", ":", select="no_longer_than")

# -- the checker --------------------------------------------------------------------------------------------------

p = plants("grading/known.py", "test_grading.py", "two_mistakes or known_mistake or localised")
p("x368", "any mistake is near enough", "NEAR = 0.3", "NEAR = 3e3")
p("x369", "of two mistakes the smaller is named", "sizes[0] >= sizes[1]", "sizes[0] < sizes[1]")
p("x370", "a factor beside a mistake is not looked for", "        if factor:\n", "        if False:\n")
p("x371", "what remains is not said", 'f"something else remains in {', 'f"" if left else f"something else remains in {')

p = plants("grading/attempt.py", "test_grading.py", "own_size")
p("xg62", "all outputs have one scale", "scale = scale_of(expected[situation].outputs.get(name, b))", "scale = 1.0")
p("xg63", "shapes are not looked at", "                return np.inf\n            wrong =", "                continue\n            wrong =")
p = plants("grading/check.py", "test_grading.py", "handed_in")
p("xg64", "whatever is a number passes", "report.answer = name_of(function)", "report.answer = name_of(function)\n    report.passed = report.passed or function == 3")
p("xg65", "a name that raises ends the check", "    except Exception:\n        return \"\"\n", "    except KeyError:\n        return \"\"\n", select="looked_at")
p("xg66", "NumPy's whole numbers are none", "isinstance(seed, (int, np.integer))", "isinstance(seed, int)", select="whole_numbers")
p = plants("grading/hints.py", "test_grading.py", "comes_near")
p("xg67", "the list has nothing to say", "        return find(id)  # which", "        return None  # which")
p = plants("grading/exercise.py", "test_grading.py", "wherever_it_is_given")
p("xg68", "a function for a name is not understood", "if callable(id):", "if False:")
p = plants("grading/calling.py", "test_grading.py", "around_itself")
p("xg69", "a wrapper around itself ends the check", "        try:\n            if returned is None and is_blank(submission):\n                return Outcome(trouble=Trouble(\"stub\", \"its body is empty\"))\n",
  "        if returned is None and is_blank(submission):\n            return Outcome(trouble=Trouble(\"stub\", \"its body is empty\"))\n        try:\n")
p = plants("grading/evidence.py", "test_grading.py", "number_that_is_wrong or invariant or order_of_speech")
p("x372", "the first right number is shown", "bad = ~agreeing(a, b, ours.tolerance)", "bad = agreeing(a, b, ours.tolerance)")
p("x373", "no invariant is ever broken", "BROKEN = 1e-7", "BROKEN = 1e7")

p = plants("testing/difference.py", "test_grading.py", "all_zeros")
p("xg60", "all zeros have no scale", "finite.size and finite.max() > 0 else 1.0", "finite.size else 1.0")
p("xg61", "the scale of zeros is tiny", "finite.max() > 0 else 1.0", "finite.max() > 0 else 1e-17")

p = plants("grading/outcome.py", "test_grading.py", "small_number or any_style or thousandth")
p("x375", "float64 is judged like float32", "8: 1e-10}", "8: 2e-4}")
p("x377", "a tenth is a question of precision", "SINGLE = 2e-6", "SINGLE = 1e-1")

p = plants("grading/calling.py", "test_grading.py", "changed or stub or helps")
p("x378", "the learner's function gets our own arrays", "inputs = copy.deepcopy(given)\n    everything", "inputs = given\n    everything")
p("x379", "a changed input is overlooked", "return tuple(\n        name\n        for name in before\n        if", "return tuple(name for name in () if")
p("x380", "nothing is blank", "return code is not None and not any(", "return False and not any(")
p("x381", "NotImplementedError is an error like others", 'Trouble("stub", "it raises', 'Trouble("raised", "it raises')
p("x382", "the shapes that were given are not said", '(f"It raised {said}", shapes, tensors)', '(f"It raised {said}", tensors)')

p = plants("grading/diagnosis.py", "test_grading.py", "call_before or half or changed or all_sizes_are_equal or rule_finds")
p("x383", "a second answer is not asked for", "if not can_be_compared or agree(again, yours, None, can_be_compared):", "if True:")
p("x384", "what is missing is called wrong", "if missing and set(wrong) == set(missing):", "if False:")
p("x385", "a changed input passes", 'finding.label == "note"', 'finding.label == "note" or finding.id == "changed"')
p("x386", "no second run where all sizes are equal", "for sizes in TWINS.values():", "for sizes in ():")
p("x387", "a number is shown where a rule speaks", "if known and known.ruled:", "if False:")
p("x388", "a convention is a mistake", "if known and known.mistake.convention and", "if False and",
  select="convention")
p("x408", "what is right is run once only", "if report.passed:\n", "if False:\n", select="written_down or first_call")
p("x409", "the second run has the same constants", "SMALLER = 0.7", "SMALLER = 1.0", select="written_down")
p("x410", "a convention may change its input", "if _passes(findings):\n        findings +=", "if not findings:\n        findings +=", select="convention_that")

p = plants("testing/difference.py", "test_grading.py", "localised or letters or missing_term")
p("x389", "late and early are exchanged", "'late' if step == 1", "'early' if step == 1")
p("x390", "a factor has no name", "if np.isclose(c, value, rtol=1e-4)", "if False")
p("x391", "a term is found in its absolute value", "c = np.sum(difference * array,", "c = np.sum(np.abs(difference * array),")

p = plants("grading/frameworks.py", "test_frameworks.py", "stand or arrays or left_alone or stays")
p("xfw01", "numbers are converted too", "self.convert(value) if isinstance(value, np.ndarray) else value", "self.convert(value)", select="left_alone")
p("xfw02", "PyTorch's ctx is an input", "int(takes_context)", "0", select="stand")
p("xfw03", "the newer way has a ctx too", "int(takes_context)", "1", select="order and stand")
p("xfw04", "inputs in the exercise's order", "(named.get(p.name), p.default)", "(sorted(named.values())[0], p.default)", select="order and stand")
p("xfw05", "a default is lost", "inputs.get(name, default)", "inputs.get(name)", select="order and stand")
p("xfw06", "a custom_vjp is only called forward", "    if exercise.forward is None:\n        return function(*", "    if True:\n        return function(*", select="several and stand")
p("xfw07", "no convert without a framework", "return Converted(submission, convert) if convert else submission", "return submission", select="converted_for")
p("xfw08", "gradients under other names", "return dict(zip(exercise.returns, gradients))", "return tuple(reversed(gradients))", select="order and stand")

p = plants("grading/binding.py", "test_grading.py", "any_style or helps")
p("x392", "gradients have no short names", "if gradient and rest in SHORT", "if False and rest in SHORT")
p("x393", "the case of a name counts", '.replace("_", "").lower()', '.replace("_", "")')
p("x394", "defaults are filled too", "if len(needed) == len(left):", "if len(needed) <= len(left):",
  select="less_than_is_given")
p("x406", "defaults take nothing", "if not needed:  # an option", "if False:  # an option", select="less_than_is_given or any_style")
p("x407", "a gradient has only its own names", "if len(needed) == len(starts):", "if False:", select="commonest or own_and_less")

p = plants("grading/report.py", "test_grading.py", "most_of or as_a_dict or cell_shows")
p("x395", "most of a difference is called all of it", 'if finding.exact else', "if True else")
p("x396", "a report is shown twice in its cell", "if self.shown is None or self.shown !=", "if True or self.shown !=")

p = plants("grading/check.py", "test_grading.py", "strict or prints")
p("x397", "a stub passes a strict check", "if strict and not report.passed:", 'if strict and report.status == "wrong":')
p("x398", "quiet prints", "if not quiet:", "if True:")

p = plants("grading/grade.py", "test_grade.py", "one_file_at_a_time or whatever or ends_with_it or histogram")
p("x399", "stubs are counted as mistakes", 'if report["status"] == "wrong"\n', "if True\n")
p("x401", "the last words of a crash are lost", 'f": {short(last[-1])}" if last', '"" if last')
p("xg01", "a second Ctrl-C loses the table", "    while True:\n        try:\n            return one.result()\n        except KeyboardInterrupt:\n            stop.set()\n",
  "    try:\n        return one.result()\n    except KeyboardInterrupt:\n        stop.set()\n    return one.result()\n", select="second_ctrl_c")
p("xg02", "what Ctrl-C left out is called graded", 'submission.status = "not graded"\n        submission.remark = "not graded: interrupted before its turn"', "pass", select="ctrl_c_ends")
p("xg03", "an interrupted file is called crashed", 'if ended.why == "interrupted":', "if False:", select="ctrl_c_ends")
p("xg04", "a full disk ends the class", "except OSError as problem:\n            # no room", "except ZeroDivisionError as problem:\n            # no room", select="want_of_room")
p("xg05", "what became of a file on disk is not looked at", "if submission.status in RUN and source.changed():", "if False:", select="full_path")
p("xg06", "folders stay behind", "            if is_folder(path):\n", "            if False:\n", select="leaves_nothing")
p("xj01", "a link to a folder is followed", "found = os.lstat(path)", "found = os.stat(path)", select="no_link_out_of_it")
p("xj02", "a path grows with every folder", "                place = flat / str(len(folders))\n                os.rename(path, place)\n", "                place = path\n",
  select="no_link_out_of_it")
p("xg07", "an unreadable result is not told", "if unread and (ended.status == 0 or os.path.lexists(result)):", "if False:", select="unreadable_result_is_crashed")
p("xg08", "names reach the terminal as they are", "names = [escaped(s.file) for s in submissions]", "names = [s.file for s in submissions]", select="terminal_would_obey")
p("xg09", "names reach the JSON file as they are", "found[0] if found[0].isprintable() else", "found[0] if True else", select="terminal_would_obey or no_text")
p("xg10", "what is to be looked at is not told", 'remarks += [f"{exercise}: {remark}" for', 'remarks += [] and [f"{exercise}: {remark}" for', select="not_right_alone")
p("xg11", "a file interrupted before its second run is graded", "except Interrupted:\n            submission.status, submission.remark =", "except Interrupted:\n            _, submission.remark =",
  select="before_it_ran_a_second")
p = plants("cli/grading.py", "test_grade.py", "ctrl_c_ends")
p("xg12", "an interrupted grading succeeds", "return 130 if stopped else 0", "return 0")
p("xg13", "a part is called all of it", "if stopped else 'All results'", "if False else 'All results'")

p = plants("grading/points.py", "test_class.py", "gradebook or table_and_json")
p("xcl01", "who was interrupted has zero points", "if submission.status in UNFINISHED:", "if False:")
p("xcl02", "a wrong answer has points", 'if report["status"] == "right"}', 'if report["status"] != ""}')
p("xcl03", "a cell may be a formula", "if text.startswith(FORMULA) else text", "if False else text", select="formula")
p("xcl04", "what others answered is not asked of all", "answered = {id for submission in submissions for id in submission.reports}", "answered = {*submissions[0].reports}", select="order_of_the_course or table_and_json or gradebook")
p("xcl05", "an exercise may stand twice", "        if id in points:\n", "        if False:\n", select="refused")
p("xcl06", "any number of points", "if not 0 <= number < math.inf:", "if number < 0:", select="refused")
p("xcl07", "a mark before the text is text", '"utf-8-sig"', '"utf-8"', select="spreadsheets_write")
p("xcl08", "what is to be looked at is left out", "for id in one.remarks)", "for id in ())")
p = plants("grading/clusters.py", "test_class.py", "equal_numbers or less_exact or largest_cluster")
p("xcl12", "one file is a cluster", "if len(cluster.files) > 1]", "]")
p("xcl13", "numbers are not compared", "if cluster.exercise == id and _equal(first, made):", "if cluster.exercise == id:")
p("xcl14", "the first's tolerance alone counts", "return agree(one, other) or agree(other, one)", "return agree(other, one)")
p("xcl15", "clusters in the order of the files", "sorted(found, key=lambda cluster: -len(cluster.files))", "found")
p("xcl16", "mistakes with a name are clustered too", 'any(f["title"] and f["exact"] for f in report["findings"])', "False")
p("xclnear", "what only comes near has a name", 'any(f["title"] and f["exact"] for f', 'any(f["title"] for f', select="comes_near")
p("xcl17", "right numbers have a fingerprint", "return made if has_numbers and not is_right else None", "return made if has_numbers else None", select="no_fingerprint")
p("xcl18", "an answer without numbers has a fingerprint", "return made if has_numbers and not is_right else None", "return made if not is_right else None", select="no_fingerprint")
p("xcl88", "numbers of any name are numbers", "any(array.size for array, _ in _pairs(made))", "any(outcome.outputs for outcome in made.outcomes.values())", select="cannot_be_read or no_fingerprint")
p("xcl19", "NaN is as good as zero", "LARGE / 2, scaled)", "0, scaled)", select="fingerprint_is_that")
p("xcl20", "infinite is only large", "    scaled[np.isinf(array.ravel())] *= 2\n", "", select="fingerprint_is_that")
p("xcl21", "fingerprints are compared coarsely", "ALIKE = 2e-4", "ALIKE = 2e-2", select="fingerprint_is_that")
p("xcl22", "fingerprints are compared exactly", "ALIKE = 2e-4", "ALIKE = 0", select="fingerprint_is_that")
p("xcl23", "a name is for every exercise", 'mine and entry["exercise"] == id and alike', "mine and alike", select="for_its_exercise")
p("xcl24", "an empty title", '        and entry["title"].strip()\n', "", select="another_form")
p("xcl25", "a fingerprint of any numbers", "if numbers.size != DIRECTIONS or not", "if not", select="another_form")
p("xcl26", "a fingerprint may be NaN", " or not np.isfinite(numbers).all():", ":", select="another_form")
p = plants("grading/feedback.py", "test_class.py", "says_what_the_report")
p("xcl31", "evidence is markup", "<td>{html.escape(sentence)}</td>", "<td>{sentence}</td>")
p("xcl32", "a cell's error is markup", "<li>{html.escape(error)}</li>", "<li>{error}</li>")
p("xcl33", "a file's name is markup", "name = html.escape(title)", "name = title")
p("xcl34", "a remark is markup", "<p>{html.escape(submission.remark)}</p>", "<p>{submission.remark}</p>")
p("xcl35", "what was not handed in is left out", "for id in {**points, **submission.reports}", "for id in submission.reports")
p("xcl36", "the page may ask for anything", "default-src 'none'", "default-src *", select="asks_for_nothing")
p("xcl38", "two pages have one name", "while name.casefold() in taken:", "while False:", select="no_two_the_same")
p("xcl39", "names differ in case alone", "while name.casefold() in taken:", "while name in taken:", select="no_two_the_same")
p("xcl40", "any character of a name", 'c if c.isalnum() or c in "-_." else "_"', "c", select="no_two_the_same")
p("xcl41", "a hidden page", 'stem.lstrip(".-")[-LONGEST:]', "stem[-LONGEST:]", select="no_two_the_same")
p("xcl42", "one letter in two ways", 'unicodedata.normalize("NFC", ', 'str.__str__(', select="no_two_the_same")
p("xcl43", "the teacher's folder is told", "escaped(file)))", "escaped(one.file)))", select="teachers_folder")
p("xcl44", "an interrupted file has a page", "if one.status not in UNFINISHED and", "if", select="interrupted_has_no_page")
p("xcl45", "any file has a page", " and pathlib.PurePath(one.file).suffix.lower() in KINDS", "", select="interrupted_has_no_page")
p("xcl46", "other files do not matter", "    if overwrite or not folder.exists():\n", "    if True:\n", select="pages_replace")
p("xcl47", "any file is a page", "return MARK.encode() in file.read(200)", "return True", select="pages_replace")
p("xcl48", "a folder is a page", "    if not path.is_file():\n        return False\n", "    if not path.is_file():\n        return True\n", select="pages_replace")
p("xcl49", "no dark page", "(prefers-color-scheme: dark)", "(prefers-color-scheme: black)", select="asks_for_nothing")
p = plants("grading/gradescope.py", "test_class.py", "gradescope_is_told")
p("xcl51", "a wrong answer has points", '"score": worth if is_right else 0.0', '"score": worth')
p("xcl52", "any answer has passed", '"passed" if is_right else "failed"', '"passed"')
p("xcl53", "right is no word of Gradescope", '"passed" if is_right else "failed"', '"right" if is_right else "failed"')
p("xcl54", "what was left out is no test", "for id, worth in points.items()]\n    besides", "for id, worth in points.items() if id in reports]\n    besides")
p("xcl55", "cells that failed are not told", "(one.remark, *one.errors)", "(one.remark,)")
p("xcl56", "the last file counts", "if id not in best or _rank(report) > _rank(best[id]):", "if True:", select="best_answer")
p("xcl57", "the first file counts", "if id not in best or _rank(report) > _rank(best[id]):", "if id not in best:", select="best_answer")
p("xcl58", "an interrupted file has a result", "    if any(one.status in UNFINISHED for one in submissions):\n", "    if False:\n", select="interrupted_has_no_result")
p = plants("grading/release.py", "test_release.py", "is_right_and_needs")
p("xcl62", "the answer's own helpers are left out", "    lines = [*helpers_of(exercise.reference), body]\n", "    lines = [body]\n", select="needs_numpy_alone and attention.backward")
p("xcl63", "the mark stands behind the answer", '{exercise.call}"""\\n{begin}\\n\' + "\\n".join(lines) + f"\\n{end}"', '{exercise.call}"""\\n\' + "\\n".join(lines) + f"\\n{begin}\\n{end}"', select="is_a_stub")
p("xcl64", "a stub says nothing", "inner = f'\"\"\"{exercise.call}\"\"\"", "inner = f'\"\"\"\"\"\"", select="is_a_stub")
p("xcl65", "an answer is locked", "answer, solution=True, locked=False)", "answer, solution=True)", select="says_what_it_is")
p("xcl66", "a test has one point", "points=points[one.id])", "points=1.0)", select="says_what_it_is")
p("xcl67", "another schema", '"schema_version": 3', '"schema_version": 2', select="says_what_it_is")
p("xcl68", "a test that never fails", "{exercise.name}, strict=True)'", "{exercise.name})'", select="nowhere_else")
p("xcl69", "otter reads doctests", "  ok_format: false", "  ok_format: true", select="question_for_otter")
p("xcl70", "otter's points are lost", "points: {points[one.id]:g}", "points: 1", select="question_for_otter")
p("xcl71", "otter's test never fails", "{exercise.name}, strict=True)\\n\\n\\n'", "{exercise.name})\\n\\n\\n'", select="question_for_otter")
p("xcl72", "an assignment is replaced", "if os.path.lexists(path) and not overwrite:", "if False:", select="not_replaced")
p = plants("lessons/notebooks.py", "test_release.py", "lesson_asks")
p("xcl73", "wrong versions are asked for", "if find(id).name == name))", "if True))")
p("xcl74", "an exercise is asked for twice", "list(dict.fromkeys(id for _, id, name in checked if find(id).name == name))", "[id for _, id, name in checked if find(id).name == name]")
p = plants("cli/grading.py", "test_release.py", "command or cannot_be")
p("xcl75", "an exercise stands twice", "[find(id) for id in dict.fromkeys(ids)]", "[find(id) for id in ids]")
p("xcl76", "points of other exercises", "    if points and points.keys() != found.keys():\n", "    if False:\n")
p = plants("grading/borrowed.py", "test_borrowed.py", "is_noted or nobody")
p("xcl77", "any class of the package counts, also Module", " and one is not Module", "")
p("xcl78", "what components call themselves is named too", "if owner and not running and owner", "if owner and owner")
p("xcl79", "the package's own calls count", "    if str(caller).split(\".\")[0] != PACKAGE:\n", "    if True:\n")
p("xcl80", "a subclass hides what it builds on", "    for one in kind.__mro__:\n", "    for one in kind.__mro__[:1]:\n")
p("xcl81", "an exercise is named for each call", "    if called is None or id in called:\n", "    if called is None:\n")
p("xcl82", "what was called stays", "        CALLED.reset(before)\n", "        pass\n", select="noted_no_longer")
p("xcl83", "a component that fails runs for ever", "            try:\n                return run(component, inputs, options)\n            finally:\n                running.pop()\n", "            result = run(component, inputs, options)\n            running.pop()\n            return result\n")
p("xcl87", "what a component costs may not be counted", "    if id.startswith(MEASURED):\n", "    if False:\n", select="costs")
p = plants("grading/check.py", "test_borrowed.py", "is_noted")
p("xcl84", "wrong answers have the note too", "    if called and report.passed:\n", "    if called:\n")
p = plants("grading/report.py", "test_borrowed.py", "is_noted")
p("xcl85", "the note is called wrong", '"own": "note", ', "")
p = plants("grading/recheck.py", "test_borrowed.py", "teacher")
p("xcl86", "the table does not say it", 'said += [sentence(kept["own"][:5])] if kept["own"] else []', "said += []")
p = plants("grading/grade.py", "test_class.py", "without_a_name_and")
p("xcl27", "no numbers are asked for", "    if not wanted:\n", "    if True:\n")
p("xcl28", "clusters are not told", "lines + _clusters_as_lines(submissions)", "lines")
p("xcl29", "arrays go into the JSON file", '    del found["numbers"]\n', "")
p = plants("cli/grading.py", "test_class.py", "the_command")
p("xcl50", "the folder is looked at after the grading", "        expect_free(options.feedback, options.overwrite)\n", "        pass\n")
p("xcl59", "nothing to grade is no result", "        if options.gradescope:  # else", "        if False:  # else")
p("xcl60", "points may be left out", "        if not options.points:\n", "        if False:\n", select="needs_points")
p("xcl61", "a result may overwrite an answer", ', "--gradescope", (".json",))', ', "--gradescope", (".json", ".py"))', select="needs_points")
p("xcl30", "the list is not used", "    name_known(submissions, known)\n", "")
p("xcl09", "the points are overwritten", "if mine and Path(file)", "if False and Path(file)")
p("xcl10", "the file of points is not read", "points = points or points_of(submissions)", "points = points_of(submissions)")
p("xcl11", "all tables are JSON", 'if Path(file).suffix == ".csv" else', 'if Path(file).suffix == ".tsv" else')

p = plants("grading/apart.py", "test_grade.py", "whatever_a_file_does")
p("x400", "a flood is let run", "\"flood\"\n            if output.size > TOO_MUCH", '"flood" if False')
p("xg14", "nobody looks for what a dead supervisor watched", "    if not told:\n", "    if False:\n", select="found_by_its_mark")
p("xg15", "a submission gets the whole environment", "for name in KEPT if name in os.environ", "for name in os.environ", select="environment_and_leaves")
p("xg16", "its home is the teacher's", 'home = dict.fromkeys(("HOME", ', 'home = dict.fromkeys((', select="environment_and_leaves")
p = plants("grading/supervisor.py", "test_grade.py", "whatever_its_session")
p("xg17", "orphans are not adopted", "prctl(*map(ctypes.c_long, (PR_SET_CHILD_SUBREAPER, 1,", "prctl(*map(ctypes.c_long, (PR_SET_CHILD_SUBREAPER, 0,")
p("xg18", "a submission shares the supervisor's session", "        os.setsid()\n", "        pass\n", select="session_of_its_own")
p("xg19", "only children are ended, not theirs", "        for process in descendants():\n", "        for process in ():\n")
p("xg20", "nothing is read from standard input, but it is open", "os.dup2(os.open(os.devnull, os.O_RDONLY), 0)", "pass", select="whatever_a_file_does")
p = plants("grading/limits.py", "test_grade.py", "cannot_raise")
p("xg21", "limits can be raised again", "resource.setrlimit(kind, (value, value))", "resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))")
p("xg22", "no limit of a file's size", '"FSIZE": FILE, ', "")
p("xg23", "signals are not confined", "RESTRICT_SELF, ruleset, 0", "RESTRICT_SELF, -1, 0", select="no_process_but_its_own")

p = plants("grading/submission.py", "test_grade.py", "refused")
p("xg24", "a pipe is read", "if not stat.S_ISREG(mode):", "if stat.S_ISDIR(mode):")
p("xg25", "a link may lead outside", "if file not in roots and not any(", "if False and not any(")
p("xg26", "other files are left out", 'refused="neither a notebook (.ipynb) nor a Python file (.py)"', 'refused=""')
p("xg27", "links to folders are left out", "if name in folders and path.is_symlink():", "if False:")
p("xg28", "a class folder goes with each submission", "any(root in folder.parents for root in roots)", "True", select="own_folder")
p("xg29", "a student's folder does not", "any(root in folder.parents for root in roots)", "False", select="own_folder")
p("xg30", "a folder that is locked is left out", 'found[pathlib.Path(problem.filename)] =', '_ =', select="cannot_be_read")

p = plants("grading/result.py", "test_grade.py", "result")
p("xg31", "a result may be of any size", "if len(data) > largest:", "if False:")
p("xg32", "links are followed", '"NOFOLLOW", ', "")
p("xg33", "a pipe is waited for", "if not stat.S_ISREG(mode):", "if False:")
p("xg34", "any depth is tried", "(ValueError, RecursionError)", "(ValueError, ZeroDivisionError)", select="no_json")
p("xg35", "types are not looked at", "if not isinstance(value, kind) or", "if False or")
p("xg36", "1 is True", "or isinstance(value, bool) != (kind is bool):", "or False:")
p("xg37", "a status may be anything", 'kept["status"] not in STATUSES or kept["passed"]', 'kept["passed"]')
p("xg38", "texts are not cut", "text if len(text) <= longest else", "text if True else")
p("xg39", "texts may steer the terminal", 'c if c.isprintable() else "�"', "c")
p("xg40", "a place is not looked into", 'isinstance(where, dict) and name in where', "name in where")
p("xg41", "a list may have any length", "if not isinstance(value, list) or len(value) > MANY:", "if not isinstance(value, list):")
p("xg42", "numbers may have any size", "abs(value) > 1 << 62", "abs(value) > 1 << 99")

p = plants("grading/recheck.py", "test_grade.py", "not_right_alone")
p("xg43", "nothing runs a second time", "    if not claimed:\n", "    if True:\n")
p("xg44", "the second verdict is not asked", "if not report.passed:", "if False:")
p("xg45", "what an answer uses is not told", 'if kept["unusual"] else []', 'if False else []')
p("xg46", "any tolerance is taken", "min(kept[\"tolerance\"], WIDEST)", 'kept["tolerance"]', select="wider_than")
p("xg47", "every file has the same seed", "hashlib.sha256(data)", "hashlib.sha256(b\"\")", select="follows_the_file")
p = plants("grading/alone.py", "test_grade.py", "right_alone")
p("xg48", "the whole file runs again", "binds(node) & (names | {\"*\"})\n        }", "True}")
p("xg49", "helpers are left out", "        names = names.union(*(uses(body[n]) for n in more))\n", "        pass\n")
p("xg50", "the first meaning of a name counts", "if n >= written or binds(node) != {name}]", "if n <= written or binds(node) != {name}]")
p("xg51", "what follows the check counts too", "        body = body[: n + 1]\n", "        pass\n")
p("xg52", "a number of another module is something to look at", "if not top or name in used and not isinstance(names.get(name), PLAIN)\n            ]", "if True]")
p("xg53", "the future is forgotten", 'return {"*"}\n        return {alias', "return set()\n        return {alias")

p = plants("grading/runner.py", "test_grade.py", "before_a_hang or one_file or fails or cell_by_cell")
p("x402", "nothing is written before the end", "        write_whole(result, found)\n    for exercise", "        pass\n    for exercise")
p("x428", "the last check counts, whatever it was of", "if is_named or report.exercise not in named:", "if True:", select="is_no_answer")
p("x403", "functions that the file does not check are left", "exercise.id in named or not is_of_the_file(function):", "True:")
p("x404", "a cell that fails ends the file", "        note(found[\"errors\"], place, run(cell, place, names, compiler))\n",
  "        note(found[\"errors\"], place, run(cell, place, names, compiler))\n        if found[\"errors\"]:\n            break\n")
p("xg54", "modules beside a file stand in for Python's own", "sys.path[:] = [*sys.path[1:], str(file.parent)]", "sys.path[:] = [str(file.parent), *sys.path[1:]]", select="own_folder")
p("xg55", "an answer that interrupts ends the runner", "    except BaseException as problem:\n        return explain(problem)\n    return \"\"\n\n\ndef keep(",
  "    except Exception as problem:\n        return explain(problem)\n    return \"\"\n\n\ndef keep(", select="interrupts_is_told")
p = plants("grading/cells.py", "test_grade.py", "cell_that_fails or valid_file or notebooks_may_hold")
p("x405", "a line is not found where it stands", '"\\n" * start + without_magic(cell)', "without_magic(cell)")
p("x412", "statements are cut within a line", "if first > end:", "if True:")
p("x411", "IPython's words are left in", "return MAGIC.sub", "return code or MAGIC.sub")
p("xg56", "bytes that are not UTF-8 end the runner", "except (SyntaxError, ValueError, LookupError) as problem:", "except ZeroDivisionError as problem:", select="refused")
p("xg57", "a source may be anything", "if not all(isinstance(line, str) for line in lines):", "if False:", select="refused")
p("xg58", "a cell may be anything", "if not isinstance(cell, dict):", "if False:", select="damaged")
p("xg59", "cells may be anything", "if not isinstance(found, list):", "if False:", select="damaged")

# -- the lessons --------------------------------------------------------------------------------------------------

p = plants("inspection/attention.py", "test_plotting.py", "attention_gradients or stands_beside")
p("x414", "the gradient of softmax is left out", "as_numpy(softmax.backward(m.d_weights))[0]",
  "as_numpy(m.d_weights)[0]")
p("x415", "down is up", "gradient = -Softmax()(logits)", "gradient = Softmax()(logits)",
    ("xp.asarray(target)] += 1", "xp.asarray(target)] -= 1"), select="attention_gradients")

p = plants("testing/trace.py", "test_trace.py", "whole or reads_ids or failing or walk")
p("xk24", "a forward that returned nothing is followed", "outputs_of(component, component.forward(*inputs))", "as_tuple(component.forward(*inputs))",
    select="without_return")
p("x416", "memory that is shared counts each time", 'pieces[value.__array_interface__["data"][0], value.nbytes]', "pieces[len(pieces)]")
p("x417", "what a Residual holds is not its own", "{first_path[id(m)] for _, m in module.named_modules()}", "{path}")
p("x418", "backward's products are left out", "forward.all + backward.all", "forward.all")
p("x419", "gradients are changed", "p.grad[...] = grad", "pass")
p("x420", "saves are left behind", "    finally:\n        component.clear_saves()", "    finally:")
p("x421", "a part keeps its old depth", "depth=row.depth - self[path].depth", "depth=row.depth")

p = plants("testing/counting.py", "test_counting.py", "reads_ids or changes_neither")
p("x422", "parameters are not followed", "p.place(_counted(data, note, 0), grad.copy())", "p.place(data, grad.copy())")

p = plants("lessons/prediction.py", "test_lessons.py", "guess or written")
p("x424", "a late guess looks like an early one", "question in _seen", "False")
p("x425", "the first guess is forgotten", "_first.setdefault(question, guess)", "guess")
p("x426", "too high is too low", "'high' if abs(factor) > 1", "'high' if abs(factor) < 1")

p = plants("lessons/notebooks.py", "test_lessons.py", "laid_out")
p("x427", "a learner's notebook is overwritten", "if not file.exists():", "if True:")
p("xj35", "a folder is made before it is known that notebooks can be", '= extra("nbformat", "Writing notebooks"), extra("jupytext", "Making notebooks")',
  '= extra("nbformat", "Writing notebooks"), None', select="no_folder_is_made")
p = plants("cli/lessons.py", "test_lessons.py", "whichever_jupyter")
p("x429", "the first Ctrl-C ends Jupyter", "            continue", "            return 130")

# -- lines, streams, Ctrl-C, pictures of any size -------------------------------------------------------------------

p = plants("cli/lines.py", "test_lines.py", "each_line_is_answered")
p("xl01", "a line that cannot be answered leaves no place", 'return [("", problem)]', "return []")
p("xl02", "what cannot be answered is no matter for the status", "            status = 2 if problem else status\n", "            status = 0\n")
p("xl03", "only the first half is tried again", "answered(texts[:half], answer) + answered(texts[half:], answer)",
  "answered(texts[:half], answer) + [(\"\", None) for _ in texts[half:]]")
p("xl04", "lines are counted in each group", "            answer_to_it, problem, sentences = line\n", "            answer_to_it, problem, sentences = line\n            number = (number - 1) % at_once + 1\n")
p("xl05", "a blank line is an error", "answers = iter(answer([line for line in lines if line.strip()]))", "answers = iter(answer(list(filter(len, lines))))",
  ("[next(answers) if line.strip() else", "[next(answers) if line else"), select="each_line_is_answered")
p("xl06", "the whole file is read at first", "in_order(to_print, items, jobs)", "in_order(to_print, list(items), jobs)",
  select="whoever_types")
p("xl07", "a carriage return ends a line", '"newline": "\\n"', '"newline": None', select="have_the_same_lines")
p("xl08", "a byte order mark is a token", 'line = line.removeprefix("\\ufeff") if number == 0 else line', "line = line", select="have_the_same_lines")
p("xl09", "every byte order mark is dropped", 'line.removeprefix("\\ufeff") if number == 0 else line', 'line.removeprefix("\\ufeff")',
  select="have_the_same_lines")
p("xl10", "the locale reads standard input", "        sys.stdin.reconfigure(**UTF8)\n", "        pass\n", select="have_the_same_lines or locale")
p("xl11", "what is no UTF-8 is answered", "            expect_utf8(line, name_of(file))\n", "            pass\n", select="no_utf8")
p("xl12", "UTF-16 is read as if it were none", "if number == 0 and line.startswith(UTF_16):", "if False:", select="utf16")
p("xl14", "texts are read by the locale", 'return os.fsencode(text).decode("utf-8")', "return text", select="locale")
p("xl13", "closed standard input is a crash", "    if sys.stdin is None:\n", "    if False:\n", select="shell")
p("xl76", "a single text that cannot be answered leaves a line", "            if name or not problem:\n", "            if True:\n", select="single_one_needs")
p = plants("cli/asking.py", "test_lines.py", "")
p("xl15", "a wrong option is said for every line", "not for every text\n    search(run.model, np.array([[EOS]]), 1)", "not for every text",
  select="said_once")
p("xl16", "whoever types waits for 64 lines", "1 if typing else GROUP", "GROUP", select="whoever_types")
p = plants("runs/run.py", "test_lines.py", "cannot_be_read_is_input")
p("xl17", "a run that cannot be read could not be written", "        with reading(path):\n            is_folder = path.is_dir()\n", "        is_folder = path.is_dir()\n")
p("xl77", "so with a run to be resumed", "        with reading(path):\n            folder = path if", "        if True:\n            folder = path if")
p = plants("runs/checkpoint.py", "test_lines.py", "nobody_may_read")
p("xl78", "the system says why a checkpoint cannot be read", "with reading(path), open(path, \"rb\") as file:", "with open(path, \"rb\") as file:")
p = plants("runs/config.py", "test_lines.py", "nobody_may_read")
p("xl79", "a config that cannot be read could not be written", "    with reading(path):\n        _expect", "    if True:\n        _expect")
p = plants("errors.py", "test_lines.py", "")
p("xl18", "a missing file is a failed run", "    except OSError as problem:\n        name", "    except KeyError as problem:\n        name",
  select="cannot_be_read_is_input or names_the_file")
p("xl19", "paths are not quoted", "else shlex.quote(str(path))", "else str(path)", select="types_it or copied")
p("xl20", "Windows has single quotes", "if WINDOWS else", "if False else", select="types_it")
p = plants("cli/commands.py", "test_lines.py", "copied")
p("xl21", "the next command breaks at a space", "{NEXT[run.task.kind]} {typed(run.folder)}", "{NEXT[run.task.kind]} {run.folder}")
p("xl22", "the program's own path breaks at a space", "typed(os.path.relpath(path) if inside else path)", "(os.path.relpath(path) if inside else path)")
p = plants("runs/run.py", "test_lines.py", "copied")
p("xl23", "--resume breaks at a space", "{typed(folder)} (in Python: Run.resume)", "{folder} (in Python: Run.resume)")
p("xl24", "the command to train breaks at a space", "train --resume {typed(path)}", "train --resume {path}")
p = plants("terminal/streams.py", "test_lines.py", "streams or shell")
p("xl25", "the locale writes", 'stream.reconfigure(encoding="utf-8", errors="replace")', 'stream.reconfigure(errors="replace")', select="locale or utf8")
p("xl26", "a closed output is a crash", "        if getattr(sys, name) is None:\n", "        if False:\n")
p("xj03", "what is written to a closed output vanishes", '(("stdout", os.O_RDONLY), ', '(("stdout", os.O_WRONLY), ')
p("xl27", "complaining crashes where it cannot be written", "    with contextlib.suppress(OSError):\n        print", "    if True:\n        print",
  select="streams and compare")
p("xl28", "Python tries again at its end", "            os.dup2(nowhere, stream.fileno())\n", "",
  ("            os.close(nowhere)\n            stream.flush()\n", "            os.close(nowhere)\n"))
p = plants("cli/__init__.py", "test_lines.py", "streams or shell")
p("xl29", "a full disk is noticed by nobody", "            sys.stdout.flush()  # so that a full", "            # so that a full")
p("xj04", "a closed output has a riddle for a reason", 'if problem.errno == errno.EBADF else', 'if False else')
p("xl30", "Ctrl-C is a traceback", "        except KeyboardInterrupt:\n", "        except StopIteration:\n", select="ctrl_c_while_a_command")
p("xl31", "what was written could not be read", '{problem.filename} could not be written', '{problem.filename} cannot be read', select="said_to_be_that")
p = plants("terminal/streams.py", "test_lines.py", "streams and tasks")
p = plants("cli/__init__.py", "test_lines.py", "streams and tasks")
p = plants("terminal/interruption.py", "test_lines.py", "ctrl_c")
p("xl33", "who imports the library is ended too", "sys.argv[:1] == [\"-m\"]\n        and \"minitransformer\" in sys.orig_argv\n        or", 'True or')
p("xl34", "the grader's runner is taken for the command", "\"minitransformer\" in sys.orig_argv\n        or", "True or")
p("xl35", "the script is not known", '== "minitransformer"\n', '== "mini"\n')
p("xl36", "a command is ended before it can tidy up", "        answer_with(signal.default_int_handler, instead_of=end_at_once)\n", "        pass\n")
p("xl37", "an ignored Ctrl-C is heard", "    if signal.getsignal(number) is instead_of:\n", "    if True:\n")
p = plants("lessons/__init__.py", "test_lines.py", "lesson_that_runs")
p("xl38", "a lesson writes as the locale says", "write_utf8()  # a", "# a")
p = plants("cli/asking.py", "test_lines.py", "look_like_one")
p("xj20", "several texts are never one", "    if look_like_one(texts,", "    if False and look_like_one(texts,")
p("xj21", "several texts are always one", "<= min(len(remarks(text)) for text in texts)", ">= 0")
p("xj22", "a text with a space may be a word of another", "if len(texts) == 1 or any(text.split() != [text] for text in texts)", "if len(texts) == 1")
p = plants("cli/parser.py", "test_lines.py", "too_many_may_be")
p("xj23", "a word is an unknown option", "if rest and not rest[0].startswith(\"-\"):", "if False:")
p = plants("cli/parser.py", "test_lines.py", "full_disk_takes_no_help")
p("xj05", "help that could not be written is no matter", "        if file is sys.stdout:\n", "        if False:\n")
p = plants("cli/parser.py", "test_lines.py", "too_large")
p("xl39", "no number is too large", "    if abs(int(text)) > LARGEST:\n", "    if False:\n")
p("xl40", "a seed may be negative", 'not is_whole(text) or int(text) < 0', 'not is_whole(text)')
p = plants("cli/pictures.py", "test_lines.py", "too_large")
p("xl42", "a layer that does not exist draws nothing", "if number > max(counts, default=0):", "if False:")
p = plants("cli/lessons.py", "test_lessons.py", "needed_both")
p("xl43", "Jupyter without jupytext is enough", 'if jupyter is None or importlib.util.find_spec("jupytext") is None:', "if jupyter is None:")
p("xl44", "jupytext without Jupyter is enough", 'if jupyter is None or importlib.util.find_spec("jupytext") is None:',
  'if importlib.util.find_spec("jupytext") is None:')
p = plants("study/trainings.py", "test_study.py", "progress or how_far")
p("xl45", "progress is told at the end only", "return_when=FIRST_COMPLETED)\n                report()\n", "return_when=FIRST_COMPLETED)\n")
p("xl46", "how far, not how much farther", "advance(done_now - done_before)", "advance(done_now)")
p("xl47", "the line that is being written counts", 'split("\\n")[-2:-1]', 'split("\\n")[-1:]')
p("xl48", "what is measured counts for nothing", "    if (folder / RESULT).is_file():\n        return steps\n", "")
p = plants("plotting/panels.py", "test_plotting.py", "told_apart or is_alone")
p("xls01", "all lines have one style", "STYLES[number % len(STYLES)]", "STYLES[0]")
p("xls02", "all lines have one marker", "MARKERS[number % len(MARKERS)]", "MARKERS[0]")
p("xls03", "lines of many points have a marker at each", "    if not marker:  # of many points", "    if False:  # of many points")
p("xls04", "a single line loses its marker", '        return {"marker": marker, "markersize": 4}', '        return {"markersize": 4}')

p = plants("plotting/maps.py", "test_plotting.py", "hatched or small or one_colour_scale")
p("xls05", "what the mask forbids has the colour of zero", "mask=np.isnan(weights)", "mask=False")
p("xls06", "small weights are all dark", "return float(largest) if 0 < largest < FULL else 1", "return 1")
p("xls07", "nobody says what is hatched", 'note = f"{note}  {FORBIDDEN}".strip()', "pass")

p = plants("plotting/attention.py", "test_plotting.py", "hatched or hidden_where")
p("xls08", "padding is not hatched", "return later | (keys == PAD)", "return later | (keys == -1)")
p("xls09", "what comes later is not hatched", 'kind in ("decoder", "self")', 'kind in ("self",)')
p("xls10", "a word is hidden if one of its tokens is", "np.where(seen > 0, of_layer", "np.where(seen >= 1, of_layer")

p = plants("plotting/matrices.py", "test_plotting.py", "can_be_read or too_large")
p("xl49", "pale numbers on pale cells", "np.dot(image.cmap(image.norm(value))[:3], BRIGHTNESS) < 0.5", "np.dot(image.cmap(image.norm(value))[:3], BRIGHTNESS) < 0.8")
p("xl50", "dark numbers on dark cells", "BRIGHTNESS) < 0.5", "BRIGHTNESS) < 0.2")
p("xl51", "a missing number is white on grey", "dark = np.isfinite(value) and", "dark = not np.isfinite(value) or")
p("xl52", "matrices without a bound", "few = m[: most[0], : most[1]]", "few = m[:,:]")
p = plants("plotting/style.py", "test_plotting.py", "any_text or no_form")
p("xl53", "half a surrogate pair is drawn", "for c in str(text)\n    )", "for c in str(text)) if str(text).isascii() else str(text)")
p("xl54", "a width is measured of what cannot be drawn", "    text = drawable(text)\n    font", "    font")
p = plants("plotting/labels.py", "test_plotting.py", "no_form")
p("xl55", "a label of any length", 'return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"', "return text")
p = plants("plotting/maps.py", "test_plotting.py", "bound or label_the or cut")
p("xl56", "the page grows without end", "    if max(pages) <= MOST:\n", "    if True:\n")
p("xl58", "all panels fit", "    return rows, columns\n\n\ndef lay_out", "    return 10**6, 10**6\n\n\ndef lay_out")
p("xl59", "labels stand at the wrong tokens", "axes.set_xticks(range(0, len(labels.keys), every), labels.keys[::every]", "axes.set_xticks(range(len(labels.keys[::every])), labels.keys[::every]")
p("xl60", "nobody says that labels are missing", "return labels.key_name if every == 1 else", "return labels.key_name if True else")
p("xl61", "cells of no size", "max(math.floor(100 * fits) / 100, FINEST)", "max(math.floor(100 * fits) / 100, 0.001)", select="finest")
p = plants("plotting/attention.py", "test_plotting.py", "bound or influence_of_a_long")
p("xl62", "what is left out is not said", 'return f"Left out, because it is too much for a page: {', 'return "" and f"{')
p("xl63", "the mean makes room for a head", "heads[: columns - bool(mean)], heads[columns - bool(mean) :]", "heads[:columns], heads[columns:]")
p("xl64", "left-out heads are miscounted", "first, last = indices[0] + 1, indices[-1] + 1", "first, last = indices[0], indices[-1]")
p("xl65", "influence of all rows, however long it takes", "int((ends <= WORK // work).sum())", "len(ends)")
p("xl66", "the strip has too many columns", "min(columns, most, len(snapshots))", "min(columns, len(snapshots))")
p = plants("data/subwords.py", "test_text.py", "")
p("xl67", "half a surrogate pair crashes the library", 'return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")', "return text", select="too_odd")
p("xl68", "both halves of a pair stay apart", '.encode("utf-16", "surrogatepass").decode("utf-16", "replace")', '.encode("utf-8", "replace").decode("utf-8")', select="both_halves")
p("xl70", "Ctrl-C is a damaged tokenizer", "        except KeyboardInterrupt:\n            raise\n", "", select="ctrl_c_while_subwords")
p("xl71", "any tokenizer is ours", "        expect_ours(tokenizer)\n", "", select="from_elsewhere")
p("xl72", "ids may have gaps", " or not all(tokens):", ":", select="from_elsewhere")
p = plants("data/vocabulary.py", "test_text.py", "describes_no")
p("xl74", "a message as long as its text", "of {shortened(text)}) is", "of {text!r}) is", select="stays_a_sentence")

# -- shares, and what is left out -----------------------------------------------------------------------------------

p = plants("training/shares.py", "test_shares.py", "add_up")
p("x431", "every share weighs the same", "(part, n / sum(real))", "(part, 1 / count)",
    select="transformer_add_up or dealt_out")
p("x432", "a share weighs as much as it has sequences", "int(targets[part_of == i].sum())",
    "int((part_of == i).sum())", select="transformer_add_up or dealt_out")
p("x433", "the gradients of the last share only", "grad += before", "pass")
p("x434", "the loss of the last share only", "value += self.one_by_one", "value = self.one_by_one")
p = plants("training/gradients.py", "test_shares.py", "add_up")
p("x435", "the loss of a share is not weighted", "return weight * float(value)", "return float(value)")
p("x436", "the gradients of a share are not weighted", "loss.backward(weight)", "loss.backward()")
p = plants("training/shares.py", "test_shares.py", "add_up")
p("x437", "other sequences share than are counted", "ids if ids is None else ids[part_of == i]",
    "ids if ids is None else ids[i::count]", select="transformer_add_up or dealt_out")
p("x501", "sequences are dealt in the batch's order", "np.argsort(-lengths, kind=\"stable\")", "np.arange(len(lengths))",
    select="dealt_first or as_much_to_do")
p("x502", "sequences are counted, not their tokens", "totals[least] += int(lengths[i])", "totals[least] += 1",
    select="dealt_first")
p("x503", "sources are no work", "dealt(sources + targets, count)", "dealt(targets, count)", select="as_much_to_do")
p("x438", "a share without a target is computed", "zip(parts, real) if n]", "zip(parts, real)]", select="is_left_out")
p("x439", "padding is always 0", "cut(batch, self.count, padding_of(self.loss))", "cut(batch, self.count)",
    select="asked_of_the_loss")
p("x440", "all shares draw the same masks", "self.generators[0].integers(1 << 63, size=self.count)\n            if",
    "[self.generators[0].integers(1 << 63)] * self.count if", select="mask_of_its_own")
p("x441", "all steps draw the same masks", "self.generators[0].integers(1 << 63, size=self.count)\n            if",
    "range(self.count) if", select="mask_of_its_own or another_number")
p = plants("training/generators.py", "test_shares.py", "add_up")
p("x442", "the generator goes on where a share ended",
    "finally:\n        rewind(generators, before)", "finally:\n        pass", select="same_state or leaves_the_generators")
p("x443", "two generators draw the same numbers", "([seed, i]).state", "([seed]).state", select="leaves_the_generators")
p("x444", "a closer look draws other masks", "for generator, state in zip(generators, states):",
    "for generator, state in ():", select="come_again")
p = plants("training/strategies.py", "test_shares.py", "nothing_is_forked")
p("x445", "more processes than cores", "count <= cores() and", "True and")
p = plants("training/packing.py", "test_shares.py", "add_up")
p("x446", "training computes padding", "if sides is None or not", "if True or not", judge="test_packing.py",
    select="nothing_is_computed or come_packed")
p("x447", "a target at a place of padding is left out", "(target_in != PAD) | (target_out != padding)",
    "target_in != PAD", judge="test_packing.py", select="nothing_stands_at_its_place")
p("x448", "a place without a target cannot be looked at", "(target_in != PAD) | (target_out != padding)",
    "target_out != padding", judge="test_packing.py", select="still_looked_at")

p = plants("training/data_parallel.py", "test_shares.py", "bit_for_bit")
p("x449", "the gradients of the first share only", "    if others:\n", "    if False:\n")
p("x450", "every process adds on the first part", "[self.slices[number]] for member", "[self.slices[0]] for member")
p("x451", "every process moves all parameters", "self.optimizer.update(rate, self.grads[0], self.slices[number])",
    "self.optimizer.update(rate, self.grads[0])")
p("x452", "each process has a rate of its own", 'self.optimizer.t, rate = struct.unpack("qd", content)',
    'self.optimizer.t, rate = struct.unpack("qd", content)\n                rate = self.optimizer.rate()',
    select="hook_changes")
p("x453", "the others count one step", 'self.optimizer.t, rate = struct.unpack("qd", content)',
    'self.optimizer.t, rate = 1, struct.unpack("qd", content)[1]')
p("x454", "each process has parameters of its own", "flat.live_in(shared(flat.data), ",
    "flat.live_in(flat.data.copy(), ")
p("x455", "each process has moments of its own", "setattr(self.optimizer, name, shared(getattr(self.optimizer, name)))",
    "pass")
p("x456", "all write into one gradient", "flat.live_in(flat.data, self.grads[number])", "pass")
p("x457", "the loss of the first share only", "        return in_halves(values)\n", "        return values[0]\n")
p("x458", "the others draw from another seed", 'struct.pack("dq", weight, seed)', 'struct.pack("dq", weight, 0)')
p("x459", "parts are cut within blocks", "BLOCK * round(size * i / count / BLOCK)", "round(size * i / count)",
    select="cut_between_blocks")

p = plants("training/loop.py", "test_shares.py", "interrupted_ends")
p("x460", "training takes the batch as a whole", "with strategy(model, loss, optimizer)",
    "with Plain(model, loss, optimizer)")
p("xt03", "a closer look draws other masks", "                rewind(generators, drawn_from) ", "                pass ", judge="test_training.py",
    select="draws_the_same_masks")
p = plants("training/strategies.py", "test_shares.py", "every_number_of_cores")
p("x461", "as many shares as cores", "optimizer, count, skip_padding\n        )", "optimizer, min(count, cores()), skip_padding)")
p("xt04", "in shares, padding is always computed", "optimizer, count, skip_padding\n        )", "optimizer, count)", select="is_left_out_whoever")
p("xt05", "one share is a share, whose dropout has its own seed", "    if count == 1:\n", "    if False:\n", select="as_a_plain_step_does")
p = plants("training/shares.py", "test_shares.py", "config_says")
p("xt06", "a share adds to the gradients of before", "self.optimizer.flat.zero_grad()", "pass", select="of_before_do_not_count")
p("xr01", "parts that are empty", "count = min(count, len(targets)) ", "pass ", select="cost_nothing")
p("xr02", "the machine's threads change the numbers", "            opened.enter_context(one_blas_thread())\n", "            pass\n", select="every_number_of_threads")
p = plants("training/options.py", "test_shares.py", "config_says")
p("x462", "one share unless told otherwise", "shares: int = option(\n        2,", "shares: int = option(1,")
p = plants("runs/run.py", "test_shares.py", "every_number_of_cores")
p("xr03", "a run in one share takes all threads", "with lock, one_blas_thread(), ", "with lock, ")
p = plants("runs/config.py", "test_shares.py", "before_there_were_shares")
p("xr04", "an old run has two shares", '{"shares": 1, **config', '{"shares": 2, **config')
p = plants("training/optimizers.py", "test_shares.py", "bit_for_bit")
p("x463", "a part is moved with the gradients of another",
    "in_blocks(functools.partial(self.rule, rate), *(array[part] for array in arrays))",
    "in_blocks(functools.partial(self.rule, rate), *(array[part] if n != 1 else array[: array[part].size] for n, array in enumerate(arrays)))")

p = plants("parallel/processes.py", "test_backend.py", "fork")
p("x464", "products in a fork take all threads", "threadpool_limits(limits=1, ", "threadpool_limits(limits=None, ",
    select="takes_one_thread")
p("x465", "Ctrl-C ends the forks", "for number in ENDING:\n", "for number in ENDING[1:]:\n", select="asks_all_processes")
p("x466", "a signal to all processes ends the forks", "for number in ENDING:\n", "for number in ENDING[:1]:\n",
    select="asks_all_processes")
p("x467", "forks outlive their parent", "        other.close()\n", "        pass\n", select="parent_is_killed")
p("x468", "the memory is a copy", "copy[...] = array\n    return copy", "copy[...] = array\n    return copy.copy()",
    select="one_memory")
p("x469", "forks may fork", "1 if multiprocessing.current_process().daemon else ", "", select="may_not_fork")
p("x470", "all cores of the machine", "len(os.sched_getaffinity(0))", "os.cpu_count()", select="may_use")
p("x471", "forks are not ended", "        self.process.kill()\n        self.process.join()\n", "        self.process.join(0.1)\n",
    select="whatever_it_is_doing")
p("x472", "an error counts as an answer", "reply = FAILED", "reply = DONE", select="says_so")
p("x473", "an empty array arrives as None", "if rows < 0:", "if rows < 0 or columns == 0:", select="arrive_as")
p("x474", "an answer is waited for asleep", "while not pipe.poll() and time", "while False and time",
    select="keeps_its_core_busy")

p = plants("parallel/processes.py", "test_shares.py", "stopped")
p("xr05", "a stopped process is waited for for ever", "if since and now - since > STOPPED_TOO_LONG:", "if False:")
p("xr06", "a process that stood still for a moment is given up", "(since or now) if is_stopped(self.process.pid) else None",
    "(since or now - 60) if is_stopped(self.process.pid) else None", select="for_a_moment")
p("xr07", "a stopped process is not ended", "        self.process.kill()\n        self.process.join()\n",
    "        self.process.terminate()\n        self.process.join(1)\n",
    select="ctrl_c_ends_a_training_whose")
p("xr08", "a long message is sent to who reads nothing", "if len(message) > LONG:", "if False:")

p = plants("parallel/in_order.py", "test_in_order.py", "values or items")
p("xw101", "values come as they are ready", "while tasks and not tasks[0].fork:\n        task = tasks.popleft()\n",
    "while any(not task.fork for task in tasks):\n        task = next(task for task in tasks if not task.fork)\n        tasks.remove(task)\n",
    ("tasks[0].fork.expect_running(ready)", "next(iter(tasks)).fork.expect_running(ready)"), select="in_the_order")
p("xw102", "items without an end are all taken", "len(tasks) == AHEAD * workers or", "len(tasks) == 100 * workers or", select="without_an_end")
p("xw103", "one item ahead for each process", "len(tasks) == AHEAD * workers or", "len(tasks) == workers or", select="slow_item")
p("xw104", "one worker takes an item ahead", "if workers != 1 and not ranks else []", "if not ranks else []", select="one_worker_takes")
p("xw105", "one item is sent to a fork", "if first[1:] and cores() > 1", "if first and cores() > 1", select="plain_loop")
p("xw106", "it forks where that is not safe", "if first[1:] and cores() > 1", "if first[1:]", select="plain_loop")
p("xw107", "an error of the items comes first", "    except Exception as problem:\n        problems.append(problem)", "    except ZeroDivisionError as problem:\n        problems.append(problem)",
    select="at_its_place")
p("xw108", "an error of the items is lost", "        raise problem\n", "        pass\n", select="at_its_place")
p("xw109", "an error in a fork is a value", "if task.reply is None else unpacked(task.reply)", "if False else unpacked(task.reply or packed(None))",
    select="at_its_place")
p("xw110", "forks use all threads", "        opened.enter_context(one_blas_thread())\n", "", select="one_blas_thread")
p("xw111", "the forks go on when nobody asks", "                opened.callback(forks[-1].close)\n", "", select="stops_asking or ctrl_c")
p("xw112", "a stopped process is waited for for ever", "    tasks[0].fork.expect_running(ready)  # the one that all wait for\n", "    while not ready():\n        pass\n",
    select="stays_stopped")
p("xw113", "a process for each item", "len(tasks) == AHEAD * workers or len(forks) == workers and not free", "len(tasks) == AHEAD * workers",
    select="process_of_its_own")
p("xw114", "two workers, whatever was asked for", "side_by_side(function, items, workers or cores())", "side_by_side(function, items, cores())", select="process_of_its_own")

p = plants("decoding/translation.py", "test_in_order.py", "asked_for or side_by_side")
p("xw115", "answers are never decoded side by side", "in_order(decode, batches, workers(model, jobs))", "map(decode, batches)")
p("xw116", "translate keeps the number of processes to itself", "answers(model, sources, search, max_tokens, batch_size, jobs)", "answers(model, sources, search, max_tokens, batch_size)")
p("xw117", "forks use a GPU", "return jobs if all(on_host(parameter.data) for parameter in parameters) else 1", "return jobs", judge="test_device.py", select="forked")
p = plants("decoding/evaluation.py", "test_in_order.py", "asked_for or any_number")
p("xw118", "batches are measured in this process alone", "in_order(measured, starts, workers(model, jobs)))\n", "map(measured, starts))\n")
p("xw119", "a search is evaluated in one process", "answers(model, sources, search, jobs=jobs)", "answers(model, sources, search)")
p("xw120", "windows are measured in this process alone", "for part in in_order(measured, starts, workers(model, jobs)):", "for part in map(measured, starts):")
p = plants("cli/lines.py", "test_in_order.py", "side_by_side or lie_ready or other_end")
p("xw121", "lines are answered by one process", "in_order(to_print, items, jobs)", "in_order(to_print, items, 1)")
p("xw122", "a pipe is read ahead", "    return False\n\n\ndef name_of", "    return True\n\n\ndef name_of", ("return os.path.isfile(sys.stdin.fileno() if file is None else file)", "return True"))
p = plants("cli/asking.py", "test_in_order.py", "side_by_side or other_end")
p("xw123", "whoever waits at a pipe waits for two groups", "if ranks or ready else 1", "if True else 1", select="other_end")
p("xw124", "a file is translated by one process", "options.jobs) if ranks or ready", "1) if ranks or ready")
p("xw125", "texts are answered by one process", "remarks=remarks, jobs=jobs)", "remarks=remarks)", select="many_texts")
p("xw126", "a text is evaluated by one process", "evaluate_text(*chosen, jobs=options.jobs)", "evaluate_text(*chosen)", select="every_kind")
p("xw127", "a corpus is evaluated by one process", "evaluation.evaluate(*chosen, search=search, jobs=options.jobs)", "evaluation.evaluate(*chosen, search=search)", select="every_kind")
p = plants("parallel/processes.py", "test_in_order.py", "remedy")
p("xw128", "who is killed is told nothing to do", "ran out of memory). {self.remedy}", "ran out of memory).")
p("xw129", "who is stopped is told nothing to do", "{now - since:.0f} seconds. {self.remedy}", "{now - since:.0f} seconds.")

p = plants("parallel/in_order.py", "test_in_order.py", "rank")
p("xrk01", "every rank takes items", "            if ranks.rank == 0:\n", "            if True:\n", select="every_rank_has")
p("xrk02", "an item for each rank but one", "[*itertools.islice(items, ranks.size)]", "[*itertools.islice(items, max(1, ranks.size - 1))]", select="every_rank_has")
p("xrk03", "all ranks compute the same item", "function(taken[ranks.rank])", "function(taken[0])", select="every_rank_has")
p("xrk04", "what fails on a rank is a value", "unpacked(value) if value else function(item)", "unpacked(value or packed(None))", select="computed_by_all")
p("xrk05", "the other ranks do not hear why the items end", "        problems.extend(map(OnAllRanks, said))\n", "        pass\n", select="meet_an_error")
p("xrk06", "ranks compute with all threads", "    taken = None\n    with one_blas_thread():\n", "    taken = None\n    with contextlib.nullcontext():\n", select="one_blas_thread")
p("xrk07", "one round, and no more", "while taken is None or len(taken) == ranks.size:", "while taken is None:", select="every_rank_has")
p("xrk08", "each rank computes everything", "yield from on_ranks(function, items, problems, ranks)", "yield from map(function, items)", select="every_rank_has")
p("xrk09", "all items are taken at once", "    taken = None\n", "    taken, items = None, iter([*items] if ranks.rank == 0 else [])\n", select="before_the_values")
p("xrk10", "an error ends one rank alone", "contextlib.suppress(Exception):", "contextlib.suppress(ZeroDivisionError):", select="meet_an_error")
p = plants("decoding/translation.py", "test_in_order.py", "rank")
p("xrk11", "no ranks can be passed", "isinstance(value, Ranks) or super()", "super()", select="answers_and_figures")
p("xrk12", "anything is a number of processes", "isinstance(value, Ranks) or super().passes(value, sizes)", "True", select="asked_for")
p = plants("cli/lines.py", "test_in_order.py", "rank")
p("xrk13", "a pipe is read ahead for each rank", "for part in cut(group, jobs.size))", "for part in [group])", select="no_more_lines")
p("xrk14", "the last lines are left out", "len(group) * n // count", "len(group) // count * n", select="lines_are_printed")
p = plants("cli/asking.py", "test_distributed.py", "share_lines")
p("xrk15", "a file is cut as small as what a pipe sends", "        at_once *= ranks.size\n", "        pass\n")
p("xrk16", "what a pipe sends is left to one process", "if ranks or ready else 1", "if ready else 1")
p("xrk17", "ranks may have other data", 'ranks.expect_same("data (CRC-32)", ranks.agree(lambda: checksum(run, options), MAKING))', "ranks.agree(lambda: checksum(run, options), MAKING)", select="compare_their_data")
p("xrk18", "the checksum is that of the sentences", 'b"".join(ids.tobytes() for ids in sample) + ascii', "ascii", select="checksum")
p("xrk19", "the checksum is that of the sequences", " + ascii(sentences).encode()", "", select="checksum")
p("xrk20", "all ranks make the file", "    if options.write and run.writes:\n        Path", "    if options.write:\n        Path", select="another_rank_writes")
p("xrk21", "all ranks write the translations", "    if options.write and run.writes:\n        lines", "    if options.write:\n        lines", select="another_rank_writes")
p = plants("cli/ranks.py", "test_distributed.py", "refuse_as")
p("xrk22", "the number of processes is not refused", "                if options.jobs:\n", "                if False:\n")
p("xrk23", "a GPU that is asked for is left out", "                expect_cpu(options)\n", "")
p("xrk24", "what all ranks refuse ends them as if one did", "on_all_ranks(None, (InputError,)) as ranks", "on_all_ranks(None) as ranks")
p("xrk25", "versions are not compared", "                expect_alike(ranks)\n", "", select="share_lines")
p("xrk26", "all ranks say that there is no MPI", "    if not is_first():  # before", "    if False:  # before", select="says_nothing")
p("xrk27", "all ranks say that they are interrupted", "isinstance(problem, (RankLost, KeyboardInterrupt, SystemExit)):\n", "isinstance(problem, RankLost):\n", select="one_rank_says")
p = plants("cli/__init__.py", "test_distributed.py", "says_nothing")
p("xrk28", "predict is not shared", "(evaluate, predict, translate)", "(evaluate, translate)")
p("xrk29", "each rank works alone where their number is not known", " and started_by_mpiexec()\n", "\n")
p = plants("parallel/mpi.py", "test_distributed.py", "known_by")
p("xrk30", "the rank of PMIx is not known", '"OMPI_COMM_WORLD_RANK", "PMIX_RANK")', '"OMPI_COMM_WORLD_RANK")')
p("xrk31", "a shell of Slurm is taken for ranks", ' * ("PMIX_RANK" in os.environ)', "")
p("xrk32", "ranks of Slurm do not know how many they are", '[*SIZES, *[SLURM_SIZE] * ("PMIX_RANK" in os.environ)]', "SIZES")
p("xrk36", "what is awaited is noticed late", "min(0.01, waited / 10)", "0.01", select="noticed_soon")
p("xrk37", "who waits takes the core from who computes", "time.sleep(min(0.01, waited / 10) if patience else 0)", "time.sleep(0)", select="noticed_soon")
p("xrk33", "a text with a byte that is no UTF-8 is not compared", 'text.encode("utf-8", "surrogatepass")', "text.encode()", select="no_utf_8")
p = plants("runs/run.py", "test_distributed.py", "neither_its_file")
p("xrk34", "to translate, every rank needs the data", "            if to_train:\n                run.task", "            if True:\n                run.task")
p("xrk35", "the moments are sent to who only translates", "first.tensors() if to_train else model", "first.tensors()")

p = plants("training/packing.py", "test_packing.py", "")
p("x475", "the packed stand side by side at the front", "padded[self.places] = packed",
    "padded[: len(packed)] = packed", select="unpacking")
p("x476", "positions are counted over real tokens", "return self.places % self.shape[1]", "return array_module(self.places).arange(len(self.places)) % self.shape[1]",
    select="packed_are or where_it_stood")
p("x477", "packed though nothing is padding", "cls(real) if real.any() and not real.all() else None", "cls(real)",
    select="nothing_to_leave_out or either_side")
p("x478", "what stands at padding is left there", "array_module(packed).zeros((", "array_module(packed).ones((",
    select="unpacking or heads")
p = plants("training/packing.py", "test_packing.py", "split_heads or merge_heads or alternate")
p("x479", "the gradient of the queries comes back padded", "packing.pack(backward(component, d_y))",
    "backward(component, d_y)")
p("x480", "the context stays padded", "packing.pack(forward(component, x))", "forward(component, x)")
p("xm01", "a learner's own part gets packed rows", "if not is_exactly(component, kinds):", "if not isinstance(component, tuple(kinds)):", select="learners_own")
p("xp7a", "a function of one component's own gets packed rows", " or not functions_of(kind).isdisjoint(vars(component))", "", select="own")
p("xp7b", "the parts of a part are not looked at", "if kinds is AT_EACH_POSITION:", "if kinds is None:", select="own or would_not_put")
p("xp7c", "the last side is taken for one component on both", "sides.setdefault(component, side) != side", "not sides.update({component: side}) and False", select="two_places")
p("xp7d", "a learner's own masking gets packed rows", "    yield heads.attention.masking, (Masking,), None\n", "", select="sees_padding")
p("xp7e", "a learner's own softmax gets packed rows", "    yield heads.attention.softmax, (Softmax,), None\n", "", select="sees_padding")
p("xp7f", "anything may stand behind the softmax", "    yield heads.attention.dropout, (Dropout,), None\n", "", select="sees_padding")
p("xp7g", "what is longer than the positions is packed", "ids.shape[1] <= part.position.max_length", "True", select="said_as or length_that_counts")
p("xp7h", "an answer outside is named by its packed place", "            (to_predict, model.target_input),\n", "", select="said_as")
p("xp7i", "a model without its source is packed", "return source is not None and all(", "return all(", select="said_as")
p("xp7k", "another batch loses its tokens", " or not packing.holds(ids)", "", select="other_ids")
p("xp7l", "a forward outside is undone inside", "if len(packed) != len(self.places):", "if False:", select="forward_outside")
p("xp7n", "nothing is ever packed", "(SinusoidalPositionalEncoding, LearnedPositionalEncoding)", "(SinusoidalPositionalEncoding,)", select="are_packed")
p = plants("boundary/calls.py", "test_packing.py", "substituted")
p("xm02", "a substitute stays after its block", "        thread.substitutes = before\n", "        pass\n")
p("xm03", "the component itself is changed", "    before = thread.substitutes\n", "    before = type(thread).substitutes = {**thread.substitutes, **{id(c): (c, *pair, checked) for c, pair in functions.items()}}\n")
p = plants("training/packing.py", "test_packing.py", "logits_the_loss or takes_padded_ids")
p("x481", "packed tokens all stand at the beginning", "packing.pack(ids), packing.positions",
    "packing.pack(ids), 0 * packing.positions")

p = plants("core/parameter.py", "test_module.py", "")
p("x482", "what is not yet cleared is never cleared", "self._grad.fill(0)", "pass",
    select="looking_at or not_yet_cleared or flat_gradient")
p("x483", "accumulate always writes", "self._grad += product(*inputs)", "product(*inputs, out=self._grad)",
    select="second_adds")
p("x484", "zeros are written over what was accumulated",
    "product(*inputs, out=self._grad)\n            self._not_yet_cleared = False", "product(*inputs, out=self._grad)",
    select="second_adds or flat_gradient")
p("x485", "a gradient is cleared at every look", "self._grad.fill(0)\n            self._not_yet_cleared = False",
    "self._grad.fill(0)", select="written_once")
p("x486", "the flat gradient is not yet cleared",
    "p.grad  # noqa: B018 - looking at it writes the zeros, if it is not yet cleared", "pass",
    select="flat_gradient or reach_the_optimizer or clipping")
p("x487", "one that is not yet cleared clears all", "self._not_yet_cleared = True", "type(self)._not_yet_cleared = True",
    select="keeps_the_others")
p("x488", "a product that fails counts as cleared",
    "product(*inputs, out=self._grad)\n            self._not_yet_cleared = False",
    "self._not_yet_cleared = False\n            product(*inputs, out=self._grad)", select="product_that_fails")
p = plants("backend/reductions.py", "test_backend.py", "memory_that_is_there")
p("x489", "the memory that is there is not written", "y.reshape(-1, y.shape[-1]), out=out)",
    "y.reshape(-1, y.shape[-1]))")
p = plants("backend/reductions.py", "test_backend.py", "few_rows")
p("x490", "few rows come back as columns", "(weight.T @ rows.T).T.copy(order=\"C\").reshape(shape)",
    "(weight.T @ rows.T).reshape(shape)")
p("x491", "few rows come back in another layout", "(weight.T @ rows.T).T.copy(order=\"C\").reshape(shape)",
    "(weight.T @ rows.T).T.reshape(shape)")
p = plants("backend/random.py", "test_backend.py", "keep_mask")
p("x492", "the mask in the layout of its shape",
    "axes = sorted(range(like.ndim), key=lambda axis: -like.strides[axis])", "axes = list(range(like.ndim))")

p = plants("training/data_parallel.py", "test_shares.py", "error_in_this_process_leaves")
p("x493", "the answers of a step that failed are taken for those of the next",
    "fork.drop_answers()", "pass")
p("x494", "the losses of the others are added first",
    "        return in_halves(values)\n", "        return values[0] + sum(values[1:])\n", select="last_bit")
p("x495", "a part that did not move is overlooked", "        if None in answers:\n            raise",
    "        if answers is None:\n            raise", select="in_silence")
p("x496", "parameters stay in shared memory", "flat.live_in(flat.data.copy(), flat.grad.copy())", "pass",
    select="of_its_own")
p("x497", "moments stay in shared memory", "setattr(self.optimizer, name, getattr(self.optimizer, name).copy())",
    "pass", select="of_its_own")
p = plants("training/gradients.py", "test_packing.py", "which_targets")
p("x498", "padding is 0, whatever the loss says", "without_padding(model, *batch, padding_of(loss))",
    "without_padding(model, *batch)")
p("xp7o", "a loss of a learner's own gets packed targets", "is_exactly(loss, (CrossEntropy,))", "True", select="loss_of_a_learners")
p("xp7p", "a loss with a function of its own gets packed targets", "is_exactly(loss, (CrossEntropy,))", "type(loss) is CrossEntropy", select="loss_of_a_learners")
p = plants("training/packing.py", "test_packing.py", "row_and_place")
p("x499", "a place is counted among the packed", " or not is_accepted(model, source, target_in, target_out, padding)", "")
p = plants("cli/__init__.py", "test_shares.py", "command_says")
p("x500", "a killed process is a file that could not be written", "(NonFiniteError, ChildProcessError)",
    "NonFiniteError")

# -- a run's folder ---------------------------------------------------------------------------------------------------

p = plants("runs/writing.py", "test_checkpoint.py", "link or taken or full_disk")
p("xr10", "links are followed, and what is there is written over", "os.O_CREAT\n        | os.O_EXCL\n        | getattr(os, \"O_NOFOLLOW\", 0)",
    "os.O_CREAT | os.O_TRUNC")
p("xr11", "a temporary name that anybody can guess", "f\"{path.name}.{secrets.token_hex(8)}.part\"", "f\"{path.name}.part\"")
p("xr12", "the half of a file stays", "        temporary.unlink(missing_ok=True)\n", "")
p = plants("runs/checkpoint.py", "test_checkpoint.py", "")
p("xr13", "the checksum covers bytes alone", "zlib.crc32(np.ascontiguousarray(array), zlib.crc32(described))",
    "zlib.crc32(np.ascontiguousarray(array))", select="another_name")
p("xr14", "the type is not covered", "{array.dtype.name} {array.shape}", "{array.shape}", select="another_name")
p("xr15", "the shape is not covered", "{array.dtype.name} {array.shape}", "{array.dtype.name}", select="another_name")
p("xr17", "a tensor that is missing is not missed", "for name in sorted({*table} ^ {*checksums}):", "for name in sorted({*table} - {*checksums}):",
    select="missing_or_too_many")
p("xr18", "a tensor too many is taken along", "for name in sorted({*table} ^ {*checksums}):", "for name in sorted({*checksums} - {*table}):",
    select="missing_or_too_many")
p("xr19", "bytes in the order that they have", "dtype=array.dtype.newbyteorder(\"<\"), order", "order", select="byte_order")
p("xr20", "a scalar becomes a row of one", "return np.asarray(array, dtype=", "return np.ascontiguousarray(np.asarray(array, dtype=",
    ("order=\"C\")\n\n\n", "order=\"C\"))\n\n\n"), select="byte_order")
p("xr21", "objects are handed to safetensors", "if array.dtype.name not in DTYPES:", "if False:", select="cannot_hold")
p("xr22", "format 2 is forgotten", "READABLE = (2, 3)", "READABLE = (3,)", select="format_2")
p("xr23", "nested too deeply to be read", ", OverflowError, RecursionError", ", OverflowError", select="no_json")
p = plants("runs/safetensors.py", "test_checkpoint.py", "same_bytes or refuses")
p("xjl01", "the narrowest array first", "(-WIDTH[arrays[name].dtype.name], name)", "(WIDTH[arrays[name].dtype.name], name)")
p("xjl02", "the table is not filled up", "    text += b\" \" * (-len(text) % 8)\n", "")
p("xjl03", "letters are escaped", "json.dumps(table, ensure_ascii=False, ", "json.dumps(table, ")
p("xjl04", "arrays may lie apart", "begin != end or after", "after")
p("xjl05", "an array may have too much room", "after - begin != width", "after - begin < width")
p("xjl06", "data may be left over", "if end != length:", "if end > length:", select="cut_short or a_file_without or left_over")
p("xjl07", "a length is believed", "if length > size - 8:", "if False:", select="a_file_without")
p("xjl08", "numbers from the beginning of the data", "place + entry[\"data_offsets\"][0]", "place", select="is_read")
p("xjl09", "the text is in any encoding", ".decode(\"utf-8\")", "", select="utf_16")
p = plants("terminal/browser.py", "test_browser.py", "processes")
p("xjl20", "a browser is not known", "sys.platform == \"emscripten\"", "False")
p("xjl21", "no refusal", "    if IN_A_BROWSER:", "    if False:")
p = plants("runs/lock.py", "test_browser.py", "command_works")
p("xjl22", "a lock in a browser", "if IN_A_BROWSER or not os", "if not os")
p = plants("training/hooks.py", "test_browser.py", "command_works")
p("xjl23", "signals in a browser", "hears = is_first and not IN_A_BROWSER", "hears = is_first")
p = plants("terminal/progress.py", "test_browser.py", "progress_bar")
p("xjl24", "a thread that watches the bar", "tqdm.monitor_interval = 0", "pass")
p = plants("grading/grade.py", "test_browser.py", "needs_processes")
p("xjl25", "grading is tried", "    expect_processes(\"Grading files\")\n", "")
p = plants("study/__init__.py", "test_browser.py", "needs_processes")
p("xjl26", "the study is tried", "    expect_processes(\"The study\")\n", "")
p = plants("lessons/showing.py", "test_lessons.py", "")
p("xjl27", "a picture as bytes", "base64.b64encode(image.getvalue()).decode()", "image.getvalue()", select="in_a_notebook")
p = plants("runs/lock.py", "test_run.py", "lock or two_threads or second_training")
p("xr30", "nobody is kept out", "fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass", select="second_training")
p("xr31", "another thread is not kept out", "_held.get(key, (None, None))[1] == me", "key in _held", select="two_threads")
p("xr32", "a thread keeps itself out", "_held.get(key, (None, None))[1] == me", "False", select="two_threads")
p("xr33", "a fork keeps the lock", "    for handle, _ in _held.values():\n        os.close(handle)\n", "", select="a_fork_does_not_hold")
p("xr34", "the lock file stays", "            os.unlink(path)\n        os.close(handle)\n    else", "            pass\n        os.close(handle)\n    else",
    select="two_threads")
p = plants("runs/metrics.py", "test_run.py", "metrics")
p("xr35", "lines of somebody else's go", "(late if ours and ours[\"step\"] > step else kept)", "(late if not ours or ours[\"step\"] > step else kept)",
    select="none_of_ours")
p("xr36", "any step will do", "type(values.get(\"step\")) is int", "\"step\" in values", select="none_of_ours")
p("xr37", "a half line stays", "if late or rest:", "if late:", select="none_of_ours")
p = plants("runs/files.py", "test_run.py", "")
p("xr40", "any name that begins so", "return int(found[1]) if found and file.name == checkpoint_name(int(found[1])) else None",
    "return int(found[1]) if found else None", ("step-(\\d{8,})\\.safetensors\")", "step-(\\d+)[^/]*\\.safetensors\")"), select="beside_harms")
p("xr41", "the step in a name is believed", "facts.get(\"step\") == step_of(file)\n        and not", "not", select="beside_harms")
p("xr42", "all runs are one", "facts.get(\"step\") == step_of(file)\n        and not differences(config, facts.get(\"config\"))",
    "facts.get(\"step\") == step_of(file)", select="beside_harms")
p("xr43", "links are the run's", "step_of(f) is not None and f.is_file() and not f.is_symlink()", "step_of(f) is not None and f.is_file()",
    select="link_to_a_checkpoint")
p("xr44", "a damaged checkpoint is passed over in silence", "        except NoCheckpoint:\n            continue\n        if config",
    "        except InputError:\n            continue\n        if config", select="damaged_checkpoint_among")
p("xr45", "others' checkpoints are not missed", "if others and not found:", "if False:", select="foreign_checkpoint_alone")
p("xr46", "what came after is deleted", "shutil.move(file, aside / file.name)", "file.unlink()", select="moves_what_came_after")
p("xr47", "the lines that came after are lost", "if aside and lines:", "if False:", select="moves_what_came_after")
p("xr48", "what is in the way is written over", "    place = folder / \"not-of-this-run\"", "    return None\n    place = folder / \"not-of-this-run\"",
    select="is_moved_and_named")
p("xj10", "a copy is passed over in silence", "    if step_of(file) is None:\n        return f\"its", "    if step_of(file) is None:\n        return \"\" and f\"its",
    select="not_used or copies_alone")
p("xj11", "another run's is passed over in silence", "        return \"of another run\"\n", "        return \"\"\n", select="not_used")
p("xj12", "what cannot be read is passed over in silence", "return \"it cannot be read\" if file.exists() else \"\"", "return \"\"", select="not_used")
p("xj13", "a message may be as long as a folder", "{', '.join(found[:LISTED])}{more}", "{', '.join(found)}", select="not_used")
p = plants("runs/run.py", "test_run.py", "not_used or copies_alone")
p("xj14", "who asks is not told", "            run = cls.open(newest[0])\n            run.tell_what_is_unused()\n", "            run = cls.open(newest[0])\n")
p("xj15", "who begins anew is not told", "        run.expect_vocabulary()\n        run.tell_what_is_unused()\n", "        run.expect_vocabulary()\n")
p("xj16", "a folder of copies is empty", "beside = f\"{unused(path, config)} \".lstrip()", "beside = \"\"")
p("xj17", "the newest goes too", "{*checkpoints[:-1]} - {*regular}", "{*checkpoints} - {*regular}", select="interrupted_checkpoint")
p = plants("runs/config.py", "test_run.py", "file_for_a_folder")
p("xj18", "a folder for a file is no matter", "        if path.exists() and not is_right(path):\n", "        if False:\n")
p = plants("runs/config.py", "test_run.py", "config")
p("xr50", "an edit is passed over", "if _text(one.get(path)) != _text(two.get(path))\n    ]", "if False]", select="edit_beside")
p("xr51", "types are not looked at", "expect_fields(kind.config, options, \"model.options\")", "pass", select="every_field")
p("xr52", "a field too few is filled in", "\"training\", may_lack)", "\"training\", config[\"training\"] and TrainingOptions().__dict__)",
    select="missing_is_named")
p("xr53", "no limit to a model", "> MOST_PARAMETERS:", "> 1e99:", select="every_field")
p("xr54", "where a run ends may not move", "if path != \"training.steps\"}", "}", select="killed_before_its_next")
p = plants("runs/facts.py", "test_run.py", "drawn_facts")
p("xr55", "a generator's state is believed", "_expect_like(random[\"data\"][\"random\"], data.bit_generator.state, \"random.data.random\")", "pass")
p("xr57", "snapshots of another sequence", "if not re.fullmatch(STEP, step) or not fits:", "if not re.fullmatch(STEP, step):",
    select="tensors_do_not_fit")
p = plants("runs/facts.py", "test_text.py", "looked_at_before")
p("xj40", "thirds are believed", 'for name in ("followers", "thirds"):', 'for name in ("followers",):')
p("xj41", "thirds may not be there", '"pieces": ("followers", "thirds", "once")', '"pieces": ("followers", "once")')
p("xj42", "once may not be there", '"pieces": ("followers", "thirds", "once")', '"pieces": ("followers", "thirds")')
p("xj43", "once may be a text", 'if type(once := facts.get("once", [])) is not list or', 'if type(once := facts.get("once", [])) not in (list, str) or')
p("xj44", "once may hold anything", "not all(\n        type(word) is str for word in once\n    ):", "False:")
p("xj45", "what follows a word may be a text", "type(words) is list and all(type(word) is str for word in words)", "all(type(word) is str for word in words or [0])")
p("xj46", "what follows a word may hold anything", "type(words) is list and all(type(word) is str for word in words)", "type(words) is list")
p("xj47", "what follows may be anything", "[*followers.values()] if type(followers) is dict else [None]", "[*followers.values()] if type(followers) is dict else []")
p = plants("data/pieces.py", "test_translation.py", "no_number")
p("xj70", "what is no number is answered without a word", "if self.form and not self.form", "if False and not self.form")
p("xj71", "signs belong to a number", "self.form.fullmatch(re.sub(r\"\\W\", \"\", \"\".join(words)))", "self.form.fullmatch(\"\".join(words))", judge="test_corpora.py", select="is_familiar")
p = plants("data/numbers.py", "test_corpora.py", "knows_what_is_no_number")
p("xj72", "a vocabulary that is made knows no number", "= self.reads, NUMBER[self.source]\n        return", "= self.reads, None\n        return")
p("xj73", "a vocabulary that is kept knows no number", "= self.reads, NUMBER.get(self.source)\n\n", "= self.reads, None\n\n")
p = plants("data/pieces.py", "test_text.py", "one_by_one")
p("xj49", "a word is cut as often as it comes", "@functools.lru_cache(maxsize=2**16)\n", "", select="cut_again")
p("xj50", "what follows is not read first", "pieces = [cut_once(vocabulary.read(text))", "pieces = [cut_once(text)")
p("xj51", "the end follows nothing", "zip([\"\", *found], [*found, \"\"])\n            }", "zip([\"\", *found], found)}")
p("xj52", "triples of pieces, not of words", "{tuple(map(word_of, found)) for found in pieces}", "{tuple(found) for found in pieces}")
p("xj53", "a stop that is a token is left out", "for c in marks if c not in self.ids) for marks", "for c in marks) for marks")
p = plants("data/pieces.py", "test_text.py", "may_be_little")
p("xj48", "a word that nothing followed", "self.followers.get(word, ())", "self.followers[word]")
p = plants("runs/run.py", "test_run.py", "")
p("xr60", "config.json ends where the checkpoint ends", "self.change_steps(beside[\"training\"][\"steps\"])", "pass", select="killed_before_its_next")
p("xr61", "a refused resume has written already", "            if run.optimizer.t >= run.last_step:\n",
    "            write_config(run.folder, run.config)\n            if run.optimizer.t >= run.last_step:\n", select="refused_resume")
p("xr62", "a run of another's is trained over", "if there and there.get(\"id\") != self.config.get(\"id\"):", "if False:", select="taken_meanwhile")
p("xr63", "whatever has a config.json may be overwritten", "        if older is None:\n            raise", "        if False:\n            raise",
    ("older = read_config(self.folder)", "older = {}"), select="overwriting_removes")
p("xr64", "any tensor will do", "if array.dtype.kind != \"f\":", "if False:", select="tensors_do_not_fit")
p("xr65", "tensors of no part are dropped", "not in (\"model\", \"optimizer\", \"moments\", \"earlier\"):", "== \"\":", select="tensors_do_not_fit")
p = plants("runs/run.py", "test_translation.py", "replaces_nothing")
p("xr66", "what is there is replaced unasked", "if os.path.lexists(path) and not overwrite:", "if False:")
p = plants("training/hooks.py", "test_run.py", "last_step")
p("xr70", "Ctrl-C in the last step ends the command early", "if stop and progress.step < self.run.last_step:", "if stop:",
    select="during_the_last_step")
p("xr71", "another thread listens to Ctrl-C", "threading.current_thread() is threading.main_thread()", "True", select="another_thread")
p("xr72", "a second Ctrl-C waits", "            raise KeyboardInterrupt\n", "            return\n", select="second_ctrl_c")

# -- another device ---------------------------------------------------------------------------------------------------

p = plants("layers/softmax.py", "test_device.py", "every_component and Softmax")
p("x505", "NumPy's exponential whatever the array", "exps = xp.exp(", "exps = __import__('numpy').exp(")
p = plants("layers/embedding.py", "test_device.py", "training_follows and sgd")
p("x506", "ids stay where they are", "            ids = asarray(ids, like=self.weight.data)\n", "            pass\n")
p("x508", "ids are not checked on their way", "            expect_ids(ids, self.weight.shape[0])\n            ids =", "            ids =",
    select="checked_on_their_way")
p = plants("layers/cross_entropy.py", "test_device.py", "cross_entropy or training_follows")
p("x615", "a mask chooses rows, which waits", "zero_rows(d_x, ~real)", "d_x[~real] = 0")
p("x509", "targets are counted on the device", "count = int(real.sum()) if on_host(real) else real.sum()",
    "count = float(real.sum())")
p("x522", "a look at targets that are on the device", "if on_host(real) and count == 0:", "if count == 0:")
p = plants("layers/positional_encoding.py", "test_device.py", "training_follows and language")
p("x510", "a look at positions that are on the device", "if positions is not None and not on_host(positions):", "if False:")
p = plants("attention/masking.py", "test_device.py", "one_step_at_a_time")
p("x511", "a look at a mask that is on the device", "if on_host(mask) and mask.all()", "if mask.all()")
p = plants("training/gradients.py", "test_device.py", "under_way")
p("x512", "the loss is waited for before backward", "value = loss(logits, targets)", "value = float(loss(logits, targets))")
p = plants("backend/updates.py", "test_device.py", "all_parameters_at_once")
p("x513", "blocks for a cache that a GPU has not", "block if on_host(arrays[0]) else", "block if True else")
p = plants("backend/random.py", "test_device.py", "philox or masks")
p("x514", "nine rounds", "for _ in range(10):", "for _ in range(9):")
p("x515", "half of the seed is not used", "seed & low, seed >> 32", "seed & low, seed & low")
p("x516", "the seed is always the same", "int(rng.integers(1 << 63))", "0")
p("x517", "kept is dropped", "[: like.size] < threshold)", "[: like.size] >= threshold)")
p = plants("runs/checkpoint.py", "test_device.py", "a_run_goes_on")
p("x518", "arrays of the device are written as they are", "array = as_numpy(array)", "pass")
p = plants("runs/run.py", "test_device.py", "a_run_goes_on")
p("x519", "moments are lost on the way", "        self.optimizer.load_state_dict(state, t)\n        return self", "        return self")
p = plants("cli/commands.py", "test_device.py", "takes_a_batch_whole")
p("x520", "a GPU gets half a batch at a time", 'training.setdefault("shares", 1)', "pass")
p("xt08", "the machine decides how many shares there are", 'if options.device == "gpu":', 'if chosen_device(options.device) == "gpu":')
p("xt10", "a run in two shares is replayed whole", "yield Replays if run.options.shares == 1 else None", "yield Replays", select="in_two_shares")
p = plants("backend/arrays.py", "test_device.py", "what_is_missing")
p("x521", "auto is gpu", 'return "cpu" if gpu_problem() else "gpu"', 'return "gpu"')
p = plants("gpu/graphs.py", "test_replays.py", "replayed_steps and transformer and sgd")
p("x523", "every replay draws the same masks", "        self.seeds.draw()\n", "")
p("x524", "every replay is of the same batch", "            mine[...] = asarray(x, like=mine)\n", "            pass\n")
p("x525", "the seeds stay where Python drew them", "        self.seeds.upload()\n", "")
p("x526", "an error leaves the stream captured", "                with contextlib.suppress(RuntimeError):  # the graph is void, and says so\n                    self.stream.end_capture()\n",
    "", select="nothing_stays_captured")
p = plants("backend/random.py", "test_replays.py", "replayed_steps and transformer and sgd")
p("x527", "seeds are written into the recording", "(substitute_for(\"device_seed\") or seed_of)(rng)", "seed_of(rng)")
p = plants("gpu/replays.py", "test_replays.py", "asked_to_be_zero")
p("x528", "a replay's gradients are cleared at the next look", "        self.flat.mark_written()\n", "")
p("x529", "what no token reached keeps its gradient", "        self.flat.grad  # noqa", "        self.flat  # noqa", select="not_reached")
p("x530", "recorded steps compute padding, others do not", "super().__init__(model, loss, optimizer)", "super().__init__(model, loss, optimizer, True)",
    select="closer_look")
p("xt07", "a closer look is a replay", "return super().compute(self.rounded(batch))", "return self.compute(batch)", select="closer_look")
p("x531", "every shape is recorded", "and len(self.recordings) < self.most", "", select="only_so_many")
p("x532", "a shape is recorded the first time", "self.seen[key] > self.BEFORE", "self.seen[key]", select="three_batches")
p("x533", "a recording is not launched", "value = recording.launch()", "value = recording.outputs",
    select="replayed_steps and transformer and sgd")
p("x534", "replayed ids are not checked", "        self.expect_batch(*batch)\n", "", select="checked_before_they_are_copied")
p("x535", "a model that waits is tried again and again", "        self.most = 0\n", "", select="waits_inside")
p("x536", "an attempt leaves its saves", "        self.model.clear_saves()\n", "",
    select="waits_inside")
p("x537", "an attempt takes seeds away", "            rewind(self.generators, drawn_from)\n            self.give_up()", "            self.give_up()", select="waits_inside")
p = plants("models/language_model.py", "test_replays.py", "replayed_steps and language")
p("x538", "a sort, which waits", "    moved = xp.empty_like(source)\n",
    "    moved = xp.empty_like(source) + (0 if float(source.sum()) else 1)\n", select="waits_for_nothing and LanguageModel", judge="test_device.py")

# -- kernels for a GPU ----------------------------------------------------------------------------------------------------

p = plants("gpu/kernels.py", "test_kernels.py", "computes_what and LayerNorm and 32")
p("x540", "lanes keep their sums to themselves", "x += __shfl_xor_sync(0xffffffffu, x, distance);", "x += 0;")
p("x541", "lanes keep their maxima to themselves", "x = max(x, __shfl_xor_sync(0xffffffffu, x, distance));", "x = x;",
    select="computes_what and Softmax and 32")
p("x542", "half of the lanes are not summed", "distance = LANES / 2; distance; distance /= 2)\n        x += ",
    "distance = LANES / 4; distance; distance /= 2)\n        x += ")
p("x543", "one more than it is told", "if (i >= count) return;", "if (i > count) return;", select="as_many_as_it_is_told")
p("x544", "one block too few", "-(-count * self.lanes // BLOCK)", "count * self.lanes // BLOCK", select="as_many_as_it_is_told")
p("x545", "any array will do", " or not x.flags.c_contiguous:", ":", select="refuses_what")
p = plants("gpu/adam.py", "test_kernels.py", "adam_walks")
p("x546", "the moment forgets in one step (kernel)", "m[i] = beta1 * m[i] + new1 * grad[i];", "m[i] = new1 * grad[i];")
p("x547", "the gradient is not squared (kernel)", "new2 * grad[i] * grad[i]", "new2 * grad[i]")
p("x548", "ε under the root (kernel)", "(sqrt(v[i]) + epsilon)", "sqrt(v[i] + epsilon)")
p = plants("gpu/softmax.py", "test_kernels.py", "every_kind_of_mask")
p("x784", "a gradient is read in the order of its memory", "xp.ascontiguousarray(d_y)", 'd_y.ravel("K").reshape(d_y.shape)', select="lie_in_order")
p("x550", "the mask of the first sequence for all", "row / rows / sides * per_batch + ", "")
p("x551", "the mask of the first head for all", "row / rows % sides * per_head", "0", select="of_every_score or by_head or axes")
p("x552", "the mask of the first query for all", "row % rows * per_query", "0")
p("x553", "the mask of the first key for all", "? exp(scale * x[j] - largest) : T(0)", "? exp(scale * x[j] - largest) : exp(scale * x[j] - largest)")
p("x554", "a row of −∞ is divided by its sum", "total == 0 ? 1 : total", "total", select="every_kind_of_mask or forbidden")
p("x555", "no shift by the maximum", "    largest = largest_of_lanes(largest);\n", "    largest = 0;\n", select="forbidden")
p("x556", "no mean in backward (kernel)", "* (d_y[j] - mean)", "* d_y[j]")
p("x557", "no scale in backward (kernel)", "d_x[j] = scale * y[j]", "d_x[j] = y[j]")
p("x558", "more than four axes, one mask", "    if len(shape) > 4:\n", "    if False:\n", select="any_number_of_axes")
p = plants("gpu/scaled_dot_product.py", "test_kernels.py", "attention")
p("x560", "a softmax of one's own is passed over", "type(attention.softmax) is Softmax", "True", select="of_ones_own")
p("xc46", "d_P is kept outside keep_weights (kernel)", "if attention.keep:\n        attention.d_weights", "if True:\n        attention.d_weights", select="keeps_nothing")
p("x562", "the gradient of the weights is not dropped", "attention.dropout.backward(product(d_y, value.swapaxes(-1, -2)))", "product(d_y, value.swapaxes(-1, -2))",
    select="drops_some")
p("x563", "values under weights that were not dropped", "d_value = product(dropped.swapaxes", "d_value = product(weights.swapaxes", select="drops_some")
p = plants("gpu/layer_norm.py", "test_kernels.py", "LayerNorm")
p("x783", "a gradient is read in the order of its memory", "xp.ascontiguousarray(d_y)", 'd_y.ravel("K").reshape(d_y.shape)', select="lie_in_order")
p("xc05", "no feature is subtracted before the mean is taken (kernel)", "sum += x[j] - first;", "sum += x[j];",
    ("const T m = sum_of_lanes(sum) / n;", "const T m = sum_of_lanes(sum) / n - first;"), select="constant_row_in_float32")
p("xc06", "the mean is added to the first feature, and rounded (kernel)", "const T m = sum_of_lanes(sum) / n;",
    "const T m = first + sum_of_lanes(sum) / n - first;", select="small_difference_beside")
p("xc07", "x̂ from the mean alone in backward (kernel)", "along[j] = d_y[j] * ((x[j] - first - m) / s);",
    "along[j] = d_y[j] * ((x[j] - m) / s);")
p("x564", "Bessel's correction (kernel)", "sqrt(sum_of_lanes(squares) / n + epsilon)", "sqrt(sum_of_lanes(squares) / (n - 1) + epsilon)")
p("x565", "ε outside the root (kernel)", "/ n + epsilon)", "/ n) + epsilon")
p("x566", "the mean of d_x̂ is not subtracted (kernel)", "gamma[j] * d_y[j] - d_mean -", "gamma[j] * d_y[j] -")
p("x567", "the part along x̂ stays (kernel)", " - (x[j] - first - m) / s * d_along)", ")")
p("x568", "d_γ without x̂ (kernel)", "(position_sum, along)", "(position_sum, d_y)")
p("x569", "γ is left out in backward (kernel)", "d_mean += gamma[j] * d_y[j];", "d_mean += d_y[j];")
p = plants("gpu/cross_entropy.py", "test_kernels.py", "cross_entropy")
p("x570", "no shift, so exp overflows (kernel)", "    m = largest_of_lanes(m);\n", "    m = 0;\n")
p("x571", "smoothing over V − 1 (kernel)", "smooth * (sum / n)", "smooth * (sum / (n - 1))")
p("x572", "p is not divided by its sum (kernel)", "exp(x[j] - m) / exps", "exp(x[j] - m)")
p("x573", "gradients at padding (kernel)", "w == 0 ? 0 : w", "1 / T(count)")
p("x574", "0 · −∞ without smoothing (kernel)", "(smooth ? smooth * (sum / n) : 0)", "smooth * (sum / n)")
p("x575", "a target beyond the vocabulary reads another row", "x[(targets[i] % n + n) % n]", "x[targets[i]]", select="beyond_its_row")
p("x576", "the loss's own gradient is left out (kernel)", "xp.where(real, d_loss / count, 0)", "xp.where(real, 1 / count, 0)")
p = plants("gpu/activations.py", "test_kernels.py", "computes_what")
p("x782", "a gradient is read in the order of its memory", "xp.ascontiguousarray(d_y)", 'd_y.ravel("K").reshape(d_y.shape)', select="lie_in_order")
p("x577", "GELU without the density (kernel)", "(cdf + x[i] * density)", "cdf", select="computes_what and GELU")
p("x578", "the slope at 0 is 1 (kernel)", "y[i] > 0 ? d_y[i]", "y[i] >= 0 ? d_y[i]", select="computes_what and ReLU")
p("x579", "tanh's square is left out (kernel)", "(1 - u * u) / 2 * slope", "(1 - u) / 2 * slope", select="TanhGELU")
p("x580", "the inner slope is left out (kernel)", "/ 2 * slope)", "/ 2)", select="TanhGELU")
p = plants("gpu/dropout.py", "test_kernels.py", "dropout")
p("x786", "a gradient is read in the order of its memory", "xp.ascontiguousarray(d_y)", 'd_y.ravel("K").reshape(d_y.shape)', select="lie_in_order")
p("x581", "what is kept is not enlarged (kernel)", "kept[element] ? factor * x[element]", "kept[element] ? x[element]")
p("x582", "backward is not enlarged (kernel)", "kept[i] ? factor * d_y[i]", "kept[i] ? d_y[i]")
p("x583", "backward drops nothing (kernel)", "kept[i] ? factor * d_y[i] : T(0)", "factor * d_y[i]")
p = plants("gpu/dropout.py", "test_device.py", "masks")
p("x584", "the last elements are not drawn (kernel)", "FORWARD(-(-x.size // PIECES)", "FORWARD(x.size // PIECES",
    select="masks_are_the_same")
p("x585", "every word twice (kernel)", ">> piece % 2 * 16 &", "&")
p("x586", "the seed in memory is not read", "place ? *place : number", "number", select="masks_are_the_same")
p("x587", "the high half of the seed is left out (kernel)", "k1 = seed >> 32", "k1 = 0")
p = plants("gpu/replays.py", "test_replays.py", "python_makes")
p("xgm5", "a step that Python makes is CuPy's", "        with accelerated(self.model, self.loss):\n            try", "        if True:\n            try")
p = plants("gpu/accelerated.py", "test_kernels.py", "ones_own")
p("xgm6", "kernels read whatever they are given", "substituted(forms, checked=True)", "substituted(forms)", select="what_is_wrong_with_a_mask")
p("x588", "a reader's own norm computes by the kernel of ours", "type(component) in FORMS and", "isinstance(component, tuple(FORMS)) and")
p("xgk01", "the CPU's memory goes to a kernel", "if parameters and on_host(parameters[0].data):", "if False:", select="refused_for_a_model")
p("xgk02", "the loss computes as it is written", "for whole in (model, loss)", "for whole in (model,)", judge="test_device.py", select="by_name")
p = plants("boundary/calls.py", "test_kernels.py", "block_alone")
p("xgk03", "kernels go forward only", "return substitute[2] if substitute else function", "return function")
p("xgm2", "what a kernel is given is not checked", "        if substitute is None or substitute[3]:\n            inputs, options", "        if substitute is None:\n            inputs, options", select="what_is_wrong_with_a_mask")
p("xgm3", "a kernel reads beyond an array inside a model", "is_plain and not substitute[3], substitute[1]", "is_plain, substitute[1]", select="before_a_kernel_reads")
p = plants("backend/substitutes.py", "test_kernels.py", "another_thread")
p("xgk04", "all threads sum by kernels", "class _Thread(threading.local):", "class _Thread:")
p("xgk05", "helpers go on after the block", "        _thread.functions = before\n", "        pass\n", select="changes_no_class")
p = plants("backend/products.py", "test_kernels.py", "helpers_compute")
p("xjl28", "columns across the rows of memory", "for x in (a, b.swapaxes(-1, -2)))\n    return np.matmul(rows, columns.swapaxes(-1, -2), out)",
    "for x in (a, b))\n    return np.matmul(rows, columns, out)", judge="test_backend.py", select="without_blas")
p("xjl29", "products that are not counted in a browser", "np.asanyarray(x, order", "np.asarray(x, order", judge="test_browser.py",
    select="counted_as")
p("xgk06", "products are CuPy's whatever is asked for", "substitute_for(\"product\") or ", "")
p = plants("backend/reductions.py", "test_kernels.py", "helpers_compute")
p("xgk07", "sums are CuPy's whatever is asked for", "if faster := substitute_for(\"position_sum\"):", "if faster := None:")
p("xgk08", "squares are CuPy's whatever is asked for", "(faster := substitute_for(\"sum_of_squares\"))", "(faster := None)")
p = plants("cli/commands.py", "test_device.py", "by_name")
p("xgk09", "kernels without a GPU", "if options.gpu_kernels and device == \"cpu\":", "if False:")
p("xgk10", "no step is replayed", "yield Replays if run.options.shares == 1 else None", "yield None")
p("xgk11", "kernels whatever is asked for", "    if not options.gpu_kernels:\n", "    if False:\n")
p = plants("gpu/cublas.py", "test_kernels.py", "as_they_lie or all_shapes")
p("x590", "a matrix by columns is taken for one by rows", "return True, max(", "return False, max(")
p("x591", "rows follow each other at once", "return False, max(down if rows > 1 else 0, columns, 1)", "return False, max(columns, 1)")
p("x592", "columns follow each other at once", "return True, max(right if columns > 1 else 0, rows, 1)", "return True, max(rows, 1)")
p("x593", "every second number is taken for the next", "(right == 1 or columns == 1) and (down >= columns or rows == 1)", "(down >= columns or rows == 1)")
p("x594", "all matrices of a batch are the first", "sum(place * axis[1 + n] for place, axis in zip(places, axes))", "0")
p("x595", "axes that are walked unalike become one", "axes[-1][1:] == [size * step for step in walk]", "True")
p("x596", "the order of the factors", "((1, 0), (columns, rows))", "((0, 1), (columns, rows))")
p("x597", "nothing is written where there is nothing to sum", "        out.fill(0)\n        return out", "        return out")
p("x598", "out by columns is written by rows", " if by_columns else ((1, 0)", " if False else ((1, 0)", select="where_it_is_asked_for")
p("x599", "out is a copy", "        out[...] = product(xp", "        product(xp", select="where_it_is_asked_for")
p("x776", "what is repeated along a batch is walked through", "if -axis <= len(shape) and shape[axis] > 1 else 0", "if -axis <= len(shape) else 0")
p("x777", "rows and columns of unequal length are multiplied", "if min(len(a), len(b)) < 2 or a[-1] != b[-2]:", "if min(len(a), len(b)) < 2:", select="do_not_fit")
p("x778", "a product is written beyond its place", "    if out.shape != shape:", "    if False:", select="do_not_fit")
p("x779", "a place of another dtype is taken for one of this", "for x in (b, out)):", "for x in (b,)):", select="another_dtype")
p("x780", "TF32 is not asked for", "calls(a.dtype.char, cublas.tf32,", "calls(a.dtype.char, False,", select="tf32")
p = plants("gpu/sums.py", "test_kernels.py", "sums_over_positions or sum_of_squares")
p("x781", "a sum is written beyond its place", "    if out.shape != (columns,):", "    if False:", select="beyond_its_place")
p("x602", "the last rows are not summed", "row < end && row < rows", "row < end - 1 && row < rows")
p("x603", "rows beyond the last are summed", "xp.empty((-(-len(rows) // together), columns)", "xp.empty((len(rows) // together, columns)")
p("x604", "only the first numbers are squared", "for (long long j = i; j < size; j += count) sum", "for (long long j = i; j < count; j += count) sum")
p = plants("gpu/scaled_dot_product.py", "test_kernels.py", "merging_is_no_copy")
p("x605", "heads lie one after the other", "d_query = product(d_scores, key, out=side_by_side(query, key))", "d_query = product(d_scores, key)")
p("x606", "what is found lies one head after the other", "product(dropped, value, out=side_by_side(query, value))", "product(dropped, value)")
p = plants("gpu/replays.py", "test_replays.py", "replay and longer")
p("x607", "sequences are padded with a token", "constant_values=padding", "constant_values=padding + 4")
p("x608", "sequences are not padded", "-(-ids.shape[1] // self.STEP) * self.STEP", "ids.shape[1]")
p("x609", "padded beyond what the model takes", "self.longest is None\n            or sum(length or 0 for length in longer[:2]) > self.longest", "self.longest is None", select="beyond_what")
p = plants("training/loop.py", "test_replays.py", "a_loss_with_arrays")
p("x610", "the loss stays on the CPU", "copy.deepcopy(loss).to(\"gpu\")", "loss")
p("xgm1", "the caller's loss moves", "copy.deepcopy(loss).to(\"gpu\")", "loss.to(\"gpu\")")
p("xgm4", "a loss without arrays is copied away from its kernels", "if any(map(on_host, arrays)) else loss", "if True else loss")
p = plants("gpu/replays.py", "test_replays.py", "replay and longer")
p("x611", "recordings keep their memory", "__exit__(self, *_):\n        self.close()", "__exit__(self, *_):\n        pass", select="goes_back")
p = plants("gpu/graphs.py", "test_replays.py", "replayed_steps and transformer and sgd")
p("x613", "the rehearsal draws seeds", "substituted_helpers(device_seed=Rehearsal(self.seeds).next)", "contextlib.nullcontext()")
p("x614", "nothing is rehearsed", "            function(*self.inputs)\n        with", "            pass\n        with", select="after_three_batches")
p = plants("gpu/replays.py", "test_replays.py", "losss_own")
p("x616", "padding is 0 for every loss", "(PAD, PAD, self.loss.padding)", "(PAD, PAD, PAD)")
p("x617", "a loss that counts everything gets padding", "getattr(self.loss, \"padding\", None) is None\n            or self.longest", "self.longest",
    ("(PAD, PAD, self.loss.padding)", "(PAD, PAD, getattr(self.loss, \"padding\", None) or PAD)"))
p("x618", "both sides by the larger vocabulary", "expect_ids(target_in, self.embeddings[-1]", "expect_ids(target_in, self.embeddings[0]",
    select="own_vocabulary")
p = plants("training/loop.py", "test_replays.py", "a_loss_with_arrays")
p("x619", "the parts of a loss are the caller's", "copy.deepcopy(loss)", "copy.copy(loss)")
p = plants("gpu/replays.py", "test_replays.py", "losss_own")
p("x620", "evaluation is replayed as training", "batch), self.model.training)", "batch), True)", select="evaluation_between")
p("x621", "a step that is made again draws other masks", "                self.give_up()\n                rewind(self.generators, drawn_from)", "                self.give_up()",
    select="give_way")
p = plants("gpu/kernels.py", "test_kernels.py", "several_dtypes or declares")
p("x787", "numbers of any width will do", "if x.dtype != dtype or not", "if not", select="refuses_what")
p("x622", "any float will do", "{x.dtype for x, kind in arrays if", "{x.dtype for x, kind in arrays[:1] if",
    ("if x.dtype != dtype or not", "if not"), select="several_dtypes")
p = plants("gpu/adam.py", "test_kernels.py", "adam")
p("x624", "β for 1 − β", "beta1, 1 - beta1, beta2, 1 - beta2", "beta1, beta1, beta2, beta2")

# -- names, numbers, signals, what is quoted ---------------------------------------------------------------------------

p = plants("errors.py", "test_cli.py", "in_other_letters")
p("xm701", "a suggestion depends on upper and lower case", "name[:100].lower(), other.lower()", "name[:100], other")
p("xm702", "of equally near names the last is suggested", "key=lambda other: -nearness(name, other))",
    "key=lambda other: (-nearness(name, other), -names.index(other)))",
    select="answered_in_one_sentence")
p("xm703", "a long name is compared whole, and all names are listed", "if len(names) <= LISTED else by_nearness(str(name), names)[:8]",
    "if True else []", select="answered_in_one_sentence")
p("xm704", "a full disk is told without the file", "        if problem.errno:", "        if False:", select="full_disk")
p("xm705", "a text has other bytes on Windows", ', encoding="utf-8", newline="\\n")', ', encoding="utf-8")', select="same_bytes")
p = plants("terminal/streams.py", "test_cli.py", "stays_short")
p("xm706", "what was typed is quoted whole", 'r"(\\S{100})\\S{900,}"', 'r"(\\S{100})\\S{90000,}"')
p = plants("cli/parser.py", "test_cli.py", "answered_in_one_sentence")
p("xm707", "--lr is taken for --norm", "ELSEWHERE.get(name) or nearest(name, known)", "nearest(name, known)")
p("xm708", "no TEXT is said to be required", '"text", nargs="*", default=[],', '"text", nargs="*",')
p("xm709", "Python's words for a number", "argparse.ArgumentTypeError(f\"{text!r} is not a number, such as 0.001\")",
    "argparse.ArgumentTypeError(f\"invalid float value: {text!r}\")", select="told_what_a_number_is")
p("xm710", "tasks with the same options have one of them", "groups.setdefault(tuple(having[option]), []).append(field)",
    "groups.setdefault(tuple(having[option]), [field])", select="option_of_a_task")
p("xm711", "without its folder the option is there", 'if importlib.util.find_spec("minitransformer.gpu"):', "if True:",
    select="there_only_with_its_folder")
p = plants("cli/commands.py", "test_cli.py", "resumed_run or answered_in_one_sentence or more_steps")
p("xm712", "an equal option counts as changed", "if name not in its or its[name] != value]", "]")
p("xm713", "another option counts as equal", "if name not in its or its[name] != value]", "if name not in its]")
p("xm714", "how the rate goes on is not said", 'if steps is not None and run.options.schedule == "cosine":', "if False:")
p("xm715", "a text file is an unknown task", " or task not in TASKS and os.path.isfile(task)", "", select="text_file")
p = plants("cli/asking.py", "test_cli.py", "cut_off")
p("xm716", "an answer that was cut off is not remarked", "if EOS not in ids)", "if False)")
p("xm717", "every answer counts as cut off", "if EOS not in ids)", "if True)")
p("xm718", "the remark comes once for two equal texts", "            unfinished.remove(text)\n",
    "            unfinished[:] = [other for other in unfinished if other != text]\n")
p = plants("data/task.py", "test_cli.py", "new_task")
p("xm719", "a task without a decorator has no options", "            dataclasses.dataclass(frozen=True)(cls)\n",
    "            if not cls.__module__.startswith(\"minitransformer.\"):\n                return\n            dataclasses.dataclass(frozen=True)(cls)\n")
p("xm720", "a decorator raises TypeError", "            del cls.__setattr__, cls.__delattr__", "            pass")
p("xm721", "options can be changed", "if name in {field.name for field in dataclasses.fields(self)}:", "if False:")
p = plants("runs/run.py", "test_run.py", "warm_up_stays")
p("xm722", "the warm-up grows with the steps", '"warmup": training.warmup_steps}', "}")
p("xm723", "runs in the folder runs are not suggested", 'dict.fromkeys((path.parent, Path("runs")))', "(path.parent,)",
    judge="test_cli.py", select="answered_in_one_sentence")
p = plants("runs/config.py", "test_run.py", "byte_order")
p("xm724", "a config with a byte order mark is damaged", 'content.decode("utf-8-sig")', 'content.decode("utf-8")')
p = plants("training/hooks.py", "test_run.py", "every_signal or hang_up")
p("xm725", "SIGTERM ends a training unsaved", "for s in ENDING if hears", "for s in ENDING[:1] if hears")
p("xm726", "nohup is not obeyed", "if signal.getsignal(s) is signal.SIG_IGN}", "if False}")
p = plants("grading/calling.py", "test_grading.py", "shapes_that_are_said")
p("xm727", "the shapes are of what was not taken", "shapes = _shapes(taken_by(submission, exercise, given))", "shapes = _shapes(given)")
p = plants("grading/hints.py", "test_grading.py", "hints_go or reveal_shows")
p("xm728", "a hint is shown twice", "    print(textwrap.dedent(exercise.hints[level - 1]).strip())\n",
    "    print(text := textwrap.dedent(exercise.hints[level - 1]).strip())\n    return text\n")
p = plants("grading/cells.py", "test_grade.py", "no_file_of_moderate_size")
p("xm729", "the path of a copy is shown", ".replace(str(file), file.name)", "")
p = plants("training/loop.py", "test_training.py", "steps_that")
p("xm730", "a training of no step is silent", "if optimizer.t >= steps > 0:", "if False:")
p = plants("terminal/interruption.py", "test_run.py", "every_signal")
p("xm731", "a cluster's signal is not known", '("SIGINT", "SIGTERM", "SIGHUP")', '("SIGINT", "SIGHUP")', judge="test_lines.py", select="leave_as_an_exit")

# -- the package from Python ---------------------------------------------------------------------------------------

p = plants("boundary/objects.py", "test_python.py", "another_kind")
p("xy701", "a single text is a list", "if self.kind.passes(value, {}):\n            alone", "if False:\n            alone", select="letter_by_letter")
p("xy702", "a list of anything is a list of texts", "all(self.kind.passes(x, {}) for x in value)", "True", select="letter_by_letter")
p("xy703", "a generator is no list", "if not can_be_listed or", "if True or", select="holds_texts")
p = plants("boundary/arrays.py", "test_python.py", "another_kind")
p("xy704", "an added mask is turned inside out", "if is_added and (array.dtype.kind == \"f\" or array.any()):", "if False:", select="added")
p("xy705", "every mask of zeros is an added one", "if is_added and (array.dtype.kind == \"f\" or array.any()):", "if is_added:", select="added")
p("xy706", "one-hot ids are read as 0 and 1", "if is_one_hot:", "if False:", select="one_hot")
p("xy707", "rows of different lengths go to numpy.array", "if is_ragged(value):\n                remedy", "if False:\n                remedy", select="padded_by")
p = plants("boundary/objects.py", "test_python.py", "another_kind")
p("xy708", "a class is an object", "is_object = self.or_class or not isinstance(value, type)", "is_object = True", select="three_arrays")
p("xy709", "an object of no use has every method", "all(hasattr(value, name) for name in self.names)", "True", select="another_kind and greedy")
p = plants("errors.py", "test_python.py", "another_kind and hint")
p("xy710", "an array in a message has several lines", 'reprlib.repr)(value).replace("\\n", " ")', "reprlib.repr)(value)")
p = plants("core/module.py", "test_python.py", "save_says")
p("xy711", "a text is saved for backward", "if len(values) == 1 and isinstance(values[0], (str, pathlib.PurePath)):", "if False:")
p("xy712", "a path is saved for backward", "(str, pathlib.PurePath)", "str")
p = plants("core/parameter.py", "test_python.py", "no_memory")
p("xy713", "any table is tried", ">= MOST", ">= MOST**9")
p = plants("layers/positional_encoding.py", "test_python.py", "no_memory")
p("xy714", "any table of positions is tried", "possible((length, features))", "(length, features)")
p = plants("layers/activations.py", "test_python.py", "far_from_0")
p("xy715", "x² overflows beside a 0", "array_module(x).minimum(x**2, 1e6)", "x**2")
p = plants("training/optimizers.py", "test_python.py", "optimizer_of_another")
p("xy716", "any optimizer will do", "if model is not self.model:", "if False:")
p("xy717", "infinity divided by infinity", "if 0 < largest < math.inf:", "if norm == math.inf:", select="not_finite")
p("xy718", "infinite gradients are scaled", "max_norm < norm < math.inf", "max_norm < norm", select="not_finite")
p = plants("training/loop.py", "test_python.py", "optimizer_of_another")
p("xy719", "the plain loop takes any optimizer", '    optimizer.expect_own(model)\n    model.train()', "    model.train()")
p("xy720", "a strategy takes any optimizer", "        optimizer.expect_own(model)\n        self.model", "        self.model")
p = plants("data/vocabulary.py", "test_python.py", "could_not_be_read")
p("xy721", "a token may occur twice", "if self.ids[token] != i:", "if False:")
p("xy722", "a token may be a space", "if not self.spaces and token.split() != [token]:", "if False:")
p("xy723", "any id is decoded", "        if len(ids):\n            expect_ids(np.asarray(ids), len(self))\n", "", select="does_not_have")
p("xy724", "padding is found where there is none", "if not ((ids[:, 1:] != PAD) & (ids[:, :-1] == PAD)).any():\n        return ids\n", "return ids\n", select="moved_behind")
p("xy725", "tokens are sorted behind the padding", "np.argsort(ids == PAD", "np.argsort(ids != PAD", select="moved_behind")
p = plants("data/batching.py", "test_python.py", "three_arrays")
p("xy726", "what next_batch returns is not looked at", 'batch = expect(next_batch(), ABatch, "next_batch()")', "batch = Batch(*next_batch())")
p("xy727", "two arrays are a batch", "if len(value) != len(self.parts):", "if False:")
p("xy728", "a batch of lists is a batch", "return isinstance(value, Batch) and all(", "return isinstance(value, Batch) or all(")
p("xy729", "padding in front stays", "_trim(padding_behind(source))", "_trim(source)", select="moved_behind")
p = plants("decoding/translation.py", "test_python.py", "empty_source")
p("xy730", "empty sources alone have no column", "padded([[PAD], *(sources[row] for row in rows)])[1:]", "padded([sources[row] for row in rows])")
p = plants("runs/checkpoint.py", "test_python.py", "saved_and_loaded")
p("xy731", "a folder is written over", "if path.is_dir():\n        raise", "if False:\n        raise")
p("xy732", "what JSON cannot hold is Python's error", "except (TypeError, ValueError, RecursionError) as problem:\n        raise InputError(\n            f\"The facts", "except RecursionError as problem:\n        raise InputError(\n            f\"The facts")
p = plants("core/structure.py", "test_optim.py", "a_step_after")
p("xs81", "a list may be changed in place", "[*map(id, now)] == [*map(id, then)]", "len(now) == len(then)")
p("xs82", "a list may grow", "[*map(id, now)] == [*map(id, then)] for", "True for")
p("xs83", "what is assigned is not noticed", "self.changes == Module._changes and all(", "all(")
p = plants("core/module.py", "test_optim.py", "a_step_after")
p("xs84", "what is deleted is not noticed", "        object.__delattr__(self, name)\n        Module._changes += 1\n", "        object.__delattr__(self, name)\n")
p("xs85", "what is taken out is not noticed", "isinstance(value, PARTS) or isinstance(before, PARTS)", "isinstance(value, PARTS)")
p = plants("backend/scores.py", "test_backend.py", "scores_are")
p("xs86", "scores are not scaled", "        query_t *= scale\n", "        pass\n")
p("xs87", "the scores of one query are not scaled", "key.swapaxes(-1, -2) * scale\n", "key.swapaxes(-1, -2)\n")
p = plants("data/batching.py", "test_training.py", "would_count_padding")
p("xs88", "a loss that counts padding is let through", "if padding.any():", "if False:")
p("xs89", "class 0 is taken for padding", "padding = (batch.target_in == PAD) & (batch.target_out == PAD)", "padding = batch.target_out == PAD",
    select="would_count_padding")
p = plants("layers/cross_entropy.py", "test_losses.py", "0_is_a_class")
p("xs90", "0 is padding unless it is told", "padding: Whole | None = None", "padding: Whole | None = 0")
p = plants("data/digits.py", "test_digits.py", "")
p("xd81", "black pixels are not part of a picture's hash", "reshape(-1, 64) + 1, split", "reshape(-1, 64) * 0 + 1, split")
p("xd82", "the same picture may come twice", "rng.permutation(rows)[:count] if distinct", "rng.choice(rows, count) if distinct", select="holds_pictures")
p("xd83", "labels of other pictures", "self.labels[rows, None]", "self.labels[: len(rows), None]", select="holds_pictures")
p("xd84", "pictures of all splits", 'self.of(rng.permutation(self.rows("train")))', "self.of(rng.permutation(len(self.labels)))", select="epoch")

# -- data of one's own --------------------------------------------------------------------------------------------

p = plants("data/files.py", "test_files.py", "damaged or lines_are or no_file or grows or memory or hash")
p("xq801", "gzip is known by its name alone", "if begin.startswith(GZIP)", "if str(path).endswith(\".gz\")", select="lines_are")
p("xq802", "a byte order mark is a character", "        text = text.removeprefix(BYTE_ORDER_MARK)", "        pass", select="lines_are")
p("xq803", "a byte order mark is left out in every line", "    if number == 1:\n        text = text.removeprefix(BYTE_ORDER_MARK)", "    text = text.replace(BYTE_ORDER_MARK, \"\")", select="lines_are")
p("xq804", "a carriage return stays", "line.removesuffix(\"\\r\") for line in text.split(\"\\n\")", "line for line in text.split(\"\\n\")", select="lines_are")
p("xq805", "line separators end lines", "for line in text.split(\"\\n\")]", "for line in text.splitlines() or [\"\"]]", select="lines_are")
p("xq806", "the last line without an end is lost", "[rest] if rest else []", "[]", select="lines_are")
p("xq807", "a line that goes on is not measured", "        if len(rest) > LONGEST:\n            raise _too_long(path, number)\n", "", select="goes_on")
p("xq808", "NUL is a character", "if (place := content.find(b\"\\0\")) >= 0:", "if (place := -1) >= 0:", select="damaged")
p("xq809", "the line of a NUL is the first of its block", "at = number + content.count(b\"\\n\", 0, place)", "at = number", select="damaged")
p("xq810", "the line of a wrong byte is the first of its block", "{path}, line {number + at}: it is not UTF-8", "{path}, line {number}: it is not UTF-8", select="damaged")
p("xq811", "a gzip file that is cut short has a traceback", "except (EOFError, zlib.error, gzip.BadGzipFile)", "except gzip.BadGzipFile", select="damaged")
p("xq812", "a zip archive is called by its first bytes alone", "if begin.startswith(sign):", "if begin == sign:", select="damaged")
p("xq814", "a folder is a pipe", "if stat.S_ISDIR(mode):", "if False:", select="no_file")
p("xq816", "nothing is told to a progress bar", "advance(at() - before)", "advance(0)", select="lines_are")
p("xq817", "the hash of the first block", "while block := file.read(BLOCK):\n            check()\n            digest", "if block := file.read(BLOCK):\n            check()\n            digest", select="hash")
p = plants("data/formats.py", "test_pairs.py", "a_file_gives_its_pairs or cannot_be_used")
p("xq820", "names of columns are a pair", "elif names or any(one in small and two in small for one, two in NAMES):", "elif names:", select="gives_its_pairs")
p("xq821", "a third column is overlooked", "if (width and len(cells) != width) or", "if (width and len(cells) < width) or", select="cannot_be_used")
p("xq822", "column 0 is the last", " or min(places) < 0", "", select="cannot_be_used")
p("xq823", "semicolons are commas", "max(\",;\\t|\", key=first.count) if first.count(\",\") == 0 else \",\"", "\",\"", select="gives_its_pairs")
p("xq824", "quotes in CSV may stand anywhere", "delimiter=delimiter, strict=True", "delimiter=delimiter", select="cannot_be_used")
p("xq825", "a cell begins where the one before it ended", "reader.line_num + before + 1", "reader.line_num + before", select="cannot_be_used")
p("xq826", "two columns of one name", "if twice := [name for name in header if header.count(name) > 1]:", "if twice := []:", select="cannot_be_used")
p("xq827", "numbers in JSON are rounded", "parse_int=str, parse_float=str", "parse_int=str", select="gives_its_pairs")
p("xq828", "deep JSON is a traceback", "except (ValueError, RecursionError) as problem:\n            reason", "except ValueError as problem:\n            reason", select="cannot_be_used")
p("xq829", "null is a text", "    if not isinstance(value, str):\n        raise", "    if False:\n        raise", select="cannot_be_used")
p("xq830", "the shorter of two files counts", "itertools.zip_longest(lines(source, advance), lines(target, advance))", "zip(lines(source, advance), lines(target, advance))", select="line_by_line")
p("xq831", "JSON is tab-separated", "        kind = \"json\"\n", "        pass\n", select="gives_its_pairs")
p = plants("data/store.py", "test_pairs.py", "splits or duplicates or report")
p("xq840", "duplicates stay", "np.save(self.folder / f\"{self.name}.rows.npy\", np.sort(rows))", "np.save(self.folder / f\"{self.name}.rows.npy\", np.arange(len(self.lines)))", select="gives_its_pairs")
p("xq841", "pairs in the order of their hashes", "np.sort(rows)", "rows", select="gives_its_pairs")
p("xq842", "a source may stand in two splits", "        if not len(common):\n            continue\n", "        continue\n", select="two_splits")
p("xq843", "validation and test may be the same", ", (\"validation\", \"test\")):", "):", select="two_splits")
p("xq844", "the split by the hash of the pair", "digest = hash_of(texts[0])", "digest = hash_of(b\"\".join(texts))", select="hash_of_the_source")
p("xq845", "a split without pairs", "        if not len(split.lines):\n", "        if False:\n", select="too_few or cannot_be_used")
p("xq846", "a pair with an empty side counts", "if not source or not target:", "if not source:", select="gives_its_pairs")
p("xq849", "long pairs stay", "max(len(s), len(t)) <= most_tokens", "max(len(s), len(t)) <= 10**9", select="gives_its_pairs")
p("xq850", "the length of a target is no matter", "max(len(s), len(t)) <= most_tokens", "len(s) <= most_tokens", select="gives_its")
p("xq851", "another vocabulary finds the old ids", "-{most_tokens}-{digest[:32]}", "-{most_tokens}", select="another_vocabulary")
p("xq852", "unknown ones are not counted", "unknown += int((flat == UNK).sum())", "unknown += 0", select="unknown_characters")
p = plants("data/pairs.py", "test_pairs.py", "cut or run_of_own")
p("xq860", "always characters", "if most <= SHORT:", "if True:", select="chosen_by_the_rule")
p("xq861", "many words are few", "frequent <= self.vocabulary_size and covered", "covered", select="chosen_by_the_rule")
p("xq862", "rare words are covered", " and covered >= COVERED", "", select="chosen_by_the_rule")
p("xq863", "another file is the same", "if right not in (\"\", found):", "if right not in (\"\", found, right):", select="all_commands")
p("xq864", "a file that is gone is an error of reading", "if self.sha256 and not os.path.exists(path):", "if False:", select="all_commands")
p("xq865", "the path as it was typed", "return str(Path(os.path.abspath(expect_file(path)))) if path else \"\"", "return path", select="all_commands")
p("xq866", "own files have no effect on the hash", "split == \"train\" or split not in named", "True", select="place_of_the_hash")
p("xq868", "three texts are a pair", "                    and len(pair) == 2\n", "", select="wrong_pairs")
p("xq869", "half a surrogate is a traceback", "except UnicodeEncodeError:", "except KeyError:", select="wrong_pairs")
p("xq870", "a vocabulary that was adopted reads the old ids", "self.__dict__.pop(\"_ids\", None)", "pass", select="another_vocabulary")
p("xq871", "more ids than are asked for", "least = FIRST + 256 if kind is BytePairs else 0", "least = FIRST + 290 if kind is BytePairs else 0", select="without_the_package")
p("xq872", "pairs are left out in silence", "yield f\"left out: {', '.join(said) or 'nothing'}\"", "yield \"left out: nothing\"", select="report_counts")
p = plants("data/sequences.py", "test_pairs.py", "sequences_are")
p("xq880", "the first begins where the last ends", "np.where(rows == 0, 0, self.ends[rows - 1])", "self.ends[rows - 1]")
p("xq881", "lengths in the first order", "lengths if self.order is None else lengths[self.order]", "lengths")
p("xq882", "a second order forgets the first", "order if self.order is None else self.order[order]", "order")
p("xq883", "padding between ids stays", "real = rows != PAD\n", "real = rows >= PAD\n")
p = plants("data/words.py", "test_pairs.py", "text_again or unknown or frequent")
p("xq884", "a first word is another token", "WORD.findall(\" \" + text)", "WORD.findall(text)", select="did_not_have")
p("xq885", "letters and accents stay apart", "unicodedata.normalize(\"NFC\", text)", "text", select="text_again")
p("xq886", "the rarest words", "counts.most_common(size and size - len(SPECIAL))", "(counts.most_common()[-(size - 4) :] if size else counts.most_common())", select="did_not_have")
p("xq887", "an empty text has no tokens", "        if not all(rows):\n", "        if False:\n", select="text_again")
p = plants("data/registry.py", "test_registry.py", "task or package")
p("xq890", "a task takes the name of another", "if name in TASKS and same(TASKS[name]) != same(cls):", "if False:", select="cannot_be_a_task")
p("xq891", "any type is an option's", "if not isinstance(field.type, str) and not", "if False and not", select="cannot_be_a_task")
p("xq892", "any class is a task", "if not isinstance(cls, type) or not issubclass(cls, Task) or cls is Task:", "if False:", select="cannot_be_a_task")
p("xq893", "a broken package ends the program", "except Exception as problem:  # of any package", "except ImportError as problem:", select="broken")
p("xq894", "a broken package is complained of again and again", "        FOUND.add(point.name)\n", "", select="broken")
p("xq895", "packages are not looked for when a run is opened", "    if name not in TASKS:\n        register_tasks_of_packages()\n", "", select="installed or only_the_commands")
p = plants("cli/__init__.py", "test_registry.py", "only_the_commands")
p("xq896", "every command looks for packages", " in ([\"train\"], [\"tasks\"]):", " != []:")
p = plants("study/translators.py", "test_pairs.py", "not_compared")
p("xq897", "runs of other data are compared", "for run in runs}) > 1:\n        raise InputError(\n            \"Only translators of the same data", "for run in runs}) > 9:\n        raise InputError(\n            \"Only translators of the same data")
p = plants("cli/parser.py", "test_cli.py", "several_tasks")
p("xq898", "what is not for users can be typed", "if (help := field.metadata.get(\"help\")) == \"\":", "if (help := field.metadata.get(\"help\")) == \"no\":")
p("xq899", "an option is explained for its first task only", "!= (help, field.default):", "== None:")
p = plants("data/subwords.py", "test_pairs.py", "word_by_word")
p("xq8a0", "the first words alone", "for word in words for i in self.known[word]] for words in rows]", "for word in words[:1] for i in self.known[word]] for words in rows]")
p = plants("data/pairs.py", "test_pairs.py", "between_its_hash")
p("xq8a1", "a file may change behind its hash", "        for check in checks:\n            check()\n", "        pass\n")
p = plants("data/pairs.py", "test_pairs.py", "read_otherwise")
p("xq8a2", "a name that ends otherwise finds the old pairs", "{split: [*map(ending, paths)]", "{split: len(paths)")
p("xq8a3", "other fields find the old pairs", "self.sha256, self.fields, endings]", "self.sha256, endings]")

# -- a language model of a text -----------------------------------------------------------------------------------

p = plants("data/characters.py", "test_language_model.py", "character")
p("xt800", "an unknown character is the last known one", "int(points.max(initial=0)) + 2", "int(points.max(initial=0)) + 1")
p("xt801", "the ids begin at 0", "np.arange(len(SPECIAL), len(self))", "np.arange(len(self) - len(SPECIAL))")
p = plants("data/files.py", "test_language_model.py", "pieces or single_line or no_text")
p("xt803", "a character is cut in two", "if block[-i] >= 0xC0), 0)", "if block[-i] >= 0xFF), 0)")
p("xt804", "a carriage return is parted from its line feed", "(lead or block.endswith(b\"\\r\"))", "lead")
p("xt805", "a mark in a later piece is left out", '        mark = "" if end else mark\n', "")
p("xt806", "what stands behind the last line end is lost", "    yield _text(path, number, before, rest).removeprefix(mark)", '    yield ""')
p("xt807", "a long line is refused", '_decoded(path, number, content.split(b"\\n"), math.inf, before)', '_decoded(path, number, content.split(b"\\n"))', select="single_line")
p("xt808", "a NUL is a character", 'if "\\0" in text:', 'if text == "\\0":')
p("xt809", "lines of a piece are not counted", '        number += block.count(b"\\n", 0, end)\n', "")
p = plants("data/byte_pairs.py", "test_language_model.py", "wait_until")
p("xt810", "the bytes of half a character are lost", "itertools.chain(parts, map(decoder.decode, [b\"\"], [True]))", "parts")
p = plants("data/token_ids.py", "test_language_model.py", "ids or files or made_once or folder or changed")
p("xt811", "files run into one another", "                if number:\n                    ids.write(np.array([EOS], dtype=dtype).tobytes())\n", "")
p("xt812", "the ids of another text", "key_of(sha256, vocabulary.to_dict())", "key_of(vocabulary.to_dict())", select="same_characters")
p("xt814", "files of a folder in any order", "for file in inside or [path] if", "for file in inside[::-1] or [path] if", select="folder")
p("xt815", "an empty text is a traceback", "if not os.fstat(self.file.fileno()).st_size:", "if False:", select="too_short")
p = plants("data/text.py", "test_language_model.py", "windows or changed or too_short or ids or make_no_sense")
p("xt817", "validation is trained on", 'ids[:end] if split == "train" else ids[end:]', 'ids if split == "train" else ids[end:]', select="whole_text or windows_together")
p("xt818", "the last window is never drawn", "rng.integers(len(ids) - self.context, size=count)\n        windows", "rng.integers(len(ids) - self.context - 1, size=count)\n        windows", select="windows_together")
p("xt819", "windows overlap", "np.arange(0, len(ids) - self.context, self.context)", "np.arange(0, len(ids) - self.context, self.context - 1)", select="windows_together")
p("xt820", "another text is taken for the run's", "if self.sha256 and found != self.sha256:", "if False:", select="changed")
p("xt821", "the token itself is to be predicted", "Batch(None, windows[:, :-1], windows[:, 1:])", "Batch(None, windows[:, 1:], windows[:, 1:])", select="windows_together")
p("xt822", "a short text is a traceback", "if len(ids) <= self.context:", "if False:", select="too_short")
p("xt823", "unknown characters are not counted", "return int(first.sum()) + unknown, len", "return int(first.sum()), len", select="unknown_characters")
p = plants("data/stream.py", "test_language_model.py", "make_no_sense")
p("xt824", "tokens in a batch of windows", 'if batch_tokens and task.kind == "text":', "if False:")
p = plants("data/ngrams.py", "test_language_model.py", "counts")
p("xt825", "a token that never occurred has probability 0", "p = (single + 1) / (single.sum() + size)", "p = single / single.sum()")
p("xt826", "a pair across two blocks is lost", "training[start : start + BLOCK + 1].astype", "training[start : start + BLOCK].astype")
p("xt827", "a token at the end of a block counts twice", "np.bincount(ids[:BLOCK], minlength=size)", "np.bincount(ids, minlength=size)")
p("xt828", "pairs backwards", "found = ids[:-1] * size + ids[1:]", "found = ids[1:] * size + ids[:-1]")
p("xt829", "pairs that are not asked for count", "np.bincount(at[wanted[at] == found], minlength", "np.bincount(at, minlength")
p = plants("decoding/evaluation.py", "test_language_model.py", "loss_of_a_text or own_measure")
p("xt830", "the last part of the windows counts as a whole one", "rows[:, 1:])) * len(rows)", "rows[:, 1:])) * at_once")
p("xt831", "bits a token", "loss * tokens / (max(1, parts) * math.log(2))", "loss / math.log(2)")
p("xt832", "nats", "(max(1, parts) * math.log(2))", "max(1, parts)")
p("xt833", "any task is measured in any way", "    if task.kind != kind:\n", "    if False:\n", select="own_measure")
p = plants("decoding/continuation.py", "test_language_model.py", "continu")
p("xt834", "it goes on from all that fits", "int(positions) // 2", "int(positions)")
p("xt835", "the state is kept too long", "if state is None or held == positions:", "if state is None:")
p("xt836", "what the state has is counted wrongly", "held = len(read) - 1\n", "held = len(read)\n")
p("xt837", "special tokens are written", "        logits[:, :FIRST] = -np.inf\n", "")
p("xt838", "a long prompt is read from its beginning", "read = read[-max(1, int(positions) // 2) :]", "read = read[: max(1, int(positions) // 2)]")
p("xt839", "the temperature is not asked", "drawn(logits, [rng], temperature, top_k, top_p)", "drawn(logits, [rng], 1.0, top_k, top_p)", select="choose_as_in_sample")
p = plants("inspection/attention.py", "test_language_model.py", "behind_the_token")
p("xt840", "attention begins behind BOS", "np.concatenate([[begin], target[:-1]])", "np.concatenate([[BOS], target[:-1]])")
p = plants("runs/run.py", "test_language_model.py", "one_sequence or goes_on")
p("xt841", "any model is taken for a text", 'if made.kind == "text" and not', "if False and not", select="one_sequence")
p = plants("runs/metrics.py", "test_language_model.py", "with_samples")
p("xt842", "samples are lines of other programs", 'name == "sample" and type(v) is str', "False")
p = plants("cli/generating.py", "test_language_model.py", "generate or each_token or ctrl_c")
p("xt843", "the text comes at the end", "            sys.stdout.flush()\n", "", select="each_token")
p("xt844", "the prompt is not shown", "        sys.stdout.write(prompt)\n", "", select="generate_writes")
p("xt845", "the line is left open", '        sys.stdout.write("\\n")\n', "        pass\n", select="ctrl_c or generate_writes")
p("xt846", "the seed is not asked", "options.max_tokens, options.seed, **chosen", "options.max_tokens, 0, **chosen", select="generate_writes")
p = plants("cli/kinds.py", "test_language_model.py", "which_command")
p("xt847", "any run is asked in any way", "    if run.task.kind != kind:\n", "    if False:\n")
p = plants("data/shakespeare.py", "test_language_model.py", "packed_or_not")
p("xt848", "an altered text is read", "        PUBLISHED.expect_unaltered(\n", "        (lambda *_: None)(\n")
p = plants("data/batching.py", "test_language_model.py", "targets_alone")
p("xt849", "a batch of nothing", "if not len(target):", "if False:")
p = plants("plotting/curves.py", "test_language_model.py", "with_samples")
p("xt850", "what counts predict is not drawn", "    draw_baselines(axes[0], metrics)\n", "")
p = plants("training/trackers.py", "test_language_model.py", "other_programs")
p("xt852", "every step is step 0 in TensorBoard", "self.writer.add_scalar(name, value, progress.step)", "self.writer.add_scalar(name, value, 0)")
p("xt853", "every step is step 0 in Weights & Biases", "self.run.log(progress._asdict(), step=progress.step)", "self.run.log(progress._asdict(), step=0)")
p = plants("data/token_ids.py", "test_language_model.py", "removed_while")
p("xt854", "the ids are opened anew each time", "return np.memmap(self.file, dtype", "return np.memmap(self.file.name, dtype")
p = plants("backend/reductions.py", "test_backend.py", "affine")
p("xs92", "the bias is left out", "    if bias is not None:\n        y += bias\n", "")
p = plants("data/subwords.py", "test_pairs.py", "name_of_a_special_token")
p("xs93", "the name of a special token in a text is the token", "        tokenizer.encode_special_tokens = True", "        tokenizer.encode_special_tokens = False")
p = plants("data/files.py", "test_language_model.py", "single_line")
p("xs94", "a place is counted from the block", 'else before + end\n', "else end\n")
p("xs95", "a place in the next line is counted from the one before", '        before = 0 if block[:end].endswith(b"\\n") else before + end\n', "        before += end\n")
p = plants("data/formats.py", "test_pairs.py", "a_file_gives_its_pairs or cannot_be_used")
p("xs97", "lines are counted behind Excel's first", "delimiter, first, begin = said[1], next(texts, \"\"), 2", "delimiter, first, begin = said[1], next(texts, \"\"), 1")
p("xs96", "Excel's first line names the columns", 'if said := re.fullmatch(r"sep=(.)', 'if said := re.fullmatch(r"none=(.)')
p = plants("data/token_ids.py", "test_language_model.py", "damaged_is_made_anew or read_once")
p("xs103", "a file is read as often as it is named", "for file in inside or [path] if file not in files]", "for file in inside or [path]]")
p("xs104", "hidden files are part of the text", ' and not name.startswith(".")', "")
p = plants("data/text.py", "test_language_model.py", "windows_that_cut_characters")
p("xs105", "half a character is one", "self.vocabulary.to_bytes(ids[ids >= FIRST])", "self.vocabulary.text(ids[ids >= FIRST]).encode()")
p = plants("decoding/evaluation.py", "test_training.py", "does_not_know")
p("xs106", "<unk> is right in the greedy way", " | (batch.target_out == UNK)) & real", ") & real")
p("xs107", "<unk> is right in a search", " and UNK not in right for", " for")
p = plants("data/corpus.py", "test_training.py", "trained_on_is_counted")
p("xs108", "nothing is trained on", "tobytes() in known for row", "tobytes() is known for row")
p = plants("data/store.py", "test_pairs.py", "their_texts_alone")
p("xs109", "the border of a pair does not count", 'len(texts[0]).to_bytes(8, "big") + b"".join(texts)', 'b"\\0".join(texts)')
p = plants("data/corpus.py", "test_registry.py", "lacks_a_method")
p("xs110", "pairs are two lists", "or not all(map(texts_of, found)):", "and not all(map(texts_of, found)):")
p = plants("plotting/maps.py", "test_plotting.py", "single_sign_lies")
p("xs111", "a wide sign stands", "short = len(text) == 1 or (", "short = len(text) == 0 or (")
p = plants("data/kept.py", "test_pairs.py", "damaged_folder or leaves_nothing")
p("xq847", "damage in the cache is not noticed", "if checksum(place / name) != right:", "if False:", select="damaged_folder")
p("xq848", "a failed reading leaves its folder", "    finally:\n        shutil.rmtree(made, ignore_errors=True)\n    return Kept(place, facts)", "    finally:\n        pass\n    return Kept(place, facts)", select="leaves_nothing")
p("xq8470", "damage in the facts is not noticed", 'if content["checksum"] != checksum_of(facts, sums):', "if False:", select="damaged_folder")
p("xq853", "without a cache, none", "    except (InputError, OSError):\n        pass\n", "    except InputError:\n        pass\n", select="temporary")
p = plants("data/kept.py", "test_language_model.py", "made_once or damaged_is_made_anew")
p("xt813", "the text is read every time", "    try:\n        return read_kept(place)\n    except", "    try:\n        raise OSError\n    except", select="made_once")
p("xs101", "what is kept is not looked at", "        if checksum(place / name) != right:\n", "        if not (place / name).is_file():\n")
p = plants("data/store.py", "test_pairs.py", "report")
p("xs114", "a hash made every split", 'if any({split, "train"} <= {*part.splits} for part in parts)', "if True")
p = plants("data/formats.py", "test_pairs.py", "how_a_file_was_read")
p("xs115", "a separator is always a comma", '{",": "CSV", "\\t": "CSV, separated by tabs"}.get(', '{delimiter: "CSV"}.get(')
p = plants("terminal/progress.py", "test_language_model.py", "shows_a_bar")
p("xs116", "no bar in a notebook", 'in_a_notebook = type(sys.stderr).__module__.startswith("ipykernel")', "in_a_notebook = False")
p("xs117", "a bar in a file", "if not (in_a_notebook or sys.stderr is not None and sys.stderr.isatty()):", "if sys.stderr is None:")
p = plants("training/loop.py", "test_language_model.py", "shows_a_bar")
p("xs118", "a bar for those who want none", "steps_bar(steps, optimizer.t) if bar else", "steps_bar(steps, optimizer.t) if True else")
p = plants("cli/generating.py", "test_language_model.py", "longer_than_what_is_read")
p("xs119", "a beginning that fits is too long", "if len(ids) > (most", "if len(ids) >= (most")
p = plants("data/registry.py", "test_registry.py", "cannot_be_a_task")
p("xs120", "a default of another type", "            expect_type(field.default, field.type, where)\n", "            pass\n")
p = plants("runs/config.py", "test_registry.py", "known_to_the_commands")
p("xs121", "a run without its package is to be corrected", "    except UnknownTask:\n        raise  # nothing in the file is wrong\n", "")
p = plants("core/options.py", "test_pairs.py", "named_by_a_path")
p("xs122", "a path is no text", "    return os.fspath(value) if isinstance(value, os.PathLike) else value", "    return value")
p("xs123", "several texts are one after the other", '"\\n".join(map(as_text', '"".join(map(as_text')
p = plants("data/byte_pairs.py", "test_byte_pairs.py", "byte_order_mark or another_kind")
p("xs124", "the last of two ids counts", "    if len(dict(pairs)) < len(pairs):\n", "    if False:\n")
p("xs125", "a mark is part of the JSON", 'of_tokens.decode("utf-8-sig")', "of_tokens.decode()")
p("xs126", "a mark is part of a merge", 'of_merges.decode("utf-8-sig")', "of_merges.decode()")
p = plants("plotting/fonts.py", "test_plotting.py", "usual_font_lacks or cannot_be_read")
p("xs129", "a font has the next character too", "place < len(known) and known[place] == code", "place < len(known)")
p("xs130", "a font that has but boxes", 'return next((font.name for font in plain if has(font.fname, character)), None)', 'return next((font.name for font in plain), None)')
p = plants("plotting/style.py", "test_plotting.py", "usual_font_lacks")
p("xs131", "all in the usual font", "                text.set_fontfamily(families(text.get_text()))\n", "                pass\n")
p("xs132", "what no font has is a box", " and font_for(c) is not None", "")
p = plants("grading/known.py", "test_grading.py", "constant_factor_is_the_same")
p("xs112", "a factor of one situation is that of all", "np.ptp(factors) <= 1e-6 * abs(factors[0])", "np.ptp(factors) <= 1.000001 * abs(factors[0])")
p = plants("grading/apart.py", "test_grading.py", "beginning_is_kept")
p("xs113", "what is printed is counted and lost", "            self.head += block[: HEAD - len(self.head)]\n", "")
p = plants("training/distributed.py", "test_distributed.py", "numbers_of_one_process")
p("xm901", "the sums of the ranks are added up in a row", "    return total(range(spans[-1].stop))\n", "    return sum(values[1:], values[0])\n", select="add_up_what_the_sum")
p("xm902", "what others have added up is one share", "in zip(own, sums)}", "in zip(own[::-1], sums)}")
p("xm903", "a rank sends every share", "    if own.start <= span.start and span.stop <= own.stop:\n", "    if own.start <= span.start and span.stop <= own.stop and len(span) == 1:\n", select="sends_its_shares_added_up")
p("xm909", "forks add up what does not belong together", "self.open_forks(opened, len(mine), groups)", "self.open_forks(opened, len(mine), [range(len(mine))])", select="forks_of_a_rank_add_up")
p("xm904", "the step is made with the gradients of the rank's own shares", "        self.reduce_scatter(sums)\n", "")
p("xm905", "parameters of the other slices stay as they were", "        self.ranks.gather_parts(flat.data, self.parts)\n", "")
p("xm906", "the loss is that of the first share", "return float(sum_of_spans(sum(self.spans, []), *values))", "return float(values[0])")
p("xm907", "the length is that of a slice", "for part in self.mine], max_norm, self.in_their_order)", "for part in self.mine], max_norm)", select="clipping_is")
p("xm908", "all gradients of a rank are those of its last share", "            if grad is not self.optimizer.flat.grad:\n                grad[...] = self.optimizer.flat.grad\n", "")
p("xm910", "batches may differ", "        self.expect_same_batch(batch)\n        shares", "        shares", select="different_batches")
p("xm911", "batches are compared by their sources", "        for ids in batch:\n", "        for ids in batch[:1]:\n", select="different_batches")
p("xm912", "a checkpoint has the moments of one slice", "        self.optimizer.collect = self.collect_moments\n", "", select="moments_of_all")
p("xm913", "only one moment is collected", "for name in self.optimizer.moments:\n            self.ranks.collect", "for name in [*self.optimizer.moments][:1]:\n            self.ranks.collect", select="moments_of_all")
p("xm914", "a rank may have nothing to do", "if ranks > shares:", "if ranks > shares + 1:", select="more_ranks_than")
p("xm915", "the optimizer goes on collecting", 'opened.callback(setattr, self.optimizer, "collect", None)', "pass")
p("xm950", "the blocks of the slices are in the order of the ranks", "return self.ranks.joined(values)[np.argsort(np.concatenate(places))]", "return self.ranks.joined(values)", select="sent_early")
p("xm951", "moments stay where they were moved", "        if error is None:\n            for name in self.optimizer.moments:\n                self.ranks.gather", "        if False:\n            for name in self.optimizer.moments:\n                self.ranks.gather", select="sent_early")
p("xm961", "a rank that fails waits for the others", "        if error is None:\n            for name in self.optimizer.moments:\n                self.ranks.gather", "        if True:\n            for name in self.optimizer.moments:\n                self.ranks.gather", select="fails_sends_no")
p("xm952", "the first buckets are sent first", "bucket = self.waiting.pop()", "bucket = self.waiting.pop(0)", select="sent_early")
p = plants("training/overlapped.py", "test_distributed.py", "sent_early")
p("xm953", "a bucket is sent when its first gradients are final", "if self.buckets[b].start >= place]", "if self.buckets[b].stop > place]")
p("xm954", "a component is finished after one of its backwards", "unfinished[id(component)] -= 1", "unfinished[id(component)] = 0", select="used_twice")
p("xm955", "only the first parameter of a component counts", "id(component): max(own)}", "id(component): min(own)}", select="in_a_list")
p("xm956", "nothing is sent early", "        self.begin(len(final), self.grads[:1])\n", "        pass\n")
p("xm957", "others' components are trusted", "self.count != self.ranks.size or not own", "self.count != self.ranks.size", select="not_of_the_package")
p("xm963", "parameters in lists are not seen", "for _, p in component._members(Parameter)]", "for _, p in component._members(Parameter) if p in vars(component).values()]", select="in_a_list")
p("xm964", "what a share does not use is that of the last step", "                parameter.grad  # noqa", "                parameter  # noqa", select="used_in_one_share")
p = plants("training/shares.py", "test_distributed.py", "used_in_one_share")
p("xm965", "what a share does not use is that of the share before", "        self.optimizer.flat.grad  # noqa", "        self.optimizer.flat  # noqa")
p = plants("training/distributed.py", "test_distributed.py", "not_alike")
p("xm966", "ranks may begin with other parameters", "            found = zlib.crc32(array, found)\n", "            pass\n")
p("xm967", "moments may differ at the start", "*(getattr(optimizer, n) for n in optimizer.moments)):", "):")
p("xm968", "the optimizer's numbers may differ", '{type(optimizer).__name__} ({said})', '{type(optimizer).__name__}')
p("xm969", "the rate is that of the last step", "rate(self.optimizer.t + 1) if", "rate(self.optimizer.t) if")
p("xm970", "rates may differ", "        if len({*rates}) > 1:\n", "        if False:\n")
p = plants("decoding/translation.py", "test_distributed.py", "ask_for_other_answers")
p("xm971", "the ranks may have other models", "            found = zlib.crc32(as_numpy(parameter.data).tobytes(), found)\n", "            pass\n")
p("xm972", "the ranks may be asked other things", "zlib.crc32(packed([name, ascii(sorted(options.items())), *others]))", "zlib.crc32(packed([name, ascii(sorted(options.items()))]))")
p("xm973", "the search's options may differ", "ascii(sorted(options.items())), *others", "*others")
p = plants("cli/commands.py", "test_distributed.py", "stays_as_it_is")
p("xm974", "a run is moved before it is refused", '    expect_shares(there.get("training", {}).get("shares", ranks), ranks)\n    run = Run.resume(options.resume, steps)\n', '    run = Run.resume(options.resume, steps)\n    expect_shares(there.get("training", {}).get("shares", ranks), ranks)\n')
p = plants("training/overlapped.py", "test_distributed.py", "sent_early")
p("xm958", "each rank decides for itself", "self.ranks.all_equal_in_size(pays).min()", "self.ranks.all_equal_in_size(pays)[self.ranks.rank, 0]", select="the_same_on_all_ranks")
p("xm959", "it is never tried", "self.tried = self.count != self.ranks.size", "self.tried = True")
p("xm960", "the sum of several shares is sent early, too", "self.tried = self.count != self.ranks.size", "self.tried = False", select="whatever_the_first_batch")
p = plants("training/shares.py", "test_distributed.py", "fails_sends_no")
p("xm962", "what was opened is not told of an error", "self.opened.__exit__(*error)", "self.opened.close()")
p = plants("parallel/mpi.py", "test_distributed.py", "what_one_rank_cannot")
p("xm921", "the place is that of who says it", 'next(rank for rank, text in enumerate(told) if text)', "self.rank")
p("xm923", "versions may differ", "        if len({*values}) > 1:\n", "        if False:\n", select="same_version")
p("xm924", "each rank compares with itself", "if text != values[0])", "if text != value)", select="same_version")
p("xm925", "what MPI says is shown raw", "except RuntimeError as problem:  # mpi4py's", "except ZeroDivisionError as problem:", select="what_mpi_says")
p("xm926", "a rank waits for ever", "if waited > longest:", "if waited > 1000 * longest:", select="does_not_come")
p("xm927", "a rank lives on after it has ended all", "        os._exit(status)\n", "        raise SystemExit(status)\n", select="only_passes_the_message")
p("xm928", "one of the environments is known", "return any(os.environ.get(name", "return all(os.environ.get(name", select="started_by_mpiexec_shares")
p("xm929", "who is started alone is told so too late", 'os.environ.get(name, "1") != "1" for name in sizes', 'os.environ.get(name, "1") != "0" for name in sizes', select="started_by_mpiexec_shares")
p = plants("cli/ranks.py", "test_distributed.py", "one_rank_says")
p("xm930", "all ranks speak", "    if ranks.rank:  # to", "    if False:  # to")
p("xm931", "rank 0 is silent, too", "    if ranks.rank:  # to", "    if True:  # to")
p("xm932", "what is raised on all ranks is said by all", "except (OnAllRanks, NonFiniteError, *raised_together):", "except (OnAllRanks, NonFiniteError):")
p("xm933", "an error of one rank is left to that rank", "except (OnAllRanks, NonFiniteError, *raised_together):", "except (InputError, NonFiniteError, *raised_together):")
p("xm934", "what the other ranks raise is lost", "        sys.stderr = errors\n", "")
p("xm935", "no one says where", 'complain(f"{ranks.place()}: {sentence(problem)}")', "complain(sentence(problem))")
p("xm936", "a signal has the status of an error", "        return problem.code\n", "        return 1\n")
p("xm937", "Ctrl-C has the status of an error", "{KeyboardInterrupt: 130, InputError: 2}", "{InputError: 2}")
p("xm938", "a signal is shown as Python has it", "(KeyboardInterrupt, SystemExit)):  # by", "KeyboardInterrupt):  # by")
p("xm939", "an engine that was chosen does not count", 'engine == "processes" or engine is None and not started_by_mpiexec()', "not started_by_mpiexec()", select="started_by_mpiexec_shares")
p("xm940", "the ranks are not told apart from one process", 'engine == "processes" or engine is None and not started_by_mpiexec()', 'engine != "mpi"', select="started_by_mpiexec_shares")
p = plants("runs/run.py", "test_distributed.py", "followed_by_ranks")
p("xm941", "all ranks write", "            run.writes = run.metrics.writes = False\n", "")
p("xm942", "only checkpoints are of rank 0 alone", "run.writes = run.metrics.writes = False", "run.writes = False")
p = plants("grading/changes.py", "test_guesses.py", "change or list")
p("xgc60", "no first serves all", "for axis, index in enumerate(FIRST_OF):", "for axis, index in ():", select="words")
p("xgc61", "no usual rates", "others += USUAL if value in USUAL else ()", "others += ()", select="words")
p("xgc62", "an index is a quantity", "            waiting.append(target.value)\n", "            names += [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]\n", select="entry")
p("xgc01", "a change stays", "place.quantity), node.lineno\n            put(parent, field, index, node)\n", "place.quantity), node.lineno\n")
p("xgc02", "names that are exchanged stay so", "        rename(uses[one], one), rename(uses[other], other)\n", "        pass\n")
p("xgc03", "lines that are exchanged stay so", "body[k].lineno\n            body[k], body[k + 1] = body[k + 1], body[k]\n", "body[k].lineno\n")
p("xgc04", "a term that is taken off loses its sign", "isinstance(op, ast.Add) else ast.UnaryOp(ast.USub(), right)", "isinstance(op, ast.Add) else right")
p("xgc05", "what divides stands alone", "yield LEFT_OUT, ast.BinOp(number(1), op, right),", "yield LEFT_OUT, right,")
p("xgc06", "brackets are missing on one side alone", "    if isinstance(right, ast.BinOp) and isinstance(right.op, inside):\n", "    if False:\n")
p("xgc07", "a list is an array", "if isinstance(node, ast.Assign) and not isinstance(node.value, ast.List):", "if isinstance(node, ast.Assign):")
p("xgc08", "what is looped over may be any array", "                here = Place(place.quantity, [])  # over", "                pass  # over")
p("xgc09", "axes as they are", "if ast.unparse(keyword.value) != repr(axis):", "if ast.unparse(keyword.value) == repr(axis):")
p("xgc10", "slices begin where they began", "ast.unparse(low) == \"1\" else low, None)", "ast.unparse(low) == \"0\" else low, None)")
p = plants("grading/guesses.py", "test_guesses.py", "known or first_numbers or time_runs or part")
p("xgc20", "what holds once is said", "        found = [one for one in found if (one[-1].title, one[0]) in there]\n", "", select="first_numbers")
p("xgc21", "the last change is the best", "min(found, key=lambda one: one[:4])", "max(found, key=lambda one: one[:4])")
p("xgc22", "time does not matter", "        if not budget.is_left():\n", "        if False:\n", select="time_runs")
p("xgc24", "the mistakes of a part are not known", "        if part is not None and function not in self.mains:\n", "        if False:\n", select="part")
p("xgc25", "a part stays wrong", "                yield rank, mistake, self.now()\n                self.put(function, right)\n", "                yield rank, mistake, self.now()\n", select="nothing_remains")
p("xgc26", "one output is enough for all", "            whole = agree(yours, made)\n", "            whole = True\n", select="some_outputs")
p = plants("grading/known.py", "test_grading.py", "more_situations")
p("xg72", "the mistake that shows least is the larger", "return len(changed), distance", "return -len(changed), distance", select="more_situations")
p("xg73", "constant arrays are multiples", "                return 0.0  # of two arrays", "                pass  # of two arrays", select="neither_is_called")
p = plants("grading/topics/dropout.py", "test_grading.py", "one_p_alone")
p("xg74", "one p is enough", 'ANOTHER_P = {"p = 0.6": lambda given, rng, n: {"p": 0.6}}', "ANOTHER_P: dict = {}")
p = plants("grading/topics/teacher_forcing.py", "test_grading.py", "special_token")
p("xg75", "words with the ids of special tokens", "PAD, target + UNK)", "PAD, target)")
p = plants("grading/evidence.py", "test_grading.py", "all_that_is_wrong_is_nan")
p("xg76", "NaN is a number", "if np.isfinite(a[~agreeing(a, b, yours[situation].tolerance)]).any():", "if True:")
p = plants("grading/calling.py", "test_grading.py", "no_line_of_the_learner")
p("x376", "float32 is as exact as its inputs allow it nowhere", "AMPLE = 10 ", "AMPLE = 0 ", select="right_in_float32")
p("xg77", "a line of a library", "if not _is_ours(f.filename) and not f.filename.startswith(LIBRARIES)", "if not _is_ours(f.filename)")
p = plants("grading/lines.py", "test_faulty_lines.py", "no_other_line or reciprocal")
p("xln60", "another line beside a sure one", "        if not repaired:\n", "        if len(repaired) < 2:\n")
p("xln63", "the line after is not looked at", "if reached == ALL and len(reasons) == 1:", "if False:", select="hands_on")
p("xln61", "reciprocals are unknown", "for v in (value, -value, 1 / value)", "for v in (value, -value)")
p = plants("testing/difference.py", "test_gradient_check.py", "array_at_hand")
p("xgd24", "no factor is looked for entry by entry", "_factor, _other_array, _multiplied, _moved,", "_factor, _other_array, _moved,")
p = plants("grading/diagnosis.py", "test_grading.py", "each_time or comes_near")
p("xg70", "it is searched in what changes from call to call", "    if kept:  # numbers of which nothing else can be said\n", "    if False:\n", select="each_time")
p("xg71", "evidence of what only comes near", "is_all = known.exact and not known.remains", "is_all = True", select="comes_near")

p = plants("grading/diagnosis.py", "test_guesses.py", "known")
p("xgc30", "no change is tried", "        guessed = guess(_twice(exercise, submission, draw, yours, expected))\n", "        guessed = None\n")
p = plants("grading/program.py", "test_guesses.py", "part")
p("xgc23", "parts are not changed", "                        waiting.append(part)\n", "")
p = plants("grading/watching.py", "test_faulty_lines.py", "tell or told or given_another or starred")
p("xln02", "an operation in a loop is complete at once", "        if self.begun or not isinstance(node.target, ast.Name):\n", "        if not isinstance(node.target, ast.Name):\n")
p("xln03", "sums are told behind the outermost loop alone", "done = stored if around is None else [name for name in sums if name in around]", "done = stored if around is None else []")
p("xln04", "what is unpacked is not told", "        if not unpacked or is_pairwise or self.begun:\n", "        if True:\n")
p("xln05", "a starred value is told", "        if is_no_quantity or isinstance(node, ast.Starred):\n", "        if is_no_quantity:\n")
p("xln06", "−1 is a quantity", "        is_number = isinstance(getattr(node, \"operand\", None), ast.Constant)", "        is_number = False")
p("xln07", "indices are quantities", "        if isinstance(node, ast.Subscript):  # what it is asked for stays as it is\n", "        if False:\n")
p("xln08", "nothing is watched in a context", "    def visit_With(self, node):\n        node.body = self.block(node.body)\n", "    def visit_With(self, node):\n")
p("xln09", "what was given stays", "            self.instead = {}\n", "            pass\n", select="given_another")
p("xln10", "later changes are not kept", "kept.append(copy.copy(value))", "kept.append(value)")
p = plants("grading/own.py", "test_faulty_lines.py", "own_that or anything_else or text_is_not or without_end")
p("xln20", "a lambda has a text", " or code.co_name == \"<lambda>\"", "")
p("xln21", "libraries are the learner's own", "startswith((PACKAGE, *LIBRARIES))", "startswith(PACKAGE)")
p("xln22", "the package is the learner's own", "startswith((PACKAGE, *LIBRARIES))", "startswith(LIBRARIES)")
p("xln26", "lists grow without end", "> LARGEST", "> 1000 * LARGEST", select="grows_without")
p("xln27", "calls are not counted", "(ast.For, ast.While, ast.FunctionDef)", "(ast.For, ast.While)", select="without_end")
p("xln28", "what counts is a line of the learner", "isinstance(node, ast.stmt) and not is_count(node)", "isinstance(node, ast.stmt)", select="counts_is_no_line")
p("xln25", "rounds are not counted anew", "        self.rounds = 0\n        return tuple", "        return tuple", select="without_end")
p = plants("grading/repairs.py", "test_faulty_lines.py", "what_is_wrong or quantities_get or these_lines")
p("xln30", "a change stays", "words or fault(node, new)\n            put(parent, field, index, node)\n", "words or fault(node, new)\n")
p("xln31", "all lines are changed", "getattr(row[3], \"lineno\", None) == line]", "getattr(row[3], \"lineno\", None)]")
p("xln32", "counters are factors", "[name for name in place.names if name not in counters]", "place.names")
p("xln33", "indices get factors", "        if field in (\"slice\", \"keywords\",", "        if field in (\"keywords\",")
p("xln34", "functions get factors", "            if field == \"func\":  # of a method, what it belongs to\n", "            if False:\n")
p("xln35", "a factor stands for a divisor", "ast.Sub: \"term\", ast.Div: \"divisor\"}", "ast.Sub: \"term\", ast.Div: \"factor\"}")
p("xln36", "what is too many is not", "    if ast.dump(new) in inside:\n", "    if False:\n")
p("xln38", "nothing was to be added", "    if is_there or isinstance(target, ast.Subscript):", "    if False:")
p("xln39", "reversed axes stay", 'if isinstance(node, ast.Attribute) and node.attr == "T":', "if False:")
p("xln37", "exchanges are not tried", "KINDS = (exchanges, corrections,", "KINDS = (corrections,")
p = plants("grading/lines.py", "test_faulty_lines.py", "at_fault or besides or known_as or no_line or two_draws")
p("xln40", "one draw is enough for a change", "for yours, expected in self.attempts\n                ):", "for yours, expected in self.attempts[:1]\n                ):", select="elsewhere_too")
p("xln41", "time does not matter", "        return self.budget.is_left()\n", "        return True\n", select="given_time")
p("xln42", "the first value of its own is not shown", "        for n in unknown:\n            reasons", "        for n in []:\n            reasons")
p("xln43", "a value that is right is tried", "        if agree(made, after):\n            return ALL\n", "")
p("xln44", "the whole statement is named", "        shortest = next((n for n in parts if self.fixing([n])[1] == reached), number)\n", "        shortest = number\n")
p("xln45", "a reversed array is known", "            if agreeing(rows, value.reshape(-1), tolerance).all(axis=1).any():\n", "            if agreeing(np.sort(rows), np.sort(value.reshape(-1)), tolerance).all(axis=1).any():\n", select="known_as")
p("xln46", "any reshape is known", "        and (ends <= others or others <= ends)\n", "", select="known_as")
p("xln48", "a masked score is −∞ and nothing else", "HIDDEN = -1e8", "HIDDEN = -1e12", select="large_negative")
p("xln47", "sizes say something", "    return isinstance(value, (bool, int)) or bool(np.isin(value, (0, 1)).all())", "    return bool(np.isin(value, (0, 1)).all())", select="known_as")
p = plants("grading/diagnosis.py", "test_faulty_lines.py", "no_line or prints or at_fault")
p("xln50", "no lines of what draws at random, where a rule names it", "known.ruled and not exercise.align", "known.ruled", select="draws_at_random")
p("xln56", "no lines of what stops", 'has_run = not stopped or yours[situation].trouble.kind == "raised"', "has_run = not stopped", select="at_fault")
p("xln55", "what comes near is named beside a sure line", "        known = None  # what comes near, or makes a part of it, is not what it is\n", "        pass\n", select="comes_near")
p("xln51", "nothing is heard", "first, aloud=True, show=show)", "first, show=show)")
p("xln57", "nothing is shown early", "first, aloud=True, show=show)", "first, aloud=True)", judge="test_grading.py", select="printed_before or takes_the_place")
p("xln52", "no line is looked for", "        finding.lines = lines_at_fault(submission, _small(exercise, submission, draw))\n", "        pass\n")
p = plants("grading/attempt.py", "test_faulty_lines.py", "prints")
p("xln53", "every situation is heard", "aloud and name == next(iter(given))", "aloud")
p = plants("grading/calling.py", "test_faulty_lines.py", "prints")
p("xln54", "everything is heard", "contextlib.nullcontext() if aloud else contextlib.redirect_stdout(Silence())", "contextlib.nullcontext()")
p = plants("grading/smallest.py", "test_smallest.py", "")
p("xsm01", "a right answer has a case", " or not differing(yours, right, output)", "")
p("xsm02", "zeros are as good", "            if True in sentences:\n", "            if sentences:\n")
p("xsm03", "all digits are kept", "return np.round(value, decimals) + 0.0", "return value + 0.0")
p("xsm04", "any length", "        if sentence and len(sentence) <= LONGEST:\n", "        if sentence:\n")
p("xsm05", "yours and right are exchanged", "sentence = told(taken, output, a, b)", "sentence = told(taken, output, b, a)")
p("xsm06", "all inputs are named", "taken = taken_by(submission, exercise, given)", "taken = given")
p("xsm08", "what is not shown is left out", "    if not all(shown.values()):\n        return \"\"\n", "")
p("xsm09", "NaN is shown", "if yours is None or not (np.isfinite(yours).all() and np.isfinite(right).all()):", "if yours is None:")
p = plants("explorer/mathematics.js", "test_explorer.py", "computes")
p("xex01", "scores are not scaled", "const scale = 1 / Math.sqrt(Q.columns);", "const scale = 1;")
p("xex02", "d_Q is not scaled", "scaled(product(d_scores, K), scale)", "product(d_scores, K)")
p("xex03", "d_K with K for Q", "scaled(product(transposed(d_scores), Q), scale)", "scaled(product(transposed(d_scores), Q), 1)")
p("xex04", "softmax backward without its sum", "weights[j] * (value - along)", "weights[j] * value")
p("xbm01", "0/0 in a row of nothing but −∞", "value / Math.max(sum, 1)", "value / sum", select="nothing_is_allowed")
p("xbm02", "−∞ − −∞ in a row of nothing else", "shift = largest === -Infinity ? 0 : largest;", "shift = largest;", select="nothing_is_allowed")
p("xbm03", "products in 32 bits", "new x.data.constructor(rows * columns)", "new Float32Array(rows * columns)", select="nothing_is_allowed")
p("xex05", "layer norm backward: σ is a constant", "(value - average - hat[j] * along)", "(value - average)")
p("xex06", "layer norm backward without γ", "d_hat = row(d_y, i).map((value, j) => gamma[j] * value)", "d_hat = row(d_y, i).map((value, j) => value)")
p("xex07", "ε outside the root", "Math.sqrt(dot(centred, centred) / x.columns + config.epsilon[name])", "Math.sqrt(dot(centred, centred) / x.columns) + config.epsilon[name]")
p("xex08", "a bias of the first position alone", "value + b.data[i % y.columns]", "value + (b.data[i] ?? 0)")
p("xex10", "d_memory without the values' part", "d_memory = add(backToKey(d_k), backToValue(d_v));", "d_memory = backToKey(d_k);")
p("xex11", "self-attention forgets that its input is its memory", "[add(d_x, d_memory)];", "[d_x];")
p("xex12", "post-norm backward without the skip", "return [add(d_sum, d_x), ...others];", "return [d_x, ...others];")
p("xex13", "pre-norm adds the norm, not x", "return [add(x, branch), (d_y) => {", "return [add(normed, branch), (d_y) => {")
p("xex14", "pre-norm backward skips the norm", "add(d_y, backThroughNorm(d_normed))", "add(d_y, d_normed)")
p("xex15", "the decoder sees what comes next", "return key <= query;", "return key <= query + 1;")
p("xex16", "the last layer's d_memory alone", "d_memory = add(d_memory, d_memory_of_layer);", "d_memory = d_memory_of_layer;")
p("xex17", "no final norm", "if (config.final_norm) {", "if (false) {")
p("xex18", "embeddings without √D", "Math.sqrt(D) * value + code[j]", "value + code[j]")
p("xex19", "sines with the exponent of their own channel", "10000 ** (-(j - j % 2) / D)", "10000 ** (-j / D)")
p("xex20", "the derivative of GELU is Φ", "(x) => normalCdf(x) + x * normalDensity(x)]", "(x) => normalCdf(x)]", select="computes and gelu")
p("xex21", "the derivative of tanh GELU with ⅓ of its cubic", "SLOPE * (1 + 3 * CUBIC", "SLOPE * (1 + CUBIC", select="computes and text")
p("xex22", "ReLU's gradient everywhere", "(x) => (x > 0 ? 1 : 0)", "(x) => 1")
p("xex23", "d_logits without the one-hot", "p.data[token] - 1;", "p.data[token];")
p("xex24", "p − 1 in 32 bits", "const x = Float64Array.from(row", "const x = Float32Array.from(row", select="computes and shipped")
p("xex25", "small float16 numbers are lost", "fraction * 2 ** -24", "0", select="computes and shipped")
p("xex26", "a head that is off still gets a gradient", "isOff(h) ? 0 : 1)));", "1)));", select="switched_off")
p("xex27", "a head that is off still writes", "contexts.push(isOff(h) ? scaled(context, 0) : context);", "contexts.push(context);", select="switched_off")
p("xex28", "the least likely token", "value > last[best]", "value < last[best]")
p = plants("explorer/vocabulary.js", "test_explorer.py", "texts_are_read")
p("xex30", "é in two characters", 'return split(text.normalize("NFC")).join(" ");', 'return split(text).join(" ");')
p("xex31", "JavaScript's white space", '"\\\\t-\\\\r\\\\x1c-\\\\x20\\\\x85\\\\xa0"', '"\\\\t-\\\\r\\\\x20\\\\xa0"')
p("xex32", "capitals stay", "text = small ? text.toLowerCase() : text;", "")
p("xex33", "marks between thousands stay", "(?<=\\p{Nd})[ ,'](?=", "(?<=\\p{Nd})[_](?=")
p("xex34", "leading zeros stay", "(?<!\\p{Nd})0+(?=\\p{Nd})", "(?<!\\p{Nd})_+(?=\\p{Nd})")
p("xex35", "quotes stay", 'stripped(split(text).join(" "), quotes + " ", "left")', 'split(text).join(" ")')
p("xex36", "any known joint", "known.find((way) => seen.includes(way)) ?? known[0]", "known[0]")
p("xex37", "a minus is a joint", 'before === "" && piece.startsWith("-")', 'false && piece.startsWith("-")')
p("xex39", "half characters", "withUnknown([...plain(text)], vocabulary)", 'withUnknown(plain(text).split(""), vocabulary)')
p("xex40", "a special token can be typed", "(vocabulary.ids.get(piece) ?? 0) < FIRST", "!vocabulary.ids.has(piece)")
p("xex41", "a text keeps the space at its end", "return trimmed(tokens.join(\"\"));", "return tokens.join(\"\");")
p("xex42", "a German number stays whole", 'found.length && found.join("") === bare', "false")
p = plants("explorer/page.js", "test_explorer.py", "")
p("xex50", "one token too many for the positions", "config.max_length - before.length + 1);", "config.max_length - before.length + 2);", select="as_many_tokens")
p("xex53", "a forbidden cell is 0", "kept.masked.data[place] === -Infinity && !", "false && !", select="forbidden_is")
p("xex54", "the first weight for the largest", "best = P.indexOf(Math.max(...P));", "best = 0;", select="follows_a_token")
p("xex56", "the focus is lost", "again.focus({ preventScroll: true });", ";", select="keyboard")
p("xex57", "every cell is a stop of Tab", "j === state.column ? 0 : -1", "j === state.column ? 0 : 0", select="keyboard")
p("xex58", "heads stay off", "state.off.clear();", "", select="switched_off")
p("xex59", "unknown characters are not named", "    notes.push(...read.notes);\n", "", select="as_many_tokens")
p("xex60", "d_K for K", "cells(columns[i], kept.K, kept.d_K, i)", "cells(columns[i], kept.d_K, kept.d_K, i)", select="norms_that")
p = plants("explorer/page.css", "test_explorer.py", "never_wider")
p("xex61", "a table is as wide as it is", ".wide { overflow-x: auto; }", "")
p = plants("explorer/page.py", "test_explorer.py", "nothing_in_it")
p("xex70", "a tag in the facts", '.replace("<", "\\\\u003c")', "")
p("xex71", "a tag in the title", '"title": html.escape(title)', '"title": title')
p("xex72", "a frame with the page's own quotes", 'srcdoc="{html.escape(self.html)}"', 'srcdoc="{self.html}"', select="frame")
p("xex73", "too large for float16", "if not np.isfinite(numbers).all():", "if False:", select="refused_in")
p("xex74", "NaN is written", "if not np.isfinite(as_numpy(parameter.data)).all():", "if False:", select="refused_in")
p("xex75", "a vocabulary of another model", 'f"{side}_vocabulary")) != len(vocabulary):', 'f"{side}_vocabulary")) < 0:', select="refused_in")
p("xex76", "no place for BOS", "most = model.config.max_length - (not isinstance(model, Transformer))", "most = model.config.max_length", select="refused_in")
p("xex77", "numbers of this machine's order", '"<f2", "float32": "<f4"', '">f2", "float32": ">f4"', select="their_order")
p = plants("cli/asking.py", "test_explorer.py", "example_of_the_run")
p("xex78", "a text is answered", 'is_text = run.task.kind == "text"', "is_text = False")
p("xex79", "float16 whatever is asked for", "weights=options.weights,", 'weights="float16",')
p("xex80", "texts unlike those of training go unsaid", "in [] if is_text else texts or []:", "in []:", judge="test_translation.py", select="longest_source_is")
p = plants("explorer/page.py", "test_explorer.py", "computes")
p("xex81", "every ε is the usual one", "path: part.epsilon for path, part", "path: 1e-5 for path, part")
p = plants("explorer/mathematics.js", "test_explorer.py", "computes")
p("xep01", "an earlier token is forgotten", "return [before ? below(before[i][0], y) : y, back];", "return [y, back];")
p("xep02", "the newest query is at the beginning", "mayAttend(start + query, key), kept", "mayAttend(query, key), kept")
p("xep03", "every token that is read stands at the beginning", "const start = kept.past?.read ?? 0;", "const start = 0;")
p("xep05", "the lens without the final norm", "output(config.final_norm ? layerNorm(x, `${name}.final_norm`)[0] : x, table)", "output(x, table)")
p("xep06", "the lens looks at the first position", "row(x, layer).set(row(y, position))", "row(x, layer).set(row(y, 0))")
p("xep07", "the output of the layer before", "    outputs.push(x);", "    outputs.unshift(x);")
p("xep08", "scales of the next parameter", "byte * scales[i]", "byte * scales[i + 1]", select="every_moment")
p("xep09", "bytes without a sign", "new Int8Array(bytesOf(numbers).buffer)", "new Uint8Array(bytesOf(numbers).buffer)", select="every_moment")
p = plants("explorer/drawing.js", "test_explorer.py", "every_moment or slider")
p("xep18", "letters that cannot be read", "> 0.179 ?", "> 0.5 ?", select="can_be_read")
p = plants("explorer/page.js", "test_explorer.py", "every_moment or slider")
p("xep10", "the slider moves and the weights stay", "weights = moment ? named(fromBytes(moment, lengths)) : atTheEnd;", "weights = atTheEnd;")
p("xep11", "nothing is computed anew", "  $(\"moment\").setAttribute(\"aria-valuetext\", said);\n  update();", "  $(\"moment\").setAttribute(\"aria-valuetext\", said);\n  if (!state.pass) update();")
p("xep12", "who cannot see hears a number", '  $("moment").setAttribute("aria-valuetext", said);\n', "")
p("xep13", "the page begins with the first moment", "chooseMoment(facts.moments.length);\n}", "chooseMoment(0);\n}")
p("xep22", "a text that cannot be read stops everything", "belongs to the text before.`);\n  }", "belongs to the text before.`);\n    return;\n  }")
p("xep14", "a slider with nowhere to go", '$("training").hidden = !facts.moments.length;', "", select="one_moment")
p("xep15", "the least likely tokens", "p[b] - p[a]).slice(0, 5)", "p[a] - p[b]).slice(0, 5)", select="computes")
p("xep16", "layers are counted from 0", "layer ? `layer ${layer}` : ", "layer ? `layer ${layer - 1}` : ", select="lens")
p("xep17", "every model is sure", '$("sure").hidden = pass.loss > 0.01;', '$("sure").hidden = false;', select="lens")
p("xep19", "the mask of a large model is forgotten", "isCausal ? causal : everywhere", "everywhere", select="large_model")
p("xep20", "the gradients of the first written token", "passes[state.target - first]", "passes[0]", select="large_model")
p("xep21", "a switch that does nothing", "checked: !isOff, disabled: facts.computed", "checked: !isOff, disabled: false", select="large_model")
p = plants("explorer/beforehand.py", "test_explorer.py", "large_model")
p("xep30", "the gradient at the first written token", "d_logits[steps, first + steps] = p", "d_logits[steps, first] = p")
p("xep31", "the gradient without the one-hot", "        p[steps, following[first:]] -= 1  # in 64 bits, as p may be nearly 1\n", "")
p("xep32", "all copies have the gradient of the first", 'for head in arrays["d_P"][n] for', 'for head in arrays["d_P"][0] for')
p("xep33", "the lens without the final norm", "model.output(states if norm is None else norm(states))", "model.output(states)")
p("xep34", "the sum of sizes, not the norm", "np.linalg.norm(x.astype(np.float64), axis=-1)", "np.linalg.norm(x.astype(np.float64), 1, axis=-1)")
p("xep35", "bytes are cut off, not rounded", "np.round(array / (scale or 1))", "(array / (scale or 1))", select="every_moment")
p("xep36", "the text is the answer's", '"answer": vocabulary', '"text": vocabulary')
p("xep37", "more is written than there are positions for", "model.config.max_length - len(before) + 1)", "model.config.max_length - len(before))", select="end_of_its_positions")
p = plants("explorer/page.py", "test_explorer.py", "left_out_evenly")
p("xep40", "the first moments", "np.linspace(0, len(moments), count + 1).round().astype(int)[:-1]", "range(count)")
p("xep41", "moments of any size", "count = int(min(len(moments), max(0, (room - ROOM) / largest)))", "count = len(moments)")
p("xep42", "at least one moment", "max(0, (room - ROOM) / largest)", "max(1, (room - ROOM) / largest)")
p("xep43", "nobody says what is missing", "    if kept < all_of_them:\n", "    if False:\n")
p("xep44", "moments in the order of the dictionary", '    moments.sort(key=lambda moment: moment["step"])\n', "", select="every_moment")
p("xep45", "weights of another shape", "    if own != shapes:\n", "    if {*own} != {*shapes}:\n", select="earlier_weights_of")
p("xep47", "float32 takes no more room", 'BYTES = {"float16": 2, "float32": 4}', 'BYTES = {"float16": 2, "float32": 2}', select="too_large_for")
p("xep48", "a long text of a large model", "if len(entry[\"ids\"]) > READ:", "if False:", select="too_large_for")
p("xep49", "texts of any size", ") > COMPUTED:", ") > 1e99:", select="too_large_for")
p("xep50", "moments of a large model are dropped", "    if is_large and earlier:\n", "    if False:\n", select="too_large_for")
p = plants("explorer/page.js", "test_explorer.py", "")
p("xed01", "the field's line ends are the text's", "? { ...read(chosen.text, vocabulary), ids: chosen.ids }", "? read(typed, vocabulary)", select="lines_of_a_text")
p("xed02", "a text with \\r is never that of the menu", "return text.replace(/\\r\\n?/g, \"\\n\");", "return text;", select="lines_of_a_text")
p("xed03", "nothing to follow before the first text that can be read", "ids: facts.texts[0].ids, count", "ids: null, count", select="leaves_it_alive")
p("xed04", "any number of tokens", 'if ($("tokens").checkValidity()) state.count', "if (true) state.count", select="no_number_of_tokens")
p("xed05", "a blank page for what is not finite", "const isShown = allFinite(state.pass);", "const isShown = true;", select="never_drawn")
p("xed06", "every digit of a rounded number", "error = kept.errors?.[what]?.[place];", "error = 0;", select="digits_above")
p("xed07", "the gradient d_S has the error of one d_P", "d_scores: steps.map((step, i) => step * P.data[i]),", "d_scores: steps.map((step, i) => step * P.data[i] / 1e4),", select="digits_above")
p = plants("explorer/page.html", "test_explorer.py", "")
p("xed08", "a field of one line", '<textarea id="text" rows="2" autocomplete="off" spellcheck="false"></textarea>', '<input id="text" autocomplete="off" spellcheck="false">', select="lines_of_a_text")
p("xed09", "the browser fills in what stood there", '<select id="shown" autocomplete="off">', '<select id="shown">', select="way_back")
p("xed10", "an empty number of tokens counts", 'value="12" required', 'value="12"', select="no_number_of_tokens")
p = plants("explorer/mathematics.js", "test_explorer.py", "64_bits")
p("xed11", "−log 0", "return [x[m] - x[token] - Math.log(p.data[m]), d_logits", "return [-Math.log(p.data[token]), d_logits")
p("xed12", "all numbers in one call", "values.reduce((largest, value) => Math.max(largest, value), -Infinity)", "Math.max(...values)", select="any_number_of_tokens")
p("xed13", "the first norm's epsilon", "config.epsilon[name]", "Object.values(config.epsilon)[0]", select="computes")
p = plants("explorer/beforehand.py", "test_explorer.py", "large_model")
p("xed14", "scores as float16", 'base64_of(arrays["scores"][0].astype("<f4"))', 'base64_of(arrays["scores"][0].astype("<f2").astype("<f4"))', select="float16_can_hold")
p("xed15", "numbers that are not finite", "return all(np.isfinite(array).all() for array in arrays)", "return True", select="if_it_is_not_finite")
p = plants("explorer/page.py", "test_explorer.py", "refused_in")
p("xed16", "the source's tokens are not compared", 'sides = ["target", "source"] if', 'sides = ["target"] if')
p("xed18", "any file is replaced", "if os.path.lexists(path) and not is_page(path):", "if False:", select="replaces_a_page")
p("xed19", "any page is ours", ' and MARK in beginning', "", select="replaces_a_page")
p("xed20", "complex weights", 'array.dtype.kind in "fiu"', 'array.dtype.kind in "fiucU"', select="earlier_weights_of")
p = plants("runs/facts.py", "test_run.py", "tensors_do_not_fit")
p("xed21", "a step in any digits", 'STEP = "0|[1-9][0-9]{0,17}"', 'STEP = r"\\d{1,18}"')
p = plants("training/hooks.py", "test_run.py", "kept_for_the_explorer")
p("xep51", "the weights of any model", "if self.run.model.parameter_count() <= SMALL:", "if True:")
p("xep52", "weights that float16 cannot hold", "if np.isfinite(weights).all():", "if True:")
p = plants("runs/run.py", "test_run.py", "kept_for_the_explorer")
p("xep53", "earlier weights are forgotten on the way", 'self.earlier = {int(at): weights for at, weights in part("earlier/").items()}', "self.earlier = {}")
p("xep54", "the present is a past", "            if step < self.optimizer.t\n", "")
p = plants("runs/facts.py", "test_run.py", "tensors_do_not_fit")
p("xep55", "weights of another number", "or weights.shape != (count,):", "or False:")
p("xep56", "infinite weights in a checkpoint", "        if not np.isfinite(weights).all():\n", "        if False:\n")
p = plants("cli/asking.py", "test_explorer.py", "followed_through")
p("xep57", "the command forgets the training", "earlier=run.earlier_weights(), **options", "**options")
p("xep58", "any number of megabytes", "megabytes=options.megabytes\n", "megabytes=99.0\n")
p = plants("cli/asking.py", "test_cli.py", "formats_of_plot")
p("xep60", "options that do nothing", "        if getattr(options, name) is not None:\n", "        if False:\n")
p("xep61", "the page forgets its text", "page_of(run, [options.text] if options.text is not None else None)", "page_of(run, None)")
p("xep62", "a model that no page can show", "    if type(run.model) not in SHOWN:\n", "    if False:\n", select="no_page_can_show")
p = plants("cli/pictures.py", "test_cli.py", "svg_is")
p("xep63", "names that are drawn by chance", '"svg.hashsalt": "minitransformer", ', "")
p("xep64", "the date of today", '{"Date": None} if is_svg else None', "None")
p = plants("plotting/maps.py", "test_cli.py", "svg_is")
p("xep65", "cells of many dots", 'interpolation="none"', 'interpolation="nearest"')
p = plants("plotting/attention.py", "test_plotting.py", "more_maps or does_not_fit_into or influence_of_a_long")
p("xep66", "any number of maps", "    rows = min(rows, PANELS // (len(heads) + bool(mean)))\n", "")
p("xep67", "any number of heads", "    columns = min(columns, PANELS)\n    heads, other_heads = heads[: columns - bool(mean)], heads[columns - bool(mean) :]\n    rows = min(rows, PANELS // ", "    heads, other_heads = heads[: columns - bool(mean)], heads[columns - bool(mean) :]\n    rows = min(rows, 1 + PANELS // ")
p("xep68", "memory without end", "    if needed > WEIGHTS:\n", "    if False:\n")
p("xep69", "attention costs nothing", "ATTENTION * maps * tokens)", "0)")
p = plants("inspection/attention.py", "test_observe.py", "source_gradients_of_a_long")
p("xep70", "each part has the first steps", "source, target_in, as_numpy(target), steps) for steps in parts]", "source, target_in, as_numpy(target), steps - steps[0]) for steps in parts]")
p("xep71", "the targets of the first steps", "    target = target[steps]\n", "    target = target[: len(steps)]\n")

# -- for learners: check, watch, next ------------------------------------------------------------------------------

p = plants("grading/one_file.py", "test_learning.py", "check or file or status or right")
p("xle1", "a cell that failed is all right", "failed = submission.errors and not exercises", "failed = False", select="cell_that_failed")
p("xle2", "a file that was stopped is all right", 'submission.status != "graded" or not submission.reports', "not submission.reports", select="come_to_its_end")
p("xle3", "reports that nobody asked for", "    if wanted:\n", "    if False:\n", select="named_exercises")
p("xle4", "Ctrl-C is no end", "        raise KeyboardInterrupt\n", "        pass\n", select="ends_the_check")
p("xle5", "a full disk is Ctrl-C", ' and "interrupted" in submission.remark', "", select="want_of_room")
p("xle6", "words for teachers", ".removeprefix(LOOK)", "", select="without_the_words")
p("xle7", "a folder is a file", "    if os.path.isdir(file):\n", "    if False:\n", select="no_file_of_answers")
p("xle8", "a missing answer is all right", " or missing(submission, exercises):\n", ":\n", select="named_exercises")
p = plants("cli/learning.py", "test_learning.py", "watch or once_for_each or put_aside or goes_while")
p("xle9", "the file is checked again and again", "if saved not in (None, checked):", "if saved is not None:", select="once_for_each")
p("xle10", "a save of the same size", "return found.st_mtime_ns, found.st_size", "return found.st_size", select="once_for_each")
p("xle11", "a file that an editor puts aside is an error", "                if saved_at(options.file) is not None:\n", "                if True:\n", select="goes_while")
p("xle12", "a save while the file is checked is missed", "                print(f\"\\n{news.of(submission)}\", flush=True)\n", "                print(f\"\\n{news.of(submission)}\", flush=True)\n                checked = saved_at(options.file)\n", select="not_missed")
p = plants("grading/news.py", "test_learning.py", "news or syntax_error or moved")
p("xle13", "a line that moved is news", "content(report) != content(self.reports[id])", "report != self.reports[id]", select="moved")
p("xle14", "a syntax error takes answers back", "{**self.reports, **reports} if said else reports, said", "reports, said", select="syntax_error")
p("xle15", "a syntax error is told as answers that are gone", "        if not said:\n", "        if True:\n", select="syntax_error")
p("xle16", "what failed before is told again", "blocks = [note for note in said if note not in self.notes]", "blocks = list(said)", select="not_said_before")
p = plants("lessons/progress.py", "test_learning.py", "next or everybody or without_an_answer or another_checker or step")
p("xle17", "an earlier lesson's answer counts later too", "if lesson_of(file) in (None, step.lesson.number)", "if True", select="everybody")
p("xle18", "what is for those who want more comes in between", "min(waiting, key=lambda step: step.is_further)", "waiting[0]", select="everybody")
p("xle19", "notebooks without an answer are run", "{} if is_untouched(file) else known.get(keys[file])", "known.get(keys[file])", select="without_an_answer")
p("xle20", "verdicts of another checker", 'f"{checker()}{json.dumps(code)}"', "json.dumps(code)", select="another_checker")
p("xle21", "a crash is kept as a verdict", '            if submission.status == "graded":\n', "            if True:\n", select="could_not_be_run_is_named")
p("xle22", "Ctrl-C is a file without answers", "                raise KeyboardInterrupt\n", "                pass\n", select="ctrl_c_ends_next")
p("xle23", "nothing is for those who want more", "EXERCISES[id], line in further)", "EXERCISES[id], False)", select="everybody or each_exercise")
p("xle40", "what is further never ends", "        if line.startswith((\"# ## \", f\"# {FURTHER}\")):\n", "        if line.startswith(f\"# {FURTHER}\"):\n", select="next_heading")
p("xle24", "what a lesson breaks on purpose is an exercise", "        if name == EXERCISES[id].name\n", "", select="each_exercise")
p = plants("grading/runner.py", "test_learning.py", "exercises_name_counts")
p("xle25", "another answer hides the function of the name", "exercise.id in named or not is_of_the_file", "exercise.id in found['reports'] or not is_of_the_file")
p("xle26", "another function of the name takes an answer away", "            reports.update({exercise.id: before} if before else {})\n", "")
p = plants("grading/hints.py", "test_grading.py", "plain_solution")
p("xle27", "a solution without its numbers", "if isinstance(thing, int)]", "if False]", select="plain_solution and shift")
p("xle28", "a solution without its functions", "[*helpers, ", "[", select="plain_solution and self_attention")
p("xle29", "the exercises that a solution calls are not named", "[*numbers, *others, text]", "[*numbers, text]", select="begins_with")
p = plants("grading/report.py", "test_learning.py", "ids_that_last or whole_from")
p("xle30", "a note hides an error", 'return min(found, default="")', 'return max(found, default="")')
p("xle31", "a convention comes back as an error", "        id = CONVENTION + id\n", "        pass\n")
p("xle32", "a convention has another id", ".removeprefix(CONVENTION)", "")
p("xle33", "ids of no exercise", '"id": f"{self.exercise}/{finding.id', '"id": f"{finding.id')
p = plants("grading/grade.py", "test_learning.py", "remains_besides")
p("xle34", "what remains is counted as a mistake", 'finding["id"] != f"{exercise}/remains"', 'finding["id"] != "remains"')
p = plants("grading/topics/softmax.py", "test_catalogue.py", "loses_its_name or kind_and_no_rules")
p("xle35", "a mistake has another name", '"diagonal-only"', '"diagonal-alone"')
p("xle36", "two mistakes of one name", '"sum-over-columns"', '"diagonal-only"')
p = plants("grading/diagnosis.py", "test_catalogue.py", "where_its_mistake")
p("xme1", "nobody made a known mistake", "finding.question, finding.met = mistake.question, mistake.met", "finding.question = mistake.question")
p("xme2", "nobody followed another convention", '"", [text], met=mistake.met)', '"", [text])')
p = plants("grading/report.py", "test_catalogue.py", "from_before")
p("xme3", "an old report knows where", '    met: str = ""\n', '    met: str = "?"\n')
p = plants("grading/result.py", "test_learning.py", "where_people_made")
p("xme4", "a class is not told where", '"severity": str, "met": str,', '"severity": str,')
p = plants("grading/topics/met.py", "test_catalogue.py", "of_one_form")
p("xme5", "an address that is none", "/issues/{number}", "/issue/{number}")
p("xme6", "links run together", '"; ".join', '" ".join')
p("xme7", "a link names another report", '"[{repository}#{number}](https://github.com/{repository}/pull/{number})"', '"[{repository}#{number}](https://github.com/{repository}/pull/{number}0)"')
