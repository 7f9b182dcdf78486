"""Which positions hold a token and which only padding, for the components that walk over positions."""

from ..errors import InputError


def expect_real(mask, shape):
    """Raise InputError unless the mask is None, or boolean and of this shape (B, T): True = a token, as `ids != 0`."""
    if mask is None or (getattr(getattr(mask, "dtype", None), "kind", "") == "b" and mask.shape == tuple(shape)):
        return
    got = f"{mask.dtype} of shape {mask.shape}" if hasattr(mask, "dtype") else f"a {type(mask).__name__}"
    raise InputError(f"The mask here says which positions are real: boolean, of shape {tuple(shape)}, as `ids != 0`; got {got}.")
