"use strict";
/* What the reader types and chooses, and the pictures of it. */

const $ = (id) => document.getElementById(id);
const facts = JSON.parse($("facts").textContent);
const { config } = facts;
const vocabulary = {
  ...facts.vocabulary,
  ids: new Map(Object.entries(facts.vocabulary.tokens).map(([id, token]) => [token, Number(id)])),
};
const isTransformer = facts.model === "Transformer";

/* The kinds of attention: how each is called, where it is, and whose positions its rows are. */
const KINDS_OF_ATTENTION = isTransformer
  ? [
    { name: "cross-attention", part: "decoder", sublayer: "cross_attention", rows: "target" },
    { name: "decoder self-attention", part: "decoder", sublayer: "self_attention", rows: "target" },
    { name: "encoder self-attention", part: "encoder", sublayer: "self_attention", rows: "source" },
  ].filter((kind) => kind.part !== "encoder" || config.encoder_layers > 0)
  : [{ name: "self-attention", part: "layers", sublayer: "self_attention", rows: "target" }];

/* `off`: the heads that are switched off. The chosen kind, layer and head; a position of the source
   and one of the target; the cell (row, column) of the map; `token`: the target of the loss, or
   null for the written one. `ids`: the last text that could be read. `count`: tokens to write.
   `pass`: what the model has computed. */
const state = {
  off: new Set(), kind: KINDS_OF_ATTENTION[0], layer: 0, head: 0, source: 0, target: 0, column: 0,
  token: null, shown: "P", ids: facts.texts[0].ids, count: 12, pass: null, milliseconds: 0,
};

const lengths = facts.shapes.map(([, rows, columns]) => rows * columns);

/* {name: matrix} from the numbers of each parameter. */
function named(arrays) {
  return Object.fromEntries(facts.shapes.map(([name, rows, columns], i) =>
    [name, matrix(rows, columns, arrays[i])]));
}

const atTheEnd = named(cut(numbers($("numbers").textContent, facts.format), lengths));
let weights = atTheEnd;

/* A token as it is shown: white space alone would not be seen. */
function label(id) {
  const token = vocabulary.tokens[id];
  return token.trim() ? token : { " ": "␣", "\n": "⏎" }[token] ?? JSON.stringify(token);
}

/* -- the model at work ----------------------------------------------------------------------- */

/* A text as its field gives it back: each end of a line is one "\n". */
function asInField(text) {
  return text.replace(/\r\n?/g, "\n");
}

/* The ids of the text in the page, with notes on it. While the field has the text of the menu, the
   ids are those that Python has read, also of each "\r". */
function readText() {
  const chosen = facts.texts[$("menu").value], typed = $("text").value;
  if (!facts.types) return { ids: chosen.ids, notes: [] };
  const { read } = KINDS[vocabulary.kind];
  return typed === asInField(chosen.text)
    ? { ...read(chosen.text, vocabulary), ids: chosen.ids }
    : read(typed, vocabulary);
}

/* What is read before the first token is written. */
function beginning(ids) {
  return isTransformer ? [BOS] : facts.continues ? ids : [...ids, BOS];
}

/* Let the model answer, token by token, each the most likely one. It reads each token once:
   `past` has the keys and values of those before. */
function answer(ids) {
  const before = beginning(ids), written = [], past = {};
  const encoded = isTransformer && encode(ids, {}, state.off);
  const usual = facts.continues ? state.count : 2 * ids.length + 8;
  const most = Math.min(usual, config.max_length - before.length + 1);
  const mayBeWritten = (id) => (facts.continues ? id >= FIRST : id !== PAD && id !== BOS);
  while (written.length < most && (facts.continues || written.at(-1) !== EOS)) {
    const read = written.length ? written.slice(-1) : before;
    const [logits] = isTransformer
      ? transformer(encoded, read, { past }, state.off)
      : languageModel(read, { past }, state.off);
    written.push(mostLikely(logits, mayBeWritten));
  }
  const sequence = [...before, ...written];
  return {
    source: isTransformer && ids,
    read: sequence.slice(0, -1),       // (T,)
    next: sequence.slice(1),           // what comes after each of these, (T,)
    first: before.length - 1,          // where the first token is written
    written,
  };
}

/* One pass over all that is written, with everything kept, and backward from the chosen target. */
function passOver() {
  Object.assign(state.pass, facts.computed ? passBeforehand() : passHere());
}

