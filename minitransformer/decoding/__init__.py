"""From a trained model to sequences: greedily, by sampling, by beam search."""

from .beam import ALPHA, BEAM, Hypothesis, beam_search, hypotheses
from .continuation import continuation
from .evaluation import evaluate, evaluate_text
from .greedy import generate, greedy
from .limits import longest_answer, writable
from .sampling import distribution, sample
from .translation import answers, bleu, remarks, translate

__all__ = [
    "ALPHA",
    "BEAM",
    "Hypothesis",
    "answers",
    "beam_search",
    "bleu",
    "continuation",
    "distribution",
    "evaluate",
    "evaluate_text",
    "generate",
    "greedy",
    "hypotheses",
    "longest_answer",
    "remarks",
    "sample",
    "translate",
    "writable",
]
