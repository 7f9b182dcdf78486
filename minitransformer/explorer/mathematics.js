"use strict";
/* The model, forward and backward, with the formulas of the Python package.

A function of this file returns [y, backward]: backward takes d_y = ∂loss/∂y, and returns ∂loss/∂x.
A matrix is {rows, columns, data}: `data` holds it row by row. `weights` has the parameters under
their names in Python, and `config` the model's configuration; page.js reads both.

Letters: T target length, S source length, D features, H heads, K features of a head, F width of the
feed-forward network, V vocabulary. */

function matrix(rows, columns, data = new Float32Array(rows * columns)) {
  return { rows, columns, data };
}

/* Zeros, in as many bits as x. */
function zeros(rows, columns, x) {
  return matrix(rows, columns, new x.data.constructor(rows * columns));
}

function row(x, i) {
  return x.data.subarray(i * x.columns, (i + 1) * x.columns);
}

function map(x, f) {
  return matrix(x.rows, x.columns, x.data.map(f));
}

function add(x, y) {
  return map(x, (value, i) => value + y.data[i]);
}

function scaled(x, factor) {
  return map(x, (value) => value * factor);
}

/* a b: row by row of b, as it lies in memory. */
function product(a, b) {
  const y = zeros(a.rows, b.columns, a), n = b.columns, right = b.data;
  for (let i = 0; i < a.rows; i++) {
    const sums = row(y, i), factors = row(a, i);
    for (let k = 0; k < a.columns; k++) {
      const factor = factors[k], start = k * n;
      for (let j = 0; j < n; j++) sums[j] += factor * right[start + j];
    }
  }
  return y;
}

function transposed(a) {
  const y = zeros(a.columns, a.rows, a);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) y.data[j * a.rows + i] = a.data[i * a.columns + j];
  }
  return y;
}

function dot(a, b) {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}

/* a bᵀ */
function productWithTransposed(a, b) {
  const y = zeros(a.rows, b.rows, a), n = a.columns, right = b.data;
  for (let i = 0; i < a.rows; i++) {
    const sums = row(y, i), factors = row(a, i);
    for (let j = 0; j < b.rows; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += factors[k] * right[j * n + k];
      sums[j] = sum;
    }
  }
  return y;
}

/* The columns h·width … (h+1)·width − 1: those of head h. */
function head(x, h, width) {
  const y = matrix(x.rows, width);
  for (let i = 0; i < x.rows; i++) {
    row(y, i).set(row(x, i).subarray(h * width, (h + 1) * width));
  }
  return y;
}

/* The heads side by side: the inverse of `head`. */
function merged(heads) {
  const width = heads[0].columns, y = matrix(heads[0].rows, heads.length * width);
  heads.forEach((x, h) => {
    for (let i = 0; i < x.rows; i++) row(y, i).set(row(x, i), h * width);
  });
  return y;
}

/* y = x W + b      d_x = d_y Wᵀ */
function linear(x, name) {
  const W = weights[`${name}.weight`], b = weights[`${name}.bias`];
  const y = product(x, W);
  return [
    b ? map(y, (value, i) => value + b.data[i % y.columns]) : y,
    (d_y) => productWithTransposed(d_y, W),
  ];
}

/* x̂ = (x − mean) / σ      σ = √(var + ε)      y = γ ∘ x̂ + β
   d_x = (d_x̂ − mean(d_x̂) − x̂ ∘ mean(d_x̂ ∘ x̂)) / σ      d_x̂ = γ ∘ d_y */
