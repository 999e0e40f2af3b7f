"""Saboteurs of choices: policies that overlook the mask, gamble in secret, look aside, or take the unknown for nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pointsman.estimators.base import Estimates
from pointsman.estimators.choice import first_choice
from pointsman.policies.base import Choice
from pointsman.testing.saboteurs.honest import HonestPolicy

__all__ = [
    "BlursScores",
    "ChangesEstimates",
    "ClaimsNoChance",
    "ComparesWithLeftOut",
    "DoubtsCertainty",
    "DrawsInSecret",
    "LikesDearTies",
    "LikesUnknownCosts",
    "LikesUnknownLatencies",
    "OverlooksMasks",
    "WeighsBatches",
]

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_] | None
Uniforms = Callable[[], Matrix]


class OverlooksMasks(HonestPolicy):
    """Chooses whom it likes."""

    breaks: ClassVar = ("check_choices_are_allowed",)

    def choose(
        self, estimates: Estimates, *, allowed: Mask = None, point: float | None = None, uniforms: Uniforms
    ) -> Choice:
        """Choose among all."""
        return super().choose(estimates, point=point, uniforms=uniforms)


class DoubtsCertainty(HonestPolicy):
    """Gives an only choice half a chance."""

    breaks: ClassVar = ("check_single_allowed_models_are_chosen",)

    def choose(
        self, estimates: Estimates, *, allowed: Mask = None, point: float | None = None, uniforms: Uniforms
    ) -> Choice:
        """Choose, and claim to have hesitated."""
        choice = super().choose(estimates, allowed=allowed, point=point, uniforms=uniforms)
        return replace(choice, propensity=choice.propensity * 0.5)


class ClaimsNoChance(HonestPolicy):
    """States the propensity 0."""

    breaks: ClassVar = ("check_choices_carry_propensities",)

    def choose(
        self, estimates: Estimates, *, allowed: Mask = None, point: float | None = None, uniforms: Uniforms
    ) -> Choice:
        """Choose what cannot be chosen."""
        choice = super().choose(estimates, allowed=allowed, point=point, uniforms=uniforms)
        return replace(choice, propensity=np.zeros_like(choice.propensity))


class DrawsInSecret(HonestPolicy):
    """Takes the last model one time in four, and calls it certain."""

    breaks: ClassVar = ("check_draws_match_propensities",)

    def choose(
        self, estimates: Estimates, *, allowed: Mask = None, point: float | None = None, uniforms: Uniforms
    ) -> Choice:
        """Choose by lot what is presented as a rule."""
        choice = super().choose(estimates, allowed=allowed, point=point, uniforms=uniforms)
        if allowed is not None:
            return choice
        return replace(choice, model=np.where(uniforms() < 0.25, len(estimates.models) - 1, choice.model))  # noqa: PLR2004


class WeighsBatches(HonestPolicy):
    """Measures costs against the dearest call of the batch."""

    breaks: ClassVar = ("check_rows_are_chosen_alone",)

    def scores(self, estimates: Estimates, point: float | None = None) -> Matrix:
        """Return quality less the share of the dearest cost around."""
        return estimates.quality - estimates.cost_usd / np.nanmax(estimates.cost_usd, initial=1e-9)


class BlursScores(HonestPolicy):
    """Keeps the scores of the others to itself."""

    breaks: ClassVar = ("check_scores_are_known",)

    def choose(
        self, estimates: Estimates, *, allowed: Mask = None, point: float | None = None, uniforms: Uniforms
    ) -> Choice:
        """Choose, and show only the winner's score."""
        choice = super().choose(estimates, allowed=allowed, point=point, uniforms=uniforms)
        won = np.arange(len(estimates.models)) == choice.model[:, None]
        return replace(choice, scores=np.where(won, choice.scores, np.nan))


class ChangesEstimates(HonestPolicy):
    """Takes the cost off the quality, in place."""

    breaks: ClassVar = ("check_estimates_are_left_alone",)

    def scores(self, estimates: Estimates, point: float | None = None) -> Matrix:
        """Return the scores, which are now also the qualities."""
        scores = estimates.quality
        scores -= self.cost_weight * estimates.cost_usd
        return scores


class ComparesWithLeftOut(HonestPolicy):
    """Takes the cheapest model that is nearly as good as the best, be that allowed or not."""

    breaks: ClassVar = ("check_left_out_models_do_not_count",)

    def choose(
        self, estimates: Estimates, *, allowed: Mask = None, point: float | None = None, uniforms: Uniforms
    ) -> Choice:
        """Choose by a bar that anyone may set."""
        enough = estimates.quality >= estimates.quality.max(axis=1, keepdims=True) - 0.2
        scores = np.where(enough, 2 - estimates.cost_usd, estimates.quality - 1)
        model = first_choice(scores, estimates.cost_usd, allowed)
        return Choice(model=model, propensity=np.ones(len(model)), scores=scores)


def _last_of_the_best(scores: Matrix, allowed: Mask) -> Choice:
    open_ = scores if allowed is None else np.where(allowed, scores, -np.inf)
    model = scores.shape[1] - 1 - np.argmax(open_[:, ::-1], axis=1)
    return Choice(model=model, propensity=np.ones(len(model)), scores=scores)


class LikesDearTies(HonestPolicy):
    """Takes the last of equally good models, whatever it costs."""

    breaks: ClassVar = ("check_tied_estimates_go_to_the_cheapest",)

    def choose(
        self, estimates: Estimates, *, allowed: Mask = None, point: float | None = None, uniforms: Uniforms
    ) -> Choice:
        """Choose by quality alone."""
        return _last_of_the_best(estimates.quality, allowed)


class LikesUnknownCosts(HonestPolicy):
    """Takes an unknown cost for nothing."""

    breaks: ClassVar = ("check_tied_unknown_costs_are_not_free",)

    def choose(
        self, estimates: Estimates, *, allowed: Mask = None, point: float | None = None, uniforms: Uniforms
    ) -> Choice:
        """Choose as if gaps were zeros."""
        filled = replace(estimates, cost_usd=np.nan_to_num(estimates.cost_usd))
        return super().choose(filled, allowed=allowed, point=point, uniforms=uniforms)


class LikesUnknownLatencies(HonestPolicy):
    """Takes an unknown latency for none."""

    breaks: ClassVar = ("check_unknown_latencies_are_not_short",)

    def scores(self, estimates: Estimates, point: float | None = None) -> Matrix:
        """Return the scores of a world in which gaps are zeros."""
        latency = None if estimates.latency_s is None else np.nan_to_num(estimates.latency_s)
        return super().scores(replace(estimates, latency_s=latency), point)
