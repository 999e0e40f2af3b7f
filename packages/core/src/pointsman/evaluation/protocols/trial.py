"""Trial: a router fitted on one part, its settings chosen on a second, measured on a third beside what it has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import grouped_split
from pointsman.errors import ConfigError, DataError
from pointsman.evaluation.curve import Curve, aiq_gain
from pointsman.evaluation.outcomes import Outcomes
from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.reference import reference_of
from pointsman.evaluation.replay import simulate
from pointsman.evaluation.resampling import Resampling
from pointsman.evaluation.scoring import Board
from pointsman.evaluation.settings import settings_of
from pointsman.metrics import Interval
from pointsman.policies.base import Policy
from pointsman.policies.utility import Utility
from pointsman.routers.base import Router

__all__ = ["Bootstrap", "Parts", "Trial", "checked", "fitted_on", "quality_first", "stream"]

Vector = NDArray[np.float64]
_FEWEST_DRAWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """How intervals over queries are drawn: their coverage, the number of resamples, the seed."""

    level: float
    draws: int
    random_state: int

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ConfigError(f"level must be in (0, 1), got {self.level}.")
        if self.draws < _FEWEST_DRAWS:
            raise ConfigError(f"draws must be at least {_FEWEST_DRAWS}, got {self.draws}.")

    def over(self, data: RoutingDataset) -> Resampling:
        """Return the draws of a dataset's groups."""
        return Resampling(group=data.group_of, draws=self.draws, random_state=self.random_state)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """The rows to fit on, those to choose settings on, and those to measure on."""

    train: RoutingDataset
    validation: RoutingDataset
    test: RoutingDataset

    @classmethod
    def of(cls, data: RoutingDataset, random_state: int) -> Self:
        """Split by group into 60, 20 and 20 %."""
        train, validation, test = grouped_split(data, (0.6, 0.2, 0.2), random_state=random_state)
        return cls(train=train, validation=validation, test=test)

    @classmethod
    def learning_from(cls, known: RoutingDataset, test: RoutingDataset, random_state: int) -> Self:
        """Split what is known by group into three quarters to fit on and one to choose on."""
        train, validation = grouped_split(known, (0.75, 0.25), random_state=stream(random_state, "settings"))
        return cls(train=train, validation=validation, test=test)

    def observed(self) -> tuple[Self, tuple[str, ...]]:
        """Return the parts with the models that each of them has outcomes of, and the names of the others."""
        seen = np.all([np.isfinite(p.quality).any(axis=0) for p in (self.train, self.validation, self.test)], axis=0)
        names = [name for name, ok in zip(self.test.models, seen.tolist(), strict=True) if ok]
        if not names:
            raise DataError("No model has outcomes in the training, the validation and the test part alike.")
        left_out = tuple(name for name in self.test.models if name not in names)
        parts = (p.only(names) for p in (self.train, self.validation, self.test))
        return type(self)(**dict(zip(("train", "validation", "test"), parts, strict=True))), left_out


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """What a fitted router does on test queries.

    Parameters:
        router: Fitted on the training part.
        board: The best single model and the Zero router, both chosen on training and validation data.
        outcomes: What its answers score and cost at its own setting.
        curve: What it reaches at the others; None where costs are unknown.
    """

    router: Router
    board: Board
    outcomes: Outcomes
    curve: Curve | None

    @classmethod
    def of(cls, router: Router, parts: Parts, bootstrap: Bootstrap) -> Self:
        """Fit a copy of a router and measure it."""
        fitted = fitted_on(router, parts.train)
        reference = reference_of(parts.test, parts.train, parts.validation)
        board = Board.of(
            parts.test, reference, parts.validation, resampling=bootstrap.over(parts.test), level=bootstrap.level
        )
        mine = simulate(fitted, parts.test)
        curve = Curve.of(settings_of(fitted, parts.test, parts.validation, mine, reference.cheapest))
        return cls(router=fitted, board=board, outcomes=mine, curve=curve)

    @property
    def difference(self) -> Vector:
        """The quality of each answer minus the best single model's, shape (n,)."""
        return self.outcomes.quality - self.board.best[0]

    @property
    def own(self) -> Comparison:
        """The router at its own setting beside the best single model."""
        return self.board.against_best(self.outcomes.quality, self.outcomes.cost_usd)

    @property
    def at_best(self) -> Comparison | None:
        """The cheapest setting that was as good as the best single model on validation; None where none was."""
        if self.curve is None or self.board.target is None:
            return None
        found = self.curve.cheapest_reaching(self.board.target)
        return None if found is None else self.board.setting(self.curve, found)

    @property
    def gain(self) -> float | None:
        """AIQ minus the Zero router's; None where costs are unknown or leave nothing to average over."""
        if self.curve is None or self.board.zero is None or self.board.span is None:
            return None
        mine, theirs = self.curve.height(self.board.span), self.board.zero.height(self.board.span)
        return None if mine is None or theirs is None else mine - theirs

    @property
    def gain_interval(self) -> Interval | None:
        """The same with its interval over test queries."""
        if self.curve is None or self.board.zero is None or self.board.span is None:
            return None
        return aiq_gain(self.curve, self.board.zero, self.board.span, self.board.resampling, self.board.level)

    @cached_property
    def gain_draws(self) -> Vector | None:
        """The same, resampled over test queries, shape (draws,); None where it is undefined."""
        board = self.board
        if self.gain is None or self.curve is None or board.zero is None or board.span is None:
            return None
        return self.curve.heights(board.span, board.resampling) - board.zero.heights(board.span, board.resampling)


def stream(random_state: int, purpose: str) -> int:
    """Return a seed of its own for each purpose: two permutations of one seed would depend on each other."""
    digest = blake2b(f"{random_state}:{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def fitted_on(router: Router, data: RoutingDataset) -> Router:
    """Return a fitted copy of a router; the router itself stays as it is, and so does one that has nothing to learn."""
    copy = router.clone()
    fit = getattr(copy, "fit", None)
    fitted: Router = copy if fit is None else fit(data)
    return fitted


def quality_first(router: Router) -> Router:
    """Return a router made to take the best expected quality whatever it costs, and to sweep the price of a dollar.

    So the figures are those of what predicts, whatever policy is to use it. A router without a policy stays as it is set.
    """
    return router.clone(policy=Utility()) if isinstance(router.params().get("policy"), Policy) else router.clone()


def checked(name: str, values: Sequence[float], *, low: float, high: float = float("inf")) -> None:
    """Raise ConfigError unless there are values, all within [low, high]."""
    if not values or any(not low <= value <= high for value in values):
        raise ConfigError(f"{name} must be numbers in [{low:g}, {high:g}], at least one; got {tuple(values)}.")
