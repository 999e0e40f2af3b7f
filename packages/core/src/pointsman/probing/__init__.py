"""Probing: ask models prompts, score what they answer, and keep it all as outcomes to learn from."""

from pointsman.probing.collection import Collection, Progress
from pointsman.probing.collector import Collector, collect
from pointsman.probing.log import Attempt, Cell, Scored, read_log
from pointsman.probing.prompts import Prompt, read_prompts
from pointsman.probing.scoring import SCORERS, Score, Scorer, scorer_of

__all__ = [
    "SCORERS",
    "Attempt",
    "Cell",
    "Collection",
    "Collector",
    "Progress",
    "Prompt",
    "Score",
    "Scored",
    "Scorer",
    "collect",
    "read_log",
    "read_prompts",
    "scorer_of",
]
