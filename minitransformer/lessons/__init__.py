"""What the lessons call besides the package itself: a prediction that is kept, a picture with its
text."""

from ..terminal.streams import write_utf8
from .prediction import predict
from .showing import show

write_utf8()  # a lesson that runs as a plain file prints ∂ and √, whatever the locale says

__all__ = ["predict", "show"]
