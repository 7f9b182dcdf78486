"""The options of the commands, and their help."""

import argparse
import copy
import dataclasses
import importlib.util
import re
import sys
import types

from .. import __version__
from ..core.options import flag, types_of
from ..data.tasks import TASKS
from ..decoding import ALPHA, BEAM
from ..errors import nearest, unknown
from ..explorer.page import FORMATS
from ..models import PRESETS
from ..runs import MODELS
from ..runs.run import shipped
from ..terminal.streams import readable
from ..training.options import TrainingOptions
from ..training.strategies import ENGINES
from . import asking, commands, generating, grading, learning, lessons
from .data import TITLES
from .lines import typed_text

DESCRIPTION = """The Transformer of "Attention Is All You Need", in NumPy, every gradient by hand.

  minitransformer train reverse                 train a small Transformer to reverse sequences
  minitransformer train --data pairs.tsv        train it on pairs of texts of your own
  minitransformer predict runs/reverse "3 1 4"  use it
  minitransformer plot runs/reverse             draw its attention, its loss, its architecture
  minitransformer lessons                       sixteen notebooks: write every gradient yourself
"""

STATUS = """exit status:
  0    done
  1    a run or a check failed, or something could not be written
  2    input that cannot be used; of several texts or lines, at least one that could not be answered
  130  Ctrl-C (129, 143: the signals HUP, TERM; a training has saved a checkpoint)
"""
LINES = """
Line n of the output answers line n of the input. For a text or line that cannot be answered the
output is an empty line; a sentence on standard error names it, the others are answered, and the
exit status is 2. Texts are UTF-8.
"""
LARGEST = 10**9  # of numbers in options
# options that many other programs have, and ours
ELSEWHERE = {
    "--lr": "--learning-rate", "--bs": "--batch-size", "--wd": "--weight-decay",
    "--epochs": "--steps",
}


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that suggests the nearest option for a wrong one, and exits with 2.

    Options may stand between positional arguments: `translate RUN --beam 1 TEXT`.
    """

    intermixed = False  # True during argparse's own two passes

    def parse_known_args(self, args=None, namespace=None):
        if self.intermixed or any(action.nargs == argparse.PARSER for action in self._actions):
            return super().parse_known_args(args, namespace)
        self.intermixed = True
        try:
            namespace, rest = self.parse_known_intermixed_args(args, namespace)
        finally:
            self.intermixed = False
        # The subcommand's parser must refuse an unknown option itself: it knows which ones are
        # near.
        if rest and not rest[0].startswith("-"):
            self.error(
                f'{rest[0]!r} is more than this command takes. Put a text or a name with spaces in '
                'quotes, as "3 1 4"'
            )
        if rest:
            known = [option for action in self._actions for option in action.option_strings]
            name = rest[0].split("=")[0]
            near = ELSEWHERE.get(name) or nearest(name, known)
            self.error(
                f"there is no option {rest[0]}" + (f"; did you mean {near}?" if near else "")
            )
        return namespace, rest

    def _print_message(self, message, file=None):
        """argparse takes no notice of what it could not write; that is right for a complaint, and
        not for --help."""
        if file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)

    def error(self, message):
        chosen = re.match(r"argument COMMAND: invalid choice: '(.*?)'", message)
        if chosen:
            known = next(action for action in self._actions if action.metavar == "COMMAND").choices
            message = str(unknown("command", chosen[1], known))
        end = "" if message[-1] in ".?" else "."
        self.exit(2, f"{self.prog}: {readable(message)}{end} See: {self.prog} --help\n")


def make_parser():
    parser = Parser(
        prog="minitransformer", description=DESCRIPTION, epilog=STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"minitransformer {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    parser.set_defaults(command=lambda _: parser.print_help())

    def add(name, function, examples):
        made = subparsers.add_parser(
            name, help=function.__doc__, description=function.__doc__,
            epilog="examples:\n" + examples, formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )  # fmt: skip
        made.set_defaults(command=function)
        return made

    train = add("train", commands.train, TRAIN_EXAMPLES)
    train.add_argument("task", nargs="?", metavar="TASK", help=f"{', '.join(TASKS)} (see: tasks)")
    train.add_argument(
        "--resume", metavar="RUN",
        help=(
            "continue this run to its last step, bit for bit as if it had not stopped (with "
            "another --steps, a cosine schedule ends there, so the rates are others); RUN may be "
            "one of its checkpoints: what came after it is moved into a folder of the run"
        ),
    )
    train.add_argument(
        "--model", metavar="NAME",
        help=f"{', '.join(MODELS)} (default: transformer; of a text language-model)",
    )
    train.add_argument(
        "--preset", metavar="NAME",
        help=f"the sizes: {', '.join(PRESETS)} (default: the task's, see: tasks)",
    )
    train.add_argument(
        "--out", metavar="FOLDER",
        help="the run folder (default: runs/TASK, or the next free runs/TASK-2, …)",
    )
    train.add_argument(
        "--overwrite", action="store_true",
        help=(
            "let --out replace an older run: its config, metrics and checkpoints are removed, "
            "nothing else"
        ),
    )
    add_device(train)
    train.add_argument(
        "--engine", choices=ENGINES,
        help="who computes the shares of a batch: processes of this machine, or the ranks that "
        "mpiexec has started (default: mpi under mpiexec, else processes); the numbers do not "
        "change",
    )
    train.set_defaults(gpu_kernels=False)
    if importlib.util.find_spec("minitransformer.gpu"):  # without the folder, no option
        train.add_argument(
            "--gpu-kernels", action="store_true",
            help=(
                "on a GPU, compute by kernels and replayed steps in place of CuPy's operations "
                "(not yet tested on a GPU)"
            ),
        )
    train.add_argument(
        "--pictures", action=argparse.BooleanOptionalAction, default=True,
        help="draw at the end (default: yes)",
    )
    add_fields(
        train.add_argument_group("training (a task may have defaults of its own, see: tasks)"),
        "training_", dataclasses.fields(TrainingOptions),
    )
    for names, fields in options_of_tasks().items():
        title = TITLES.get(names, f"task: {', '.join(names)}")
        add_fields(train.add_argument_group(title), "task_", fields)
    add_model_options(train.add_argument_group("model, instead of the preset's"))

    evaluate = add("evaluate", asking.evaluate, EVALUATE_EXAMPLES)
    add_run(evaluate)
    evaluate.add_argument(
        "--split", metavar="NAME",
        help="test, validation or train (default: test; of a text validation, as it has no test)",
    )
    evaluate.add_argument(
        "--count", type=at_least(1), default=1000,
        help="how many different sequences (default: 1000)",
    )
    evaluate.add_argument(
        "--seed", type=seed, default=0, help="seed for the sample of sequences (default: 0)"
    )
    add_beam(evaluate)
    evaluate.add_argument(
        "--write", metavar="FILE",
        help=(
            "of a corpus: save source, reference and translation, one line each, separated by tabs"
        ),
    )
    evaluate.add_argument(
        "--show", type=at_least(0), default=0, metavar="N",
        help="of a corpus: print N random translations, chosen by the seed",
    )
    evaluate.add_argument("--json", action="store_true", help="print the figures as JSON")
    add_jobs(evaluate)
    add_device(evaluate)

    predict = add("predict", asking.predict, PREDICT_EXAMPLES)
    add_run(predict)
    predict.add_argument(
        "text", nargs="+", type=typed_text, metavar="TEXT",
        help="a sequence, in quotes; several texts give several answers",
    )
    add_answering(predict)
    add_device(predict)

    translate = add("translate", asking.translate, TRANSLATE_EXAMPLES)
    add_run(translate)
    translate.add_argument(
        "text", nargs="*", default=[], type=typed_text, metavar="TEXT",
        help="what to translate; without it, --file or standard input, line by line",
    )
    translate.add_argument("--file", metavar="FILE", help="translate the lines of a file")
    add_answering(translate)
    add_device(translate)

    plot = add("plot", asking.plot, PLOT_EXAMPLES)
    add_run(plot)
    add_beam(plot)
    plot.add_argument(
        "--text", type=typed_text, metavar="TEXT",
        help="the source sequence (default: a validation sequence)",
    )
    plot.add_argument(
        "--layers", type=numbers, metavar="N,N",
        help="attention: only these layers, by their numbers in the pictures (1,6)",
    )
    plot.add_argument(
        "--heads", type=numbers, metavar="N,N",
        help="attention: only these heads (default: all, and their mean)",
    )
    plot.add_argument(
        "--format", metavar="NAME", default="png", choices=("png", "svg", "html"),
        help="png, svg (sharp at every size), or html: the page of explore instead of pictures "
        "(default: png)",
    )
    add_device(plot)
    plot.add_argument(
        "--out", metavar="FOLDER",
        help=(
            "folder for the pictures (default: RUN/pictures; NAME-pictures for a model without a "
            "run)"
        ),
    )

    explore = add("explore", asking.explore, EXPLORE_EXAMPLES)
    add_run(explore)
    explore.add_argument(
        "--text", nargs="+", type=typed_text, metavar="TEXT",
        help="the text that the page begins with; further ones stand in its menu (default: a "
        "validation sequence)",
    )
    explore.add_argument(
        "--weights", metavar="NAME", default="float16", choices=FORMATS,
        help=f"the numbers in the page: {' or '.join(FORMATS)}, twice as large (default: float16)",
    )
    explore.add_argument(
        "--megabytes", type=positive, default=1.5, metavar="MB",
        help="if the file would be larger, earlier moments of the training are left out, evenly "
        "(default: 1.5)",
    )
    explore.add_argument(
        "--out", metavar="FILE", required=True,
        help="the file to write; a page that is there is replaced, nothing else",
    )

    generate = add("generate", generating.generate, generating.EXAMPLES)
    generating.add_options(generate, add_run, at_least, add_sampling, typed_text)
    add_device(generate)

    export = add(
        "export", asking.export, "  minitransformer export runs/numbers-en-de numbers.safetensors\n"
    )
    add_run(export)
    export.add_argument(
        "file", metavar="FILE", help="the file to write; other commands take it as RUN"
    )
    export.add_argument("--overwrite", action="store_true", help="replace the file if it exists")

    compare = add("compare", commands.compare, COMPARE_EXAMPLES)
    compare.add_argument(
        "run", nargs="*", default=[], metavar="RUN",
        help="runs of one corpus, of different models: BLEU by sentence length, alignments",
    )
    compare.add_argument(
        "--full", action="store_true",
        help="the whole study, over an hour on two cores (default: a short one, about two minutes)",
    )
    compare.add_argument(
        "--out", metavar="FOLDER",
        help=(
            "folder for the results; a study that is there is continued (default: "
            "runs/compare-short, or -translators)"
        ),
    )
    add_beam(compare)
    add_device(compare)
    compare.add_argument(
        "--jobs", type=at_least(1), metavar="N",
        help="trainings in parallel (default: one per core)",
    )

    gradcheck = add(
        "gradcheck", commands.gradcheck,
        "  minitransformer gradcheck LayerNorm MultiHeadAttention\n",
    )
    gradcheck.add_argument(
        "component", nargs="*", metavar="COMPONENT", help="only these (default: all)"
    )
    gradcheck.add_argument(
        "--seed", type=seed, default=0,
        help="seed for parameters, inputs and gradients (default: 0)",
    )
    gradcheck.add_argument(
        "--entries", type=at_least(0), default=30,
        help=(
            "entries compared in each array; in larger arrays also two random directions, in which "
            "all entries move (default: 30; 0: all entries)"
        ),
    )

    grade = add("grade", grading.grade, "  minitransformer grade homework/ --out class.json\n")
    grade.add_argument(
        "files", nargs="+", metavar="FILE", help="notebooks, Python files, or folders of them"
    )
    grade.add_argument(
        "--out", metavar="FILE", action="append", default=[],
        help=(
            "write everything to this file, as JSON, or the points as a table for a gradebook, as "
            "CSV: its name ends in .json or .csv; both can be asked for"
        ),
    )
    grade.add_argument(
        "--points", metavar="FILE",
        help=(
            "a CSV file of the assignment, a line for each exercise: softmax.backward,2 (default: "
            "every exercise that anybody answers counts one point)"
        ),
    )
    grade.add_argument(
        "--known", metavar="FILE",
        help=(
            "a JSON file with your own names for mistakes that have none: a list of {exercise, "
            "fingerprint, title, question}, each fingerprint as this command prints it"
        ),
    )
    grade.add_argument(
        "--feedback", metavar="FOLDER",
        help="write a page for each student into this folder: the reports and the points, as HTML",
    )
    grade.add_argument(
        "--gradescope", metavar="FILE",
        help=(
            "the files are one student's: write the result that Gradescope reads, results.json; "
            "with --points"
        ),
    )
    grade.add_argument(
        "--overwrite", action="store_true",
        help="write the pages of --feedback even if the folder holds other files",
    )
    grade.add_argument(
        "--seconds", type=positive, default=60.0,
        help="the time that one file may take (default: 60)",
    )
    grade.add_argument(
        "--jobs", type=at_least(1), metavar="N", help="files in parallel (default: one per core)"
    )

    release = add(
        "release", grading.release,
        "  minitransformer release 3 --for nbgrader --out source/softmax\n"
        "  minitransformer release softmax.backward layer_norm.backward --for otter --out week-2\n",
    )
    release.add_argument(
        "exercises", nargs="+", metavar="EXERCISE",
        help="an exercise (see: exercises), or a lesson's number: all that it asks for",
    )
    release.add_argument(
        "--for", dest="system", choices=("nbgrader", "otter"), required=True,
        help="what is to grade it",
    )
    release.add_argument(
        "--out", metavar="FOLDER", required=True, help="where the notebook is written"
    )
    release.add_argument(
        "--points", metavar="FILE",
        help="a CSV file with the points of these exercises, as for grade (default: one each)",
    )
    release.add_argument(
        "--overwrite", action="store_true", help="replace the notebook if it exists"
    )

    exercises = add(
        "exercises", grading.exercises, "  minitransformer exercises softmax.backward\n"
    )
    exercises.add_argument(
        "exercise", nargs="?", metavar="EXERCISE",
        help="print the statement of this one (default: list all)",
    )
    exercises.add_argument(
        "--mistakes", action="store_true", help="print the catalogue of mistakes, as Markdown"
    )

    checked = add("check", learning.check, CHECK_EXAMPLES)
    add_answers(checked)
    checked.add_argument(
        "exercises", nargs="*", metavar="EXERCISE",
        help="only the reports on these (default: on all that the file answers)",
    )
    checked.add_argument(
        "--json", action="store_true", help="print what grade --out has for the file, as JSON"
    )

    add_answers(add("watch", learning.watch, "  minitransformer watch mine.py\n"))

    following = add(
        "next", learning.next_step, "  minitransformer next\n  minitransformer next my-answers\n"
    )
    following.add_argument(
        "folder", nargs="?", metavar="FOLDER",
        help="the folder with your notebooks and Python files (default: my-lessons)",
    )
    add_seconds(following)

    course = add(
        "lessons", lessons.lessons, "  minitransformer lessons\n  minitransformer lessons 5\n"
    )
    course.add_argument(
        "lesson", nargs="?", metavar="NUMBER", help="the lesson to open (default: the first)"
    )
    course.add_argument(
        "--folder", default="my-lessons",
        help="folder for your copies, with your answers (default: my-lessons)",
    )
    course.add_argument(
        "--list", action="store_true", help="only list the lessons, with their times"
    )
    course.add_argument(
        "--no-browser", action="store_true",
        help="do not open a browser; Jupyter prints its address",
    )
    course.add_argument(
        "--allow-root", action="store_true",
        help="option for Jupyter, which refuses to run as root without it (as in a container)",
    )

    tasks = add("tasks", commands.tasks, "  minitransformer tasks --counts\n")
    tasks.add_argument(
        "--counts", action="store_true", help="count the sequences of each length and split"
    )
    return parser


TRAIN_EXAMPLES = """  minitransformer train reverse
  minitransformer train addition --digits 2 --steps 3000
  minitransformer train copy --model language-model --norm pre
  minitransformer train --data pairs.tsv
  minitransformer train --data faq.csv --fields question,answer --cut words
  minitransformer train shakespeare
  minitransformer train --text book.txt --context 128
  minitransformer train --resume runs/reverse
