"""Stacked: several estimators as one, believed as far as their held-out predictions deserve."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
from annotated_types import Ge, Len
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.averages import training_data
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.blend import Blend
from pointsman.estimators.clusters import Clusters
from pointsman.estimators.domain import Domain
from pointsman.estimators.familiarity import Familiarity
from pointsman.estimators.heldout import HeldOut, bare, cautious_quality, familiar_share, mixed_quality
from pointsman.estimators.kind_errors import KindErrors
from pointsman.estimators.kinds import kinds_of
from pointsman.estimators.linear import Linear
from pointsman.estimators.spending import Spending
from pointsman.estimators.together import fitted_together, names_of, offsets_of
from pointsman.estimators.trust import Trust
from pointsman.features.available import Available
from pointsman.features.base import Features
from pointsman.features.embedding import Embedding
from pointsman.types import Query

__all__ = ["Stacked"]

Matrix = NDArray[np.float64]

_GIVEN = Embedding(length="given")  # the rows that Stacked hands to its members
_TABLE = Domain(features=_GIVEN, source="predicted")
_MEMBERS: tuple[Estimator, ...] = (_TABLE, Linear(features=_GIVEN, offset=_TABLE), Clusters(features=_GIVEN, starts=1))


class StackedState(State):
    """The fitted members and what is made of their predictions.

    `means` (m,) are the models' mean qualities, `mean_draws` (s, m) draws of them; `level` is the slope of the queries' levels.
    `errors` are those of the kinds by which familiarity is told, None where it is not.
    """

    features: Features
    models: tuple[str, ...]
    incumbent: int
    members: tuple[Estimator, ...]
    trust: Trust
    level: float
    means: Matrix
    mean_draws: Matrix
    familiarity: Familiarity | None
    errors: KindErrors | None
    spending: Spending

    @cached_property
    def blend(self) -> Blend:
        """The members' average."""
        return Blend.of(
            self.members, offsets_of(self.members), shares=self.trust.shares, level=self.level, means=self.means
        )


