"""The pages of the reference, from the package itself: one for each component, one for each
package."""

import functools
import importlib
import inspect
import re
import textwrap
from pathlib import Path

from docstrings import Docstrings, formulas_of
from places import ROOT

import minitransformer
from minitransformer.grading import exercises
from minitransformer.grading.exercise import EXERCISES
from minitransformer.lessons.notebooks import lessons
from minitransformer.testing import all_components

# those with names for a user, from the ground up; the others are read in their source
PACKAGES = """errors core layers attention models older data decoding testing inspection explorer
training runs plotting grading study lessons backend""".split()


def package(name):
    return importlib.import_module(f"minitransformer.{name}")


def public(name):
    """The public names of a package, in the order of their alphabet."""
    module = package(name)
    own = [
        key
        for key, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
    ]
    return sorted(getattr(module, "__all__", own))


@functools.cache
def documented():
    """{a name: its full name} of every function and class that has a place in the reference: in the
    first of the packages that make it public."""
    found = {}
    for name in PACKAGES:
        for key in public(name):
            if callable(getattr(package(name), key)):
                found.setdefault(key, f"minitransformer.{name}.{key}")
    for component in all_components():
        home = component.__module__.split(".")[1]
        found[component.__name__] = f"minitransformer.{home}.{component.__name__}"
    return found


@functools.cache
def docstrings():
    return Docstrings(documented())


def file_of(thing):
    """The file of the repository in which a function or class is defined."""
    return Path(inspect.getsourcefile(inspect.unwrap(thing))).relative_to(ROOT).as_posix()


def source(path, words=None):
    """A link to the page with the text of a file."""
    return f":doc:`{words or path} </source/{path}>`"


def title(words, sign="="):
    return f"{words}\n{sign * len(words)}"


def code(method):
    """A method as it stands in the source."""
    text = textwrap.dedent(inspect.getsource(inspect.unwrap(method))).rstrip()
    return ".. code-block:: python\n\n" + textwrap.indent(text, "   ")


# -- a component -----------------------------------------------------------------------------------


def exercises_of(component):
    """The exercises whose solution is a method of the component, or the component itself."""
    own = re.compile(rf"{component.__name__}(\.\w+)?")
    return [
        exercise
        for exercise in EXERCISES.values()
        if any(own.fullmatch(getattr(shown, "__qualname__", "")) for shown in exercise.shown)
    ]


def topic_of(exercise):
    """The file in which the exercise is defined."""
    return file_of(exercise.reference)


def lessons_of(component):
    """The lessons that say that they mirror the component, or ask for one of its exercises."""
    asked = [f'check("{exercise.id}"' for exercise in exercises_of(component)]
    mirrored = re.compile(rf"\|[^|\n]*\b{component.__name__}\b[^|\n]*\|$", re.M)
    return [lesson for lesson in lessons() if is_about(lesson, mirrored, asked)]


def is_about(lesson, mirrored, asked):
    text = lesson.source.read_text(encoding="utf-8")
    head = text[: text.index("## Question")]
    return bool(mirrored.search(head)) or any(check in text for check in asked)


def linked(prose):
    """The prose of a lesson, whose head names the components that it mirrors, with links to
    them."""

    def link(found):
        is_known = found[1] in {one.__name__ for one in all_components()}
        return f"[{found[0]}](../api/components/{found[1]}.rst)" if is_known else found[0]

    return re.sub(r"`(?:\w+\.)?(\w+)`(?=[^\n]*\|$)", link, prose, flags=re.M)


def tests_of(component):
    """The files of tests that name the component."""
    name = re.compile(rf"\b{component.__name__}\b")
    files = sorted((ROOT / "tests").glob("test_*.py"))
    return [file.name for file in files if name.search(file.read_text(encoding="utf-8"))]


def listed(items, otherwise):
    return "\n".join(f"- {item}" for item in items) or otherwise


def component_page(component):
    name, home = component.__name__, component.__module__.split(".")[1]
    path = file_of(component)
    asked = [
        f":ref:`{exercise.id} <{label(exercise)}>`; the checker knows {len(exercise.mistakes)} "
        f"mistakes ({source(topic_of(exercise))})"
        for exercise in exercises_of(component)
    ]
    lesson_links = [lesson_link(lesson) for lesson in lessons_of(component)]
    tests = [source(f"tests/{file}", file) for file in tests_of(component)]
    inherited = {
        method.__qualname__.split(".")[0] for method in (component.forward, component.backward)
    } - {name}
    taken = "".join(f" They are those of :doc:`{other}`." for other in sorted(inherited))
    parts = [
        title(name),
        f".. autoclass:: minitransformer.{home}.{name}",
        f"``forward`` and ``backward`` stand here as they are in {source(path)}.{taken}",
        title(f"{name} forward", "-"), code(component.forward),
        title(f"{name} backward", "-"), code(component.backward),
        title("Lessons", "-"), listed(lesson_links, "No lesson is about this component alone."),
        title("Exercises", "-"), listed(asked, "There is no exercise for this component."),
        title("Tests", "-"),
        "``minitransformer gradcheck`` compares its gradients with finite differences. Tests that "
        "name it:",
        listed(tests, "None by its name: the tests of all components find it."),
    ]
    return "\n\n".join(parts) + "\n"


