"""From a trained model to sequences: greedily, by sampling, by beam search."""

from .beam import Hypothesis, beam_search, hypotheses
from .evaluating import evaluating
from .greedy import generate, greedy
from .sampling import distribution, sample

__all__ = ["Hypothesis", "beam_search", "distribution", "evaluating", "generate", "greedy", "hypotheses", "sample"]
