"""What the lessons call besides the package itself: a prediction that is kept, a picture with its text."""

from .prediction import predict
from .showing import show

__all__ = ["predict", "show"]
