"""How large is the gradient that reaches a token, against its distance from the token being
written?"""

import numpy as np

from ..data.tasks import make_task
from ..data.vocabulary import EOS
from ..inspection.attention import source_gradients
from ..runs import find_model
from ..runs.run import Run

SEQUENCES = 8


def by_distance(model, length, seed=0):
    """(distances, mean gradients): ‖∂ log p(y_t) / ∂ x_s‖ where y_t is to be made from x_s, s = S −
    1 − t.

    Written one after the other, as [source, BOS, target], token y_t is predicted at position S + t
    and its source stands at s: their distance is 2t + 1. The mean is over 8 sequences of `length`
    symbols.
    """
    task = make_task("reverse", min_length=length, max_length=length)
    source, target = task.sample(np.random.default_rng(seed), SEQUENCES, "test")
    gradients = np.mean(
        [source_gradients(model, s, np.append(t, EOS)) for s, t in zip(source, target)], axis=0
    )  # (T, S)
    steps = np.arange(length)
    return 2 * steps + 1, gradients[steps, task.alignment(length)]


def measure(plan, runs, advance):
    """{title: {"distances", "new", "trained"}} of every contestant, new and trained; and of an RNN
    without gates, new.

    `runs` is {model: the folder of its run with the chosen rate and the first seed}.
    """
    found = {}
    for contestant in plan.contestants():
        run = Run.open(runs[contestant.model])
        fresh = find_model(contestant.model).model(run.model.config, 0)
        found[contestant.title] = entry(plan, new=fresh, trained=run.model)
        advance(1)
    plain = dict(Run.open(runs["rnn"]).model.config.to_dict(), cell="rnn")
    kind = find_model("rnn")
    found["RNN without gates, one vector"] = entry(plan, new=kind.model(kind.config(**plain), 0))
    advance(1)
    return found


def entry(plan, **models):
    measured = {name: by_distance(model, plan.distances) for name, model in models.items()}
    distances = next(iter(measured.values()))[0]
    return {
        "distances": distances.tolist(),
        **{name: sizes.tolist() for name, (_, sizes) in measured.items()},
    }


def steps_of(plan):
    return len(plan.contestants()) + 1
