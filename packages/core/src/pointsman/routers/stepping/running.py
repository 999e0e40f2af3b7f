"""Running: one query's way through a cascade: a plan that asks, reads, and stops when another answer is not worth its price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pointsman.confidence.reading import said
from pointsman.data.equivalence import Equivalence, answer_key
from pointsman.errors import AllModelsFailedError, NoEligibleModelError
from pointsman.estimators.base import Estimates
from pointsman.estimators.choice import ranked
from pointsman.flow import Plan
from pointsman.routers.estimated import constrained
from pointsman.routers.expected import Expected
from pointsman.routers.stepping.honesty import Honesty
from pointsman.routers.stepping.reader import Reader
from pointsman.routers.stepping.said import Said
from pointsman.routers.stepping.standing import Standing
from pointsman.routers.stepping.walking import Mask, Matrix, Walk
from pointsman.types import Answer, Call, CallError, Context, Decision, Query, Response

__all__ = ["Running"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Running:
    """One query on its way, n = 1; answers come in as the plan goes on.

    Parameters:
        names: The k models.
        walk: The rules, for this query.
        honesty: What the probability of an accepted answer means.
        excluded: Models left out from the start, with the reason.
        degraded: What could not be honoured.
        equivalence: When two answers are the same.
        query, context: What is asked. What was spent is taken off its budget, and a model expected to cost more than is left is
            out.
        reader: What reads answers; None where they are only compared.
    """

    names: tuple[str, ...]
    walk: Walk
    honesty: Honesty
    excluded: Mapping[str, str]
    degraded: tuple[str, ...]
    equivalence: Equivalence
    query: Query
    context: Context
    reader: Reader | None
    said: dict[int, Response] = field(default_factory=dict)
    failed: list[CallError] = field(default_factory=list)
    worth: dict[int, float] = field(default_factory=dict)

    def first(self) -> Decision:
        """Return whom to ask first; raise NoEligibleModelError where nobody can serve the query within its limits."""
        return self._begin()[0]

    def _begin(self) -> tuple[Decision, ...]:
        """Return whom to ask first, the one of whom most is expected before those asked at the same time."""
        excluded, degraded = self._left_out()
        allowed = self._mask(excluded)
        standing = self.walk.stand(0, self.walk.unasked())
        scores = self._affordable(self.walk.scores(0, standing))
        action = int(self.walk.step(scores, 0, allowed)[0])
        asked = self._asked_by(action)
        chosen, alone = asked[0], len(asked) == 1
        final = alone and bool(self.walk.ends(chosen, self._affordable_after(chosen, allowed))[0])
        quality, cost = self.walk.quality[0, chosen], self.walk.spending[0, chosen]
        price = "unknown cost" if np.isnan(cost) else f"${cost:.3g}"
        told = f"expected quality {quality:.3f} at {price}, best of {int(allowed.sum())} models to begin with"
        reason = told if final else f"{told}; others may be asked after it"
        return self._decisions(asked, scores, excluded, degraded, reason, final=final)

    def plan(self) -> Plan[Answer]:
        """Ask down the decisions until another answer is worth less than its price."""
        decisions = self._begin()
        while decisions:
            calls = tuple(Call(model=each.model, decision=each, stream=each.final) for each in decisions)
            outcomes = yield calls
            answered = [outcome for outcome in outcomes if isinstance(outcome, Response)]
            for response in answered:
                yield from self._read(self.names.index(response.model), response)
            for error in outcomes:
                if isinstance(error, CallError):
                    if error.emitted or not (error.retryable or self.said):
                        raise error
                    self.failed.append(error)
            if decisions[0].final and answered:
                break
            decisions = self._next()
        if not self.said:
            raise AllModelsFailedError(self.failed)
        return self._answer()

    def _read(self, column: int, response: Response) -> Plan[None]:
        """Take in an answer, with what reading it lets expect of it."""
        self.said[column] = response
        if self.reader is not None:
            expected = float(self.walk.quality[0, column])
            self.worth[column] = yield from self.reader.read(column, self.query, response, expected, self.context)

    @property
    def _subset(self) -> int:
        return sum(1 << j for j in self.said)

    def _next(self) -> tuple[Decision, ...]:
        """Return whom to ask next; () to stop."""
        gone = {error.model for error in self.failed}
        if gone | {self.names[j] for j in self.said} | set(self.excluded) >= set(self.names):
            return ()
        if not self.said:
            return self._first_of_the_rest()
        try:
            excluded, degraded = self._left_out()
        except NoEligibleModelError:
            return ()  # nobody is left within the limits
        allowed, standing = self._mask(excluded), self.walk.stand(self._subset, self._told())
        scores = self._affordable(self.walk.scores(self._subset, standing))
        action = int(self.walk.step(scores, self._subset, allowed)[0])
        if action < 0 or standing.belief is None:
            return ()
        held = standing.belief.probability[0]
        reason = f"the answer in hand is right with probability {held:.3f}; asking on is worth {scores[0, action]:+.3f}"
        return self._decisions(self._asked_by(action), scores, excluded, degraded, reason, final=False)

    def _first_of_the_rest(self) -> tuple[Decision, ...]:
        try:
            return self._begin()
        except NoEligibleModelError:
            return ()

    def _asked_by(self, action: int) -> list[int]:
        """Return the models that an action asks, the one of which most is expected first."""
        lead = int(self.walk.lead(np.array([action]))[0])
        return [lead, *(j for j in np.flatnonzero(self.walk.lookahead.actions.asks[action]).tolist() if j != lead)]

    def _left_out(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """Return who may not be asked now, with the reason, and what could not be honoured."""
        limits = self.query.constraints
        if limits.max_cost_usd is not None:
            limits = replace(limits, max_cost_usd=limits.max_cost_usd - self._spent)
        excluded = dict(self.excluded) | {error.model: f"failed: {error.message}" for error in self.failed}
        found = Estimates(
            models=self.names, quality=self.walk.quality, cost_usd=self.walk.spending, latency_s=self.walk.waiting
        )
        _, excluded, degraded = constrained(found, limits, excluded, self.degraded)
        return excluded, degraded

    @property
    def _spent(self) -> float:
        spent = [self._price(j, response.cost_usd) for j, response in self.said.items()]
        return sum(spent + [error.cost_usd or 0.0 for error in self.failed])

    def _affordable(self, scores: Matrix) -> Matrix:
        """Return the scores without those of actions that together are expected to cost more than is left."""
        limit = self.query.constraints.max_cost_usd
        if limit is None:
            return scores
        together = self.walk.lookahead.actions.total(self.walk.spending) > limit - self._spent
        together[:, : len(self.names)] = False  # each alone is left out with its reason
        return np.where(together, -np.inf, scores)

    def _price(self, column: int, billed: float | None) -> float:
        """Return what a call cost, or what it was expected to where the bill is unknown."""
        return float(self.walk.spending[0, column]) if billed is None else billed

    def _affordable_after(self, chosen: int, allowed: Mask) -> Mask:
        """Return who could still be paid for once the chosen model has cost what it is expected to."""
        if self.query.constraints.max_cost_usd is None:
            return allowed
        left = self.query.constraints.max_cost_usd - sum(error.cost_usd or 0.0 for error in self.failed)
        affordable: Mask = allowed & (self.walk.spending <= left - self.walk.spending[0, chosen])
        return affordable

    def _mask(self, excluded: Mapping[str, str]) -> Mask:
        return np.array([[name not in excluded for name in self.names]])

    def _told(self) -> Said:
        """Return who said what, and what that is worth."""
        told, seen = self.walk.unasked(), dict[str, int]()
        worth = told.worth.copy()
        for j in sorted(self.said):
            key = answer_key(said(self.said[j]), self.equivalence)
            if key is not None:
                told.codes[0, j] = seen.setdefault(key, j)
            worth[0, j] = self.worth.get(j, worth[0, j])
        return replace(told, worth=worth)

    def _decisions(
        self,
        chosen: list[int],
        scores: Matrix,
        excluded: dict[str, str],
        degraded: tuple[str, ...],
        reason: str,
        *,
        final: bool,
    ) -> tuple[Decision, ...]:
        """Return a decision for each of those asked at the same time."""
        asked = {self.names[j]: "already asked" for j in self.said}
        out = excluded | asked
        alone, waiting = scores[0, : len(self.names)], self.walk.waiting
        order = [self.names[j] for j in ranked(alone, self.walk.spending[0])]
        seconds = None if waiting is None else waiting[0]
        told = Expected(self.names, self.walk.quality[0], self.walk.spending[0], seconds, alone, unscored=out)
        if len(chosen) > 1:
            reason += f"; asked at the same time: {' and '.join(self.names[j] for j in chosen)}"
        return tuple(
            Decision(
                model=name,
                ranking=(name, *(other for other in order if other not in out and other != name)),
                estimates=told,
                final=final,
                reason=reason,
                excluded=out,
                degraded=degraded,
            )
            for name in (self.names[j] for j in chosen)
        )

    def _answer(self) -> Answer:
        """Return the likeliest answer in the words of its likeliest speaker, resting on all that gave it."""
        standing: Standing = self.walk.stand(self._subset, self._told())
        belief = standing.belief
        assert belief is not None  # noqa: S101 - somebody has answered
        asked = np.array([[j in self.said for j in range(len(self.names))]])
        speaker = int(self.walk.speaker(asked, belief.support, self._told())[0])
        response, others = self.said[speaker], [j for j in np.flatnonzero(belief.support[0]) if j != speaker]
        steps = (response.step, *(self.said[int(j)].step for j in others))
        held = float(self.honesty.told(belief.probability, self.walk.weight)[0])
        failed = "".join(f"; after {error}" for error in self.failed)
        reason = f"given by {len(others) + 1} of {len(self.said)} models, right with probability {held:.3f}{failed}"
        return replace(Answer.of(response, reason=reason, confidence=held), support=steps)
