"""Who imports whom, read from the code: which packages there are, from the ground up, and what each
of them imports.

    python tests/import_graph.py [--mermaid]

prints a line for each package and every import that breaks a rule; `--mermaid` prints the graph as
a page of Markdown can draw it. The rules: an import goes down the list or stays inside its package,
no files import each other in a circle, and inside a package a file is named, never the package's
front. Imports inside a function count as well.
"""

import argparse
import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "minitransformer"

FRONT = "minitransformer"  # what `import minitransformer` runs

# From the ground up.
ORDER = (
    """errors terminal parallel backend boundary core layers attention models older data decoding
testing inspection training runs plotting explorer grading study lessons gpu""".split()
    + [FRONT, "cli", "__main__"]
)


def files(root=ROOT):
    """{name: file} of every module: "layers.linear", and "layers" for a package's front."""
    found = {
        ".".join(file.relative_to(root).with_suffix("").parts): file
        for file in sorted(root.rglob("*.py"))
    }
    return {
        name.removesuffix("__init__").rstrip(".") or FRONT: file for name, file in found.items()
    }


def imports(root=ROOT):
    """{module: the modules of ours that it imports, each the file where the name is asked for}."""
    known = files(root)
    return {name: asked_for(file, root, known) - {name} for name, file in known.items()}


def asked_for(file, root, known):
    """The modules that this file imports."""
    here, found = list(file.relative_to(root).parts[:-1]), set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            paths = [alias.name.split(".") for alias in node.names]
            paths = [path[1:] for path in paths if path[0] == FRONT]
        elif isinstance(node, ast.ImportFrom):
            base = node.module.split(".") if node.module else []
            if node.level:
                base = here[: len(here) - node.level + 1] + base
            elif base[:1] == [FRONT]:
                base = base[1:]
            else:
                continue
            # a module, or a name that the module at `base` has
            inside = [[*base, alias.name] for alias in node.names]
            paths = [path if ".".join(path) in known else base for path in inside]
        else:
            continue
        found |= {".".join(path) or FRONT for path in paths}
    return found & {*known}


def is_front(name, known):
    return known[name].name == "__init__.py"


def package(name):
    """The package at the top that the module belongs to; a file at the top is its own."""
    return name.split(".")[0]


def arrows(graph):
    """{package: the packages that it imports}."""
    between = {package(name): set() for name in graph}
    for name, asked in graph.items():
        between[package(name)] |= {package(other) for other in asked} - {package(name)}
    return between


def upward(graph):
    """[(module, what it imports)] of all imports that do not go down the order."""
    rank = {name: place for place, name in enumerate(ORDER)}
    crossing = (
        (name, other)
        for name, asked in graph.items()
        for other in asked
        if package(name) != package(other)
    )
    return sorted(
        (name, other) for name, other in crossing if rank[package(other)] >= rank[package(name)]
    )


def through_the_front(graph, root=ROOT):
    """[(module, front)] of all files that import the front of a package in which they lie."""
    known = files(root)
    inside = (
        (name, other) for name, asked in graph.items() for other in asked if is_front(other, known)
    )
    return sorted((name, other) for name, other in inside if name.startswith(other + "."))


def circles(graph):
    """The sets of modules that reach each other by imports, each sorted (Tarjan 1972)."""
    place, low, waiting, found = {}, {}, [], []

    def visit(node):
        place[node] = low[node] = len(place)
        waiting.append(node)
        for other in sorted(graph[node]):
            if other not in place:
                visit(other)
            if other in waiting:
                low[node] = min(low[node], low[other])
        if low[node] == place[node]:
            start = waiting.index(node)
            circle, waiting[start:] = waiting[start:], []
            if len(circle) > 1:
                found.append(sorted(circle))

    for node in sorted(graph):
        if node not in place:
            visit(node)
    return found


def without_fronts(graph, root=ROOT):
    """The graph without what a package's front imports from its own files, which is what a front is
    for."""
    known = files(root)

    def is_own(name, other):
        return is_front(name, known) and other.startswith(name + ".")

    return {
        name: {other for other in asked if not is_own(name, other)} for name, asked in graph.items()
    }


def table(graph):
    """A line for each package, from the top down: how many files, and what it imports."""
    sizes = {name: sum(package(module) == name for module in graph) for name in ORDER}
    between = arrows(graph)
    lines = [f"{'package':<11} files  imports"]
    for name in reversed(ORDER):
        lines.append(
            f"{name:<11} {sizes[name]:5}  "
            f"{' '.join(sorted(between[name], key=ORDER.index, reverse=True)) or '-'}"
        )
    return "\n".join(lines)


def mermaid(graph):
    """The graph in Mermaid's words; an arrow that follows from others is left out, and one that
    goes up is dashed."""
    between = arrows(graph)
    down = {
        name: {n for n in asked if ORDER.index(n) < ORDER.index(name)}
        for name, asked in between.items()
    }
    below = {}  # {package: all that it reaches}
    for name in ORDER:
        below[name] = down[name].union(*(below[n] for n in down[name]))
    lines = ["graph TD"]
    for name in reversed(ORDER):
        direct = down[name] - set().union(*(below[n] for n in down[name]))
        lines += [
            f"    {name} --> {other}" for other in sorted(direct, key=ORDER.index, reverse=True)
        ]
        lines += [
            f"    {name} -.-> {other}"
            for other in sorted(between[name] - down[name], key=ORDER.index)
        ]
    return "\n".join(lines)


def broken(graph, root=ROOT):
    """A sentence for each import that breaks a rule, and for each circle."""
    said = [f"upward: {name} imports {other}" for name, other in upward(graph)]
    said += [
        f"through the front: {name} imports {other}"
        for name, other in through_the_front(graph, root)
    ]
    said += [
        f"circle of files: {', '.join(circle)}" for circle in circles(without_fronts(graph, root))
    ]
    return said + [f"circle of packages: {', '.join(circle)}" for circle in circles(arrows(graph))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mermaid", action="store_true", help="the graph as Mermaid draws it")
    found = imports()
    if parser.parse_args().mermaid:
        print(mermaid(found))
    else:
        count = sum(map(len, arrows(found).values()))
        print(
            table(found), f"{len(found)} files, {len(ORDER)} packages, {count} arrows between them",
            *broken(found), sep="\n",
        )
