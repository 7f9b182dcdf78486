"""Answers to the exercises: stacks."""

# exercise: residual.post_norm
# wrong: the skip is forgotten
# source: issue of a public repository
def residual_post_norm_01(x, sublayer, norm):
    out = sublayer(x)
    total = out  # <- wrong
    y = norm(total)
    return y


# exercise: residual.post_norm
# wrong: the norm stands first, as in pre-norm
# source: issue of a public repository
def residual_post_norm_02(x, sublayer, norm):
    out = sublayer(norm(x))  # <- wrong
    total = x + out
    y = norm(total)
    return y


# exercise: residual.post_norm
# wrong: the norm is forgotten
# source: issue of a public repository
def residual_post_norm_03(x, sublayer, norm):
    out = sublayer(x)
    total = x + out
    y = total  # <- wrong
    return y


# exercise: residual.post_norm
# wrong: the skip is added once more after the norm
# source: beginner
def residual_post_norm_04(x, sublayer, norm):
    out = sublayer(x)
    total = x + out
    y = norm(total) + x  # <- wrong
    return y


# exercise: residual.post_norm
# right: small steps
# source: beginner
def residual_post_norm_05(x, sublayer, norm):
    out = sublayer(x)
    total = x + out
    y = norm(total)
    return y


# exercise: residual.pre_norm
# wrong: the skip takes what is normed
# source: issue of a public repository
def residual_pre_norm_01(x, sublayer, norm):
    normed = norm(x)
    out = sublayer(normed)
    y = normed + out  # <- wrong
    return y


# exercise: residual.pre_norm
# wrong: the sublayer reads x without the norm
# source: beginner
def residual_pre_norm_02(x, sublayer, norm):
    normed = norm(x)
    out = sublayer(x)  # <- wrong
    y = x + out
    return y


# exercise: residual.pre_norm
# wrong: the norm stands at the end, as in post-norm
# source: issue of a public repository
def residual_pre_norm_03(x, sublayer, norm):
    normed = norm(x)
    out = sublayer(normed)
    y = norm(x + out)  # <- wrong
    return y


# exercise: residual.pre_norm
# wrong: the skip is forgotten
# source: issue of a public repository
def residual_pre_norm_04(x, sublayer, norm):
    normed = norm(x)
    out = sublayer(normed)
    y = out  # <- wrong
    return y


# exercise: residual.pre_norm
# wrong: the sublayer reads x without the norm
# second: the norm stands at the end
# source: beginner
def residual_pre_norm_05(x, sublayer, norm):
    normed = norm(x)
    out = sublayer(x)  # <- wrong
    y = norm(x + out)  # <- wrong
    return y


# exercise: residual.pre_norm
# right: small steps
# source: beginner
def residual_pre_norm_06(x, sublayer, norm):
    normed = norm(x)
    out = sublayer(normed)
    y = x + out
    return y


# exercise: residual.post_norm_backward
# wrong: the skip's gradient is forgotten
# source: issue of a public repository
def residual_post_norm_backward_01(d_y, sublayer_backward, norm_backward):
    d_sum = norm_backward(d_y)
    d_branch = sublayer_backward(d_sum)
    d_skip = d_sum
    d_x = d_branch  # <- wrong
    return d_x


# exercise: residual.post_norm_backward
# wrong: the skip takes the gradient before the norm
# source: issue of a public repository
def residual_post_norm_backward_02(d_y, sublayer_backward, norm_backward):
    d_sum = norm_backward(d_y)
    d_branch = sublayer_backward(d_sum)
    d_skip = d_y  # <- wrong
    d_x = d_skip + d_branch
    return d_x


# exercise: residual.post_norm_backward
# wrong: the branch takes the gradient before the norm
# source: beginner
def residual_post_norm_backward_03(d_y, sublayer_backward, norm_backward):
    d_sum = norm_backward(d_y)
    d_branch = sublayer_backward(d_y)  # <- wrong
    d_skip = d_sum
    d_x = d_skip + d_branch
    return d_x


# exercise: residual.post_norm_backward
# wrong: only the skip
# source: beginner
def residual_post_norm_backward_04(d_y, sublayer_backward, norm_backward):
    d_sum = norm_backward(d_y)
    d_branch = sublayer_backward(d_sum)
    d_skip = d_sum
    d_x = d_skip  # <- wrong
    return d_x


