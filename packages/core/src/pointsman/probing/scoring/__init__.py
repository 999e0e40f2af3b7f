"""Scoring: what an answer is worth, by comparison, by schema, by the user's function or by a judge."""

from pointsman.probing.scoring.base import Ask, Score, Scorer
from pointsman.probing.scoring.function import Function
from pointsman.probing.scoring.json_schema import JsonSchema
from pointsman.probing.scoring.judge import Judge
from pointsman.probing.scoring.matching import Contains, Exact, Regex
from pointsman.probing.scoring.named import SCORERS, scorer_of
from pointsman.probing.scoring.numeric import Numeric

__all__ = [
    "SCORERS",
    "Ask",
    "Contains",
    "Exact",
    "Function",
    "JsonSchema",
    "Judge",
    "Numeric",
    "Regex",
    "Score",
    "Scorer",
    "scorer_of",
]
