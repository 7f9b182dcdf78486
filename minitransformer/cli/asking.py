"""The commands that use a trained model. Their docstrings are the first lines of their help."""

import functools
import json
import sys
import zlib
from pathlib import Path

import numpy as np

from ..backend import chosen_device
from ..core.options import flag
from ..data.vocabulary import EOS
from ..decoding import ALPHA, BEAM, beam_search, evaluation, greedy, sample, translation
from ..errors import InputError, shortened, write_text
from ..explorer import explore as write_page
from ..explorer.page import SHOWN
from ..inspection import alignment
from ..parallel.mpi import Ranks
from ..runs.run import MAKING, Run
from ..terminal.streams import complain
from .kinds import expect_kind, report_text
from .lines import GROUP, for_lines, lie_ready, lines_of, print_answers
from .pictures import draw_run, folder_for
from .ranks import together

EXAMPLE = 16  # tokens of a text that a page begins with

@together
def evaluate(options):
    """Measure a run on sequences that are not in its training set."""
    run = opened(options)
    options.split = options.split or run.task.tested_on
    if (options.write or options.show) and not run.task.has_sentences:
        raise InputError(
            "--write and --show need a task with a corpus of sentences; this run's task has none."
        )
    if ranks := ranks_of(options):
        ranks.expect_same("data (CRC-32)", ranks.agree(lambda: checksum(run, options), MAKING))
    elif run.task.scored_by_bleu:
        translation.bleu_metric()  # before the work
    result = {
        "run": str(options.run), "step": run.optimizer.t, "split": options.split,
        **measured(run, options),
    }
    lines = {"pairs": report, "text": report_text}[run.task.kind]
    print(json.dumps(result) if options.json else "\n".join(lines(result)))
    return 0


def opened(options, kind=None):
    """The run, on the chosen device, or on all ranks. InputError unless it is of this kind, if one
    is named."""
    ranks = ranks_of(options)
    chosen_device(options.device)  # before a file is read

    def found():
        run = Run.open(options.run)
        if kind:
            expect_kind(run, kind, options.run)
        return run

    if not ranks:
        return found().to(options.device)
    first = ranks.agree(lambda: None if ranks.rank else found(), MAKING)
    return Run.followed(first, ranks, to_train=False)


def ranks_of(options):
    """The ranks that work on a command; None for one that was started alone."""
    jobs = getattr(options, "jobs", None)
    return jobs if isinstance(jobs, Ranks) else None


def checksum(run, options):
    """That of what the run is evaluated on, which each rank finds by itself. Raises InputError if
    a rank lacks something."""
    if run.task.scored_by_bleu:
        translation.bleu_metric()
    rng = np.random.default_rng(options.seed)
    sample = run.task.sample(rng, options.count, options.split, distinct=True)
    sentences = run.task.sentences(options.split) if run.task.has_sentences else []
    content = b"".join(ids.tobytes() for ids in sample) + ascii(sentences).encode()
    return f"{zlib.crc32(content):08x}"


def measured(run, options):
    """All figures for the run's task and model, as JSON values."""
    chosen = (run.model, run.task, options.split, options.count, options.seed)
    if run.task.kind == "text":
        if options.beam or options.alpha or options.early_stopping:
            raise InputError("A text is evaluated without a search: leave --beam and the like out.")
        return evaluation.evaluate_text(*chosen, jobs=options.jobs)
    search = chosen_search(options)
    result = evaluation.evaluate(*chosen, search=search, jobs=options.jobs)
    result["decoding"] = described(search)
    result["alignment"] = alignment.alignment_fractions(*chosen)
    result["first_word"] = alignment.first_word_fractions(*chosen)
    if run.task.scored_by_bleu or options.write or options.show:
        result |= translations(run, options)
    return result