function layerNorm(x, name) {
  const gamma = weights[`${name}.gamma`].data, beta = weights[`${name}.beta`].data;
  const y = matrix(x.rows, x.columns), x_hat = matrix(x.rows, x.columns), sigma = [];
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  for (let i = 0; i < x.rows; i++) {
    const centre = mean(row(x, i)), centred = row(x, i).map((value) => value - centre);
    sigma.push(Math.sqrt(dot(centred, centred) / x.columns + config.epsilon[name]));
    row(x_hat, i).set(centred.map((value) => value / sigma[i]));
    row(y, i).set(row(x_hat, i).map((value, j) => gamma[j] * value + beta[j]));
  }
  return [y, (d_y) => {
    const d_x = matrix(x.rows, x.columns);
    for (let i = 0; i < x.rows; i++) {
      const hat = row(x_hat, i), d_hat = row(d_y, i).map((value, j) => gamma[j] * value);
      const average = mean(d_hat), along = dot(d_hat, hat) / x.columns;
      row(d_x, i).set(d_hat.map((value, j) => (value - average - hat[j] * along) / sigma[i]));
    }
    return d_x;
  }];
}

/* As Math.max, which takes no more numbers than fit into a call. */
function largestOf(values) {
  return values.reduce((largest, value) => Math.max(largest, value), -Infinity);
}

/* P_j = exp(x_j − m) / Σ_i exp(x_i − m)      m = max_i x_i
   d_x = P ∘ (d_y − Σ_j d_y_j P_j)
   A row of nothing but −∞ gets zeros. */
function softmax(x) {
  const P = zeros(x.rows, x.columns, x);
  for (let i = 0; i < x.rows; i++) {
    const largest = largestOf(row(x, i)), shift = largest === -Infinity ? 0 : largest;
    const exps = row(x, i).map((value) => Math.exp(value - shift));
    const sum = exps.reduce((total, value) => total + value, 0);
    row(P, i).set(exps.map((value) => value / Math.max(sum, 1)));  // at least exp 0, else all are 0
  }
  return [P, (d_y) => {
    const d_x = zeros(x.rows, x.columns, x);
    for (let i = 0; i < x.rows; i++) {
      const weights = row(P, i), along = dot(row(d_y, i), weights);
      row(d_x, i).set(row(d_y, i).map((value, j) => weights[j] * (value - along)));
    }
    return d_x;
  }];
}

/* Equation 1: S = Q Kᵀ / √d_k      P = softmax(S, −∞ where forbidden)      y = P V
   d_V = Pᵀ d_y      d_P = d_y Vᵀ      d_S = P ∘ (d_P − Σ_j d_P_j P_j)
   d_Q = d_S K / √d_k      d_K = d_Sᵀ Q / √d_k
   All of it is kept, for the pictures. */
function attention(Q, K, V, mayAttend, kept) {
  const scale = 1 / Math.sqrt(Q.columns);
  const scores = scaled(productWithTransposed(Q, K), scale);                       // (T, S)
  const masked = maskedBy(scores, mayAttend);
  const [P, backThroughSoftmax] = softmax(masked);
  Object.assign(kept, { Q, K, V, scores, masked, P });
  return [product(P, V), (d_y) => {
    const d_V = product(transposed(P), d_y);
    const d_P = productWithTransposed(d_y, V);
    const d_scores = backThroughSoftmax(d_P);
    const d_Q = scaled(product(d_scores, K), scale);
    const d_K = scaled(product(transposed(d_scores), Q), scale);
    Object.assign(kept, { d_Q, d_K, d_V, d_P, d_scores });
    return [d_Q, d_K, d_V];
  }];
}

function maskedBy(scores, mayAttend) {
  return map(scores, (score, i) =>
    mayAttend(Math.floor(i / scores.columns), i % scores.columns) ? score : -Infinity);
}

/* The rows of b under those of a. */
function below(a, b) {
  const y = matrix(a.rows + b.rows, a.columns);
  y.data.set(a.data);
  y.data.set(b.data, a.data.length);
  return y;
}

/* k = m W_K (S, H·K) and v = m W_V (S, H·K_v), with their backwards. If kept.past remembers those of
   earlier positions, they come first; of a memory, which stays the same, they are all. */
