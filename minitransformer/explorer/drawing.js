"use strict";
/* Elements of a page, and colours. */

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const VIRIDIS = [
  [68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37],
];
const BLUE_TO_ORANGE = [
  [33, 102, 172], [146, 197, 222], [247, 247, 247], [253, 184, 99], [179, 88, 6],
];

/* The colour of a share from 0 to 1: between the two nearest of a scale that people with any kind
   of colour vision can tell apart. */
function colour(scale, share) {
  const place = Math.max(0, Math.min(1, share)) * (scale.length - 1);
  const i = Math.min(Math.floor(place), scale.length - 2);
  return scale[i].map((value, c) => Math.round(value + (place - i) * (scale[i + 1][c] - value)));
}

/* Black or white, whichever has the larger contrast on a colour, by its luminance (WCAG 2.1). */
function inkOn(paper) {
  const [r, g, b] = paper.map((value) => value / 255).map((share) =>
    share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}
