"""Answers to the exercises: gradient check."""

import numpy as np


# exercise: gradient_check.numerical
# wrong: the 2 of the distance is forgotten
# source: public question
def gradient_check_numerical_01(f, x, d_y, epsilon):
    d_x = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + epsilon
        plus = (f(x) * d_y).sum()
        x[index] = old - epsilon
        minus = (f(x) * d_y).sum()
        x[index] = old
        d_x[index] = (plus - minus) / epsilon  # <- wrong
    return d_x


# exercise: gradient_check.numerical
# wrong: a mean in place of the sum, on one side
# source: beginner
def gradient_check_numerical_02(f, x, d_y, epsilon):
    d_x = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + epsilon
        plus = (f(x) * d_y).sum()
        x[index] = old - epsilon
        minus = (f(x) * d_y).mean()  # <- wrong
        x[index] = old
        d_x[index] = (plus - minus) / (2 * epsilon)
    return d_x


# exercise: gradient_check.numerical
# wrong: the sign is turned
# source: beginner
def gradient_check_numerical_03(f, x, d_y, epsilon):
    d_x = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + epsilon
        plus = (f(x) * d_y).sum()
        x[index] = old - epsilon
        minus = (f(x) * d_y).sum()
        x[index] = old
        d_x[index] = (minus - plus) / (2 * epsilon)  # <- wrong
    return d_x


# exercise: gradient_check.numerical
# wrong: the parentheses are forgotten: multiplied by ε
# source: beginner
def gradient_check_numerical_04(f, x, d_y, epsilon):
    d_x = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + epsilon
        plus = (f(x) * d_y).sum()
        x[index] = old - epsilon
        minus = (f(x) * d_y).sum()
        x[index] = old
        d_x[index] = (plus - minus) / 2 * epsilon  # <- wrong
    return d_x


# exercise: gradient_check.numerical
# wrong: the weights of y are left out on one side
# source: beginner
def gradient_check_numerical_05(f, x, d_y, epsilon):
    d_x = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + epsilon
        plus = f(x).sum()  # <- wrong
        x[index] = old - epsilon
        minus = (f(x) * d_y).sum()
        x[index] = old
        d_x[index] = (plus - minus) / (2 * epsilon)
    return d_x


# exercise: gradient_check.numerical
# wrong: one side moves by half only
# source: beginner
def gradient_check_numerical_06(f, x, d_y, epsilon):
    d_x = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + epsilon / 2  # <- wrong
        plus = (f(x) * d_y).sum()
        x[index] = old - epsilon
        minus = (f(x) * d_y).sum()
        x[index] = old
        d_x[index] = (plus - minus) / (2 * epsilon)
    return d_x


# exercise: gradient_check.numerical
# wrong: the 2 is forgotten
# second: the sign is turned
# source: beginner
def gradient_check_numerical_07(f, x, d_y, epsilon):
    d_x = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + epsilon
        plus = -(f(x) * d_y).sum()  # <- wrong
        x[index] = old - epsilon
        minus = (f(x) * d_y).sum()
        x[index] = old
        d_x[index] = (plus - minus) / epsilon  # <- wrong
    return d_x


# exercise: gradient_check.numerical
# right: in place, put back
# source: public question
def gradient_check_numerical_08(f, x, d_y, epsilon):
    d_x = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + epsilon
        plus = (f(x) * d_y).sum()
        x[index] = old - epsilon
        minus = (f(x) * d_y).sum()
        x[index] = old
        d_x[index] = (plus - minus) / (2 * epsilon)
    return d_x


# exercise: gradient_check.numerical
# wrong: one-sided: the error shrinks with ε only
# source: issue of a public repository
def gradient_check_numerical_09(f, x, d_y, epsilon):
    flat = x.ravel()
    out = []
    for i in range(flat.size):
        e = np.zeros(flat.size)
        e[i] = epsilon
        e = e.reshape(x.shape)
        difference = 2 * (f(x + e) - f(x))  # <- wrong
        out.append((difference * d_y).sum() / epsilon / 2)
    return np.array(out).reshape(x.shape)


# exercise: gradient_check.numerical
# wrong: all numbers of x are moved at once
# source: beginner
def gradient_check_numerical_10(f, x, d_y, epsilon):
    flat = x.ravel()
    out = []
    for i in range(flat.size):
        e = np.zeros(flat.size)
        e[:] = epsilon  # <- wrong
        e = e.reshape(x.shape)
        difference = f(x + e) - f(x - e)
        out.append((difference * d_y).sum() / epsilon / 2)
    return np.array(out).reshape(x.shape)


# exercise: gradient_check.numerical
# wrong: float32 loses the digits
# source: public question
def gradient_check_numerical_11(f, x, d_y, epsilon):
    flat = x.ravel()
    out = []
    for i in range(flat.size):
        e = np.zeros(flat.size)
        e[i] = epsilon
        e = e.reshape(x.shape)
        difference = f((x + e).astype(np.float32)) - f((x - e).astype(np.float32))  # <- wrong
        out.append((difference * d_y).sum() / epsilon / 2)
    return np.array(out).reshape(x.shape)


# exercise: gradient_check.numerical
# wrong: the moves add up, because e is not begun anew
# source: beginner
def gradient_check_numerical_12(f, x, d_y, epsilon):
    flat = x.ravel()
    out = []
    for i in range(flat.size):
        e = np.zeros(flat.size)
        e[: i + 1] = epsilon  # <- wrong
        e = e.reshape(x.shape)
        difference = f(x + e) - f(x - e)
        out.append((difference * d_y).sum() / epsilon / 2)
    return np.array(out).reshape(x.shape)