def exercises_page():
    """What each exercise asks, and where it is learned."""
    parts = [
        title("Exercises"),
        "What the checker can check. Write the function, then call ``check``: "
        ":doc:`the guide </guides/checker>`.",
    ]
    for exercise in EXERCISES.values():
        statement = str(exercises()[exercise.id]).rstrip()
        check = f'check("{exercise.id}"'
        asking = [
            lesson for lesson in lessons() if check in lesson.source.read_text(encoding="utf-8")
        ]
        parts += [
            f".. _{label(exercise)}:",
            title(exercise.id, "-"),
            ".. code-block:: text\n\n" + textwrap.indent(statement, "   "),
            listed([lesson_link(lesson) for lesson in asking], "No lesson asks for it."),
        ]
    return "\n\n".join(parts) + "\n"


def label(exercise):
    return "exercise-" + re.sub(r"[\W_]", "-", exercise.id.lower())


def lesson_link(lesson):
    words = f"{lesson.number} · {lesson.title}"
    return f":doc:`{words} </lessons/{lesson.source.stem}>`"


# -- a package -------------------------------------------------------------------------------------


def is_component(thing):
    return thing in all_components()


def package_page(name):
    module = package(name)
    components = [key for key in public(name) if is_component(getattr(module, key))]
    own = [
        key
        for key in public(name)
        if documented().get(key) == f"minitransformer.{name}.{key}" and key not in components
    ]
    parts = [title(f"minitransformer.{name}"), docstrings().written(module.__doc__)]
    if components:
        parts += [title("Components", "-"), sentences(components)]
    for heading, directive, is_kind in (
        ("Functions", "autofunction", inspect.isroutine), ("Classes", "autoclass", inspect.isclass),
    ):
        chosen = [key for key in own if is_kind(getattr(module, key))]
        if chosen:
            parts.append(title(heading, "-"))
        for key in chosen:
            options = "\n   :members:" if directive == "autoclass" else ""
            parts.append(f".. {directive}:: minitransformer.{name}.{key}{options}")
    return "\n\n".join(parts) + "\n"


def sentences(components):
    """Each component with the first sentence of its docstring."""
    return listed(
        [f":doc:`/api/components/{key}`: {first_sentence(component(key))}" for key in components],
        "",
    )


def component(name):
    return next(one for one in all_components() if one.__name__ == name)


def first_sentence(thing):
    paragraph = inspect.cleandoc(thing.__doc__).split("\n\n")[0]
    return docstrings().line(re.split(r"(?<=\w)[.:](?=\s|$)", " ".join(paragraph.split()))[0] + ".")


def index_page():
    top = [f"- :py:obj:`{name} <{documented()[name]}>`" for name in minitransformer.__all__]
    packages = [f"   {name}" for name in PACKAGES]
    everything = sorted(one.__name__ for one in all_components())
    contents = [f"   components/{name}" for name in everything]
    parts = [
        title("Reference"),
        "Made from the docstrings and the source of this version. Each component has a page with "
        "its formulas, its ``forward`` and its ``backward``, and links to its lessons, its "
        "exercises and its tests.",
        title("Components", "-"), sentences(everything),
        ".. toctree::\n   :hidden:\n   :caption: Components\n\n" + "\n".join(contents),
        title("Packages", "-"),
        ".. toctree::\n   :maxdepth: 1\n\n" + "\n".join([*packages, "   exercises"]),
        title("What ``minitransformer`` itself offers", "-"), "\n".join(top),
    ]
    return "\n\n".join(parts) + "\n"


def pages():
    """{file of the site: its text} of the whole reference."""
    found = {"api/index.rst": index_page(), "api/exercises.rst": exercises_page()}
    found |= {f"api/{name}.rst": package_page(name) for name in PACKAGES}
    found |= {f"api/components/{one.__name__}.rst": component_page(one) for one in all_components()}
    return found


def sources():
    """The files that the reference links to."""
    tests = {f"tests/{file}" for one in all_components() for file in tests_of(one)}
    code = {
        file_of(getattr(package(full.split(".")[1]), name)) for name, full in documented().items()
    }
    return tests | code | {topic_of(exercise) for exercise in EXERCISES.values()}


def add_docstring(app, what, name, thing, options, lines):
    """Sphinx's hook: an object's docstring as it is to be shown, and where its code stands."""
    formulas = formulas_of(thing) if inspect.isclass(thing) and is_component(thing) else ()
    lines[:] = docstrings().written("\n".join(lines), formulas).splitlines()
    if what in ("class", "function", "exception") and not formulas:
        path = file_of(thing)
        lines += ["", f"In the source: {source(path, path.removeprefix('minitransformer/'))}"]