"""
COMPARE_EXAMPLES = """  minitransformer compare
  minitransformer compare runs/multi30k-en-de runs/multi30k-en-de-rnn
  minitransformer compare --full --out study
"""
EVALUATE_EXAMPLES = """  minitransformer evaluate runs/reverse --split test --count 1000
  minitransformer evaluate runs/multi30k-en-de --beam 5 --show 10
"""
TRANSLATE_EXAMPLES = """  minitransformer translate numbers-en-de "seventy-nine"
  minitransformer translate runs/multi30k-en-de --file sentences.txt --beam 5
  minitransformer translate runs/multi30k-en-de "a dog runs" --temperature 0.7 --top-p 0.9
""" + LINES
PLOT_EXAMPLES = """  minitransformer plot runs/reverse --text "3 1 4 1 5"
  minitransformer plot numbers-en-de --text "seventy-nine"
  minitransformer plot numbers-en-de --text "seventy-nine" --layers 2 --heads 1,3
  minitransformer plot numbers-en-de --text "seventy-nine" --format svg
  minitransformer plot numbers-en-de --text "seventy-nine" --format html

A picture has at most 4,000 pixels on each side. What does not fit is left out: the last layers,
heads and tokens. A note in the picture says which; --layers and --heads choose others.
"""
EXPLORE_EXAMPLES = """  minitransformer explore numbers-en-de --text "seventy-nine" --out page.html
  minitransformer explore runs/shakespeare --text "ROMEO:" "The king" --out romeo.html
  minitransformer explore runs/reverse --megabytes 4 --out training.html