# exercise: gradient_check.numerical
# wrong: the absolute difference
# source: beginner
def gradient_check_numerical_13(f, x, d_y, epsilon):
    flat = x.ravel()
    out = []
    for i in range(flat.size):
        e = np.zeros(flat.size)
        e[i] = epsilon
        e = e.reshape(x.shape)
        difference = f(x + e) - f(x - e)
        out.append((np.abs(difference) * d_y).sum() / epsilon / 2)  # <- wrong
    return np.array(out).reshape(x.shape)


# exercise: gradient_check.numerical
# right: unit vectors
# source: beginner
def gradient_check_numerical_14(f, x, d_y, epsilon):
    flat = x.ravel()
    out = []
    for i in range(flat.size):
        e = np.zeros(flat.size)
        e[i] = epsilon
        e = e.reshape(x.shape)
        difference = f(x + e) - f(x - e)
        out.append((difference * d_y).sum() / epsilon / 2)
    return np.array(out).reshape(x.shape)


# exercise: gradient_check.numerical
# wrong: x is not put back
# source: public question
def gradient_check_numerical_15(f, x, d_y, epsilon):
    d_x = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"])
    for _ in it:
        i = it.multi_index
        x[i] += epsilon
        up = f(x)
        x[i] -= 2 * epsilon  # <- wrong
        down = f(x)
        d_x[i] = np.sum((up - down) * d_y) / (2 * epsilon)
    return d_x


# exercise: gradient_check.error
# wrong: not relative
# source: beginner
def gradient_check_error_01(analytic, numeric):
    a = np.sqrt(np.sum(analytic**2))
    n = np.sqrt(np.sum(numeric**2))
    distance = np.sqrt(np.sum((analytic - numeric) ** 2))
    size = max(a, n, 1e-8)
    return distance  # <- wrong


# exercise: gradient_check.error
# wrong: divided by the sum of the two lengths
# source: issue of a public repository
def gradient_check_error_02(analytic, numeric):
    a = np.sqrt(np.sum(analytic**2))
    n = np.sqrt(np.sum(numeric**2))
    distance = np.sqrt(np.sum((analytic - numeric) ** 2))
    size = max(a + n, 1e-8)  # <- wrong
    return distance / size


# exercise: gradient_check.error
# wrong: divided by the smaller of the two
# source: beginner
def gradient_check_error_03(analytic, numeric):
    a = np.sqrt(np.sum(analytic**2))
    n = np.sqrt(np.sum(numeric**2))
    distance = np.sqrt(np.sum((analytic - numeric) ** 2))
    size = max(min(a, n), 1e-8)  # <- wrong
    return distance / size


# exercise: gradient_check.error
# wrong: the lengths are compared, not the vectors
# source: beginner
def gradient_check_error_04(analytic, numeric):
    a = np.sqrt(np.sum(analytic**2))
    n = np.sqrt(np.sum(numeric**2))
    distance = abs(a - n)  # <- wrong
    size = max(a, n, 1e-8)
    return distance / size


# exercise: gradient_check.error
# wrong: the differences cancel: squared after the sum
# source: beginner
def gradient_check_error_05(analytic, numeric):
    a = np.sqrt(np.sum(analytic**2))
    n = np.sqrt(np.sum(numeric**2))
    distance = np.sqrt(np.sum(analytic - numeric) ** 2)  # <- wrong
    size = max(a, n, 1e-8)
    return distance / size


# exercise: gradient_check.error
# wrong: the root of the distance is forgotten
# source: beginner
def gradient_check_error_06(analytic, numeric):
    a = np.sqrt(np.sum(analytic**2))
    n = np.sqrt(np.sum(numeric**2))
    distance = np.sum((analytic - numeric) ** 2)  # <- wrong
    size = max(a, n, 1e-8)
    return distance / size


# exercise: gradient_check.error
# wrong: the floor is added, not a lower bound
# source: issue of a public repository
def gradient_check_error_07(analytic, numeric):
    a = np.sqrt(np.sum(analytic**2))
    n = np.sqrt(np.sum(numeric**2))
    distance = np.sqrt(np.sum((analytic - numeric) ** 2))
    size = max(a, n) + 1e-8  # <- wrong
    return distance / size


# exercise: gradient_check.error
# wrong: divided by the sum
# second: the root of the distance is forgotten
# source: beginner
def gradient_check_error_08(analytic, numeric):
    a = np.sqrt(np.sum(analytic**2))
    n = np.sqrt(np.sum(numeric**2))
    distance = np.sum((analytic - numeric) ** 2)  # <- wrong
    size = max(a + n, 1e-8)  # <- wrong
    return distance / size


# exercise: gradient_check.error
# right: small steps
# source: beginner
def gradient_check_error_09(analytic, numeric):
    a = np.sqrt(np.sum(analytic**2))
    n = np.sqrt(np.sum(numeric**2))
    distance = np.sqrt(np.sum((analytic - numeric) ** 2))
    size = max(a, n, 1e-8)
    return distance / size


# exercise: gradient_check.error
# wrong: the largest error of a single number, as in a course's notebook
# source: course forum
def gradient_check_error_10(analytic, numeric):
    bound = np.maximum(np.abs(analytic) + np.abs(numeric), 1e-8)
    return np.max(np.abs(analytic - numeric) / bound)  # <- wrong


# exercise: gradient_check.error
# wrong: the matrix norm of the spectrum, not of all numbers
# source: beginner
def gradient_check_error_11(analytic, numeric):
    norm = lambda a: np.linalg.norm(a, 2)  # <- wrong
    return norm(analytic - numeric) / max(norm(analytic), norm(numeric), 1e-8)


# exercise: gradient_check.error
# right: with linalg
# source: beginner
def gradient_check_error_12(analytic, numeric):
    norm = np.linalg.norm
    return norm(analytic - numeric) / max(norm(analytic), norm(numeric), 1e-8)
