"""A process that trains with one library, for memory.py to look at from outside.

python memory_child.py config SIZE DROPOUT prints a configuration as JSON; python memory_child.py
LIBRARY SIZE STEPS CONFIG trains. That of PyTorch does not import minitransformer.
"""

import json
import sys
from types import SimpleNamespace

from workload import batch_of


def ours(config, batch):
    from contestants import Ours

    from minitransformer import TransformerConfig

    return Ours(TransformerConfig(**config), batch)


def pytorch(config, batch):
    from torch_contestant import Torch

    return Torch(SimpleNamespace(**config), batch)


LIBRARIES = {"ours": ours, "PyTorch": pytorch}


def main(mode, size, *arguments):
    if mode == "config":
        from contestants import configuration

        print(json.dumps(configuration(size, float(arguments[0])).to_dict()))
        return
    steps, config = map(json.loads, arguments)
    contestant = LIBRARIES[mode](config, batch_of(size, config["source_vocabulary"]))
    for _ in range(steps):
        contestant.step()


if __name__ == "__main__":
    main(*sys.argv[1:])
