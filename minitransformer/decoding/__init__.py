"""From a trained model to sequences: greedily, by sampling, by beam search."""

from .beam import ALPHA, BEAM, Hypothesis, beam_search, hypotheses
from ..core.evaluating import evaluating
from .greedy import generate, greedy
from .limits import longest_answer, writable
from .sampling import distribution, sample

__all__ = [
    "ALPHA",
    "BEAM",
    "Hypothesis",
    "beam_search",
    "distribution",
    "evaluating",
    "generate",
    "greedy",
    "hypotheses",
    "longest_answer",
    "sample",
    "writable",
]
