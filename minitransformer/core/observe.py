"""Watch every component of a model while it runs, without a line in the components themselves."""

import contextlib


@contextlib.contextmanager
def observe(module, on_forward=None, on_backward=None, on_enter=None):
    """Inside, call on_forward(path, component, inputs, output) after each forward of every component below `module`,
    and on_backward(path, component, d_y, d_inputs) after each backward; innermost components come first. Before either
    begins, on_enter(path, component) is called; outermost components come first there.
    """
    watched = module.named_modules()
    before = [{n: vars(c)[n] for n in ("forward", "backward") if n in vars(c)} for _, c in watched]
    for path, component in watched:
        if on_forward or on_enter:
            component.forward = _reporting(component.forward, on_enter, on_forward, path, component)
        if on_backward or on_enter:
            component.backward = _reporting(component.backward, on_enter, on_backward, path, component)
    try:
        yield
    finally:
        for (_, component), own in zip(watched, before):
            for name in ("forward", "backward"):
                vars(component).pop(name, None)
            vars(component).update(own)


def _reporting(method, enter, report, path, component):
    def wrapper(*inputs, **options):
        if enter:
            enter(path, component)
        result = method(*inputs, **options)
        if report:
            report(path, component, inputs, result)
        return result

    return wrapper
