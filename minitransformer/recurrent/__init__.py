"""What came before attention: a state that is carried from step to step."""

from .cells import CELLS, GRUCell, RNNCell
from .recurrence import Bidirectional, Recurrence

__all__ = ["CELLS", "Bidirectional", "GRUCell", "RNNCell", "Recurrence"]
