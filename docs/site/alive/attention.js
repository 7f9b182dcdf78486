/* Equation 1, forward and backward, entry by entry. What is computed is `attention`, the function
   of mathematics.js; this file shows it.

T queries, S keys and values, K features of a query and a key, K_v features of a value. */

const T = 3, S = 5, K = 4, K_v = 2, H = 1e-5, LARGEST = 1000;

/* Each matrix, in the order in which they are computed. An `isInput` can be changed by the reader.
   `made(i, j)` says where an entry comes from: {short: in letters, sum: in numbers, parts: the
   entries in it}. With `sums`, the sum of each row stands beside it. */
const MATRICES = [
  {
    name: "Q", rows: T, columns: K, isInput: true, formula: "",
  },
  {
    name: "K", rows: S, columns: K, isInput: true, formula: "",
  },
  {
    name: "V", rows: S, columns: K_v, isInput: true, formula: "",
  },
  {
    name: "mask", rows: T, columns: S, isInput: true, formula: "ticked: may attend",
  },
  {
    name: "S", rows: T, columns: S, formula: "Q Kᵀ / √d_k",
    says: "How well does each query match each key? One score for each pair.",
    made: (i, j) => ({
      short: `q${i + 1} · k${j + 1} / √${K}`,
      sum: `(${products(rowOf("Q", i), rowOf("K", j))}) / ${shortNumber(Math.sqrt(K))}`,
      parts: [...rowOf("Q", i), ...rowOf("K", j)],
    }),
  },
  {
    name: "masked", rows: T, columns: S, formula: "S where ticked, else −∞",
    says: "The mask acts on the scores, before softmax: exp(−∞) = 0.",
    made: (i, j) => ({
      short: isAllowed(i, j) ? `S[${i + 1},${j + 1}]` : "the mask forbids it",
      sum: isAllowed(i, j) ? shown(["S", i, j]) : "−∞",
      parts: [["S", i, j], ["mask", i, j]],
    }),
  },
  {
    name: "P", rows: T, columns: S, formula: "softmax(masked), row by row", sums: true,
    says: "Softmax turns each row of scores into weights: positive, and of sum 1. m is the largest "
      + "score of the row; without it, exp could overflow.",
    made: (i, j) => {
      const scores = rowOf("masked", i), largest = Math.max(...scores.map(value));
      const power = (entry) => `exp(${difference(shown(entry), shortNumber(largest))})`;
      const allowed = scores.filter((entry) => value(entry) > -Infinity);
      if (!allowed.length) {
        return { short: "no key is allowed: zeros, never 0/0", sum: "0", parts: scores };
      }
      return {
        short: "exp(s − m) / Σ exp(s − m)",
        sum: isAllowed(i, j)
          ? `${power(scores[j])} / (${allowed.map(power).join(" + ")})`
          : "0",
        parts: scores,
      };
    },
  },
  {
    name: "Y", rows: T, columns: K_v, formula: "P V",
    says: "The mean of the values, each with its weight.",
    made: (i, j) => sumOf(rowOf("P", i), columnOf("V", j)),
  },
  {
    name: "d_Y", rows: T, columns: K_v, isInput: true, formula: "∂L/∂Y, from the layers above",
    says: "Backward begins with the gradient of the loss at Y. Here L = Σ d_Y ∘ Y.",
  },
  {
    name: "d_V", rows: S, columns: K_v, formula: "Pᵀ d_Y",
    says: "A value gets the gradient of each query that used it, with the weight that it had.",
    made: (i, j) => sumOf(columnOf("P", i), columnOf("d_Y", j)),
  },
  {
    name: "d_P", rows: T, columns: S, formula: "d_Y Vᵀ",
    says: "Would more weight on this key raise the loss? That depends on its value alone.",
    made: (i, j) => sumOf(rowOf("d_Y", i), rowOf("V", j)),
  },
  {
    name: "d_S", rows: T, columns: S, formula: "P ∘ (d_P − rowsum(d_P ∘ P))", sums: true,
    says: "Back through softmax. If one weight rises, the others fall: each row sums to 0.",
    made: (i, j) => ({
      short: `P (d_P − Σ d_P P)`,
      sum: `${factor(["P", i, j])}·(${shown(["d_P", i, j])} − `
        + `(${products(rowOf("d_P", i), rowOf("P", i))}))`,
      parts: [...rowOf("P", i), ...rowOf("d_P", i)],
    }),
  },
  {
    name: "d_Q", rows: T, columns: K, formula: "d_S K / √d_k",
    says: "A query moves along the keys; the gradient has the scale of forward.",
    made: (i, j) => sumOf(rowOf("d_S", i), columnOf("K", j), Math.sqrt(K)),
  },
  {
    name: "d_K", rows: S, columns: K, formula: "d_Sᵀ Q / √d_k",
    says: "A key moves along the queries that look at it. This was the last one.",
    made: (i, j) => sumOf(columnOf("d_S", i), columnOf("Q", j), Math.sqrt(K)),
  },
];
const INPUTS = MATRICES.filter(({ isInput }) => isInput);
const BY_NAME = Object.fromEntries(MATRICES.map((one) => [one.name, one]));
/* A step of the walk shows one matrix more; the first shows the first four. */
const FIRST_STEP = 3, LAST_STEP = MATRICES.length - 1;

