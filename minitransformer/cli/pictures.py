"""All pictures of a run, written to a folder."""

from pathlib import Path

from ..inspection import attention_weights


def draw_run(run, source, target, folder=None):
    """Draw a run and one sequence, (S,) and (T,) ids; write the pictures to `folder` and print where they are."""
    folder = Path(folder) if folder else run.folder / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    print("pictures:")
    for name, figure in figures(run, source, target):
        path = folder / f"{name}.png"
        figure.savefig(path)
        print(f"  {path}")


def figures(run, source, target):
    """(name, Figure) one after the other, so that only one is held in memory."""
    from .. import plotting

    tokens = [run.vocabulary.tokens[i] for i in source], [run.vocabulary.tokens[i] for i in target]
    for kind in attention_weights(run.model, source, target):
        yield f"attention-{kind}", plotting.plot_attention(run.model, source, target, *tokens, kind, mean=True)
    if metrics := run.metrics.read():
        yield "loss", plotting.plot_loss_curve(metrics)
    if run.moments:
        of_example = [[run.vocabulary.tokens[i] for i in ids] for ids in run.example()]
        moments = sorted(run.moments.items())
        yield "attention-strip", plotting.plot_attention_strip(moments, *of_example, "cross" if hasattr(run.model, "encoder") else "self")
    yield "positions", plotting.plot_positional_encoding(position_table(run.model)[: run.model.config.d_model])
    yield "architecture", plotting.plot_architecture(run.model)
    yield "attention-architecture", plotting.plot_attention_architecture(run.model)


def position_table(model):
    """The positional encoding (max_length, D) that the model adds, computed or learned."""
    position = (model.target_input if hasattr(model, "target_input") else model.input).position
    return position.table if hasattr(position, "table") else position.weight.data