"""
CHECK_EXAMPLES = """  minitransformer check mine.py
  minitransformer check my-lessons/03_what_does_softmax_forget.ipynb softmax.backward
  minitransformer check mine.py --json

Exit status: 0 all is right; 1 something is not right yet, or a cell failed; 2 the file could not be
run to its end, or has no answer to what was asked for.
"""
PREDICT_EXAMPLES = """  minitransformer predict runs/reverse "3 1 4 1 5"
  minitransformer predict runs/addition "95+7" "123+456"
""" + LINES


def options_of_tasks():
    """{names of tasks: the options that these have and no others}, each option once. An option with
    an empty help text is not for users."""
    fields, having, groups = {}, {}, {}
    for name, cls in TASKS.items():
        for field in dataclasses.fields(cls):
            if (help := field.metadata.get("help")) == "":
                continue
            having.setdefault(field.name, []).append(name)
            other = fields.setdefault(field.name, field)
            if (other.metadata.get("help"), other.default) != (help, field.default):
                fields[field.name] = merged = copy.copy(other)
                merged.metadata = {
                    "help": f"of {name}: {help} (default: {field.default}); of others: "
                    f"{other.metadata.get('help')}"
                }
    for option, field in fields.items():
        groups.setdefault(tuple(having[option]), []).append(field)
    return groups


def at_least(least):
    """A type for argparse: a whole number of at least `least`, and not too large for the size of an
    array."""

    def count(text):
        if not is_whole(text) or (number := whole(text)) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return number

    return count


def is_whole(text):
    return re.fullmatch(r"[+-]?[0-9]{1,99}", text)


def seed(text):
    """A type for argparse: a whole number of at least 0, of any size."""
    if not is_whole(text) or int(text) < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)


def whole(text):
    """A type for argparse: a whole number that is not too large for the size of an array."""
    if not is_whole(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number in digits, such as 1000")
    if abs(int(text)) > LARGEST:
        raise argparse.ArgumentTypeError(f"{text} is too large: at most {LARGEST:,}")
    return int(text)


def number(text):
    """A type for argparse: a number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, such as 0.001") from None


