"""How a module is built, and whether it still is."""

from .module import Module


class Structure:
    """The parts of a module at one moment. `holds()` says whether it still has the same: a search
    of the whole tree takes longer, too long for every step of a small model."""

    def __init__(self, module: Module):
        self.changes = Module._changes
        lists = [
            value
            for _, part in module.named_modules()
            for value in vars(part).values()
            if isinstance(value, list)
        ]
        self.lists = [(value, [*value]) for value in lists]  # of a list in place nobody is told

    def holds(self) -> bool:
        return self.changes == Module._changes and all(
            [*map(id, now)] == [*map(id, then)] for now, then in self.lists
        )