/* What Python has computed. Of Q, K and their gradients there are the norms: matrices of one column
   stand for them. */
function passBeforehand() {
  const { passes, first, attention } = state.pass;
  const { gradients, d_embeddings, ...said } = passes[state.target - first];
  const column = (norms) => matrix(norms.length, 1, Float32Array.from(norms));
  const kept = Object.fromEntries(Object.entries(attention).map(([name, given]) => {
    const d = gradients[name], T = given.Q[0].length, S = given.K[0].length;
    const isCausal = !name.startsWith("encoder") && !name.endsWith("cross_attention");
    const places = given.Q.map(() => T * S);
    const d_P_rows = fromBytes(d, d.scales.map(() => S));                          // H·T of them
    return [name, cut(numbers(given.scores, "float32"), places).map((data, h) => {
      const scores = matrix(T, S, data), d_P = matrix(T, S);
      d_P_rows.slice(h * T, (h + 1) * T).forEach((values, i) => row(d_P, i).set(values));
      const masked = maskedBy(scores, isCausal ? causal : everywhere);
      const [P, backThroughSoftmax] = softmax(masked);
      const steps = map(scores, (_, i) => d.scales[h * T + Math.floor(i / S)]).data;
      // d_P is off by half a step at most; in d_S = P ∘ (d_P − Σ_j d_P_j P_j) that counts twice
      const errors = {
        d_P: steps.map((step) => step / 2), d_scores: steps.map((step, i) => step * P.data[i]),
      };
      return {
        errors,
        Q: column(given.Q[h]), K: column(given.K[h]), scores, masked, P,
        d_Q: column(d.d_Q[h]), d_K: column(d.d_K[h]), d_P, d_scores: backThroughSoftmax(d_P),
      };
    })];
  }));
  const sides = Object.entries(d_embeddings).map(([side, norms]) => [side, column(norms)]);
  return { ...said, kept, d_embeddings: Object.fromEntries(sides) };
}

function passHere() {
  const { pass, off } = state, kept = {};
  const [logits, backward] = isTransformer
    ? transformer(encode(pass.source, kept, off), pass.read, kept, off)
    : languageModel(pass.read, kept, off);
  const [loss, d_logits, p] = crossEntropy(logits, state.target, targetToken());
  const stack = isTransformer ? "decoder" : "layers";
  const [lens] = softmax(logitLens(kept[stack], state.target, stack, targetTable()));
  return {
    logits, kept, loss, d_embeddings: backward(d_logits), likely: likeliest(p),
    lens: Array.from({ length: lens.rows }, (_, layer) => likeliest(row(lens, layer))),
  };
}

/* The five tokens with the largest probabilities: [[id, probability], …]. */
function likeliest(p) {
  return [...p.keys()].sort((a, b) => p[b] - p[a]).slice(0, 5).map((id) => [id, p[id]]);
}

function targetToken() {
  return state.token ?? state.pass.next[state.target];
}

/* Everything again: the text, a head or the moment has changed. A text that cannot be read changes
   nothing, and an invalid number of tokens neither. */
function update() {
  const began = performance.now(), notes = [];
  try {
    const read = readText();
    if (!read.ids.length) throw new Error("An empty text: there is nothing to read.");
    const length = Math.max(read.ids.length, beginning(read.ids).length);
    if (length > config.max_length) {
      throw new Error(`This makes ${length} tokens, and the model has positions for `
        + `${config.max_length}. Shorten the text.`);
    }
    state.ids = read.ids;
    notes.push(...read.notes);
  } catch (problem) {
    notes.push(`${problem.message} What stands below belongs to the text before.`);
  }
  if ($("tokens").checkValidity()) state.count = Number($("tokens").value);
  else notes.push(`“Tokens to write” needs a whole number from 1 to 32; ${state.count} is used.`);
  $("notes").textContent = notes.join(" ");
  state.pass = facts.computed ? { ...facts.texts[$("menu").value] } : answer(state.ids);
  const { first, next } = state.pass;
  chooseTarget(Math.max(first, Math.min(state.target, next.length - 1)));
  state.milliseconds = performance.now() - began;
}

