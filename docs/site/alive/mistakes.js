/* The bench of mistakes: the right model and one with a mistake, side by side. `bench` is
   mistakes.json: what mistakes.py has measured. */

const $ = (id) => document.getElementById(id);
const { about, right, mistakes } = bench;
const NAMES = Object.keys(mistakes);
const KINDS = {
  cross: "cross-attention: target tokens look at source tokens",
  decoder: "decoder self-attention: target tokens look at target tokens",
  encoder: "encoder self-attention: source tokens look at source tokens",
};

/* The chosen mistake, moment of the training, and kind of attention. */
const state = { name: NAMES[0], moment: about.moments.length - 1, kind: "cross" };

/* -- curves ---------------------------------------------------------------------------------- */

const WIDTH = 360, HEIGHT = 220, LEFT = 44, BOTTOM = 190, TOP = 24, END = 350;

function drawing(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/* Two curves over the steps: [[step, value]] of the right model, a solid line, and of the one with
   the mistake, a dashed one. `height` is the place of a value, from 0 to 1; `ticks` are values. */
function curves(title, ofRight, ofMistake, height, ticks) {
  const x = (step) => LEFT + (END - LEFT) * step / about.steps;
  const y = (value) => BOTTOM - (BOTTOM - TOP) * height(value);
  const path = (points) => points.map(([step, value], n) =>
    `${n ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const now = x(about.moments[state.moment]);
  const words = (place, attributes, text) =>
    drawing("text", { x: place[0], y: place[1], ...attributes }, text);
  return drawing(
    "svg", { "viewBox": `0 0 ${WIDTH} ${HEIGHT}`, "role": "img", "aria-label": title },
    ...ticks.flatMap((value) => [
      drawing("line", { class: "grid", x1: LEFT, x2: END, y1: y(value), y2: y(value) }),
      words([LEFT - 4, y(value) + 4], { "text-anchor": "end" },
        0 < value && value < 0.01 ? value.toExponential(0).replace("-", "−") : shortNumber(value)),
    ]),
    ...[0, about.steps / 2, about.steps].map((step) =>
      words([x(step), BOTTOM + 16], { "text-anchor": "middle" }, `${step}`)),
    words([LEFT, TOP - 10], {}, title),
    words([END, HEIGHT - 1], { "text-anchor": "end" }, "steps"),
    drawing("line", { class: "now", x1: now, x2: now, y1: TOP, y2: BOTTOM }),
    drawing("path", { class: "right", d: path(ofRight) }),
    drawing("path", { class: "mistaken", d: path(ofMistake) }),
  );
}

function lossesOf({ loss }) {
  return loss.map((value, n) => [(n + 1) * about.every, value]);
}

function matchedOf({ matched }) {
  return matched.map((value, n) => [about.moments[n], value]);
}

function drawCurves() {
  const mistaken = mistakes[state.name];
  const losses = [...right.loss, ...mistaken.loss];
  const [low, high] = [Math.min(...losses), Math.max(...losses)].map(Math.log);
  const steps = high - low < Math.log(1000) ? [1, 3] : [1];  // powers of ten, and between them
  const powers = [1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 1, 10, 100];
  const ticks = powers.flatMap((power) => steps.map((step) => step * power)).filter((value) =>
    low <= Math.log(value) && Math.log(value) <= high);
  $("curves").replaceChildren(
    curves("Loss (a logarithmic scale)", lossesOf(right), lossesOf(mistaken),
      (value) => (Math.log(value) - low) / (high - low), ticks),
    curves("Exact match: right answers, in percent", matchedOf(right), matchedOf(mistaken),
      (value) => value / 100, [0, 50, 100]),
  );
}

/* -- the chosen moment ----------------------------------------------------------------------- */

function tableRow(tag, head, ...cells) {
  return element("tr", {}, element("th", { scope: tag === "th" ? "col" : "row" }, head),
    ...cells.map((cell) => element(tag, tag === "th" ? { scope: "col" } : {}, cell)));
}

/* The loss of the last steps before this one; at step 0, of the first ones. */
function lossAt({ loss }, step) {
  return String(loss[Math.max(0, step / about.every - 1)]);
}

function matchedAt({ matched }) {
  return `${matched[state.moment]} %`;
}

function drawMoment() {
  const step = about.moments[state.moment], mistaken = mistakes[state.name];
  $("moment").value = state.moment;
  $("moment").setAttribute("aria-valuetext", `step ${step}`);
  $("step").textContent = `step ${step} of ${about.steps}`;
  $("numbers").replaceChildren(
    tableRow("th", `at step ${step}`, "right", "with the mistake"),
    tableRow("td", "loss", lossAt(right, step), lossAt(mistaken, step)),
    tableRow("td", "exact match", matchedAt(right), matchedAt(mistaken)),
  );
}

/* -- attention ------------------------------------------------------------------------------- */

/* One head: a table of percentages, brighter where they are higher. */
function mapOf(title, map) {
  const { rows, columns } = about.labels[state.kind];
  const header = columns.map((token) => element("th", { scope: "col" }, token));
  const lines = map.map((weights, i) =>
    element("tr", {}, element("th", { scope: "row" }, rows[i]), ...weights.map((percent) => {
      const paper = colour(VIRIDIS, percent / 100);
      return element("td", { style: `background: rgb(${paper}); color: ${inkOn(paper)}` },
        `${percent}`);
    })));
  return element("div", { class: "wide", role: "region", tabindex: 0, "aria-label": title },
    element("table", {}, element("caption", {}, title),
      element("tr", {}, element("td"), ...header), ...lines));
}

function drawMaps() {
  const models = [["right", right], ["with the mistake", mistakes[state.name]]];
  $("maps").replaceChildren(...models.map(([who, model]) =>
    element("div", { class: "model" }, ...model.attention[state.kind][state.moment].map((map, h) =>
      mapOf(`${who}, head ${h + 1}`, map)))));
}

/* -- the gradient check ---------------------------------------------------------------------- */

function verdict([error, passed]) {
  return `${passed ? "right" : "WRONG"}, error ${error}`;
}

function drawCheck() {
  const ofMistake = mistakes[state.name].check, names = Object.keys(right.check);
  const wrong = names.filter((name) => !ofMistake[name][1]);
  $("check-says").textContent = wrong.length
    ? `With the mistake, ${wrong.length} of ${names.length} components have a wrong gradient.`
    : `All ${names.length} gradients are right, with the mistake too: backward fits forward, and `
      + "the gradient check sees nothing.";
  $("check").replaceChildren(
    tableRow("th", "component", "right", "with the mistake"),
    ...names.map((name) => {
      const made = tableRow("td", name, verdict(right.check[name]), verdict(ofMistake[name]));
      made.classList.toggle("wrong", !ofMistake[name][1]);
      return made;
    }),
  );
}

/* -- all mistakes ---------------------------------------------------------------------------- */

function drawAll() {
  const results = ({ loss, matched, check }) => {
    const verdicts = Object.values(check), wrong = verdicts.filter(([, passed]) => !passed).length;
    return [String(loss.at(-1)), `${matched.at(-1)} %`, `${wrong} of ${verdicts.length}`];
  };
  $("alive-all").replaceChildren(element(
    "div", { class: "wide", role: "region", tabindex: 0, "aria-label": "all mistakes" },
    element("table", {},
      tableRow("th", "mistake", "loss at the end", "exact match", "wrong gradients"),
      tableRow("td", "none: the right model", ...results(right)),
      ...NAMES.map((name) => tableRow("td",
        element("a", { href: `#mistake-${name}` }, titleOf(name)), ...results(mistakes[name])))),
  ));
}

