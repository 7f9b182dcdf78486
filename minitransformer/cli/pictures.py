"""All pictures of a run, written to a folder."""

from pathlib import Path

from ..attention import MultiHeadAttention, attentions
from ..errors import unknown, writing
from ..inspection.attention import attention_weights, by_words
from ..models import LanguageModel, Transformer
from ..older import LocalAttention


def draw_run(run, source, target, folder=None, layers=None, heads=None, kind="png"):
    """Draw a run and one sequence, (S,) and (T,) ids; write the pictures to `folder`, as files of
    this kind, "png" or "svg", and print where they are.

    Attention is drawn for these layers and heads, numbers from 1; None: all. Raises InputError for
    a number that no attention of the model has.
    """
    folder = folder_for(run, folder)
    for number, (name, figure) in enumerate(figures(run, source, target, layers, heads)):
        if number == 0:  # the layers and heads exist
            folder.mkdir(parents=True, exist_ok=True)
            print("pictures:")
        path = folder / f"{name}.{kind}"
        with writing(path):
            save(figure, path)
        print(f"  {path}")


def folder_for(run, folder=None):
    """Where the pictures of a run go: this folder, or that beside the run."""
    beside = (
        Path(f"{run.folder.stem}-pictures") if run.folder.is_file() else run.folder / "pictures"
    )
    return Path(folder) if folder else beside


def save(figure, path):
    """Write a Figure into a file, the same bytes every time: an SVG gets neither a date nor names
    that are drawn by chance. Its text is drawn as curves, as the fonts may be missing elsewhere."""
    import matplotlib

    is_svg = path.suffix == ".svg"
    with matplotlib.rc_context({"svg.hashsalt": "minitransformer", "svg.fonttype": "path"}):
        figure.savefig(path, metadata={"Date": None} if is_svg else None)


def figures(run, source, target, layers=None, heads=None):
    """(name, Figure) one after the other, so that only one is in memory; pictures that do not apply
    to the model are left out."""
    from .. import plotting
    from ..plotting.labels import axis_sizes

    model = run.model
    words, sizes, first = words_on_axes(run, source, target)
    source, target, begin = run.as_read(source, target)
    first_source = None if source is None else source[:1]
    weights = (
        attention_weights(model, first_source, target[:1], begin) if attentions(model) else {}
    )
    counts = {kind: of_kind.shape[:2] for kind, of_kind in weights.items()}  # (layers, heads)
    expect_somewhere("layer", layers, [count for count, _ in counts.values()])
    expect_somewhere("head", heads, [count for _, count in counts.values()])
    for kind, (layers_of_kind, heads_of_kind) in counts.items():
        # an encoder may have fewer than a decoder
        own = layers and [layer for layer in layers if layer <= layers_of_kind]
        # the mean over a single head would be that head again
        mean = heads is None and heads_of_kind > 1
        if own != []:
            chosen = {
                "layers": own, "heads": heads, "mean": mean, "sizes": sizes, "begin": begin,
                "begin_token": first,
            }
            yield (
                f"attention-{kind}",
                plotting.plot_attention(model, source, target, *words, kind, **chosen),
            )
    if source is not None:
        yield "influence", plotting.plot_influence(model, source, target, *words, sizes=sizes)
    if metrics := run.metrics.read():
        yield "loss", plotting.plot_loss_curve(metrics)
    if run.snapshots:
        kind = "cross" if hasattr(model, "encoder") else "self"
        words, sizes, first = words_on_axes(run, *run.example())
        snapshots = [
            (step, by_words(weights, *axis_sizes(kind, *(cut or [] for cut in sizes))))
            for step, weights in sorted(run.snapshots.items())
        ]
        yield (
            "attention-strip",
            plotting.plot_attention_strip(snapshots, *words, kind, begin_token=first),
        )
    if (table := position_table(model)) is not None:
        yield "positions", plotting.plot_positional_encoding(table[: model.config.d_model])
    if isinstance(model, (Transformer, LanguageModel)):
        yield "architecture", plotting.plot_architecture(model)
    if any(
        isinstance(m, MultiHeadAttention) and not isinstance(m.attention, LocalAttention)
        for _, m in model.named_modules()
    ):
        yield "attention-architecture", plotting.plot_attention_architecture(model)


def expect_somewhere(name, numbers, counts):
    """Raise InputError for the number of a layer or head that is beyond all the counts of the kinds
    of attention."""
    for number in numbers or ():
        if number > max(counts, default=0):
            raise unknown(name, number, range(1, max(counts, default=0) + 1))


def words_on_axes(run, source, target):
    """((source words, target words), (tokens in each source word, tokens in each target word), the
    word that the target begins behind); of a text, no source words."""
    source, target, begin = run.as_read(source, target)
    written, sizes = run.vocabulary.words_and_sizes(target, written=True)
    (first,), _ = run.vocabulary.words_and_sizes([begin])
    if source is None:
        return ([], written), (None, sizes), first
    words, source_sizes = run.vocabulary.words_and_sizes(source)
    return (words, written), (source_sizes, sizes), first


def position_table(model):
    """The positional encoding (max_length, D) that the model adds, computed or learned; None if it
    adds none."""
    entry = getattr(model, "target_input", None) or getattr(model, "input", None)
    if entry is None:
        return None
    return entry.position.table if hasattr(entry.position, "table") else entry.position.weight.data