const Q = [1, 0, 2, -1, 0, 2, -1, 1, 2, 1, 0, 1];
const KEYS = [1, 1, 0, 0, 0, 1, -1, 2, 2, 0, 1, -1, -1, 0, 1, 1, 0, -2, 1, 0];
const VALUES = [1, 0, 0, 2, -1, 1, 3, -1, 0.5, 0.5], D_Y = [1, -0.5, 0, 2, -1, 1];
const EVERYWHERE = Array(T * S).fill(1);
const causally = (_, place) => Number(place % S <= Math.floor(place / S) + S - T);
const EXAMPLE = { Q, K: KEYS, V: VALUES, d_Y: D_Y, mask: EVERYWHERE };
const EXAMPLES = [
  { title: "a usual one", says: "", ...EXAMPLE },
  {
    title: "all scores equal",
    says: "All keys are equal, so no query prefers one: each weight is 1/5. d_S is not 0, but each "
      + "of its rows sums to 0, and so d_Q is 0: no query can do anything about it.",
    ...EXAMPLE, K: KEYS.map((_, place) => KEYS[place % K]),
  },
  {
    title: "one very large score",
    says: "The first query has a score far above the others: softmax saturates. Its weight is 1, "
      + "and the first row of d_S is nearly 0, whatever d_P says: the gradient vanishes. This is "
      + "what the division by √d_k makes less likely.",
    ...EXAMPLE, Q: Q.map((entry, place) => (place < K ? 10 * entry : entry)),
  },
  {
    title: "a causal mask",
    says: `The queries are the last ${T} of ${S} positions; each attends to itself and to what came `
      + "before. What is forbidden has weight 0, and its gradient d_S is 0.",
    ...EXAMPLE, mask: EVERYWHERE.map(causally),
  },
  {
    title: "a query that may attend to nothing",
    says: "The second query is forbidden every key. Its softmax would be 0/0; here, as in the "
      + "package, its weights, its row of Y and its gradients are 0.",
    ...EXAMPLE, mask: EVERYWHERE.map((_, place) => Number(Math.floor(place / S) !== 1)),
  },
];

/* `given`: the numbers that the reader may change; `values`: all matrices; `chosen`: an entry;
   `step`: the last matrix that is shown; `isWalking`: whether it is marked. */
const state = { given: {}, values: {}, chosen: ["S", 0, 1], step: LAST_STEP, isWalking: false };

/* -- entries, [name, i, j] ------------------------------------------------------------------- */

function value([name, i, j]) {
  const x = state.values[name];
  return x.data[i * x.columns + j];
}

function shown(entry) {
  return shortNumber(value(entry));
}

/* As a factor: what is negative stands in brackets. */
function factor(entry) {
  return value(entry) < 0 ? `(${shown(entry)})` : shown(entry);
}

function difference(a, b) {
  return b[0] === "−" ? `${a} + ${b.slice(1)}` : `${a} − ${b}`;
}

function rowOf(name, i) {
  return Array.from({ length: BY_NAME[name].columns }, (_, j) => [name, i, j]);
}

function columnOf(name, j) {
  return Array.from({ length: BY_NAME[name].rows }, (_, i) => [name, i, j]);
}

