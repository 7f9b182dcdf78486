"""How Sphinx builds the site; `build.py` calls it."""

import hashlib
import importlib.util
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import explorers  # noqa: E402
import reference  # noqa: E402
import scripts  # noqa: E402

import minitransformer  # noqa: E402

project = "minitransformer"
author = "the minitransformer authors"
version = release = minitransformer.__version__
html_title = "minitransformer"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
nb_execution_mode = "off"  # the notebooks are shown as they were committed
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
toc_object_entries = False

highlight_language = "text"  # what says no language is for a terminal, or is what one shows

html_theme = "furo"
html_static_path = [str(HERE / name) for name in ("style.css", "alive/alive.css", "from_file.js")]
html_css_files = ["style.css", "alive.css"]
html_js_files = ["from_file.js"]
templates_path = [str(HERE / "templates")]
html_sidebars = {
    "**": [
        "sidebar/brand.html", "versions.html", "sidebar/search.html", "sidebar/scroll-start.html",
        "navigation.html", "sidebar/scroll-end.html",
    ]
}
html_favicon = str(HERE / "icon.svg")
html_search_scorer = str(HERE / "scorer.js")
html_use_index = html_domain_indices = html_copy_source = False
html_show_sphinx = False
html_show_copyright = False  # the licence stands in the repository
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

# MathJax is a file of the site: nothing is asked for elsewhere when a page is read
# as it is in npm's mathjax@3.2.2
SHA_256 = "0a6ded5abbce13331658dd239f34382abd06492c74b71b61e8caa8112ec55fa5"
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {"options": {"enableMenu": False}}  # the menu would load more


def add_mathjax(app, error):
    """Copy the one script of MathJax that is used, and its fonts, from the package that carries
    them."""
    if error is None:
        package = importlib.util.find_spec("sphinx-mathjax-offline").submodule_search_locations[0]
        carried, own = Path(package, "static", "mathjax"), Path(app.outdir, "_static", "mathjax")
        script = carried / "tex-chtml.js"
        if hashlib.sha256(script.read_bytes()).hexdigest() != SHA_256:
            raise ValueError(f"{script} is not the file of MathJax 3.2.2 that is expected.")
        fonts = "output/chtml/fonts/woff-v2"
        shutil.copytree(carried / fonts, own / fonts, dirs_exist_ok=True)
        shutil.copy(script, own)


def let_keys_scroll(app, page, template, context, doctree):
    """What scrolls in itself can be reached by the keyboard."""
    if "body" in context:
        context["body"] = re.sub(
            '<(pre\\b|div(?= class="(?:math|table)-wrapper))', r'<\1 tabindex="0"', context["body"]
        )


def setup(app):
    app.connect("builder-inited", scripts.write)
    app.connect("builder-inited", explorers.write)
    app.connect("html-page-context", scripts.add)
    app.connect("html-page-context", let_keys_scroll)
    app.connect("autodoc-process-docstring", reference.add_docstring)
    app.connect("build-finished", add_mathjax)
