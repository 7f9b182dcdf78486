"""What hangs on the training loop: the log, evaluations, snapshots for the pictures, checkpoints,
the progress bar."""

import signal
import threading
import time

import numpy as np

from ..attention import attentions
from ..backend import as_numpy
from ..decoding.continuation import continuation
from ..decoding.evaluation import MEASURES
from ..inspection.attention import attention_weights
from ..terminal.browser import IN_A_BROWSER
from ..terminal.interruption import ENDING
from ..terminal.progress import progress_bar

LOGGED = (
    "exact_match", "token_accuracy", "bits_per_character", "unigram_loss", "bigram_loss",
)  # fmt: skip


SMALL = 1_000_000  # parameters of a model whose weights are kept during the training


class Interrupted(Exception):
    """The training was ended by a signal, of this number; the run is saved and can be continued."""


class Log:
    """Write loss, learning rate, gradient norm and speed to the run's metrics, every `log_every`
    steps."""

    def __init__(self, run):
        self.run = run
        self.since, self.tokens = time.perf_counter(), 0

    def __call__(self, progress):
        self.tokens += progress.tokens
        if progress.step % self.run.options.log_every == 0:
            now = time.perf_counter()
            self.run.seconds += now - self.since
            self.run.metrics.write(
                step=progress.step,
                loss=progress.loss,
                gradient_norm=progress.gradient_norm,
                learning_rate=progress.learning_rate,
                tokens_per_second=round(self.tokens / (now - self.since)),
                seconds=round(self.run.seconds, 2),
            )
            self.since, self.tokens = now, 0


class Evaluate:
    """Every `evaluate_every` steps and at the end, measure the run on validation sequences: how
    many greedy decoding gets right, or of a text, how well each next token is predicted."""

    def __init__(self, run):
        self.run = run
        self.latest = None

    def __call__(self, progress):
        options = self.run.options
        if progress.step % options.evaluate_every == 0 or progress.step == self.run.last_step:
            self.latest = MEASURES[self.run.task.kind](
                self.run.model, self.run.task, "validation", options.evaluate_count
            )
            logged = {name: self.latest[name] for name in LOGGED if name in self.latest}
            self.run.metrics.write(
                step=progress.step, validation_loss=self.latest["loss"], **logged
            )


class Samples:
    """Let the language model of a text write something after every evaluation: shown by
    `show(text)`, and kept in the metrics."""

    def __init__(self, run, show=print, tokens=200):
        self.run, self.show, self.tokens = run, show, tokens

    def __call__(self, progress):
        run = self.run
        if progress.step % run.options.evaluate_every == 0 or progress.step == run.last_step:
            rng = np.random.default_rng(run.options.seed)
            ids = continuation(run.model, [run.task.begin], self.tokens, rng, temperature=0.8)
            text = "".join(run.vocabulary.written(ids))
            run.metrics.write(step=progress.step, sample=text)
            self.show(f"step {progress.step}, a sample: {text.strip()}")


class Snapshots:
    """Keep the attention of one sequence after eight of the steps, the first ones closer together,
    for the film strip; of a model of at most `SMALL` parameters also its weights, as float16, for
    the explorer.

    A model without attention has none.
    """

    def __init__(self, run, count=8):
        self.run = run
        steps = np.geomspace(10, run.options.steps, count) if attentions(run.model) else []
        self.steps = {int(step) for step in steps}

    def __call__(self, progress):
        if progress.step in self.steps:
            self.run.snapshots[progress.step] = main_attention(
                self.run.model, *self.run.as_read(*self.run.example())
            )
            if self.run.model.parameter_count() <= SMALL:
                weights = as_numpy(self.run.optimizer.flat.data).astype(np.float16)
                if np.isfinite(weights).all():
                    self.run.earlier[progress.step] = weights


class Save:
    """Write a checkpoint every `save_every` steps and at the end; after the step in progress, too,
    if Ctrl-C or another signal asks the program to end.

    A hang-up that is ignored (`nohup`) stays ignored. Python lets only the main thread hear of
    signals: a training in another thread goes on to its end.
    """

    def __init__(self, run, ranks=None):
        self.run, self.ranks = run, ranks
        self.asked_to_stop = None  # the number of the signal

    def __enter__(self):
        is_first = threading.current_thread() is threading.main_thread()
        hears = is_first and not IN_A_BROWSER
        ignored = {s for s in ENDING[1:] if signal.getsignal(s) is signal.SIG_IGN}
        self.before = {s: signal.signal(s, self.ask) for s in ENDING if hears and s not in ignored}
        return self

    def __exit__(self, *_):
        for number, handler in self.before.items():
            if handler is not None:  # None: what was there before is not Python's
                signal.signal(number, handler)

    def ask(self, number=signal.SIGINT, frame=None):
        if self.asked_to_stop and number == signal.SIGINT:  # a second Ctrl-C does not wait
            raise KeyboardInterrupt
        self.asked_to_stop = self.asked_to_stop or number

    def __call__(self, progress):
        due = (
            progress.step % self.run.options.save_every == 0 or progress.step == self.run.last_step
        )
        stop = self.asked_to_stop or 0
        if self.ranks:  # whoever was asked, all stop at the same step
            stop = int(self.ranks.all_equal_in_size(np.array([stop])).max())
        if due or stop:
            self.run.save()
        if stop and progress.step < self.run.last_step:
            raise Interrupted(stop)


class ProgressBar:
    """Show loss, exact match, tokens per second and the time left."""

    def __init__(self, run, evaluation):
        self.bar = progress_bar(
            total=run.last_step, initial=run.optimizer.t, unit="step", dynamic_ncols=True
        )
        self.evaluation = evaluation
        self.loss = None
        self.shown, self.tokens = time.perf_counter(), 0

    def __call__(self, progress):
        self.loss = progress.loss if self.loss is None else 0.95 * self.loss + 0.05 * progress.loss
        self.tokens += progress.tokens
        self.bar.update()
        now = time.perf_counter()
        if now - self.shown > 0.5:
            facts = {
                "loss": f"{self.loss:.3f}",
                "tokens/s": f"{self.tokens / (now - self.shown):,.0f}",
            }
            if self.evaluation.latest:
                facts |= headline(self.evaluation.latest)
            self.bar.set_postfix(facts, refresh=False)
            self.shown, self.tokens = now, 0

    def write(self, text):
        """Print a text above the bar."""
        self.bar.write(text)

    def close(self):
        self.bar.close()


def headline(latest):
    """{name: figure} of an evaluation, as the progress bar shows it."""
    if "exact_match" in latest:
        return {"exact match": f"{latest['exact_match']:.1%}"}
    return {"validation": f"{latest['loss']:.3f}"}


def main_attention(model, source, target, begin):
    """The attention that the strip shows, (layers, H, T, S): cross-attention, or self-attention
    where there is no other."""
    weights = attention_weights(model, source, target, begin)
    return weights.get("cross", weights.get("self"))