/* A moment of the training, by its place in facts.moments; behind the last: the model itself. */
function chooseMoment(place) {
  const moment = facts.moments[place];
  weights = moment ? named(fromBytes(moment, lengths)) : atTheEnd;
  const said = moment ? `after ${moment.step.toLocaleString("en")} steps` : "the model as it is";
  $("after").textContent = said;
  $("moment").setAttribute("aria-valuetext", said);
  update();
}

const OVERFLOW = "For this text the model's numbers are not finite: they are larger than the "
  + "largest number of 32 bits. So none is shown. Type another text, or make the page of a model "
  + "with smaller weights.";

/* Whether all that is drawn is finite; `masked` has −∞ by its nature. */
function allFinite({ loss, kept, d_embeddings }) {
  const heads = Object.entries(kept).flatMap(([name, heads]) =>
    (name.endsWith("attention") ? heads : []));
  const drawn = heads.flatMap(({ Q, K, scores, P, d_Q, d_K, d_P, d_scores }) =>
    [Q, K, scores, P, d_Q, d_K, d_P, d_scores]);
  return Number.isFinite(loss)
    && [...drawn, ...Object.values(d_embeddings)].every((x) => x.data.every(Number.isFinite));
}

/* -- choices --------------------------------------------------------------------------------- */

/* A position of the target, and the token there that is the loss's target: null for the written
   one. The source token that it looks at most is chosen with it. */
function chooseTarget(position, token = null) {
  Object.assign(state, { target: position, token });
  passOver();
  const isShown = allFinite(state.pass);
  for (const part of document.querySelectorAll(".computed")) part.hidden = !isShown;
  $("overflow").textContent = isShown ? "" : OVERFLOW;
  if (!isShown) return;
  if (isTransformer) {
    const maps = headsOf(KINDS_OF_ATTENTION[0], config.decoder_layers - 1).map((kept) => kept.P);
    const sums = state.pass.source.map((_, s) =>
      maps.reduce((sum, P) => sum + row(P, position)[s], 0));
    state.source = sums.indexOf(Math.max(...sums));
  }
  draw();
}

function chooseSource(position) {
  state.source = position;
  if (state.kind.sublayer === "cross_attention") state.column = position;
  draw();
}

function chooseCell(i, j) {
  state.column = j;
  if (i === chosenRow()) draw();
  else if (state.kind.rows === "source") chooseSource(i);
  else chooseTarget(i);
}

function chosenRow() {
  return state.kind.rows === "source" ? state.source : state.target;
}

function nameOf(kind, layer) {
  return `${kind.part}.layers.${layer}.${kind.sublayer}`;
}

function headsOf(kind, layer) {
  return state.pass.kept[nameOf(kind, layer)];
}

function layersOf(kind) {
  return kind.part === "encoder" ? config.encoder_layers : config.decoder_layers;
}

/* The labels of a kind's rows and columns. A row of the decoder has the token that is written
   there, a column that which is read. */
function labelsOf(kind) {
  const { source, read, next } = state.pass;
  const rows = kind.rows === "source" ? source : next;
  const ofSource = kind.sublayer === "cross_attention" || kind.rows === "source";
  const columns = ofSource ? source : read;
  return { rows: rows.map(label), columns: columns.map(label) };
}

/* -- pictures -------------------------------------------------------------------------------- */

/* Two or three digits, as far as they say something. */
function shortNumber(value) {
  if (value === -Infinity) return "−∞";
  if (value === 0) return "0";
  const text = Math.abs(value) >= 0.01 ? value.toFixed(2) : value.toExponential(0);
  return text.replace("-", "−").replace("e-", "e−");
}

/* The number at a place of a head. Of one that has an error, the digits above the error. */
function numberAt(kept, what, place) {
  const value = kept[what].data[place], error = kept.errors?.[what]?.[place];
  if (!error) return shortNumber(value);
  const unit = 10 ** Math.ceil(Math.log10(error)), rounded = unit * Math.round(value / unit);
  if (rounded === 0) return "≈0";
  return String(Number(rounded.toPrecision(3))).replace("-", "−").replace("e-", "e−");
}

function isForbidden(kept, place) {
  return kept.masked.data[place] === -Infinity && !["scores", "d_P"].includes(state.shown);
}

/* The largest absolute value of what is shown, over all heads of the kind: one scale for all. */
function limit() {
  let largest = 0;
  for (let l = 0; l < layersOf(state.kind); l++) {
    for (const kept of headsOf(state.kind, l)) {
      for (const value of kept[state.shown].data) {
        if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
      }
    }
  }
  return largest || 1;
}

