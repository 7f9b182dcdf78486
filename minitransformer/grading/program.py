"""Functions with the functions that it calls, as trees that can be changed."""

import ast
import inspect
import sys


class Program:
    """Functions or classes, and those that they call, as far as `part_of` takes them for parts.

    Each has a copy of the names that it sees, in which the others are these; so one that is changed
    is changed wherever it is called. `tree_of(function)` gives its tree. `trees` and `spaces` are
    {function: its tree}, and {function: the names}.
    """

    def __init__(self, mains, tree_of, part_of):
        self.mains = mains
        self.spaces, self.trees, self.users = {}, {}, {}
        waiting = list(mains)
        while waiting:
            function = waiting.pop()
            if function not in self.spaces:
                self.trees[function] = tree = tree_of(function)
                space = self.spaces[function] = names_seen_by(function)
                exec(compile(tree, "<a part>", "exec"), space)
                for name in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}:
                    part = part_of(space.get(name)) if name != function.__name__ else None
                    if part is not None and part is not function:
                        self.users.setdefault(part, []).append((space, name))
                        waiting.append(part)
        for function in self.spaces:
            self.put(function, self.spaces[function][function.__name__])

    def put(self, function, version):
        """Let a version of one of the functions be called by those that call it."""
        self.spaces[function][function.__name__] = version
        for space, name in self.users.get(function, ()):
            space[name] = version

    def run(self, function, code):
        """Put the version of a function that its changed text defines."""
        exec(code, self.spaces[function])
        self.put(function, self.spaces[function][function.__name__])

    def now(self, function=None):
        """A function as it stands; the first of the main ones, if none is named."""
        function = function or self.mains[0]
        return self.spaces[function][function.__name__]


def names_seen_by(function):
    """A copy of the names that a function, or the methods of a class, can use."""
    if inspect.isclass(function):
        methods = [method for method in vars(function).values() if inspect.isfunction(method)]
        module = vars(sys.modules.get(function.__module__, ast))
        return names_seen_by(methods[0]) if methods else dict(module)
    names = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # it has no value yet
            continue
    return names
