"""Right answers to counting a layer's work, as students might write them."""

from fractions import Fraction

import numpy as np

from minitransformer.attention import MultiHeadAttention, ScaledDotProductAttention
from minitransformer.older import Recurrence, RNNCell
from minitransformer.testing import count_products

from . import answers

# operations.attention


@answers("operations.attention", "loops")
def attention_loops(length, features):
    count = 0
    for _query in range(length):
        for _key in range(length):
            count += features  # of the dot product
            count += features  # of the value that is added
    return count


@answers("operations.attention", "formula")
def attention_formula(n, d):
    return 2 * n**2 * d


@answers("operations.attention", "shapes")
def attention_shapes(length, features):
    products = [((length, features), (features, length)), ((length, length), (length, features))]
    return sum(rows * inner * columns for (rows, inner), (_, columns) in products)


@answers("operations.attention", "array")
def attention_array(length, features):
    """Every entry of both results, filled with what it took."""
    scores = np.full((length, length), features)
    values = np.full((length, features), length)
    return np.array([scores.sum() + values.sum()], dtype=np.float32)


@answers("operations.attention", "counted")
def attention_counted(length, features):
    """Not from a formula: a real pass."""
    x = np.zeros((1, 1, length, features))
    forward, _ = count_products(ScaledDotProductAttention(), x, x, x)
    return forward.multiply_adds()


# operations.recurrence


@answers("operations.recurrence", "loops")
def recurrence_loops(length, features):
    count = 0
    for _step in range(length):
        for _new in range(features):
            for _old in range(features):
                count += 1
            for _read in range(features):
                count += 1
    return count


@answers("operations.recurrence", "formula")
def recurrence_formula(n, d):
    return n * (d**2 + d**2)


@answers("operations.recurrence", "one matrix")
def recurrence_one_matrix(length, features):
    """[x, h] (2d) times the weights of both, one below the other (2d, d)."""
    rows, columns = 2 * features, features
    return {"multiply_adds": rows * columns * length}


@answers("operations.recurrence", "float32")
def recurrence_float32(length, features):
    d = np.float32(features)
    return np.float32(length) * d * d * 2


@answers("operations.recurrence", "counted")
def recurrence_counted(length, features):
    x = np.zeros((1, length, features))
    cell = RNNCell(features, features, np.random.default_rng(0))
    return count_products(Recurrence(cell), x, x[:, 0])[0].multiply_adds()


# operations.self_attention


@answers("operations.self_attention", "loops")
def self_attention_loops(length, features):
    count = 0
    for _position in range(length):
        for _matrix in "QKVO":
            count += features**2
        for _other in range(length):
            count += 2 * features
    return count


@answers("operations.self_attention", "formula")
def self_attention_formula(n, d):
    return 2 * n * d * (n + 2 * d)


@answers("operations.self_attention", "heads")
def self_attention_heads(length, features):
    """Each number of heads gives the same, also one that does not divide the features."""
    heads = 8
    width = Fraction(features, heads)
    of_one_head = 3 * length * features * width + 2 * length**2 * width + length * width * features
    return heads * of_one_head


@answers("operations.self_attention", "built on the core")
def self_attention_built(length, features):
    return attention_shapes(length, features) + np.sum([length * features**2] * 4)


@answers("operations.self_attention", "counted")
def self_attention_counted(length, features):
    layer = MultiHeadAttention(features, 1, np.random.default_rng(0))
    return sum(
        product.multiply_adds
        for product in count_products(layer, np.zeros((1, length, features)))[0].all
    )
