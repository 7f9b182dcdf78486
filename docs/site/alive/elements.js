/* What the pages that one touches share. */

/* So many digits, as far as they say something; what is below 10⁻¹² is rounding. */
function shortNumber(value, digits = 3) {
  if (value === -Infinity) return "−∞";
  if (Math.abs(value) < 1e-12) return "0";
  return String(Number(value.toPrecision(digits))).replace(/-/g, "−");
}

/* A box for large type, as a projector needs it. */
function largeType() {
  const box = element("input", { type: "checkbox", id: "large-type" });
  box.addEventListener("change", () =>
    document.documentElement.classList.toggle("projector", box.checked));
  return element("label", {}, box, " Large type");
}
