"""Leave one model out: what each model is worth to a router, and how much of that a few probe queries bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import grouped_split
from pointsman.errors import DataError, choices
from pointsman.evaluation.curve import Curve, Span, aiq_gain
from pointsman.evaluation.outcomes import Outcomes
from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.plain import plain
from pointsman.evaluation.protocols.pooling import over_trials
from pointsman.evaluation.protocols.trial import Bootstrap, checked, fitted_on, quality_first, stream
from pointsman.evaluation.replay import simulate
from pointsman.evaluation.resampling import Resampling, percentile_interval
from pointsman.evaluation.settings import settings_of
from pointsman.metrics import Interval
from pointsman.routers.base import Router

__all__ = ["HeldOutModel", "PoolChange", "Probed", "hide_model", "leave_one_model_out"]

_MEASURES = ("quality", "cost_usd", "input_tokens", "output_tokens", "latency_s", "run_variance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """A router that has seen a model on a few probe queries only, beside the one that has seen it on all.

    Parameters:
        probes: On how many.
        aiq: Its AIQ.
        ratio: That divided by the AIQ with all rows.
        quality_change: Quality at best expected quality, minus that with all rows.
    """

    probes: int
    aiq: float | None
    ratio: Interval | None
    quality_change: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutModel:
    """What one model is worth to a router.

    Parameters:
        model: Its name.
        aiq_loss: AIQ with the model minus AIQ without, over the same costs.
        quality_loss: Quality at best expected quality with the model, minus that without.
        aiq_without: AIQ without it.
        probed: What probe queries bring, the fewest first.
    """

    model: str
    aiq_loss: Interval | None
    quality_loss: Interval | None
    aiq_without: float | None
    probed: tuple[Probed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolChange:
    """How a router takes models that leave and models that come.

    Parameters:
        level: Coverage of the intervals; over test queries unless another is named.
        queries: Test queries.
        aiq: AIQ of the router that has seen every model on every training row.
        models: One entry per held-out model, by name.
        ratio: By number of probes, AIQ with that many divided by AIQ with all rows: mean and interval over models.
    """

    level: float
    queries: int
    aiq: float | None
    models: tuple[HeldOutModel, ...]
    ratio: Mapping[int, Interval | None]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        data: dict[str, Any] = plain(self)
        return data

    def __str__(self) -> str:
        from pointsman.evaluation.protocols.tables import models_text

        return models_text(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reach:
    """What one fitted router reaches on the test queries: at best expected quality, and at all its settings."""

    first: Outcomes
    curve: Curve | None

    @classmethod
    def of(cls, router: Router, train: RoutingDataset, test: RoutingDataset) -> _Reach:
        fitted = fitted_on(router, train)
        mine = simulate(fitted, test)
        # Below what its cheapest model costs, a pool leaves queries unanswered; without this point the line would go on flat,
        # and a pool would seem to gain by losing its cheapest model.
        settings = [*settings_of(fitted, test, None, mine, train.cheapest), (None, [_nothing(test)])]
        return cls(first=mine, curve=Curve.of(settings) if np.isfinite(test.cost_usd).any() else None)


def _nothing(test: RoutingDataset) -> Outcomes:
    """Return the outcomes of answering nobody: no quality and no cost."""
    n = len(test)
    return Outcomes(
        models=test.models,
        model=np.full(n, -1, dtype=np.intp),
        quality=np.zeros(n),
        cost_usd=np.zeros(n),
        propensity=np.ones(n),
        calls=np.zeros(n, dtype=np.intp),
    )


def leave_one_model_out(
    router: Router,
    dataset: RoutingDataset,
    *,
    models: Sequence[str] | None = None,
    probes: Sequence[int] = (20, 50, 200),
    level: float = 0.95,
    draws: int = 1000,
    random_state: int = 0,
) -> PoolChange:
    """Return what removing each model costs, and how near k probe queries of it come to having it on all rows.

    Adding a model is refitting with its outcomes known on k training queries, drawn at random, and unknown on the others: any
    estimator that skips unknown cells can do it, and `Clusters` becomes UniRoute's row of cluster errors (2502.08773). Four
    fifths of the groups are fitted on. No setting is selected, for a new model has no validation outcomes: curves join the
    test points of all settings, and a query left unanswered for want of money scores 0. Curves are averaged over the costs of
    the whole pool, from the cheapest to the best single model by training, whichever model is gone.

    Args:
        router: An unfitted router; its policy is set to best expected quality.
        dataset: Outcomes of at least three models.
        models: Which to hold out, by default each.
        probes: Numbers of probe queries, at least 1. Beyond the training rows they are all rows.
        level: Coverage of the intervals.
        draws: Bootstrap resamples, at least 100.
        random_state: The seed of everything.

    Raises:
        ConfigError: A number is out of range.
        DataError: Under three models, or one that does not exist.
    """
    bootstrap, data = Bootstrap(level=level, draws=draws, random_state=random_state), dataset.canonical()
    checked("probes", probes, low=1)
    if len(data.models) < 3:  # noqa: PLR2004 - the others must still be a choice
        raise DataError(f"Leaving a model out of a choice takes at least three; there are {choices(data.models)}.")
    if unknown := set(models or ()) - set(data.models):
        raise DataError(f"There is no model {choices(unknown)}; there are {choices(data.models)}.")
    train, test = grouped_split(data, (0.8, 0.2), random_state=random_state)
    first, resampling = quality_first(router), bootstrap.over(test)
    board = _Pool(router=first, train=train, test=test, span=_span(train, test), resampling=resampling, level=level)
    whole = _Reach.of(first, train, test)
    chosen = sorted(data.models if models is None else set(models))
    held = tuple(board.hold_out(name, whole, sorted(set(probes)), random_state) for name in chosen)
    ratios = {
        k: over_trials(
            [None if p.ratio is None else p.ratio.estimate for h in held for p in h.probed if p.probes == k], level
        )
        for k in sorted(set(probes))
    }
    return PoolChange(level=level, queries=len(test), aiq=board.height(whole), models=held, ratio=ratios)


def hide_model(data: RoutingDataset, model: str, shown: NDArray[np.bool_]) -> RoutingDataset:
    """Return the data with a model's outcomes unknown on every row, shape (n,), where they are not shown."""
    column, changed = data.models.index(model), {}
    for name in _MEASURES:
        matrix = getattr(data, name)
        if matrix is not None:
            matrix = matrix.astype(np.float64)
            matrix[~shown, column] = np.nan
            changed[name] = matrix
    if data.answers is not None:
        answers = data.answers.copy()
        answers[~shown, column] = None
        changed["answers"] = answers
    return replace(data, groups=data.group_of, **changed)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pool:
    """Everything that the trials of all models share."""

    router: Router
    train: RoutingDataset
    test: RoutingDataset
    span: Span | None
    resampling: Resampling
    level: float

    def height(self, reach: _Reach) -> float | None:
        """Return AIQ over the costs of the whole pool."""
        return None if self.span is None or reach.curve is None else reach.curve.height(self.span)

    def hold_out(self, model: str, whole: _Reach, probes: Sequence[int], random_state: int) -> HeldOutModel:
        """Take a model away, and bring it back probe by probe."""
        others = [name for name in self.train.models if name != model]
        without = _Reach.of(self.router, self.train.only(others), self.test.only(others))
        known = np.flatnonzero(np.isfinite(self.train.quality[:, self.train.models.index(model)]))
        if not len(known):
            raise DataError(f"There is no outcome at all of model {choices([model])} to probe it with.")
        # One order for all numbers of probes: more probes hold the fewer.
        order = known[np.random.default_rng(stream(random_state, "probes")).permutation(len(known))]
        return HeldOutModel(
            model=model,
            aiq_loss=self._aiq_between(whole, without),
            quality_loss=self._between(whole, without),
            aiq_without=self.height(without),
            probed=tuple(self._probe(model, order, k, whole) for k in probes),
        )

    def _probe(self, model: str, order: NDArray[np.intp], count: int, whole: _Reach) -> Probed:
        shown = np.zeros(len(self.train), dtype=np.bool_)
        shown[order[:count]] = True
        reach = _Reach.of(self.router, hide_model(self.train, model, shown), self.test)
        return Probed(
            probes=count,
            aiq=self.height(reach),
            ratio=self._ratio(reach, whole),
            quality_change=self._between(reach, whole),
        )

    def _between(self, a: _Reach, b: _Reach) -> Interval | None:
        return interval_of(a.first.quality - b.first.quality, self.resampling, level=self.level, low=-1)

    def _aiq_between(self, a: _Reach, b: _Reach) -> Interval | None:
        if self.span is None or a.curve is None or b.curve is None:
            return None
        return aiq_gain(a.curve, b.curve, self.span, self.resampling, self.level)

    def _ratio(self, a: _Reach, b: _Reach) -> Interval | None:
        mine, theirs = self.height(a), self.height(b)
        if mine is None or not theirs or self.span is None or a.curve is None or b.curve is None:
            return None
        above, below = (reach.curve.heights(self.span, self.resampling) for reach in (a, b) if reach.curve is not None)
        drawn = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
        return percentile_interval(mine / theirs, drawn, self.level)


def _span(train: RoutingDataset, test: RoutingDataset) -> Span | None:
    """Return the costs on the test queries of the cheapest and of the best single model of the training data."""
    low, high = (test.cost_usd[:, test.models.index(name)] for name in (train.cheapest, train.best_single))
    known = np.isfinite(train.mean_cost_usd).any() and np.isfinite(low).any() and np.isfinite(high).any()
    return Span(low=low, high=high) if known else None
