"""Reserving: what a call may cost at most, and the refusal of a call that the budget has no room for."""

from __future__ import annotations

from collections.abc import Mapping

from pointsman.budgets import Budget, Reservation
from pointsman.errors import BudgetExceededError, UnknownCostError
from pointsman.models import ModelSpec, estimate_tokens
from pointsman.pricing import PriceTable, price_call
from pointsman.types import Call, CallError, Query, Usage

__all__ = ["OUTPUT_TOKENS", "refused", "reserve", "worst_case_usd"]

OUTPUT_TOKENS = 1_024
"""The length an answer is reserved for where neither the call nor the query sets a limit."""

_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def worst_case_usd(
    call: Call, query: Query, pool: Mapping[str, ModelSpec], table: PriceTable | None = None
) -> float | None:
    """Return the larger of what the decision expected and what the longest answer would cost; None if both are unknown.

    The input is counted at four characters a token; content other than text is not counted.
    """
    chars = query.input_chars if call.messages is None else sum(len(message.text) for message in call.messages)
    limits = [call.params[name] for name in _LIMITS if isinstance(call.params.get(name), int)]
    usual = OUTPUT_TOKENS if query.max_output_tokens is None or call.messages is not None else query.max_output_tokens
    usage = Usage(input_tokens=estimate_tokens(chars), output_tokens=min(limits, default=usual))
    longest = price_call(usage, call.model, pool, table)
    estimate = call.decision.estimates.get(call.model) if call.decision is not None else None
    expected = estimate.cost_usd if estimate is not None else None
    return max((usd for usd in (expected, longest) if usd is not None), default=None)


def reserve(budget: Budget, usd: float | None, model: str) -> Reservation:
    """Set a call's money aside; a refusal is a retryable CallError, as another model may be cheaper or have a price."""
    try:
        return budget.reserve(usd, model=model)
    except (BudgetExceededError, UnknownCostError) as refusal:
        raise CallError(model, str(refusal), retryable=True) from refusal


def refused(error: CallError) -> bool:
    """Tell whether a call was never made because the budget has no room for it."""
    return isinstance(error.__cause__, BudgetExceededError | UnknownCostError)
