"""Watch every component of a model while it runs, without a line in the components themselves."""

from contextlib import AbstractContextManager

from ..boundary import Function, checked
from ..boundary.calls import observed_by
from .module import Module


@checked
def observe(
    module: Module, on_forward: Function | None = None, on_backward: Function | None = None,
    on_enter: Function | None = None,
) -> AbstractContextManager[None]:
    """Inside, call on_forward(path, component, inputs, output) after each forward of every
    component below `module`, and on_backward(path, component, d_y, d_inputs) after each backward;
    innermost components come first. Before either begins, on_enter(path, component) is called;
    outermost components come first there.

    Only the components below `module` at the beginning of the block are observed, and only in this
    thread: not a copy of the model, and not what another thread computes with it. The components
    are not changed. Nested blocks both report. The method of the class is reported; of a function
    that was assigned to one object (`linear.forward = …`), what it calls.
    """
    # held, so that no id is used again
    paths = {id(component): (path, component) for path, component in module.named_modules()}
    reports = {"forward": on_forward, "backward": on_backward}

    def observer(component, name, run):
        report = reports[name]
        if not (report or on_enter) or id(component) not in paths:
            return run
        path, _ = paths[id(component)]

        def reporting(component, inputs, options):
            if on_enter:
                on_enter(path, component)
            result = run(component, inputs, options)
            if report:
                report(path, component, inputs, result)
            return result

        return reporting

    return observed_by(observer)
