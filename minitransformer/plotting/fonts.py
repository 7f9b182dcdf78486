"""Fonts for the characters that Matplotlib's own font lacks, such as 猫: any that is installed."""

import functools

import numpy as np
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font


@functools.cache
def characters_in(path: str) -> np.ndarray:
    """The code points that a font has a form for, sorted; none if the file cannot be used."""
    try:
        font = get_font(path)
        return np.array(sorted(font.get_charmap()) if font.scalable else [], dtype=np.uint32)
    except (OSError, RuntimeError, ValueError):
        return np.array([], dtype=np.uint32)


def has(path, character):
    known, code = characters_in(path), ord(character)
    place = np.searchsorted(known, code)
    return place < len(known) and known[place] == code


@functools.cache
def font_for(character: str) -> str | None:
    """The name of an installed font that has this character; "" if the usual one has it, None if
    none has."""
    if has(findfont(FontProperties()), character):
        return ""
    plain = [
        font
        for font in sorted(fontManager.ttflist, key=lambda font: (font.name, font.fname))
        if font.style == "normal" and "Last Resort" not in font.name  # that has but boxes
    ]
    return next((font.name for font in plain if has(font.fname, character)), None)


def families(text: str) -> list[str]:
    """The fonts that a text is drawn in: the usual one, then others for what that lacks."""
    others = {name for character in {*text} if (name := font_for(character))}
    return [*FontProperties().get_family(), *sorted(others)]