function isAllowed(i, j) {
  return value(["mask", i, j]) === 1;
}

function products(lefts, rights) {
  return lefts.map((left, n) => `${factor(left)}·${factor(rights[n])}`).join(" + ");
}

function sumOf(lefts, rights, divisor = 1) {
  const sum = products(lefts, rights), isScaled = divisor !== 1;
  return {
    short: `${line(lefts)} · ${line(rights)}${isScaled ? ` / √${divisor ** 2}` : ""}`,
    sum: isScaled ? `(${sum}) / ${shortNumber(divisor)}` : sum,
    parts: [...lefts, ...rights],
  };
}

/* "row 2 of P", of its entries. */
function line([[name, i, j], [, next]]) {
  return i === next ? `row ${i + 1} of ${name}` : `column ${j + 1} of ${name}`;
}

function nameOf([name, i, j]) {
  return `${name}[${i + 1},${j + 1}]`;
}

/* -- computing ------------------------------------------------------------------------------- */

/* All matrices, from the numbers of the reader. */
function computed(given) {
  const inputs = Object.fromEntries(INPUTS.map(({ name, rows, columns }) =>
    [name, matrix(rows, columns, Float64Array.from(given[name]))]));
  const kept = {}, mayAttend = (i, j) => given.mask[i * S + j] === 1;
  const [Y, backward] = attention(inputs.Q, inputs.K, inputs.V, mayAttend, kept);
  backward(inputs.d_Y);
  return { ...inputs, ...kept, S: kept.scores, Y, d_S: kept.d_scores };
}

function lossOf({ d_Y, Y }) {
  return dot(d_Y.data, Y.data);
}

/* (L(x + h) − L(x − h)) / 2h for one entry of Q, K or V. */
function centralDifference([name, i, j]) {
  const [above, below] = [H, -H].map((h) => {
    const moved = [...state.given[name]];
    moved[i * BY_NAME[name].columns + j] += h;
    return lossOf(computed({ ...state.given, [name]: moved }));
  });
  return (above - below) / (2 * H);
}

/* -- the page -------------------------------------------------------------------------------- */

const page = document.getElementById("alive-attention");
const $ = (id) => document.getElementById(id);
const cellId = ([name, i, j]) => `cell-${name}-${i}-${j}`;

/* The table of a matrix. Its entries are filled in by `draw`. */
function tableOf(one) {
  const numbers = (count) => Array.from({ length: count }, (_, n) => n);
  const header = numbers(one.columns).map((j) => element("th", { scope: "col" }, `${j + 1}`));
  if (one.sums) header.push(element("th", { scope: "col" }, "sum"));
  const lines = numbers(one.rows).map((i) => {
    const cells = numbers(one.columns).map((j) => cellOf(one, [one.name, i, j]));
    if (one.sums) cells.push(element("td", { class: "sum", id: `sum-${one.name}-${i}` }));
    return element("tr", {}, element("th", { scope: "row" }, `${i + 1}`), ...cells);
  });
  return element("table", { "role": "grid", "aria-labelledby": `name-${one.name}` },
    element("tr", {}, element("td"), ...header), ...lines);
}

function cellOf(one, entry) {
  const isFirst = entry[1] + entry[2] === 0;
  const facts = {
    "id": cellId(entry), "data-entry": entry.join(), "tabindex": isFirst ? 0 : -1,
  };
  if (!one.isInput) return element("td", facts);
  const kind = one.name === "mask"
    ? { type: "checkbox" }
    : { type: "text", inputmode: "decimal", autocomplete: "off" };
  return element("td", {}, element("input", { ...facts, ...kind, "aria-label": nameOf(entry) }));
}

function figureOf(one) {
  return element(
    "div", { class: "matrix", id: `matrix-${one.name}` },
    element("p", { id: `name-${one.name}` }, element("b", {}, one.name),
      one.made ? ` = ${one.formula}` : ` ${one.formula}`,
      element("span", { class: "shape" }, ` (${one.rows} × ${one.columns})`)),
    element("div", { class: "wide" }, tableOf(one)),
  );
}