/* -- the page -------------------------------------------------------------------------------- */

/* The text on a mistake, which is a section of the page. */
function sectionOf(name) {
  return $(`mistake-${name}`).closest("section");
}

function titleOf(name) {
  return sectionOf(name).querySelector("h3").firstChild.textContent;
}

function build() {
  const options = (names, words) =>
    names.map((name) => element("option", { value: name }, words(name)));
  $("alive-mistakes").replaceChildren(
    element("p", { class: "controls" },
      element("label", { for: "mistake" }, "Mistake "),
      element("select", { id: "mistake" }, ...options(NAMES, titleOf)),
      largeType()),
  );
  const slider = element("input", {
    type: "range", id: "moment", min: 0, max: about.moments.length - 1, step: 1,
  });
  return element(
    "div", { class: "alive", id: "seen" },
    element("p", { class: "key" }, "Solid line: the right model. Dashed line: the same model with "
      + "the mistake. The upright line is the chosen step."),
    element("div", { id: "curves" }),
    element("p", { class: "controls" }, element("label", { for: "moment" }, "Moment "), slider,
      element("span", { id: "step" })),
    element("div", { class: "wide", role: "region", tabindex: 0, "aria-label": "numbers" },
      element("table", { id: "numbers" })),
    element("h4", {}, "Attention"),
    element("p", { class: "controls" }, element("label", { for: "kind" }, "Kind "),
      element("select", { id: "kind" }, ...options(Object.keys(KINDS), (kind) => KINDS[kind]))),
    element("p", {}, "Weights in percent, of one sequence that the model was not trained on; queries "
      + "in rows, keys in columns. PAD is padding."),
    element("div", { id: "maps" }),
    element("h4", {}, "Gradient check"),
    element("p", { id: "check-says" }),
    element("div", { class: "wide", role: "region", tabindex: 0, "aria-label": "gradient check" },
      element("table", { id: "check" })),
  );
}

function choose(name) {
  state.name = name;
  $("mistake").value = name;
  for (const other of NAMES) sectionOf(other).hidden = other !== name;
  sectionOf(name).after(seen);
  draw();
}

function draw() {
  drawCurves();
  drawMoment();
  drawMaps();
  drawCheck();
}

/* Without its %…; what is no such code names nothing. */
function decoded(address) {
  try {
    return decodeURIComponent(address);
  } catch {
    return "";
  }
}

/* The address may name a mistake: by its own name, or by its heading's. */
function chooseByAddress() {
  const place = $(decoded(location.hash.slice(1)));
  const name = place && NAMES.find((one) => sectionOf(one).contains(place));
  if (!name) return;
  choose(name);
  place.scrollIntoView();
}

const seen = build();
$("mistake").addEventListener("change", ({ target }) => choose(target.value));
window.addEventListener("hashchange", chooseByAddress);
sectionOf(state.name).after(seen);
drawAll();
$("moment").addEventListener("input", ({ target }) => {
  state.moment = Number(target.value);
  draw();
});
$("kind").addEventListener("change", ({ target }) => {
  state.kind = target.value;
  draw();
});
choose(state.name);
chooseByAddress();