function colourOf(value, most) {
  return state.shown === "P"
    ? colour(VIRIDIS, value)
    : colour(BLUE_TO_ORANGE, (value / most + 1) / 2);
}

/* Everything is drawn anew; what had the focus has it again. */
function draw() {
  const focused = document.activeElement?.id;
  state.layer = Math.min(state.layer, layersOf(state.kind) - 1);
  state.column = Math.min(state.column, labelsOf(state.kind).columns.length - 1);
  drawTokens();
  drawHeads();
  drawMap();
  drawFollowed();
  drawLens();
  drawGradient();
  const again = focused && $(focused);
  if (again && again !== document.activeElement) again.focus({ preventScroll: true });
}

function drawTokens() {
  const { source, next, read, first, written } = state.pass;
  function buttons(ids, name, chosen, start = 0) {
    $(name).replaceChildren(...ids.map((id, i) => element("button", {
      "type": "button", "class": "token", "id": `${name}-${i + start}`, "data-position": i + start,
      "aria-pressed": chosen === i + start,
    }, label(id))));
  }
  if (isTransformer) buttons(source, "read", state.source);
  else $("read").replaceChildren(read.slice(0, first + 1).map(label).join(" "));
  buttons(next.slice(first), "written", state.target, first);
  const answer = written.at(-1) === EOS ? written.slice(0, -1) : written;
  $("answer").textContent = state.pass.answer ?? (facts.types
    ? KINDS[vocabulary.kind].join(answer.map((id) => vocabulary.tokens[id]))
    : "these tokens, which only Python can join to a text");
}

function drawHeads() {
  const most = limit();
  $("legend").textContent = state.shown === "P"
    ? "0: dark, 1: bright. Hatched: forbidden by the mask, which is not the same as 0."
    : `−${shortNumber(most)}: blue, 0: white, ${shortNumber(most)}: orange. `
      + "Hatched: forbidden by the mask.";
  const cards = [];
  for (let l = 0; l < layersOf(state.kind); l++) {
    headsOf(state.kind, l).forEach((kept, h) => {
      const key = `${nameOf(state.kind, l)}.${h}`, isOff = state.off.has(key);
      const chosen = l === state.layer && h === state.head;
      const canvas = element("canvas", { "aria-hidden": "true" });
      const box = element("input", { type: "checkbox", id: `switch-${l}-${h}`, "data-key": key });
      Object.assign(box, { checked: !isOff, disabled: facts.computed });
      cards.push(element(
        "div", { "class": "head", "data-chosen": chosen, "data-off": isOff },
        element("button", {
          "type": "button", "id": `head-${l}-${h}`, "data-layer": l, "data-head": h,
          "aria-pressed": chosen,
        }, `Layer ${l + 1}, head ${h + 1}`, canvas),
        element("label", {}, box, ` head ${h + 1} is on`),
      ));
      paint(canvas, kept, most);
    });
  }
  $("heads").replaceChildren(...cards);
}

/* A small map, with a line across each cell that is forbidden. */
function paint(canvas, kept, most) {
  const x = kept[state.shown], side = Math.ceil(160 / Math.max(x.rows, x.columns));
  Object.assign(canvas, { width: x.columns * side, height: x.rows * side });
  const pen = canvas.getContext("2d");
  pen.strokeStyle = "#888";
  x.data.forEach((value, place) => {
    const left = (place % x.columns) * side, top = Math.floor(place / x.columns) * side;
    if (isForbidden(kept, place)) {
      pen.beginPath();
      pen.moveTo(left, top + side);
      pen.lineTo(left + side, top);
      pen.stroke();
    } else {
      pen.fillStyle = `rgb(${colourOf(value, most)})`;
      pen.fillRect(left, top, side, side);
    }
  });
  pen.strokeStyle = "#f43";
  pen.lineWidth = 2;
  pen.strokeRect(1, chosenRow() * side + 1, canvas.width - 2, side - 2);
}