function build() {
  const button = (id, words) => element("button", { type: "button", id }, words);
  const menu = element("select", { id: "example" },
    ...EXAMPLES.map(({ title }, n) => element("option", { value: n }, title)));
  const backwards = MATRICES.findIndex(({ name }) => name === "d_Y");
  page.replaceChildren(
    element("p", { class: "controls" },
      element("label", { for: "example" }, "Example "), menu, button("reset", "Reset the numbers"),
      largeType()),
    element("p", { id: "example-says" }),
    element("p", { id: "refused", role: "alert" }),
    element("h3", {}, "Forward"),
    element("div", { class: "matrices" }, ...MATRICES.slice(0, backwards).map(figureOf)),
    element("h3", { id: "backward-heading" }, "Backward"),
    element("div", { class: "matrices" }, ...MATRICES.slice(backwards).map(figureOf)),
    element("div", { id: "bar", role: "region", tabindex: 0, "aria-label": "steps and sums" },
      element("p", { class: "controls" }, button("start", "From the start"),
        button("back", "Back"), button("next", "Next"), button("all", "Show all"),
        element("span", { id: "place" })),
      element("p", { id: "step-says", role: "status" }),
      element("p", { id: "sum", role: "status" }), element("p", { id: "difference" })),
  );
}

/* Every number as it is now. */
function draw() {
  state.values = computed(state.given);
  for (const one of MATRICES) {
    const x = state.values[one.name];
    x.data.forEach((number, place) => {
      const i = Math.floor(place / x.columns), cell = $(cellId([one.name, i, place % x.columns]));
      if (one.name === "mask") cell.checked = number === 1;
      else if (!one.isInput) cell.textContent = shortNumber(number);
      else if (cell !== document.activeElement) cell.value = String(number);
    });
    for (let i = 0; one.sums && i < one.rows; i++) {
      const sum = row(x, i).reduce((total, number) => total + number, 0);
      $(`sum-${one.name}-${i}`).textContent = shortNumber(sum);
    }
  }
  drawChosen();
}

/* The chosen entry: the sum that it is, the entries in it, and the finite difference. */
function drawChosen() {
  const { chosen } = state, [name, i, j] = chosen, one = BY_NAME[name];
  const { short, sum, parts } = one.made ? one.made(i, j) : { parts: [] };
  const isPart = new Set(parts.map(cellId));
  for (const cell of page.querySelectorAll("[data-entry]")) {
    const box = cell.closest("td");
    box.classList.toggle("part", isPart.has(cell.id));
    box.classList.toggle("chosen", cell.id === cellId(chosen));
    if (entryOf(cell)[0] === name) cell.tabIndex = cell.id === cellId(chosen) ? 0 : -1;
  }
  $("sum").textContent = one.made
    ? `${nameOf(chosen)} = ${short} = ${sum}${sum === shown(chosen) ? "" : ` = ${shown(chosen)}`}`
    : name === "mask"
      ? `${nameOf(chosen)}: query ${i + 1} ${isAllowed(i, j) ? "may" : "may not"} attend to key `
        + `${j + 1}.`
      : `${nameOf(chosen)} = ${shown(chosen)}. Type another number.`;
  drawDifference();
}

function drawDifference() {
  const [name, i, j] = state.chosen, varied = name.replace("d_", "");
  if (!["Q", "K", "V"].includes(varied)) {
    $("difference").textContent = `L = Σ d_Y ∘ Y = ${shortNumber(lossOf(state.values), 6)}. For a `
      + "finite difference, choose an entry of Q, K, V or of their gradients.";
    return;
  }
  const x = [varied, i, j], gradient = value([`d_${varied}`, i, j]);
  $("difference").textContent = `Finite difference for x = ${nameOf(x)}: (L(x + h) − L(x − h)) / 2h `
    + `= ${shortNumber(centralDifference(x), 6)}; the gradient d_${nameOf(x)} = `
    + `${shortNumber(gradient, 6)}. (h = 10⁻⁵, L = Σ d_Y ∘ Y = `
    + `${shortNumber(lossOf(state.values), 6)})`;
}