function keysAndValues(m, isMemory, name, kept) {
  const before = kept.past?.[name];
  if (before && isMemory) return before;
  const both = ["key", "value"].map((part, i) => {
    const [y, back] = linear(m, `${name}.${part}`);
    return [before ? below(before[i][0], y) : y, back];
  });
  if (kept.past) kept.past[name] = both;
  return both;
}

/* head_h = Attention(x W_Q[h], m W_K[h], m W_V[h])      y = Concat(head_1, …, head_H) W_O
   Without a memory, m = x. Of a head in `off`, zeros reach W_O, and no gradient comes back. */
function multiHeadAttention(x, memory, mayAttend, name, kept, off) {
  const [q, backToQuery] = linear(x, `${name}.query`);                             // (T, H·K)
  const [[k, backToKey], [v, backToValue]] =
    keysAndValues(memory || x, Boolean(memory), name, kept);
  const start = memory ? 0 : k.rows - x.rows;  // the position of the first query
  const contexts = [], backs = [];
  kept[name] = [];
  for (let h = 0; h < config.heads; h++) {
    kept[name].push({});
    const [context, back] = attention(
      head(q, h, config.d_k), head(k, h, config.d_k), head(v, h, config.d_v),
      (query, key) => mayAttend(start + query, key), kept[name][h],
    );
    contexts.push(isOff(h) ? scaled(context, 0) : context);
    backs.push(back);
  }
  const [y, backToContext] = linear(merged(contexts), `${name}.output`);           // (T, D)

  function isOff(h) {
    return off.has(`${name}.${h}`);
  }

  return [y, (d_y) => {
    const d_context = backToContext(d_y);
    const gradients = backs.map((back, h) =>
      back(scaled(head(d_context, h, config.d_v), isOff(h) ? 0 : 1)));
    const [d_q, d_k, d_v] = [0, 1, 2].map((i) => merged(gradients.map((three) => three[i])));
    const d_x = backToQuery(d_q), d_memory = add(backToKey(d_k), backToValue(d_v));
    return memory ? [d_x, d_memory] : [add(d_x, d_memory)];
  }];
}

/* Φ(x), the normal distribution, by the series that the Python package uses; and its density φ. */
function normalCdf(x) {
  const { edge, coefficients } = config.normal;
  const clipped = Math.max(-edge, Math.min(edge, x)), t = 2 * (clipped / edge) ** 2 - 1;
  const ratio = coefficients.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  return Math.max(0, Math.min(1, 0.5 + clipped * ratio));
}