function drawMap() {
  const kept = headsOf(state.kind, state.layer)[state.head], x = kept[state.shown], most = limit();
  const { rows, columns } = labelsOf(state.kind);
  $("heading-map").textContent = `${state.kind.name}, layer ${state.layer + 1}, `
    + `head ${state.head + 1}: queries in rows, keys in columns`;
  const header = columns.map((token, j) =>
    element("th", { "scope": "col", "class": j === state.column ? "chosen" : "" }, token));
  const lines = rows.map((token, i) => {
    const cells = columns.map((_, j) => {
      const place = i * x.columns + j, forbidden = isForbidden(kept, place);
      const paper = colourOf(x.data[place], most);
      return element("td", {
        "id": `cell-${i}-${j}`, "data-row": i, "data-column": j,
        "tabindex": i === chosenRow() && j === state.column ? 0 : -1,
        ...(forbidden
          ? { class: "forbidden" }
          : { style: `background: rgb(${paper}); color: ${inkOn(paper)}` }),
      }, forbidden ? "×" : numberAt(kept, state.shown, place));
    });
    const chosen = i === chosenRow();
    return element("tr", { class: chosen ? "chosen" : "" },
      element("th", { scope: "row", class: chosen ? "chosen" : "" }, token), ...cells);
  });
  $("map").replaceChildren(element("tr", {}, element("td", {}, "query, key"), ...header), ...lines);
  const place = chosenRow() * x.columns + state.column;
  const names = { scores: "S", masked: "S after the mask", P: "P", d_P: "d_P", d_scores: "d_S" };
  const said = Object.entries(names).map(([what, name]) =>
    `${name} ${numberAt(kept, what, place)}`);
  $("cell").textContent =
    `“${rows[chosenRow()]}” looks at “${columns[state.column]}”: ${said.join(", ")}.`
    + (kept.masked.data[place] === -Infinity ? " The mask forbids it." : "");
}

function drawFollowed() {
  const header = Array.from({ length: config.heads }, (_, h) =>
    element("th", { scope: "col" }, `head ${h + 1}`));
  const lines = KINDS_OF_ATTENTION.flatMap((kind) =>
    Array.from({ length: layersOf(kind) }, (_, l) => {
      const { rows, columns } = labelsOf(kind);
      const i = kind.rows === "source" ? state.source : state.target;
      const cells = headsOf(kind, l).map((kept, h) => {
        const P = row(kept.P, i), best = P.indexOf(Math.max(...P));
        const off = state.off.has(`${nameOf(kind, l)}.${h}`) ? " (off)" : "";
        return element("td", {}, `${columns[best]} ${shortNumber(P[best])}${off}`);
      });
      const name = `${kind.name} ${l + 1}: ${rows[i]}`;
      return element("tr", {}, element("th", { scope: "row" }, name), ...cells);
    }));
  $("followed").replaceChildren(element("tr", {}, element("td"), ...header), ...lines);
}

function norm(values) {
  return Math.sqrt(dot(values, values));
}

function withPercent([id, p]) {
  return `${label(id)} ${(100 * p).toFixed(1)} %`;
}

function positionInWords() {
  return `position ${state.target + 1}, behind “${label(state.pass.read[state.target])}”`;
}

function drawLens() {
  $("where-lens").textContent = positionInWords();
  $("lens").replaceChildren(...state.pass.lens.map((tokens, layer) => element("tr", {},
    element("th", { scope: "row" }, layer ? `layer ${layer}` : "embedding"),
    ...tokens.map((token) => element("td", {}, withPercent(token))))));
}

