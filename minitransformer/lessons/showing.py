"""A picture in a lesson, and the text that stands for it where it cannot be seen."""

import base64
import html
import io
import itertools
import sys
from pathlib import Path
from typing import Annotated, Any

from ..boundary import Having, Text, checked
from ..grading.picture import in_notebook

Picture = Annotated[Any, Having("a Figure", "savefig")]
DPI = 100
FOLDER = Path("lesson-pictures")
_numbers = itertools.count(1)


@checked
def show(figure: Picture, alt: Text) -> None:
    """Show a Figure in a notebook; run as a plain Python file, write it to the folder
    `lesson-pictures`.

    `alt` says in words what is to be seen: for whoever hears the lesson, and where pictures cannot
    be drawn.
    """
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=DPI)
    if in_notebook():
        from IPython.display import display

        png = base64.b64encode(image.getvalue()).decode()  # a browser's kernel takes no bytes
        display(
            {"image/png": png, "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}}
        )
        # not every notebook reads out the alt
        words = f"<details><summary>in words</summary>{html.escape(alt)}</details>"
        display({"text/html": words, "text/plain": ""}, raw=True)
        return
    lesson = Path(getattr(sys.modules["__main__"], "__file__", "lesson")).stem
    path = FOLDER / f"{lesson}-{next(_numbers)}.png"
    FOLDER.mkdir(exist_ok=True)
    path.write_bytes(image.getvalue())
    print(f"[picture: {path}]\n  {alt}")
