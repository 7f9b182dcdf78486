"""Answers to the exercises: tied."""

import numpy as np


# exercise: tied.backward
# wrong: only the output's share is returned
# source: issue of a public repository
def tied_backward_01(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    d_out = d_logits.reshape(-1, V).T @ hidden.reshape(-1, D)
    d_in = np.zeros_like(table)
    np.add.at(d_in, ids.ravel(), d_embedded.reshape(-1, D))
    d_in = d_in * np.sqrt(D)
    d_table = d_out  # <- wrong
    return d_table


# exercise: tied.backward
# wrong: only the input's share is returned
# source: issue of a public repository
def tied_backward_02(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    d_out = d_logits.reshape(-1, V).T @ hidden.reshape(-1, D)
    d_in = np.zeros_like(table)
    np.add.at(d_in, ids.ravel(), d_embedded.reshape(-1, D))
    d_in = d_in * np.sqrt(D)
    d_table = d_in  # <- wrong
    return d_table


# exercise: tied.backward
# wrong: the mean of the two shares
# source: issue of a public repository
def tied_backward_03(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    d_out = d_logits.reshape(-1, V).T @ hidden.reshape(-1, D)
    d_in = np.zeros_like(table)
    np.add.at(d_in, ids.ravel(), d_embedded.reshape(-1, D))
    d_in = d_in * np.sqrt(D)
    d_table = (d_in + d_out) / 2  # <- wrong
    return d_table


# exercise: tied.backward
# wrong: the scale √D of the input is forgotten
# source: issue of a public repository
# missing: a line
def tied_backward_04(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    d_out = d_logits.reshape(-1, V).T @ hidden.reshape(-1, D)
    d_in = np.zeros_like(table)
    np.add.at(d_in, ids.ravel(), d_embedded.reshape(-1, D))
    d_table = d_in + d_out  # <- wrong
    return d_table


# exercise: tied.backward
# wrong: both shares are scaled by √D
# source: beginner
def tied_backward_05(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    d_out = d_logits.reshape(-1, V).T @ hidden.reshape(-1, D)
    d_in = np.zeros_like(table)
    np.add.at(d_in, ids.ravel(), d_embedded.reshape(-1, D))
    d_in = d_in * np.sqrt(D)
    d_table = d_in + d_out * np.sqrt(D)  # <- wrong
    return d_table


# exercise: tied.backward
# wrong: an id that stands twice counts once
# source: public question
def tied_backward_06(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    d_out = d_logits.reshape(-1, V).T @ hidden.reshape(-1, D)
    d_in = np.zeros_like(table)
    d_in[ids.ravel()] += d_embedded.reshape(-1, D)  # <- wrong
    d_in = d_in * np.sqrt(D)
    d_table = d_in + d_out
    return d_table


# exercise: tied.backward
# wrong: an id that stands twice counts once
# second: the scale is forgotten
# source: public question
# missing: a line
def tied_backward_07(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    d_out = d_logits.reshape(-1, V).T @ hidden.reshape(-1, D)
    d_in = np.zeros_like(table)
    d_in[ids.ravel()] += d_embedded.reshape(-1, D)  # <- wrong
    d_table = d_in + d_out  # <- wrong
    return d_table


# exercise: tied.backward
# right: small steps
# source: beginner
def tied_backward_08(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    d_out = d_logits.reshape(-1, V).T @ hidden.reshape(-1, D)
    d_in = np.zeros_like(table)
    np.add.at(d_in, ids.ravel(), d_embedded.reshape(-1, D))
    d_in = d_in * np.sqrt(D)
    d_table = d_in + d_out
    return d_table


# exercise: tied.backward
# right: one-hot and einsum
# source: beginner
def tied_backward_09(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    onehot = np.eye(V)[ids]
    use = np.einsum("btv,btd->vd", onehot, d_embedded) * D**0.5
    return use + np.einsum("btv,btd->vd", d_logits, hidden)


# exercise: tied.backward
# wrong: the output's gradient meets the embedded gradient instead of the hidden vectors
# source: beginner
def tied_backward_10(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    onehot = np.eye(V)[ids]
    use = np.einsum("btv,btd->vd", onehot, d_embedded) * D**0.5
    return use + np.einsum("btv,btd->vd", d_logits, d_embedded)  # <- wrong


# exercise: tied.step
# wrong: each side takes its own gradient: the tables drift apart
# source: issue of a public repository
def tied_step_01(table, d_input, d_output, learning_rate):
    gradient = d_input + d_output
    step = learning_rate * gradient
    new = table.copy()
    new -= step
    input_table = table - learning_rate * d_input  # <- wrong
    output_table = new
    return input_table, output_table


# exercise: tied.step
# wrong: the output keeps the old table
# source: issue of a public repository
def tied_step_02(table, d_input, d_output, learning_rate):
    gradient = d_input + d_output
    step = learning_rate * gradient
    new = table.copy()
    new -= step
    input_table = new
    output_table = table  # <- wrong
    return input_table, output_table


# exercise: tied.step
# wrong: only the gradient of the output is used
# source: issue of a public repository
def tied_step_03(table, d_input, d_output, learning_rate):
    gradient = d_output  # <- wrong
    step = learning_rate * gradient
    new = table.copy()
    new -= step
    input_table = new
    output_table = new
    return input_table, output_table


# exercise: tied.step
# wrong: the table handed in is changed
# source: issue of a public repository
def tied_step_04(table, d_input, d_output, learning_rate):
    gradient = d_input + d_output
    step = learning_rate * gradient
    new = table  # <- wrong
    new -= step
    input_table = new
    output_table = new
    return input_table, output_table


# exercise: tied.step
# wrong: uphill
# source: beginner
def tied_step_05(table, d_input, d_output, learning_rate):
    gradient = d_input + d_output
    step = learning_rate * gradient
    new = table.copy()
    new += step  # <- wrong
    input_table = new
    output_table = new
    return input_table, output_table


# exercise: tied.step
# wrong: the mean of the two gradients
# source: beginner
def tied_step_06(table, d_input, d_output, learning_rate):
    gradient = (d_input + d_output) / 2  # <- wrong
    step = learning_rate * gradient
    new = table.copy()
    new -= step
    input_table = new
    output_table = new
    return input_table, output_table


# exercise: tied.step
# right: one new table
# source: beginner
def tied_step_07(table, d_input, d_output, learning_rate):
    gradient = d_input + d_output
    step = learning_rate * gradient
    new = table.copy()
    new -= step
    input_table = new
    output_table = new
    return input_table, output_table


# exercise: tied.step
# right: one after the other, a list
# source: beginner
def tied_step_08(table, d_input, d_output, learning_rate):
    first = table - learning_rate * d_input
    second = first - learning_rate * d_output
    return [second, second]


# exercise: tied.step
# wrong: the input's side is returned half done
# source: issue of a public repository
def tied_step_09(table, d_input, d_output, learning_rate):
    first = table - learning_rate * d_input
    second = first - learning_rate * d_output
    return [first, second]  # <- wrong
