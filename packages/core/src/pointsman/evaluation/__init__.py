"""Offline evaluation: replay a router on recorded outcomes, and hold it against every honest baseline."""

from pointsman.evaluation.evaluate import evaluate
from pointsman.evaluation.explain import Candidate, Explanation, Instead, explain
from pointsman.evaluation.outcomes import Outcomes
from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.passage import Passage, Taken, passage_of, recorded_passage
from pointsman.evaluation.replay import simulate, simulate_sweep
from pointsman.evaluation.report import Evaluation, MethodRow, Verdict

__all__ = [
    "Candidate",
    "Comparison",
    "Evaluation",
    "Explanation",
    "Instead",
    "MethodRow",
    "Outcomes",
    "Passage",
    "Taken",
    "Verdict",
    "evaluate",
    "explain",
    "passage_of",
    "recorded_passage",
    "simulate",
    "simulate_sweep",
]