class Stacked(Estimator):
    """Average several estimators' differences from the best single model, shrunken to what held-out queries bear out.

    The members' shares come from stacked regression (Breiman, 1996) on out-of-fold differences to the *incumbent*, the best
    single model; each difference counts by its chance to turn a choice. The slope of real on predicted differences, less two
    standard errors, is the trust: 1 keeps what the members say, 0 leaves every query its models' overall means, and so the best
    single model, or the Zero router's mixtures where money counts. `cautious` quality trusts a query's own differences less
    the less *familiar* it is, that is, like the kinds of queries learnt from (its given domains, or clusters), and holds the
    incumbent three points ahead: what another model has to promise to take its place where nothing makes up for a mistake.

    Parameters:
        features: The map that all members read; cloned and fitted once by `fit`.
        members: The estimators; cloned by `fit`. They get the rows of `features` as embeddings, and no costs.
        folds: Parts that take turns at being held out, at least 2.
        draws: Draws of quality that `draw` returns, at least 2.
    """

    tags = Tags(how=frozenset({"supervised"}))

    features: Features = Available()
    members: Annotated[tuple[Estimator, ...], Len(1)] = _MEMBERS
    folds: Annotated[int, Ge(2)] = 5
    draws: Annotated[int, Ge(2)] = 200

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one of two small members on a few words."""
        from pointsman.estimators.nearest import Nearest
        from pointsman.features.lexical import Lexical

        words = Available(words=Lexical(bits=10, components=8))
        near = Nearest(features=_GIVEN, k=5)
        return cls(features=words, draws=8), cls(
            features=words, members=(Linear(features=_GIVEN), near), folds=3, draws=8
        )

    def fit(self, dataset: RoutingDataset) -> Self:
        """Fit the members, hold them to account on held-out queries, and return self."""
        self.fit_crossed(dataset)
        return self

    def fit_crossed(self, dataset: RoutingDataset, *, folds: int | None = None) -> Estimates:
        """Fit, and return the estimates of the dataset's rows in canonical order, by parts that had not seen them."""
        return self.fit_held(dataset, folds=folds).estimates()

    def fit_held(self, dataset: RoutingDataset, *, folds: int | None = None) -> HeldOut:
        """Fit, and return what was said of the dataset's rows, in canonical order, by parts that had not seen them.

        Without two groups of queries there is nothing to hold out, and no trust. `folds` defaults to the estimator's own.
        """
        data = training_data(dataset)
        features = self.features.clone()
        rows = features.fit_transform(data.queries)
        familiarity = Familiarity.fit(rows, kinds_of(data.queries, rows))
        held = HeldOut.of(self.members, data, rows, familiarity, folds or self.folds)
        self.with_state(
            StackedState(
                features=features,
                models=data.models,
                incumbent=held.incumbent,
                members=fitted_together(self.members, bare(data, rows)),
                trust=held.trust(),
                level=held.level(),
                means=data.mean_quality,
                mean_draws=_mean_draws(data, self.draws),
                familiarity=familiarity,
                errors=None if familiarity is None else _errors(familiarity, rows, held, data),
                spending=Spending.fit(rows, data),
            )
        )
        return held

    def predict(self, queries: Queries) -> Estimates:
        """Return the members' averaged predictions for n queries, with the trust they deserve."""
        state = self.fitted(StackedState)
        rows = state.features.transform(queries)
        contrasts, level = state.blend(queries.with_embeddings(rows))
        cost, latency = state.spending.predict(rows, queries)
        factor = state.trust.factor

        def cautious() -> Matrix:
            known = np.ones(len(rows)) if state.familiarity is None else state.familiarity.probability(rows)
            return cautious_quality(state.means, level, contrasts, factor * familiar_share(known), state.incumbent)

        return Estimates(
            models=state.models,
            quality=mixed_quality(state.means, level, contrasts, factor),
            cost_usd=cost,
            latency_s=latency,
            cautious=cautious,
        )

    def draw(self, queries: Queries) -> Estimates:
        """Return the estimates with draws of quality, shape (s, n, m), of the slope of differences and of the kinds' means.

        Where kinds of queries are not told apart the models' overall means are drawn instead. The draws are around the slope
        that was found, not around the lowered one that decisions go by: they say how sure a difference is, while the lowered
        slope leans to the incumbent. What no feature tells is not in them: they are draws of expected quality, not of a
        single answer's.
        """
        state = self.fitted(StackedState)
        found = self.predict(queries)
        rows, size = state.features.transform(queries), len(state.mean_draws)
        contrasts, level = state.blend(queries.with_embeddings(rows))
        slopes = np.maximum(state.trust.slope + state.trust.error * np.random.default_rng(0).standard_normal(size), 0)
        if state.familiarity is None or state.errors is None:
            errors = (state.mean_draws - state.means)[:, None, :]
        else:
            errors = state.errors.draws(state.familiarity.known.probabilities(rows), size)
        drawn = np.stack([mixed_quality(state.means, level, contrasts, slope) for slope in slopes])
        return replace(found, draws=drawn + errors)

    def explain(self, query: Query) -> dict[str, Any]:
        """Return the trust, the members' shares, how familiar the query is, and what the members say themselves."""
        state = self.fitted(StackedState)
        rows = state.features.transform(Queries.of(query))
        inner = replace(query, embedding=rows[0])
        told: dict[str, Any] = {
            "incumbent": state.models[state.incumbent],
            "trust": state.trust.factor,
            "shares": {
                name: float(share) for name, share in zip(names_of(state.members), state.trust.shares, strict=True)
            },
        }
        if state.familiarity is not None:
            told["familiarity"] = float(state.familiarity.probability(rows)[0])
        for member in state.members:
            told |= member.explain(inner)
        return told


def _errors(familiarity: Familiarity, rows: Matrix, held: HeldOut, data: RoutingDataset) -> KindErrors:
    """Return how far off the means of the kinds may be, by the errors of held-out queries."""
    residual = data.quality - held.estimates().quality
    return KindErrors.fit(familiarity.known.probabilities(rows), residual, data.group_of)


def _mean_draws(data: RoutingDataset, size: int) -> Matrix:
    """Return draws (s, m) of the models' means by the Bayesian bootstrap over groups of queries (Rubin, 1981)."""
    groups = np.unique(data.group_of, return_inverse=True)[1]
    weight = np.random.default_rng(0).standard_exponential((size, int(groups.max()) + 1))[:, groups]
    known = np.isfinite(data.quality)
    mass = weight @ known
    draws: Matrix = (weight @ np.where(known, data.quality, 0.0)) / mass
    return draws
