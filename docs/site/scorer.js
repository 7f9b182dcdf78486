// The order of what the search finds; first stands a heading that is what was typed. The numbers are Sphinx's own.
var Scorer = {
  score: ([page, title, anchor, description, score, file, kind]) => kind === "title" ? score + 20 : score,
  objNameMatch: 11, objPartialMatch: 6, objPrio: {0: 15, 1: 5, 2: -5}, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,
};

// What is shown of a page has no TeX in it.
document.addEventListener("DOMContentLoaded", () => {
  const textOf = Search.htmlToText;
  Search.htmlToText = (page, anchor) => textOf(page.replace(/<div class="math [^]*?<\/div>/g, " "), anchor);
});
