"""The formulas of the components in TeX, each beside the words of the docstring that it stands for.

A docstring has its formulas on indented lines, several on a line with a gap between. `FORMULAS` has
for each component the same formulas in the same order; a test compares the two, symbol by symbol. A
component without a formula in its docstring has one here, for "".
"""

import inspect
import re

GAP = re.compile(r" {2,}")

LAYER = [
    ("a = Residual(SelfAttention)(x)", r"a = \text{Residual}(\text{SelfAttention})(x)"),
    ("y = Residual(FeedForward)(a)", r"y = \text{Residual}(\text{FeedForward})(a)"),
]
SEQUENCE = [
    (
        "logits = Layers(embed([source, target_in])) W_out, at the positions of target_in",
        r"\text{logits} = \text{Layers}(\text{embed}([\text{source}, \text{target}_\text{in}])) \,"
        r" W_\text{out}, \text{ at the positions of } \text{target}_\text{in}",
    ),
]
WEIGHTS = ("P = softmax(E)", r"P = \operatorname{softmax}(E)")
MEAN = ("y_t = Σ_s P_ts f_s", r"y_t = \sum_s P_{ts} f_s")

FORMULAS = {
    "MergeHeads": [
        ("y[b, t, h·K : (h+1)·K] = x[b, h, t]", r"y[b, t, h \cdot K : (h+1) \cdot K] = x[b, h, t]"),
    ],
    "SplitHeads": [
        ("y[b, h, t] = x[b, t, h·K : (h+1)·K]", r"y[b, h, t] = x[b, t, h \cdot K : (h+1) \cdot K]"),
    ],
    "Masking": [
        ("y = x where mask, else −∞", r"y = x \text{ where mask, else } {-\infty}"),
    ],
    "MultiHeadAttention": [
        (
            "head_h = Attention(x W_Q[h], m W_K[h], m W_V[h])",
            r"\text{head}_h = \text{Attention}(x W_Q[h],\; m W_K[h],\; m W_V[h])",
        ),
        (
            "y = Concat(head_1, …, head_H) W_O",
            r"y = \text{Concat}(\text{head}_1, \dots, \text{head}_H) \, W_O",
        ),
    ],
    "ScaledDotProductAttention": [
        ("S = Q Kᵀ / √d_k", r"S = \frac{Q K^\top}{\sqrt{d_k}}"),
        ("P = softmax(S)", r"P = \operatorname{softmax}(S)"),
        ("y = P V", r"y = P V"),
        ("d_V = Pᵀ d_y", r"d_V = P^\top d_y"),
        ("d_P = d_y Vᵀ", r"d_P = d_y V^\top"),
        (
            "d_S = P ∘ (d_P − Σ_j d_P_j P_j)",
            r"d_S = P \circ \Bigl( d_P - \sum_j d_{P_j} P_j \Bigr)",
        ),
        ("d_Q = d_S K / √d_k", r"d_Q = \frac{d_S K}{\sqrt{d_k}}"),
        ("d_K = d_Sᵀ Q / √d_k", r"d_K = \frac{d_S^\top Q}{\sqrt{d_k}}"),
    ],
    "GELU": [
        ("y = x Φ(x)", r"y = x \, \Phi(x)"),
        (
            "Φ(x) = (1 + erf(x/√2)) / 2",
            r"\Phi(x) = \frac{1 + \operatorname{erf}(x / \sqrt{2})}{2}",
        ),
        ("d_x = d_y ∘ (Φ(x) + x φ(x))", r"d_x = d_y \circ (\Phi(x) + x \, \varphi(x))"),
    ],
    "ReLU": [("y = max(x, 0)", r"y = \max(x, 0)")],
    "Sigmoid": [
        (
            "y = 1 / (1 + exp(−x)) = (1 + tanh(x/2)) / 2",
            r"y = \frac{1}{1 + \exp(-x)} = \frac{1 + \tanh(x/2)}{2}",
        ),
    ],
    "Tanh": [("y = tanh x", r"y = \tanh x")],
    "TanhGELU": [
        ("y = x (1 + tanh u) / 2", r"y = \frac{x \, (1 + \tanh u)}{2}"),
        (
            "u = √(2/π) (x + 0.044715 x³)",
            r"u = \sqrt{2/\pi} \, (x + 0.044715 \, x^3)",
        ),
        (
            "d_x = d_y ∘ ( (1 + tanh u) / 2 + x (1 − tanh² u) / 2 · √(2/π) "
            "(1 + 3 · 0.044715 x²) )",
            r"d_x = d_y \circ \Bigl( \frac{1 + \tanh u}{2} + \frac{x \, (1 - \tanh^2 u)}{2} \cdot"
            r" \sqrt{2/\pi} \, (1 + 3 \cdot 0.044715 \, x^2) \Bigr)",
        ),
    ],
    "CrossEntropy": [
        (
            "L = −(1/N) Σ_n Σ_v q_nv log p_nv",
            r"L = -(1/N) \sum_n \sum_v q_{nv} \log p_{nv}",
        ),
        ("p = softmax(x)", r"p = \operatorname{softmax}(x)"),
        (
            "q = (1−ε) onehot(target) + ε/V",
            r"q = (1 - \varepsilon) \operatorname{onehot}(\text{target}) + \varepsilon / V",
        ),
        ("d_x = d_L (p − q) / N", r"d_x = \frac{d_L \, (p - q)}{N}"),
    ],
    "Dropout": [
        ("y = x ∘ M", r"y = x \circ M"),
        (
            "M = 1/(1−p) with probability 1−p, else 0",
            r"M = 1/(1-p) \text{ with probability } 1-p, \text{ else } 0",
        ),
    ],
    "Embedding": [
        ("y = √D · W[ids]", r"y = \sqrt{D} \cdot W[\text{ids}]"),
        (
            "d_W[v] = √D Σ_{n: ids_n = v} d_y_n",
            r"d_W[v] = \sqrt{D} \sum_{n: \, \text{ids}_n = v} d_{y_n}",
        ),
    ],
    "Unembedding": [
        ("y = x Wᵀ", r"y = x W^\top"),
        ("d_x = d_y W", r"d_x = d_y W"),
        ("d_W = Σ d_yᵀ x", r"d_W = \sum d_y^\top x"),
        ("(Σ over all positions)", r"(\sum \text{ over all positions})"),
    ],
    "FeedForward": [
        ("y = max(0, x W₁ + b₁) W₂ + b₂", r"y = \max(0, x W_1 + b_1) \, W_2 + b_2"),
    ],
    "LayerNorm": [
        ("x̂ = (x − mean) / σ", r"\hat{x} = \frac{x - \text{mean}}{\sigma}"),
        ("σ = √(var + ε)", r"\sigma = \sqrt{\text{var} + \varepsilon}"),
        ("y = γ ∘ x̂ + β", r"y = \gamma \circ \hat{x} + \beta"),
        (
            "d_x = (d_x̂ − mean(d_x̂) − x̂ ∘ mean(d_x̂ ∘ x̂)) / σ",
            r"d_x = \frac{d_{\hat{x}} - \operatorname{mean}(d_{\hat{x}})"
            r" - \hat{x} \circ \operatorname{mean}(d_{\hat{x}} \circ \hat{x})}{\sigma}",
        ),
        ("d_γ = Σ d_y ∘ x̂", r"d_\gamma = \sum d_y \circ \hat{x}"),
        ("d_β = Σ d_y", r"d_\beta = \sum d_y"),
        ("(sums over all positions)", r"(\text{sums over all positions})"),
    ],
    "Linear": [
        ("y = x W + b", r"y = x W + b"),
        ("d_x = d_y Wᵀ", r"d_x = d_y W^\top"),
        ("d_W = Σ xᵀ d_y", r"d_W = \sum x^\top d_y"),
        ("d_b = Σ d_y", r"d_b = \sum d_y"),
    ],
    "LearnedPositionalEncoding": [
        ("y = x + W[position]", r"y = x + W[\text{position}]"),
    ],
    "SinusoidalPositionalEncoding": [
        ("y = x + PE[position]", r"y = x + \text{PE}[\text{position}]"),
        ("ωᵢ = 10000^(−2i/D)", r"\omega_i = 10000^{-2i/D}"),
        ("PE[p, 2i] = sin(p ωᵢ)", r"\text{PE}[p, 2i] = \sin(p \, \omega_i)"),
        ("PE[p, 2i+1] = cos(p ωᵢ)", r"\text{PE}[p, 2i+1] = \cos(p \, \omega_i)"),
    ],
    "Residual": [
        ("post-norm (the paper):", r"\text{post-norm (the paper):}"),
        (
            "y = LayerNorm(x + Dropout(f(x)))",
            r"\quad y = \text{LayerNorm}(x + \text{Dropout}(f(x)))",
        ),
        ("pre-norm:", r"\text{pre-norm:}"),
        (
            "y = x + Dropout(f(LayerNorm(x)))",
            r"\quad y = x + \text{Dropout}(f(\text{LayerNorm}(x)))",
        ),
        (
            "d_x = d_s + f.backward(Dropout.backward(d_s))",
            r"d_x = d_s + f\text{.backward}(\text{Dropout.backward}(d_s))",
        ),
    ],
    "Softmax": [
        (
            "P_j = exp(x_j − m) / Σ_i exp(x_i − m)",
            r"P_j = \frac{\exp(x_j - m)}{\sum_i \exp(x_i - m)}",
        ),
        ("m = max_i x_i", r"m = \max_i x_i"),
        (
            "d_x = P ∘ (d_y − Σ_j d_y_j P_j)",
            r"d_x = P \circ \Bigl( d_y - \sum_j d_{y_j} P_j \Bigr)",
        ),
    ],
    "Decoder": [
        ("", r"y = \text{layer}_N(\dots \text{layer}_1(x, m) \dots, m)"),
        ("", r"d_m = \sum_n \, (d_m \text{ of layer } n)"),
    ],
    "DecoderLayer": [
        ("a = Residual(SelfAttention)(x)", r"a = \text{Residual}(\text{SelfAttention})(x)"),
        (
            "b = Residual(CrossAttention)(a, memory)",
            r"b = \text{Residual}(\text{CrossAttention})(a, \text{memory})",
        ),
        ("y = Residual(FeedForward)(b)", r"y = \text{Residual}(\text{FeedForward})(b)"),
    ],
    "Encoder": [
        ("", r"y = \text{layer}_N(\dots \text{layer}_1(x) \dots)"),
    ],
    "EncoderLayer": LAYER,
    "InputEmbedding": [
        (
            "y = Dropout(√D · W[ids] + PE)",
            r"y = \text{Dropout}(\sqrt{D} \cdot W[\text{ids}] + \text{PE})",
        ),
    ],
    "LanguageModel": SEQUENCE,
    "Transformer": [
        (
            "memory = Encoder(embed(source))",
            r"\text{memory} = \text{Encoder}(\text{embed}(\text{source}))",
        ),
        (
            "logits = Decoder(embed(target_in), memory) W_out",
            r"\text{logits} = \text{Decoder}(\text{embed}(\text{target}_\text{in}), \text{memory})"
            r" \, W_\text{out}",
        ),
    ],
    "AdditiveAttention": [
        (
            "E_ts = v · tanh(q_t W_q + x_s W_x + b)",
            r"E_{ts} = v \cdot \tanh(q_t W_q + x_s W_x + b)",
        ),
        WEIGHTS,
        MEAN,
    ],
    "GRUCell": [
        ("r = σ(x W_xr + h W_hr + b_r)", r"r = \sigma(x W_{xr} + h W_{hr} + b_r)"),
        ("z = σ(x W_xz + h W_hz + b_z)", r"z = \sigma(x W_{xz} + h W_{hz} + b_z)"),
        (
            "n = tanh(x W_xn + b_n + r ∘ (h W_hn + c_n))",
            r"n = \tanh(x W_{xn} + b_n + r \circ (h W_{hn} + c_n))",
        ),
        ("h' = (1 − z) ∘ n + z ∘ h", r"h' = (1 - z) \circ n + z \circ h"),
        ("d_n = d_h' ∘ (1 − z)", r"d_n = d_{h'} \circ (1 - z)"),
        ("d_z = d_h' ∘ (h − n)", r"d_z = d_{h'} \circ (h - n)"),
        ("d_a_n = d_n ∘ (1 − n²)", r"d_{a_n} = d_n \circ (1 - n^2)"),
        ("d_a_z = d_z ∘ z (1 − z)", r"d_{a_z} = d_z \circ z \, (1 - z)"),
        ("d_r = d_a_n ∘ h_n", r"d_r = d_{a_n} \circ h_n"),
        ("d_a_r = d_r ∘ r (1 − r)", r"d_{a_r} = d_r \circ r \, (1 - r)"),
        (
            "d_x = [d_a_r; d_a_z; d_a_n] W_xᵀ",
            r"d_x = [d_{a_r}; d_{a_z}; d_{a_n}] \, W_x^\top",
        ),
        (
            "d_h = d_h' ∘ z + [d_a_r; d_a_z; d_a_n ∘ r] W_hᵀ",
            r"d_h = d_{h'} \circ z + [d_{a_r}; d_{a_z}; d_{a_n} \circ r] \, W_h^\top",
        ),
    ],
    "RNNCell": [
        ("h' = tanh(x W_x + h W_h + b)", r"h' = \tanh(x W_x + h W_h + b)"),
        ("d_a = d_h' ∘ (1 − h'²)", r"d_a = d_{h'} \circ (1 - h'^2)"),
        ("d_x = d_a W_xᵀ", r"d_x = d_a W_x^\top"),
        ("d_h = d_a W_hᵀ", r"d_h = d_a W_h^\top"),
    ],
    "CausalConvolution": [
        (
            "y_t = Σ_j x_{t − (w − 1 − j)δ} W_j + b",
            r"y_t = \sum_j x_{t - (w - 1 - j)\delta} W_j + b",
        ),
        ("x = 0 before the beginning", r"x = 0 \text{ before the beginning}"),
    ],
    "ConvolutionLayer": [
        ("a = Residual(CausalConvolution)(x)", r"a = \text{Residual}(\text{CausalConvolution})(x)"),
        LAYER[1],
    ],
    "ConvolutionModel": SEQUENCE,
    "Expectation": [
        (
            "p(z = s | x, q_t) = P_ts = softmax(E_t)_s",
            r"p(z = s \mid x, q_t) = P_{ts} = \operatorname{softmax}(E_t)_s",
        ),
        ("y_t = Σ_s P_ts f_s = 𝔼[f_z]", r"y_t = \sum_s P_{ts} f_s = \mathbb{E}[f_z]"),
        ("d_f = Pᵀ d_y", r"d_f = P^\top d_y"),
        ("d_P = d_y fᵀ", r"d_P = d_y f^\top"),
        (
            "d_E = P ∘ (d_P − Σ_s d_P_s P_s)",
            r"d_E = P \circ \Bigl( d_P - \sum_s d_{P_s} P_s \Bigr)",
        ),
    ],
    "LocalAttention": [
        ("y_t = Σ_s P_ts v_s", r"y_t = \sum_s P_{ts} v_s"),
        (
            "P_t = softmax over s = t − r + 1 … t of q_t · k_s / √d_k",
            r"P_t = \operatorname{softmax} \text{ over } s = t - r + 1 \dots t \text{ of }"
            r" q_t \cdot k_s / \sqrt{d_k}",
        ),
    ],
    "LocalAttentionLayer": [
        (
            "a = Residual(local self-attention)(x)",
            r"a = \text{Residual}(\text{local self-attention})(x)",
        ),
        LAYER[1],
    ],
    "LocalAttentionModel": SEQUENCE,
    "MultiplicativeAttention": [
        ("E_ts = q_t W x_sᵀ", r"E_{ts} = q_t W x_s^\top"),
        WEIGHTS,
        MEAN,
        ("d_p = d_E x", r"d_p = d_E \, x"),
        ("d_x = d_Eᵀ p", r"d_x = d_E^\top \, p"),
        ("and from d_p on to q and W", r"\text{and from } d_p \text{ on to } q \text{ and } W"),
    ],
    "OneVectorMLP": [
        ("c = mean_s f(x_s)", r"c = \operatorname{mean}_s f(x_s)"),
        (
            "x = embed(source), positions included",
            r"x = \text{embed}(\text{source}), \text{ positions included}",
        ),
        ("logits_t = g(z_t + c) W_out", r"\text{logits}_t = g(z_t + c) \, W_\text{out}"),
        (
            "z = embed(target_in), positions included",
            r"z = \text{embed}(\text{target}_\text{in}), \text{ positions included}",
        ),
    ],
    "MeanOverPositions": [
        ("y = (1/n) Σ_t x_t", r"y = (1/n) \sum_t x_t"),
        (
            "over the n positions where the mask is True",
            r"\text{over the } n \text{ positions where the mask is True}",
        ),
    ],
    "Bidirectional": [
        ("y_t = [h→_t ; h←_t]", r"y_t = [h{\rightarrow}_t \,; h{\leftarrow}_t]"),
        (
            "end = [h→_T ; h←_1], the last state of each reading",
            r"\text{end} = [h{\rightarrow}_T \,; h{\leftarrow}_1],"
            r" \text{ the last state of each reading}",
        ),
    ],
    "Recurrence": [
        ("h_t = cell(x_t, h_{t−1})", r"h_t = \text{cell}(x_t, h_{t-1})"),
        ("y_t = h_t", r"y_t = h_t"),
        ("d_h = d_y_t + d_h_{t+1}", r"d_h = d_{y_t} + d_{h_{t+1}}"),
        ("(d_x_t, d_h_t) = cell.backward(d_h)", r"(d_{x_t}, d_{h_t}) = \text{cell.backward}(d_h)"),
    ],
    "RNNSeq2Seq": [
        (
            "x_1 … x_S, end = BiRNN(embed(source))",
            r"x_1 \dots x_S, \text{end} = \text{BiRNN}(\text{embed}(\text{source}))",
        ),
        (
            "h_0 = tanh(end W_bridge + b)",
            r"h_0 = \tanh(\text{end} \, W_\text{bridge} + b)",
        ),
        (
            "h_t = RNN(embed(target_in)_t, h_{t−1})",
            r"h_t = \text{RNN}(\text{embed}(\text{target}_\text{in})_t, h_{t-1})",
        ),
        ("without attention:", r"\text{without attention:}"),
        ("logits_t = h_t W_out", r"\quad \text{logits}_t = h_t W_\text{out}"),
        ("with attention:", r"\text{with attention:}"),
        ("c_t = Attention(h_t, x)", r"\quad c_t = \text{Attention}(h_t, x)"),
        (
            "logits_t = tanh([c_t; h_t] W_c + b) W_out",
            r"\quad \text{logits}_t = \tanh([c_t; h_t] \, W_c + b) \, W_\text{out}",
        ),
    ],
    "SlidingWindow": [
        (
            "y[…, t, j, :] = x[…, t − (w − 1 − j)·δ, :]",
            r"y[\dots, t, j, :] = x[\dots, t - (w - 1 - j) \cdot \delta, :]",
        ),
        ("j = 0 … w − 1, dilation δ", r"j = 0 \dots w - 1, \text{ dilation } \delta"),
        (
            "d_x[…, s, :] = Σ_j d_y[…, s + (w − 1 − j)·δ, j, :]",
            r"d_x[\dots, s, :] = \sum_j d_y[\dots, s + (w - 1 - j) \cdot \delta, j, :]",
        ),
    ],
}


def pieces(block):
    """The formulas of an indented block of a docstring, in its order."""
    return [piece for line in block.splitlines() for piece in GAP.split(line.strip())]


def blocks(docstring):
    """The indented blocks of a docstring."""
    return re.findall(r"(?:^    .*\n?)+", inspect.cleandoc(docstring), re.M)


def tex(formulas):
    """Formulas as one display, a line for each."""
    lines = " \\\\\n".join(f"& {formula}" for formula in formulas)
    return f"\\begin{{aligned}}\n{lines}\n\\end{{aligned}}"