def positive(text):
    """A type for argparse: a number above 0."""
    if not 0 < number(text) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number(text)


def numbers(text):
    """A type for argparse: whole numbers of at least 1, separated by commas."""
    return [at_least(1)(number) for number in text.split(",")]


def add_run(parser, answers=True):
    more = f", or a shipped model: {', '.join(shipped())}" if answers else ""
    parser.add_argument("run", metavar="RUN", help=f"a run folder, or a checkpoint file{more}")


def add_answers(parser):
    """The file of a learner's answers, and how long it may take."""
    parser.add_argument(
        "file", metavar="FILE", help="your notebook or Python file; the whole of it runs"
    )
    add_seconds(parser)


def add_seconds(parser):
    parser.add_argument(
        "--seconds", type=positive, default=120.0,
        help="the time that a file may take (default: 120)",
    )


def add_answering(parser):
    """The options of the commands that answer: length, search, sampling."""
    limit = (
        "the largest number of tokens; never more than the model has positions for (default: twice "
        "the source's length, plus 8)"
    )
    parser.add_argument("--max-tokens", type=at_least(1), help=limit)
    add_beam(parser)
    add_sampling(parser)
    add_jobs(parser)


def add_jobs(parser):
    parser.add_argument(
        "--jobs", type=at_least(1), metavar="N",
        help=(
            "processes that work side by side; no answer depends on how many (default: one per "
            "core; always one on a GPU, and for what a pipe or a terminal sends)"
        ),
    )


