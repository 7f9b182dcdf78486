"""Answers to the exercises: counts."""

# exercise: operations.attention
# wrong: only the scores are counted
# source: beginner
def operations_attention_01(length, features):
    scores = length * features * length
    weighted = length * length * features
    total = scores  # <- wrong
    return total


# exercise: operations.attention
# wrong: multiplication and addition count apart
# source: beginner
def operations_attention_02(length, features):
    scores = length * features * length
    weighted = length * length * features
    total = 2 * (scores + weighted)  # <- wrong
    return total


# exercise: operations.attention
# wrong: length and features are swapped in the scores
# source: beginner
def operations_attention_03(length, features):
    scores = features * length * features  # <- wrong
    weighted = length * length * features
    total = scores + weighted
    return total


# exercise: operations.attention
# wrong: half, because of a causal mask
# source: beginner
def operations_attention_04(length, features):
    scores = length * features * length
    weighted = length * length * features
    total = (scores + weighted) // 2  # <- wrong
    return total


# exercise: operations.attention
# right: small steps
# source: beginner
def operations_attention_05(length, features):
    scores = length * features * length
    weighted = length * length * features
    total = scores + weighted
    return total


# exercise: operations.recurrence
# wrong: only one of the two products is counted
# source: beginner
# missing: a line
def operations_recurrence_01(length, features):
    per_step = features * features
    return length * per_step  # <- wrong


# exercise: operations.recurrence
# wrong: the first step has no product with the state
# source: beginner
def operations_recurrence_02(length, features):
    per_step = features * features
    per_step += features * features
    return length * per_step - features**2  # <- wrong


# exercise: operations.recurrence
# wrong: the length is squared
# source: beginner
def operations_recurrence_03(length, features):
    per_step = features * features
    per_step += features * features
    return length**2 * per_step  # <- wrong


# exercise: operations.recurrence
# wrong: the bias counts
# source: beginner
def operations_recurrence_04(length, features):
    per_step = features * features
    per_step += features * features + features  # <- wrong
    return length * per_step


# exercise: operations.recurrence
# right: for each step
# source: beginner
def operations_recurrence_05(length, features):
    per_step = features * features
    per_step += features * features
    return length * per_step


# exercise: operations.self_attention
# wrong: the output projection is forgotten
# source: beginner
def operations_self_attention_01(length, features):
    project = 3 * length * features**2
    scores = length**2 * features
    blend = length**2 * features
    output = length * features**2
    return project + scores + blend  # <- wrong


# exercise: operations.self_attention
# wrong: one projection in place of three
# source: beginner
def operations_self_attention_02(length, features):
    project = length * features**2  # <- wrong
    scores = length**2 * features
    blend = length**2 * features
    output = length * features**2
    return project + scores + blend + output


# exercise: operations.self_attention
# wrong: the weighted sum is forgotten
# source: beginner
def operations_self_attention_03(length, features):
    project = 3 * length * features**2
    scores = length**2 * features
    blend = length**2 * features
    output = length * features**2
    return project + scores + output  # <- wrong


# exercise: operations.self_attention
# wrong: features³: the length is forgotten in the output
# source: beginner
def operations_self_attention_04(length, features):
    project = 3 * length * features**2
    scores = length**2 * features
    blend = length**2 * features
    output = features**3  # <- wrong
    return project + scores + blend + output


# exercise: operations.self_attention
# wrong: the output projection is forgotten
# second: the weighted sum is forgotten
# source: beginner
def operations_self_attention_05(length, features):
    project = 3 * length * features**2
    scores = length**2 * features
    blend = 0  # <- wrong
    output = length * features**2
    return project + scores  # <- wrong


# exercise: operations.self_attention
# right: small steps
# source: beginner
def operations_self_attention_06(length, features):
    project = 3 * length * features**2
    scores = length**2 * features
    blend = length**2 * features
    output = length * features**2
    return project + scores + blend + output