def report(result):
    """The lines that a person reads."""
    known = result["trained_on"] or "none"
    unseen = "" if result["split"] == "train" else f", {known} of them trained on"
    yield (
        f"{result['run']} at step {result['step']}, {result['sequences']} different "
        f"{result['split']} sequences{unseen}:"
    )
    yield f"  exact match     {result['exact_match']:8.2%}   ({result['decoding']})"
    yield f"  token accuracy  {result['token_accuracy']:8.2%}"
    yield f"  loss            {result['loss']:8.4f} nats a token"
    if len(result["exact_match_by_length"]) <= 12:
        by_length = "  ".join(
            f"{n}: {fraction:.1%}" for n, fraction in result["exact_match_by_length"].items()
        )
        yield f"  exact match by source length   {by_length}"
    if fractions := result["alignment"]:
        best = max(fractions, key=fractions.get)
        yield (
            "  cross-attention has its largest weight on the token that is being written, in this "
            "percentage of rows:"
        )
        yield "    " + "   ".join(
            f"{name}: {fraction:.1%}" for name, fraction in fractions.items() if "mean" in name
        )
        yield f"    best: {best}: {fractions[best]:.1%}"
    if words := result["first_word"]:
        yield (
            "  while the answer's first word is written, cross-attention has its largest weight on "
            "that word in the question,"
        )
        yield (
            "  or more than half of all weight (equal weights: for comparison, the same weight for "
            "every letter):"
        )
        for name in ("equal weights", *(name for name in words if "mean" in name)):
            yield f"    {name:<22} {words[name]['largest']:7.1%} {words[name]['half']:7.1%}"
    if "bleu" in result:
        yield (
            f"  BLEU            {result['bleu']:8.2f} on all {result['sentences']:,} sentences "
            f"({result['decoding']})"
        )
        yield f"    {result['signature']}"
    for sentence in result.get("shown", ()):
        yield ""
        yield from (f"  {name:<12} {text}" for name, text in sentence.items())


def translations(run, options):
    """BLEU of the whole split, with its signature, if the task is scored by it; `--write` saves the
    sentences, `--show` prints some."""
    if options.write and run.writes:
        Path(options.write).touch()  # before the work, in case it is not possible
    sources, references = run.task.sentences(options.split)
    search = chosen_search(options)
    answers = translation.translate(
        run.model, run.vocabulary, sources, search, jobs=options.jobs
    )
    if options.write and run.writes:
        lines = ("\t".join(line) + "\n" for line in zip(sources, references, answers))
        write_text(options.write, "".join(lines))
    rows = np.sort(np.random.default_rng(options.seed).permutation(len(sources))[: options.show])
    shown = [
        {"source": sources[i], "reference": references[i], "translation": answers[i]} for i in rows
    ]
    result = {"sentences": len(sources), "shown": shown}
    if run.task.scored_by_bleu:
        result["bleu"], result["signature"] = translation.bleu(answers, references)
    return result


@together
def predict(options):
    """Print a run's answer as tokens: that of translate, before the tokens are joined to a text."""
    run = opened(options, "pairs")
    answer, remarks = answering(run, options, lambda ids: " ".join(run.vocabulary.decode(ids)))
    return print_answers_to_texts(options, answer, remarks, run)


@together
def translate(options):
    """Translate texts: the arguments, or the lines of a file or of standard input."""
    if options.text and options.file is not None:
        raise InputError("Use texts or --file, not both.")
    run = opened(options, "pairs")
    answer, remarks = answering(run, options, run.vocabulary.text)
    if options.text:
        return print_answers_to_texts(options, answer, remarks, run)
    typing = options.file is None and sys.stdin is not None and sys.stdin.isatty()
    at_once = 1 if typing else GROUP
    ranks, ready = ranks_of(options), lie_ready(options.file)
    if ranks and ready:
        at_once *= ranks.size
    jobs = translation.workers(run.model, options.jobs) if ranks or ready else 1
    return print_answers(
        lines_of(options.file), for_lines(answer, options.file), "Line", at_once, remarks, jobs
    )


def answering(run, options, write):
    """Two functions: texts → the run's answers, which `write` makes of ids; and text → remarks on
    it, and on its answer if that did not come to an end."""
    search = chosen_search(options)
    # so that wrong options are reported once, not for every text
    search(run.model, np.array([[EOS]]), 1)
    unfinished = []  # texts, until a remark is made on them

    def answer(texts):
        sources = [run.vocabulary.encode(text) for text in texts]
        answers = translation.answers(run.model, sources, search, options.max_tokens)
        unfinished.extend(text for text, ids in zip(texts, answers) if EOS not in ids)
        return [write(ids) for ids in answers]

    def remarks(text):
        found = remarks_of(run)(text)
        if text in unfinished:
            unfinished.remove(text)
            found.append(
                f"The answer to {shortened(text)} has no end: it was cut off at the largest number "
                "of tokens. A larger --max-tokens allows more."
            )
        return found

    return answer, remarks


def print_answers_to_texts(options, answer, remarks, run):
    """Print the answer to each text; say so if they look like the words of one that was meant to
    stand in quotes."""
    texts, jobs = options.text, translation.workers(run.model, options.jobs)
    name = "Text" if len(texts) > 1 else ""
    status = print_answers(texts, answer, name, remarks=remarks, jobs=jobs)
    if look_like_one(texts, remarks_of(run)):
        whole = " ".join(texts)
        shown = whole if len(whole) <= 60 else whole[:57] + "..."
        complain(
            f'These were {len(texts)} texts, each with an answer of its own. If they are one, put '
            f'it in quotes: "{shown}"'
        )
    return status