/* Show the matrices up to this one, and mark it. */
function show(step) {
  state.step = Math.max(FIRST_STEP, Math.min(LAST_STEP, step));
  MATRICES.forEach(({ name }, n) => {
    $(`matrix-${name}`).hidden = n > state.step;
    $(`matrix-${name}`).classList.toggle("now", n === state.step && state.isWalking);
  });
  $("backward-heading").hidden = $("matrix-d_Y").hidden;
  $("back").disabled = state.step === FIRST_STEP;
  $("next").disabled = state.step === LAST_STEP;
  const { name, formula, made, says } = MATRICES[state.step];
  $("place").textContent = state.isWalking
    ? `step ${state.step - FIRST_STEP} of ${LAST_STEP - FIRST_STEP}`
    : "";
  $("step-says").textContent = !state.isWalking
    ? ""
    : state.step === FIRST_STEP
      ? "Given are queries Q, keys K, values V, and a mask. What does each query get?"
      : `${name}${made ? ` = ${formula}` : ""}. ${says}`;
}

function walk(step) {
  state.isWalking = true;
  show(step);
  const { name } = MATRICES[state.step];
  choose([name, 0, 0]);
  $(`matrix-${name}`).scrollIntoView({ block: "nearest" });
}

function choose(entry) {
  state.chosen = entry;
  drawChosen();
}

function begin(example) {
  state.given = Object.fromEntries(INPUTS.map(({ name }) => [name, [...example[name]]]));
  $("example-says").textContent = example.says;
  $("refused").textContent = "";
  for (const cell of page.querySelectorAll("[aria-invalid]")) cell.removeAttribute("aria-invalid");
  document.activeElement.blur();
  draw();
}

/* A number was typed, or a cell of the mask ticked. */
function read(cell) {
  const [name, i, j] = entryOf(cell), place = i * BY_NAME[name].columns + j;
  let problem = "";
  if (name === "mask") {
    state.given.mask[place] = Number(cell.checked);
  } else {
    const text = cell.value.trim().replaceAll("−", "-"), number = Number(text);
    if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) && Math.abs(number) <= LARGEST) {
      state.given[name][place] = number;
    } else {
      problem = `“${cell.value}” cannot be used: write a number such as −0.5, with a point, from `
        + `−${LARGEST} to ${LARGEST}. ${nameOf([name, i, j])} stays `
        + `${shortNumber(state.given[name][place])}.`;
    }
    if (problem) cell.setAttribute("aria-invalid", "true");
    else cell.removeAttribute("aria-invalid");
  }
  $("refused").textContent = problem;
  draw();
}

function entryOf(cell) {
  const [name, i, j] = cell.dataset.entry.split(",");
  return [name, Number(i), Number(j)];
}

/* An arrow key goes to the next entry of the same matrix; in a number, only from its end. */
function move(event) {
  const cell = event.target.closest("[data-entry]");
  const step = {
    ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  }[event.key];
  if (!cell || !step) return;
  if (cell.type === "text" && step[1]) {
    const { selectionStart, selectionEnd, value: { length } } = cell;
    const isWhole = selectionStart === 0 && selectionEnd === length;
    const end = step[1] < 0 ? 0 : length;
    if (!isWhole && (selectionStart !== end || selectionEnd !== end)) return;
  }
  const [name, i, j] = entryOf(cell), next = $(cellId([name, i + step[0], j + step[1]]));
  event.preventDefault();
  if (next) next.focus();
}

build();
for (const event of ["mouseover", "focusin"]) {
  page.addEventListener(event, ({ target }) => {
    const box = target.closest("td");
    const cell = box?.dataset.entry ? box : box?.querySelector("[data-entry]");
    if (!cell) return;
    choose(entryOf(cell));
    if (event === "focusin" && cell.type === "text") cell.select();
  });
}
page.addEventListener("keydown", move);
page.addEventListener("input", ({ target }) => target.dataset.entry && read(target));
page.addEventListener("focusout", ({ target }) => {
  if (target.type !== "text") return;
  target.removeAttribute("aria-invalid");
  target.value = String(value(entryOf(target)));  // the number that counts
});
$("example").addEventListener("change", ({ target }) => begin(EXAMPLES[target.value]));
$("reset").addEventListener("click", () => begin(EXAMPLES[$("example").value]));
$("start").addEventListener("click", () => walk(FIRST_STEP));
$("back").addEventListener("click", () => walk(state.step - 1));
$("next").addEventListener("click", () => walk(state.step + 1));
$("all").addEventListener("click", () => {
  state.isWalking = false;
  show(LAST_STEP);
});
begin(EXAMPLES[0]);
show(LAST_STEP);