# exercise: residual.post_norm_backward
# wrong: the mean of the two paths
# source: beginner
def residual_post_norm_backward_05(d_y, sublayer_backward, norm_backward):
    d_sum = norm_backward(d_y)
    d_branch = sublayer_backward(d_sum)
    d_skip = d_sum
    d_x = (d_skip + d_branch) / 2  # <- wrong
    return d_x


# exercise: residual.post_norm_backward
# wrong: the norm's gradient is left out
# source: beginner
def residual_post_norm_backward_06(d_y, sublayer_backward, norm_backward):
    d_sum = d_y  # <- wrong
    d_branch = sublayer_backward(d_sum)
    d_skip = d_sum
    d_x = d_skip + d_branch
    return d_x


# exercise: residual.post_norm_backward
# right: small steps
# source: beginner
def residual_post_norm_backward_07(d_y, sublayer_backward, norm_backward):
    d_sum = norm_backward(d_y)
    d_branch = sublayer_backward(d_sum)
    d_skip = d_sum
    d_x = d_skip + d_branch
    return d_x


# exercise: residual.pre_norm_backward
# wrong: the skip's gradient is forgotten
# source: issue of a public repository
def residual_pre_norm_backward_01(d_y, sublayer_backward, norm_backward):
    d_out = sublayer_backward(d_y)
    d_in = norm_backward(d_out)
    d_x = d_in  # <- wrong
    return d_x


# exercise: residual.pre_norm_backward
# wrong: the norm is left out
# source: beginner
def residual_pre_norm_backward_02(d_y, sublayer_backward, norm_backward):
    d_out = sublayer_backward(d_y)
    d_in = d_out  # <- wrong
    d_x = d_y + d_in
    return d_x


# exercise: residual.pre_norm_backward
# wrong: the norm's gradient is taken of the skip, not of the branch
# source: beginner
def residual_pre_norm_backward_03(d_y, sublayer_backward, norm_backward):
    d_out = sublayer_backward(d_y)
    d_in = norm_backward(d_y)  # <- wrong
    d_x = d_y + d_in
    return d_x


# exercise: residual.pre_norm_backward
# wrong: the skip counts twice
# source: beginner
def residual_pre_norm_backward_04(d_y, sublayer_backward, norm_backward):
    d_out = sublayer_backward(d_y)
    d_in = norm_backward(d_out)
    d_x = 2 * d_y + d_in  # <- wrong
    return d_x


# exercise: residual.pre_norm_backward
# right: small steps
# source: beginner
def residual_pre_norm_backward_05(d_y, sublayer_backward, norm_backward):
    d_out = sublayer_backward(d_y)
    d_in = norm_backward(d_out)
    d_x = d_y + d_in
    return d_x


# exercise: decoder.backward
# wrong: the memory's gradient is that of the first layer alone
# source: issue of a public repository
def decoder_backward_01(d_y, layer_backwards):
    d = d_y
    d_memory = 0.0
    for n in range(len(layer_backwards) - 1, -1, -1):
        back = layer_backwards[n]
        d, share = back(d)
        d_memory = share  # <- wrong
    return d, d_memory


# exercise: decoder.backward
# wrong: the layers are taken in forward's order
# source: issue of a public repository
def decoder_backward_02(d_y, layer_backwards):
    d = d_y
    d_memory = 0.0
    for n in range(len(layer_backwards)):  # <- wrong
        back = layer_backwards[n]
        d, share = back(d)
        d_memory = d_memory + share
    return d, d_memory


# exercise: decoder.backward
# wrong: the first layer is left out
# source: beginner
def decoder_backward_03(d_y, layer_backwards):
    d = d_y
    d_memory = 0.0
    for n in range(len(layer_backwards) - 1, 0, -1):  # <- wrong
        back = layer_backwards[n]
        d, share = back(d)
        d_memory = d_memory + share
    return d, d_memory


# exercise: decoder.backward
# wrong: each layer gets the gradient from the top
# source: beginner
def decoder_backward_04(d_y, layer_backwards):
    d = d_y
    d_memory = 0.0
    for n in range(len(layer_backwards) - 1, -1, -1):
        back = layer_backwards[n]
        d, share = back(d_y)  # <- wrong
        d_memory = d_memory + share
    return d, d_memory