def look_like_one(texts, remarks):
    """Whether several texts without a space can be read as one too, which is then no less usual
    than each of them."""
    if len(texts) == 1 or any(text.split() != [text] for text in texts):
        return False
    try:
        return len(remarks(" ".join(texts))) <= min(len(remarks(text)) for text in texts)
    except InputError:
        return False


def remarks_of(run):
    """The function text → remarks on it for the user."""
    return lambda text: (
        translation.remarks(run.vocabulary, text, run.longest_source, run.shortest_source)
        if text.strip()
        else []
    )


def chosen_search(options):
    """The function (model, source, max_tokens) → ids that the options ask for."""
    said = {name: value for name, value in vars(options).items() if value is not None}
    searching = {name: said[name] for name in ("beam", "alpha", "early_stopping") if name in said}
    sampling = {name: said[name] for name in ("temperature", "top_k", "top_p") if name in said}
    if sampling and searching:
        raise InputError(
            "Beam search and sampling exclude each other: use --beam, --alpha and "
            "--early-stopping, or --temperature, --top-k and --top-p."
        )
    if sampling:
        return functools.partial(sample, rng=options.seed, **sampling)
    if options.beam == 1:
        return greedy
    return functools.partial(beam_search, **{"beam": BEAM, "alpha": ALPHA, **searching})


def described(search):
    """How it decodes, in words: "greedy", or "beam 4, alpha 0.6"."""
    if search is greedy:
        return "greedy"
    said = ", ".join(
        f"{name} {value}" for name, value in search.keywords.items() if name != "early_stopping"
    )
    return said + ", early stopping" * ("early_stopping" in search.keywords)


def plot(options):
    """Draw a run: loss curve, attention, how attention changed, positional encoding,
    architecture."""
    run = opened(options)
    if options.format == "html":
        return plot_as_page(run, options)
    if options.text is not None and run.task.kind == "text":
        ids = run.vocabulary.encode(options.text)
        if len(ids) < 2:
            raise InputError("--text needs at least two tokens: one to read, and one behind it.")
        source, target = ids[:1], ids[1 : run.task.context + 1]
    elif options.text is not None:
        for sentence in remarks_of(run)(options.text):
            complain(sentence)
        source = run.vocabulary.encode(options.text)
        target = chosen_search(options)(run.model, source[None])[0]
    else:
        source, target = run.example()
    draw_run(run, source, target, options.out, options.layers, options.heads, options.format)
    return 0


def plot_as_page(run, options):
    """Write the page of `explore` in place of pictures."""
    refused = ("layers", "heads", "beam", "alpha", "early_stopping")
    for name in refused:
        if getattr(options, name) is not None:
            raise InputError(
                f"A page has all layers and heads, and its answers are greedy: leave {flag(name)} "
                "out, or use --format png."
            )
    if type(run.model) not in SHOWN:
        raise InputError(
            f"A page can show a Transformer or a LanguageModel; this run has a "
            f"{type(run.model).__name__}. Draw its pictures: --format png or --format svg."
        )
    page = page_of(run, [options.text] if options.text is not None else None)
    folder = folder_for(run, options.out)
    folder.mkdir(parents=True, exist_ok=True)
    return write_and_tell(page, folder / "explorer.html")


def explore(options):
    """Write a page, one file, in which one types and sees a run at work: attention, gradients."""
    page = page_of(
        Run.open(options.run), options.text, weights=options.weights, megabytes=options.megabytes
    )
    return write_and_tell(page, options.out)


def page_of(run, texts, **options):
    """The page of a run that begins with these texts; with None, with an example of its task."""
    is_text = run.task.kind == "text"
    source, target = run.example()
    example = np.append(source, target)[:EXAMPLE] if is_text else source
    for text in [] if is_text else texts or []:
        for sentence in remarks_of(run)(text):
            complain(sentence)
    return write_page(
        run.model, run.vocabulary, texts or [run.vocabulary.text(example)], continues=is_text,
        title=f"{run.config['task']['name']} at step {run.optimizer.t}",
        earlier=run.earlier_weights(), **options,
    )


def write_and_tell(page, path):
    page.save(path)
    print(f"{path}: {len(page.html.encode()) / 1e6:.2f} MB. Open it in a browser.")
    print(page.note)
    return 0


def export(options):
    """Write only a run's model into one small file that can be used, but not trained further."""
    run = Run.open(options.run)
    if Path(options.file).suffix != ".safetensors":
        raise InputError(f"The file must end in .safetensors, got {options.file}.")
    run.export(options.file, options.overwrite)
    print(
        f"{options.file}: {run.model.parameter_count():,} parameters, "
        f"{Path(options.file).stat().st_size / 1e6:.2f} MB"
    )
    return 0