function drawGradient() {
  const { pass } = state, kept = headsOf(state.kind, state.layer)[state.head];
  $("where").textContent = positionInWords();
  $("token").value = targetToken();
  $("loss").textContent = pass.loss.toPrecision(4);
  $("sure").hidden = pass.loss > 0.01;
  $("likely").textContent = pass.likely.map(withPercent).join(", ");

  const { rows, columns } = labelsOf(state.kind);
  const cells = (token, x, d_x, i) => (token === undefined
    ? [element("td"), element("td"), element("td")]
    : [element("th", {}, token), element("td", {}, shortNumber(norm(row(x, i)))),
       element("td", {}, shortNumber(norm(row(d_x, i))))]);
  const lines = Array.from({ length: Math.max(rows.length, columns.length) }, (_, i) =>
    element("tr", {},
      ...cells(rows[i], kept.Q, kept.d_Q, i), ...cells(columns[i], kept.K, kept.d_K, i)));
  const header = ["query", "‖Q‖", "‖d_Q‖", "key", "‖K‖", "‖d_K‖"].map((name) =>
    element("th", { scope: "col" }, name));
  $("norms").replaceChildren(element("tr", {}, ...header), ...lines);

  const sides = [["source", pass.source], ["target", pass.read]].filter(([, ids]) => ids);
  const norms = sides.flatMap(([side, ids]) => ids.map((id, i) =>
    [side, label(id), norm(row(pass.d_embeddings[side], i))]));
  const largest = Math.max(...norms.map(([, , size]) => size)) || 1;
  $("embeddings").replaceChildren(
    element("tr", {}, ...["side", "token", "norm", ""].map((name) =>
      element("th", { scope: "col" }, name))),
    ...norms.map(([side, token, size]) => element(
      "tr", {}, element("td", { class: "left" }, isTransformer ? side : "read"),
      element("th", { scope: "row" }, token),
      element("td", {}, shortNumber(size)),
      element("td", { class: "left" },
        element("span", { class: "bar", style: `width: ${(8 * size / largest).toFixed(2)}rem` })),
    )),
  );
}

/* -- what the reader does -------------------------------------------------------------------- */

/* Call f(element's data) when the pointer or the focus comes to an element with this attribute. */
function onVisit(container, attribute, f) {
  for (const event of ["mouseover", "focusin"]) {
    $(container).addEventListener(event, ({ target }) => {
      const found = target.closest(`[${attribute}]`);
      if (found) f(found.dataset);
    });
  }
}

/* One by one: a call takes no more arguments than about 120,000. */
function fill(menu, names) {
  const options = document.createDocumentFragment();
  for (const [i, name] of Object.entries(names)) {
    options.append(element("option", { value: i }, name));
  }
  $(menu).append(options);
}

function begin() {
  fill("menu", facts.texts.map(({ text }) => text));
  fill("kind", KINDS_OF_ATTENTION.map(({ name }) => name));
  fill("token", Object.fromEntries([...vocabulary.ids.values()].map((id) => [id, label(id)])));
  $("text").value = facts.texts[0].text;
  $("text").disabled = !facts.types;
  $("token").disabled = $("all-on").hidden = facts.computed;
  $("count").hidden = !facts.continues || facts.computed;

  $("text").addEventListener("input", update);
  $("training").hidden = !facts.moments.length;
  $("moment").max = $("moment").value = facts.moments.length;
  $("moment").addEventListener("input", () => chooseMoment(Number($("moment").value)));
  $("tokens").addEventListener("input", update);
  $("menu").addEventListener("change", () => {
    $("text").value = facts.texts[$("menu").value].text;
    update();
  });
  $("kind").addEventListener("change", () => {
    Object.assign(state, { kind: KINDS_OF_ATTENTION[$("kind").value], column: 0 });
    draw();
  });
  $("shown").addEventListener("change", () => {
    state.shown = $("shown").value;
    draw();
  });
  $("token").addEventListener("change", () =>
    chooseTarget(state.target, Number($("token").value)));
  $("all-on").addEventListener("click", () => {
    state.off.clear();
    update();
  });
  $("heads").addEventListener("change", ({ target }) => {
    if (target.checked) state.off.delete(target.dataset.key);
    else state.off.add(target.dataset.key);
    update();
  });
  $("heads").addEventListener("click", ({ target }) => {
    const chosen = target.closest("[data-layer]");
    if (!chosen) return;
    const { layer, head } = chosen.dataset;
    Object.assign(state, { layer: Number(layer), head: Number(head) });
    draw();
  });
  // a visit to what is chosen already changes nothing: drawing anew would never end
  onVisit("written", "data-position", ({ position }) =>
    Number(position) !== state.target && chooseTarget(Number(position)));
  onVisit("read", "data-position", ({ position }) =>
    Number(position) !== state.source && chooseSource(Number(position)));
  onVisit("map", "data-row", ({ row, column }) => {
    const [i, j] = [Number(row), Number(column)];
    if (i !== chosenRow() || j !== state.column) chooseCell(i, j);
  });
  $("map").addEventListener("keydown", (event) => {
    const step = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
    }[event.key];
    if (!step) return;
    event.preventDefault();
    $(`cell-${chosenRow() + step[0]}-${state.column + step[1]}`)?.focus();
  });
  chooseMoment(facts.moments.length);
}

begin();
