"""Questions about animals, and their answers: learned in minutes, with attention that is easy to
read."""

import itertools

import numpy as np

from .corpus import Corpus
from .pieces import Pieces
from .task import Recipe

ABILITIES = {
    "fly": ("wings",
            "albatrosses bats bees butterflies buzzards cranes crows dragonflies eagles falcons "
            "gulls hawks herons hornets magpies moths owls parrots pelicans pigeons puffins ravens "
            "sparrows storks swallows vultures wasps"),
    "swim": ("fins",
             "anchovies barracudas dolphins eels groupers guppies herrings lampreys mackerels "
             "marlins minnows orcas piranhas porpoises sardines seahorses sharks stingrays "
             "sturgeons whales"),
    "climb": ("claws",
              "bears cats chameleons chipmunks genets geckos iguanas koalas leopards lizards "
              "martens ocelots opossums pandas porcupines raccoons sloths squirrels"),
    "run": ("hooves",
            "antelopes bulls caribous cows donkeys elands gazelles giraffes gnus horses impalas "
            "kudus mules mustangs okapis ponies stags zebras"),
    "jump": ("strong legs",
             "bushbabies crickets fleas frogs galagos grasshoppers hares jerboas kangaroos "
             "katydids lemurs locusts quokkas rabbits springboks wallabies wallaroos"),
    "dig": ("front feet",
            "aardvarks armadillos badgers bandicoots coyotes dingoes foxes gerbils gophers "
            "groundhogs hamsters jackals lemmings marmots meerkats moles voles wombats"),
    "sing": ("fine voices",
             "blackbirds bluebirds buntings canaries chickadees finches larks linnets mockingbirds "
             "nightingales orioles robins siskins skylarks starlings thrushes warblers wrens"),
}  # fmt: skip
MADE_UP = 40  # made-up animals to every real one of the training


def both(template):
    """A template as it stands, and with a hint before its last sign."""
    return template, f"{template[:-1]} with their {{part}}{template[-1]}"


TEMPLATES = {
    "train": (
        "What can {animals} do with their {part}?",
        "What are {animals} able to do?",
        "Tell me what {animals} can do with their {part}.",
        "Do you know what {animals} can do?",
        *both("{animals} can do what?"),
        *both("What do {animals} do?"),
        *both("What is it that {animals} can do?"),
        *both("{animals}: what can they do?"),
        *both("Name a thing that {animals} can do."),
        *both("I wonder what {animals} can do."),
        *both("Look at the {animals}! What can they do?"),
        *both("Say what {animals} can do."),
    ),
    "validation": (
        "Tell me what {animals} can do.",
        "Do you know what {animals} can do with their {part}?",
    ),
    "test": ("What can {animals} do?", "What are {animals} able to do with their {part}?"),
}


class Owl(Corpus):
    """Answer a question about an animal, letter by letter: What can owls do? → Owls can fly.

    Validation and test have animals and templates of their own, and every question that holds one
    of them. Their templates begin as trained ones do: they are four of these, with the hint left
    out or added. What a new animal can do, only a hint says ("with their wings"); without one
    nobody can know, and only its name can be right. So that names are read and not memorised, the
    training also asks about made-up animals, always with a hint: each has the letters of a real one
    in another order.
    """

    recipe = Recipe(
        "toy",
        {"steps": 2000, "batch_size": 48, "learning_rate": 3e-3},
        {"dropout": 0.1, "norm": "pre", "tie_embeddings": True},
    )

    copies_first_word = True

    def example(self):
        """(source (S,), target (T,)) ids of the question that gave the task its name; it is in the
        test set."""
        return tuple(map(self.vocabulary.encode, ("What can owls do?", "Owls can fly")))

    def make_vocabulary(self):
        source, target = self.sentences("train")
        return Pieces.of([*source, *target], "characters")

    def sentences(self, split):
        known = {
            name: (ability, part)
            for ability, (part, names) in ABILITIES.items()
            for name in names.split()
        }
        rows = [(template, animal, *known[animal]) for template, animal in questions(split)]
        rows += made_up_questions(known) if split == "train" else []
        sources = [
            capitalised(template.format(animals=animal, part=part))
            for template, animal, _, part in rows
        ]
        return sources, [capitalised(f"{animal} can {ability}") for _, animal, ability, _ in rows]


def animals(split):
    """The animals of one split only: of every six, the second is for validation and the third for
    the test."""
    places = {"validation": (1,), "test": (2,), "train": (0, 3, 4, 5)}[split]
    return [
        name
        for _, names in ABILITIES.values()
        for i, name in enumerate(names.split())
        if i % 6 in places
    ]


def questions(split):
    """(template, animal) of a split's real questions: one is the split's own, the other its own or
    training's."""
    own, shared = (TEMPLATES[split], animals(split)), (TEMPLATES["train"], animals("train"))
    pairs = [*itertools.product(own[0], own[1] + shared[1]), *itertools.product(shared[0], own[1])]
    return list(dict.fromkeys(pairs))  # of training, every pair came more than once


def made_up_questions(known):
    """(template, animal, ability, part): training questions with a hint, about animals that are not
    known."""
    rng, rows = np.random.default_rng(0), []
    hinting = [template for template in TEMPLATES["train"] if "{part}" in template]
    for name in animals("train") * MADE_UP:
        made_up = "".join(rng.permutation(list(name[:-1]))) + "s"
        ability = str(rng.choice(list(ABILITIES)))
        if made_up not in known:
            rows.append((str(rng.choice(hinting)), made_up, ability, ABILITIES[ability][0]))
    return rows


def capitalised(text):
    return text[0].upper() + text[1:]
