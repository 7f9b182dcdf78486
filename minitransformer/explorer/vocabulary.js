"use strict";
/* From text to ids and back, as the vocabularies of the Python package do it.

`read(text)` returns {ids, notes}: notes name what training did not have. It throws an Error with a
sentence for a text that cannot be read. */

const PAD = 0, BOS = 1, EOS = 2, UNK = 3, FIRST = 4;
/* What Python calls white space, and what its regular expressions call a letter of a word. */
const WHITE = "\\t-\\r\\x1c-\\x20\\x85\\xa0"
  + "\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORD_LETTER = "\\p{L}\\p{N}_";

function split(text) {
  return text.split(new RegExp(`[${WHITE}]+`, "u")).filter((piece) => piece);
}

/* One space where there is white space, none at the ends, and é as one character (NFC). */
function plain(text) {
  return split(text.normalize("NFC")).join(" ");
}

function quoted(piece) {
  return `“${piece}”`;
}

/* The ids of pieces, where unknown ones are read as <unk>. */
function withUnknown(pieces, vocabulary) {
  const unknown = new Set(pieces.filter((piece) => !vocabulary.ids.has(piece)));
  return {
    ids: pieces.map((piece) => vocabulary.ids.get(piece) ?? UNK),
    notes: unknown.size
      ? [`${[...unknown].map(quoted).join(", ")} occurred nowhere in training: read as <unk>.`]
      : [],
  };
}

/* The ids of pieces, all of which must be known. */
function allKnown(pieces, vocabulary) {
  const strange = pieces.find((piece) => (vocabulary.ids.get(piece) ?? 0) < FIRST);
  if (strange !== undefined) {
    const some = vocabulary.tokens.slice(FIRST, FIRST + 12).map((token) => token.trim());
    throw new Error(`${quoted(strange.trim() || strange)} is not in the vocabulary, so it cannot `
      + `be read. Tokens that are: ${some.join(" ")} …`);
  }
  return { ids: pieces.map((piece) => vocabulary.ids.get(piece)), notes: [] };
}

const KINDS = {
  /* Tokens with spaces between them; a piece that is no token is split into characters. */
  "symbols": {
    read: (text, vocabulary) => allKnown(
      split(text).flatMap((piece) => (vocabulary.ids.has(piece) ? [piece] : [...piece])),
      vocabulary,
    ),
    join: (tokens) => tokens.join(" "),
  },
  "exact-characters": {
    read: (text, vocabulary) => withUnknown([...text], vocabulary),
    join: (tokens) => tokens.join(""),
  },
  "characters": {
    read: (text, vocabulary) => withUnknown([...plain(text)], vocabulary),
    join: joined,
  },
  "words": {
    read: (text, vocabulary) => withUnknown(
      (" " + plain(text)).match(new RegExp(` ?[${WORD_LETTER}]+| ?[^${WORD_LETTER}${WHITE}]`, "gu"))
        ?? [],
      vocabulary,
    ),
    join: joined,
  },
  "pieces": { read: readPieces, join: joined },
};

function joined(tokens) {
  return trimmed(tokens.join(""));
}

/* Without white space at the ends. */
function trimmed(text) {
  return text.replace(new RegExp(`^[${WHITE}]+|[${WHITE}]+$`, "gu"), "");
}

function stripped(text, characters, end) {
  const marks = [...text], some = new Set(characters);
  while (end !== "right" && some.has(marks[0])) marks.shift();
  while (end !== "left" && some.has(marks.at(-1))) marks.pop();
  return marks.join("");
}

/* The text without differences that have no meaning: see `Pieces.read` in data/pieces.py. */
function withoutDifferences(text, { typewriter, small, quotes, stops }) {
  text = [...text.normalize("NFC")].map((c) => typewriter[c] ?? c).join("");
  text = small ? text.toLowerCase() : text;
  text = stripped(split(text).join(" "), quotes + " ", "left");
  text = stripped(text, quotes + stops + " ", "right");
  text = text.replace(/(?<=\p{Nd})[ ,'](?=\p{Nd}{3}(?!\p{Nd}))/gu, "");
  text = text.replace(/(?<!\p{Nd})0+(?=\p{Nd})/gu, "");
  return trimmed(text.replace(/ ?- ?/gu, "-").replace(/ ?,(?! ?\p{Nd}) ?/gu, ", "));
}

/* Words, and German numbers in their parts; what stands before a word stays with it. */
function morphemes(text, { morphemes }) {
  const letter = "[\\p{L}\\p{Nl}\\p{No}_]";                            // of a word, and no digit
  const word = `[${WHITE},-]*(?:\\p{Nd}{7,}|\\p{Nd}|${letter}+)`;
  const sign = `[${WHITE}]*[^${WORD_LETTER}${WHITE}]`;
  const words = text.match(new RegExp(`${word}|${sign}|[${WHITE}]+`, "gu")) ?? [];
  return words.flatMap((word) => {
    const [, before, bare] = word.match(new RegExp(`^([^${WORD_LETTER}]*)(.*)$`, "us"));
    const found = bare.match(new RegExp(morphemes.join("|"), "gu")) ?? [];
    return found.length && found.join("") === bare
      ? [before + found[0], ...found.slice(1)]
      : [word];
  });
}

/* A piece without what stands before it. */
function bare(piece) {
  return stripped(piece, " ,-");
}

function readPieces(text, vocabulary) {
  const clean = withoutDifferences(text, vocabulary);
  const pieces = vocabulary.cut === "characters" ? [...clean] : morphemes(clean, vocabulary);
  let before = "";
  return allKnown(pieces.map((piece) => {
    const known = withItsJoint(piece, before, vocabulary);
    before = bare(piece) || piece;
    return known;
  }), vocabulary);
}

/* The piece, or the same word with another joint: " hundred" for "-hundred". After the word
   `before`, the joint that these two words had in training is preferred. */
function withItsJoint(piece, before, { ids, followers }) {
  const word = bare(piece);
  if (!/^\p{L}+$/u.test(word) || (before === "" && piece.startsWith("-"))) return piece;
  const ways = [piece, ...[" ", "-", ", ", ""].map((joint) => joint + word)];
  const known = ways.filter((way) => ids.has(way));
  const seen = Object.hasOwn(followers, before) ? followers[before] : [];
  return known.find((way) => seen.includes(way)) ?? known[0] ?? piece;
}
