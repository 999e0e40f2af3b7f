"""Records: what a run did, as the plain data that adapters put where their framework keeps such things."""

from __future__ import annotations

from typing import Any

from pointsman.types import Call, CallError, Embed, Response, Trace

__all__ = ["record_of", "source_of"]

_ENDS = Response | CallError


def record_of(trace: Trace) -> dict[str, Any]:
    """Return the record of a trace.

    `cost_usd` and `total_usage` are those of all calls together, failed and rejected ones included; None is unknown.
    """
    answer, decision = trace.answer, None
    tried: dict[str, None] = {}
    for step in trace.steps:
        call = step.effect
        if isinstance(call, Call):
            decision = call.decision or decision
            if call.messages is None:  # the user's request, not a judge's
                tried[call.model] = None
    return {
        "model": answer.model if answer is not None else None,
        "tried": list(tried),
        "trace_id": trace.id,
        "propensity": decision.propensity if decision is not None else None,
        "reason": answer.reason if answer is not None else "",
        "cost_usd": trace.cost_usd,
        "total_usage": _total_usage(trace),
        "excluded": dict(decision.excluded) if decision is not None else {},
        "degraded": list(decision.degraded) if decision is not None else [],
    }


def _total_usage(trace: Trace) -> dict[str, int] | None:
    """Add up the tokens of all calls; None when those of any paid one are unknown."""
    into = out = 0
    for step in trace.steps:
        outcome = step.outcome
        if isinstance(step.effect, Embed) or not isinstance(outcome, _ENDS):
            continue
        usage = outcome.usage
        if usage is None and isinstance(outcome, CallError) and not (outcome.emitted or outcome.interrupted):
            continue  # refused before it was billed
        if usage is None or usage.input_tokens is None or usage.output_tokens is None:
            return None
        into += usage.input_tokens
        out += usage.output_tokens
    return {"input_tokens": into, "output_tokens": out, "total_tokens": into + out}


def source_of(trace: Trace) -> tuple[Response | None, tuple[Response, ...]]:
    """Return the response whose content is the answer, None where it was made of several, and all that support it."""
    answer = trace.answer
    if answer is None:
        return None, ()
    outcomes = {step.path: step.outcome for step in trace.steps}
    support = tuple([one for path in answer.support if isinstance(one := outcomes.get(path), Response)])
    for response in support:
        if answer.content == (response.text if response.content is None else response.content):
            return response, support
    return None, support
