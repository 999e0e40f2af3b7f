"""Climbing: the plan of a cascade, which never loses an answer that it has in hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pointsman.confidence.base import Confidence
from pointsman.errors import AllModelsFailedError
from pointsman.flow import Plan, ask
from pointsman.routers.ladder import ALWAYS
from pointsman.types import Answer, Call, CallError, Context, Decision, Query, Response

__all__ = ["climb"]


@dataclass(frozen=True, slots=True)
class _Held:
    """An answer in hand, and how sure it is."""

    response: Response
    score: float | None

    @property
    def rank(self) -> float:
        return -1.0 if self.score is None else self.score


def climb(
    query: Query,
    context: Context,
    *,
    decision: Decision,
    rungs: Sequence[str],
    standby: Sequence[str],
    thresholds: Mapping[str, float],
    confidence: Confidence,
) -> Plan[Answer]:
    """Call models in order until one's answer is sure enough; the last rung's is taken as it is.

    Only an answer that is taken unchecked is shown as it comes: nothing can follow it. An error that another model may not
    have is answered by the next rung, and once there is an answer in hand, no error loses it: where nothing better comes, the
    surest draft is the answer. Those who stand by are called when all rungs failed. A check that fails or cannot tell
    escalates.
    """
    held: list[_Held] = []
    errors: list[CallError] = []
    for name in (*rungs, *standby):
        if held and name in standby:
            break
        unchecked = name in (rungs[-1], *standby) or thresholds.get(name, ALWAYS) == ALWAYS
        params = {} if unchecked else confidence.asks
        try:
            response = yield from ask(Call(model=name, params=params, decision=decision, stream=unchecked))
        except CallError as error:
            if error.emitted or not (error.retryable or held):
                raise
            errors.append(error)
            if error.retryable:
                continue
            break
        if unchecked:
            return Answer.of(response, reason=_told("taken unchecked", held, errors))
        score = yield from confidence.assess(query, [*(one.response for one in held), response], context)
        if score is not None and score >= thresholds[name]:
            why = f"confidence {score:.3f} reaches {thresholds[name]:.3f}"
            return Answer.of(response, reason=_told(why, held, errors), confidence=score)
        held.append(_Held(response, score))
    if not held:
        raise AllModelsFailedError(errors)
    best = max(reversed(held), key=lambda one: one.rank)
    return Answer.of(best.response, reason=_told("the surest answer in hand", (), errors), confidence=best.score)


def _told(why: str, held: Sequence[_Held], errors: Sequence[CallError]) -> str:
    """Say why an answer was taken, what was not good enough before, and what failed."""
    drafts = "".join(
        f"; {one.response.model} was not sure enough" + ("" if one.score is None else f" ({one.score:.3f})")
        for one in held
    )
    return f"{why}{drafts}" + "".join(f"; after {error}" for error in errors)
