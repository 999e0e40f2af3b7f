"""Failures: which exceptions mean "this model failed", read from their attributes and names, not from provider SDKs."""

from __future__ import annotations

from pointsman.failures import TRANSIENT, asked_wait_s, error_names, may_pass, never_sent, status_of, summary
from pointsman.types import CallError, Usage

__all__ = ["call_error"]


def call_error(model: str, error: Exception, *, usage: Usage | None = None) -> CallError | None:
    """Return the error as an outcome of the call, or None for what is not the provider's doing: a bug, which propagates.

    A status of 408, 409, 429 or 5xx, a timeout and a lost connection are retryable: another model may not have them; any other
    status of 4xx is the request's own fault. What was cut off after it was sent may have been billed. With `usage` the model
    has answered and is paid, and what failed is the reading of its answer.
    """
    if usage is not None:
        return CallError(model, summary(error), usage=usage)
    status, transient = status_of(error), bool(error_names(error) & TRANSIENT)
    if status is None and not transient:
        return None
    return CallError(
        model,
        summary(error),
        retryable=transient if status is None else may_pass(status),
        status=status,
        retry_after=asked_wait_s(error),
        interrupted=status is None and not never_sent(error),
    )