function normalDensity(x) {
  return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

const SLOPE = Math.sqrt(2 / Math.PI), CUBIC = 0.044715;

function tanhOf(x) {
  return Math.tanh(SLOPE * (x + CUBIC * x ** 3));
}

/* The activation f, and its derivative. */
const ACTIVATIONS = {
  relu: [(x) => Math.max(x, 0), (x) => (x > 0 ? 1 : 0)],
  gelu: [(x) => x * normalCdf(x), (x) => normalCdf(x) + x * normalDensity(x)],
  gelu_tanh: [
    (x) => x * (1 + tanhOf(x)) / 2,
    (x) => (1 + tanhOf(x)) / 2
      + x * (1 - tanhOf(x) ** 2) / 2 * SLOPE * (1 + 3 * CUBIC * Math.min(x * x, 1e6)),
  ],
};

/* y = f(x W₁ + b₁) W₂ + b₂ */
function feedForward(x, name) {
  const [f, slope] = ACTIVATIONS[config.activation];
  const [hidden, backToX] = linear(x, `${name}.expand`);                           // (T, F)
  const [y, backToHidden] = linear(map(hidden, f), `${name}.contract`);            // (T, D)
  return [y, (d_y) => {
    const d_active = backToHidden(d_y);
    return [backToX(map(d_active, (d, i) => d * slope(hidden.data[i])))];
  }];
}

/* post-norm: y = LayerNorm(x + f(x))      pre-norm: y = x + f(LayerNorm(x))
   x is used twice, so its gradients add up. Backward returns [d_x, what f returns beside it]. */
function residual(x, norm, f) {
  if (config.norm === "post") {
    const [branch, backThroughF] = f(x);
    const [y, backThroughNorm] = layerNorm(add(x, branch), norm);
    return [y, (d_y) => {
      const d_sum = backThroughNorm(d_y), [d_x, ...others] = backThroughF(d_sum);
      return [add(d_sum, d_x), ...others];
    }];
  }
  const [normed, backThroughNorm] = layerNorm(x, norm);
  const [branch, backThroughF] = f(normed);
  return [add(x, branch), (d_y) => {
    const [d_normed, ...others] = backThroughF(d_y);
    return [add(d_y, backThroughNorm(d_normed)), ...others];
  }];
}

/* A stack of layers. With a memory each layer attends to it, too, and backward returns
   [d_x, d_memory], where d_memory is the sum over the layers; else [d_x]. The stack's input and the
   output of each layer are kept. */
function stack(x, memory, mayAttend, name, layers, kept, off) {
  const backs = [], outputs = kept[name] = [x];
  function apply([y, back]) {
    x = y;
    backs.push(back);
  }
  for (let l = 0; l < layers; l++) {
    const layer = `${name}.layers.${l}`;
    let place = 1;
    const norm = () => `${layer}.add_norm_${place++}.norm`;
    apply(residual(x, norm(), (x) =>
      multiHeadAttention(x, null, mayAttend, `${layer}.self_attention`, kept, off)));
    if (memory) {
      apply(residual(x, norm(), (x) =>
        multiHeadAttention(x, memory, everywhere, `${layer}.cross_attention`, kept, off)));
    }
    apply(residual(x, norm(), (x) => feedForward(x, `${layer}.feed_forward`)));
    outputs.push(x);
  }
  if (config.final_norm) {
    const [y, back] = layerNorm(x, `${name}.final_norm`);
    apply([y, (d_y) => [back(d_y)]]);
  }
  return [x, (d_x) => {
    let d_memory = memory && matrix(memory.rows, memory.columns);
    for (const back of backs.reverse()) {
      let d_memory_of_layer;
      [d_x, d_memory_of_layer] = back(d_x);
      if (d_memory_of_layer) d_memory = add(d_memory, d_memory_of_layer);
    }
    return [d_x, d_memory];
  }];
}

function everywhere() {
  return true;
}

function causal(query, key) {
  return key <= query;
}

/* √D · W[ids] + PE, with the positions 0, 1, 2, … behind those that kept.past remembers. */
function embedding(ids, W, name, kept) {
  const start = kept.past?.read ?? 0;
  if (kept.past) kept.past.read = start + ids.length;
  const D = W.columns, learned = weights[`${name}.position.weight`];
  const y = matrix(ids.length, D);
  ids.forEach((id, p) => {
    const code = learned ? row(learned, start + p) : sinusoid(start + p, D);
    row(y, p).set(row(W, id).map((value, j) => Math.sqrt(D) * value + code[j]));
  });
  return y;
}

/* PE[p, 2i] = sin(p ωᵢ)      PE[p, 2i+1] = cos(p ωᵢ)      ωᵢ = 10000^(−2i/D) */
function sinusoid(p, D) {
  return Float32Array.from({ length: D }, (_, j) => {
    const angle = p * 10000 ** (-(j - j % 2) / D);
    return j % 2 ? Math.cos(angle) : Math.sin(angle);
  });
}

/* Logits (T, V): x W, or with tied embeddings x Wᵀ. */
function output(x, table) {
  return weights["output.weight"]
    ? linear(x, "output")
    : [productWithTransposed(x, table), (d_y) => product(d_y, table)];
}

/* memory = Encoder(embed(source))      logits = Decoder(embed(target_in), memory) W_out
   `memory` may be passed, as far as it is known: [memory, backward]. Backward returns the loss's
   gradients at the embeddings: {source (S, D), target (T, D)}. */
function encode(source, kept, off) {
  const x = embedding(source, weights["source_input.embedding.weight"], "source_input", kept);
  return stack(x, null, everywhere, "encoder", config.encoder_layers, kept, off);
}

/* The table of embeddings (V, D) of what is written. */
function targetTable() {
  return ["input", "target_input", "source_input"]
    .map((name) => weights[`${name}.embedding.weight`]).find(Boolean);
}

function transformer(encoded, targetIn, kept, off) {
  const [memory, backToSource] = encoded, table = targetTable();
  const x = embedding(targetIn, table, "target_input", kept);
  const [y, backToTarget] =
    stack(x, memory, causal, "decoder", config.decoder_layers, kept, off);
  const [logits, backToY] = output(y, table);
  return [logits, (d_logits) => {
    const [target, d_memory] = backToTarget(backToY(d_logits));
    return { source: backToSource(d_memory)[0], target };
  }];
}

/* logits = Layers(embed(ids)) W_out, under a causal mask. */
function languageModel(ids, kept, off) {
  const table = targetTable(), x = embedding(ids, table, "input", kept);
  const [y, backToX] = stack(x, null, causal, "layers", config.decoder_layers, kept, off);
  const [logits, backToY] = output(y, table);
  return [logits, (d_logits) => ({ target: backToX(backToY(d_logits))[0] })];
}

/* What would be written at a position if the model ended after each of its layers: logits
   (layers + 1, V), from the stack's input and from the output of each layer, by the model's own
   last norm and output. Source: nostalgebraist 2020, "interpreting GPT: the logit lens". */
function logitLens(outputs, position, name, table) {
  const x = matrix(outputs.length, outputs[0].columns);
  outputs.forEach((y, layer) => row(x, layer).set(row(y, position)));
  return output(config.final_norm ? layerNorm(x, `${name}.final_norm`)[0] : x, table)[0];
}

/* loss = −log p[token] = x_m − x[token] − log p[m] at one position, p = softmax(x), x the logits;
   m is the most likely token: p[token] may be so small that it is 0.
   d_logits = p − one-hot(token) there, and 0 at all other positions. In 64 bits: where p[token] is
   nearly 1, their difference would be lost in 32. */
function crossEntropy(logits, position, token) {
  const x = Float64Array.from(row(logits, position));
  const [p] = softmax({ ...logits, rows: 1, data: x }), m = p.data.indexOf(largestOf(p.data));
  const d_logits = matrix(logits.rows, logits.columns);
  row(d_logits, position).set(p.data);
  row(d_logits, position)[token] = p.data[token] - 1;
  return [x[m] - x[token] - Math.log(p.data[m]), d_logits, p.data];
}

/* The most likely token of the last position, of those that may be written. */
function mostLikely(logits, mayBeWritten) {
  const last = row(logits, logits.rows - 1);
  let best = -1;
  last.forEach((value, id) => {
    if (mayBeWritten(id) && (best < 0 || value > last[best])) best = id;
  });
  return best;
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64.trim()), (c) => c.charCodeAt(0));
}

/* `data`, cut into pieces of these lengths. */
function cut(data, lengths) {
  let start = 0;
  return lengths.map((length) => data.subarray(start, start += length));
}

/* Arrays of these lengths, of which there is a byte for each number: number = byte · scale. */
function fromBytes({ numbers, scales }, lengths) {
  return cut(new Int8Array(bytesOf(numbers).buffer), lengths).map((bytes, i) =>
    Float32Array.from(bytes, (byte) => byte * scales[i]));
}

/* Base64 of float16 or float32 numbers, as Float32Array. */
function numbers(base64, format) {
  const bytes = bytesOf(base64);
  if (format === "float32") return new Float32Array(bytes.buffer);
  return Float32Array.from(new Uint16Array(bytes.buffer), (bits) => {
    const sign = bits >> 15 ? -1 : 1, exponent = bits >> 10 & 31, fraction = bits & 1023;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : fraction * 2 ** -24);
  });
}
