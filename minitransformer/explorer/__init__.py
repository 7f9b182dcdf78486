"""A page in which a reader types and sees the model work, forward and backward."""

from .page import Page, explore

__all__ = ["Page", "explore"]