# exercise: decoder.backward
# wrong: the mean over the layers
# source: beginner
def decoder_backward_05(d_y, layer_backwards):
    d = d_y
    d_memory = 0.0
    for n in range(len(layer_backwards) - 1, -1, -1):
        back = layer_backwards[n]
        d, share = back(d)
        d_memory = d_memory + share
    return d, d_memory / len(layer_backwards)  # <- wrong


# exercise: decoder.backward
# wrong: forward's order
# second: the memory's gradient is overwritten
# source: issue of a public repository
def decoder_backward_06(d_y, layer_backwards):
    d = d_y
    d_memory = 0.0
    for n in range(len(layer_backwards)):  # <- wrong
        back = layer_backwards[n]
        d, share = back(d)
        d_memory = share  # <- wrong
    return d, d_memory


# exercise: decoder.backward
# right: a loop with an index
# source: beginner
def decoder_backward_07(d_y, layer_backwards):
    d = d_y
    d_memory = 0.0
    for n in range(len(layer_backwards) - 1, -1, -1):
        back = layer_backwards[n]
        d, share = back(d)
        d_memory = d_memory + share
    return d, d_memory


# exercise: decoder.backward
# right: recursion
# source: beginner
def decoder_backward_08(d_y, layer_backwards):
    if not layer_backwards:
        return d_y, 0
    *below, top = layer_backwards
    d, share = top(d_y)
    d_x, rest = decoder_backward_08(d, below)
    return d_x, rest + share


# exercise: decoder.backward
# wrong: the shares of the layers below are dropped
# source: issue of a public repository
def decoder_backward_09(d_y, layer_backwards):
    if not layer_backwards:
        return d_y, 0
    *below, top = layer_backwards
    d, share = top(d_y)
    d_x, rest = decoder_backward_09(d, below)
    return d_x, share  # <- wrong


# exercise: transformer.backward
# wrong: the encoder gets the target's gradient
# source: beginner
def transformer_backward_01(d_logits, decoder_backward, encoder_backward):
    both = decoder_backward(d_logits)
    d_target = both[0]
    d_memory = both[1]
    d_source = encoder_backward(d_target)  # <- wrong
    return d_source, d_target


# exercise: transformer.backward
# wrong: the encoder's backward is not called
# source: issue of a public repository
def transformer_backward_02(d_logits, decoder_backward, encoder_backward):
    both = decoder_backward(d_logits)
    d_target = both[0]
    d_memory = both[1]
    d_source = d_memory  # <- wrong
    return d_source, d_target


# exercise: transformer.backward
# wrong: the results are in the wrong order
# source: beginner
def transformer_backward_03(d_logits, decoder_backward, encoder_backward):
    both = decoder_backward(d_logits)
    d_target = both[0]
    d_memory = both[1]
    d_source = encoder_backward(d_memory)
    return d_target, d_source  # <- wrong


# exercise: transformer.backward
# wrong: the two of the decoder are taken in the wrong order
# source: beginner
def transformer_backward_04(d_logits, decoder_backward, encoder_backward):
    both = decoder_backward(d_logits)
    d_target = both[0]
    d_memory, d_target = both  # <- wrong
    d_source = encoder_backward(d_memory)
    return d_source, d_target


# exercise: transformer.backward
# wrong: the target takes the source's gradient too
# source: beginner
def transformer_backward_05(d_logits, decoder_backward, encoder_backward):
    both = decoder_backward(d_logits)
    d_target = both[0]
    d_memory = both[1]
    d_source = encoder_backward(d_memory)
    return d_source, d_target + d_source  # <- wrong


# exercise: transformer.backward
# right: small steps
# source: beginner
def transformer_backward_06(d_logits, decoder_backward, encoder_backward):
    both = decoder_backward(d_logits)
    d_target = both[0]
    d_memory = both[1]
    d_source = encoder_backward(d_memory)
    return d_source, d_target


# exercise: residual.post_norm
# wrong: x itself is changed by +=
# source: public question
def residual_post_norm_06(x, sublayer, norm):
    out = sublayer(x)
    x += out  # <- wrong
    return norm(x)


# exercise: residual.pre_norm
# wrong: x itself is changed by +=
# source: public question
def residual_pre_norm_07(x, sublayer, norm):
    x += sublayer(norm(x))  # <- wrong
    return x


# exercise: residual.pre_norm_backward
# wrong: the gradient handed in is changed by +=
# source: public question
def residual_pre_norm_backward_06(d_y, sublayer_backward, norm_backward):
    d_y += norm_backward(sublayer_backward(d_y))  # <- wrong
    return d_y