def add_sampling(parser):
    parser.add_argument(
        "--temperature", type=positive, help="sample: low is close to greedy, high close to uniform"
    )
    parser.add_argument("--top-k", type=at_least(1), help="sample among the k most likely tokens")
    parser.add_argument(
        "--top-p", type=positive,
        help="sample among the most likely tokens that together have this probability",
    )
    parser.add_argument(
        "--seed", type=seed, default=0,
        help="seed for the samples, the same for each text (default: 0)",
    )


def add_beam(parser):
    parser.add_argument(
        "--beam", type=at_least(1),
        help=f"how many hypotheses beam search keeps; 1: greedy (default: {BEAM})",
    )
    parser.add_argument(
        "--alpha", type=number, help=f"its length penalty (default: {ALPHA}, the paper's)"
    )
    stop = "stop when it has as many answers as --beam: faster, and may miss the best"
    parser.add_argument("--early-stopping", action="store_true", default=None, help=stop)


def add_device(parser):
    parser.add_argument(
        "--device", metavar="NAME", default="cpu",
        help="cpu, gpu, or auto: a GPU if one can be used (default: cpu)",
    )


def add_fields(group, prefix, fields):
    """An option for each field of a dataclass: --max-norm for max_norm. Options that the user does
    not set are absent afterwards."""
    for field in fields:
        add_field(group, prefix, field, f" (default: {field.default})" * (field.default != ""))


def add_model_options(group):
    """An option for each field of any model; if not all models have it, the help says which do."""
    fields = {
        field.name: field for kind in MODELS.values() for field in dataclasses.fields(kind.config)
    }
    for name, field in fields.items():
        having = [model for model, kind in MODELS.items() if name in kind.options()]
        if having:
            add_field(
                group, "model_", field,
                "" if len(having) == len(MODELS) else f" ({', '.join(having)})",
            )


def add_field(group, prefix, field, remark):
    kind = next(kind for kind in types_of(field.type) if kind is not types.NoneType)
    common = {
        "dest": prefix + field.name, "default": argparse.SUPPRESS,
        "help": field.metadata.get("help", "") + remark,
    }
    if kind is bool:
        group.add_argument(flag(field.name), action=argparse.BooleanOptionalAction, **common)
    else:
        types_of_options = {int: seed if field.name == "seed" else whole, float: number, str: str}
        several = {"nargs": "+", "action": InLines} if field.metadata.get("several") else {}
        group.add_argument(
            flag(field.name), type=types_of_options[kind], metavar=kind.__name__.upper(), **common,
            **several,
        )


class InLines(argparse.Action):
    """Several values become one text, each in a line."""

    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, "\n".join(values))
