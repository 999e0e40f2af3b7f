"""The record: what the router did, on the entries of DSPy's history, and what comes out in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dspy

from pointsman.dispatch import source_of
from pointsman.errors import ConfigError
from pointsman.types import Call, Trace

__all__ = ["KEY", "keep", "outcome_of", "output_of", "prediction_of", "request_of", "route_of", "with_route"]

KEY = "router"
"""Where an entry of the history holds the record."""


def keep(entries: Sequence[dict[str, Any]], *owners: Any) -> None:
    """Put entries into the histories of these language models, none of which grows beyond DSPy's limit."""
    limit = dspy.settings.max_history_size
    for entry in entries:
        for owner in owners:
            if len(owner.history) >= limit:
                owner.history.pop(0)
            owner.history.append(entry)


def request_of(call: Call) -> dict[str, Any]:
    """Return what a plan wanted of one call, as plain data."""
    decision = call.decision
    return {
        "model": call.model,
        "purpose": call.purpose,
        "propensity": decision.propensity if decision is not None else None,
        "excluded": dict(decision.excluded) if decision is not None else {},
        "degraded": list(decision.degraded) if decision is not None else [],
    }


def outcome_of(trace: Trace) -> dict[str, Any]:
    """Return how the whole run ended, as plain data; `cost_usd` is that of all its calls, and None is unknown."""
    answer = trace.answer
    made = [step.effect for step in trace.steps if isinstance(step.effect, Call)]
    return {
        "trace_id": trace.id,
        "ended": trace.ended,
        "answered_by": answer.model if answer is not None else None,
        "tried": list(dict.fromkeys([call.model for call in made if call.messages is None])),
        "reason": answer.reason if answer is not None else "",
        "cost_usd": trace.cost_usd,
    }


def route_of(prediction: Any) -> dict[str, Any] | None:
    """Return what was decided for a prediction, as the entries of the history have it; None if nothing was.

    It is no field of the prediction: demonstrations and comparisons do not see it.
    """
    return getattr(prediction, "_route", None)


def with_route(prediction: Any, trace: Trace) -> Any:
    """Put on a prediction what was decided for it, and return it."""
    response = trace.response
    calls = {step.path: step.effect for step in trace.steps if isinstance(step.effect, Call)}
    call = calls.get(response.step) if response is not None else None
    prediction._route = {**(request_of(call) if call is not None else {}), **outcome_of(trace)}  # noqa: SLF001
    return prediction


def prediction_of(trace: Trace) -> Any:
    """Return the prediction that is the answer.

    Raises:
        ConfigError: If the answer is not the content of one of the responses behind it.
    """
    answer = trace.answer
    _, support = source_of(trace)
    for response in support:
        if answer is not None and answer.content is response.content:
            return response.raw
    raise ConfigError(
        "A routed module answers with a prediction of one of its models; the router made an answer of its own: "
        f"{answer.content if answer is not None else None!r}."
    )


def output_of(trace: Trace) -> Any:
    """Return what the caller gets: the outputs behind the answer as they came, or the answer's content in their form."""
    answer = trace.answer
    if answer is None:
        return None
    source, support = source_of(trace)
    if source is not None:
        return source.raw
    typed = next((response.raw for response in support if not isinstance(response.raw, list)), None)
    if typed is None:
        return [str(answer.content)]
    return replace(typed, message=type(typed.message).assistant(str(answer.content)))
