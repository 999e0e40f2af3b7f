"""Scoring: a metric of any arity, as a number in [0, 1]."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from hashlib import blake2b
from math import isnan
from typing import Any, TypeAlias

from pointsman.errors import ConfigError

__all__ = ["Metric", "Scorer"]

Metric: TypeAlias = Callable[..., Any]
"""`metric(example, prediction)`, and whatever more DSPy's optimizers ask of one: trace, predictor's name, its trace."""

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Scorer:
    """Calls a metric as an evaluation does, without traces, and puts what it returns on the scale [0, 1].

    Parameters:
        metric: Takes an example and a prediction, and perhaps a trace, a predictor's name and its trace, which are None. It
            returns a number, a truth value, or a `dspy.Prediction(score=..., feedback=...)`.
        scale: The lowest and the highest number it returns.

    Raises:
        ConfigError: If the metric takes fewer than two arguments.

    >>> Scorer(lambda example, prediction, trace, name, steps: 5, scale=(0, 10))(None, None)
    0.5
    """

    def __init__(self, metric: Metric, scale: tuple[float, float] = (0.0, 1.0)) -> None:
        self.metric = metric
        self.low, self.high = scale
        if not self.high > self.low:
            raise ConfigError(f"scale must be the lowest and the highest score, got {scale}.")
        self._rest = (None,) * (_required(metric) - 2)

    def __call__(self, example: Any, prediction: Any) -> float:
        """Return the score; ConfigError if it is off the scale."""
        found = self.metric(example, prediction, *self._rest)
        told: Any = found["score"] if isinstance(found, dict) else getattr(found, "score", found)
        given = float(told)
        score = (given - self.low) / (self.high - self.low)
        if isnan(score) or not 0 <= score <= 1:
            raise ConfigError(
                f"The metric returned {given:g}, which is off its scale of {self.low:g} to {self.high:g}; "
                "say scale=(lowest, highest)."
            )
        return score

    @property
    def key(self) -> str:
        """What tells this metric from others on disk: its name, its scale and, where it can be read, its source."""
        named = getattr(self.metric, "__qualname__", type(self.metric).__qualname__)
        name = f"{getattr(self.metric, '__module__', '')}.{named}"
        try:
            source = inspect.getsource(self.metric)
        except (OSError, TypeError):  # made without a file, or an object that is called
            source = ""
        return blake2b(f"{name}|{self.low}|{self.high}|{source}".encode(), digest_size=8).hexdigest()


def _required(metric: Metric) -> int:
    """Return how many arguments a metric has to be given, at least the example and the prediction."""
    found = list(inspect.signature(metric).parameters.values())
    places = [one for one in found if one.kind in _POSITIONAL]
    if len(places) < 2 and not any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in found):  # noqa: PLR2004 - a pair
        raise ConfigError(f"A metric takes an example and a prediction, at least; got {metric!r}.")
    return max(2, sum(1 for one in places if one.default is one.empty))
