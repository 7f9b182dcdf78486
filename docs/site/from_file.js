// A browser lets no page that was opened from a file run Python: say what does.
document.addEventListener("DOMContentLoaded", () => {
  if (location.protocol !== "file:") return;
  document.querySelector("a.lite")?.parentElement.replaceChildren(
    "To run this lesson in the browser, serve the site: python -m http.server --directory build/site, "
    + "then open http://localhost:8000");
});
