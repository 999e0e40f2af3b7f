"""Failures: which exceptions mean "this model failed", read from their names and status."""

from __future__ import annotations

from pointsman.failures import error_names, may_pass, never_sent, summary
from pointsman.types import CallError

__all__ = ["call_error"]

# No reply came, or only a part of one: what was sent may have been billed. DSPy's own names, those of litellm and the OpenAI
# client, which language models written before DSPy's own errors let through, and the builtins.
_CUT_OFF = frozenset(
    {
        "LMStreamAssemblyError",
        "LMTimeoutError",
        "LMTransportError",
        "APIConnectionError",
        "ConnectionError",
        "Timeout",
        "TimeoutError",
    }
)
_REFUSED = frozenset(
    {"LMLockTimeoutError", "LMRateLimitError", "LMServerError", "InternalServerError", "RateLimitError"}
)
_STATUSES = range(400, 600)


def call_error(model: str, error: Exception, *, emitted: int = 0) -> CallError | None:
    """Return the error as an outcome of the call, or None for what is not the provider's doing: a bug, which propagates.

    Refusals for the moment, time-outs and lost connections are retryable: another model may not have them. Any other error
    of DSPy's language models, and any other status of 4xx, is the request's own fault. `emitted` counts the characters of a
    stream that were already shown.
    """
    names, status = error_names(error), _status(error)
    passing = bool(names & (_CUT_OFF | _REFUSED))
    if not passing and "LMError" not in names:
        if status is None:
            return None
        passing = may_pass(status)
    if not passing and "LMUnexpectedError" in names:
        return None
    unread = status is None and type(error).__name__ == "LMProviderError"  # a reply that nobody could read
    return CallError(
        model,
        summary(error),
        retryable=passing,
        status=status,
        retry_after=getattr(error, "retry_after", None),
        emitted=emitted,
        interrupted=unread or (bool(names & _CUT_OFF) and not never_sent(error)),
    )


def _status(error: Exception) -> int | None:
    found = (getattr(error, name, None) for name in ("status", "status_code"))
    return next((status for status in found if isinstance(status, int) and status in _STATUSES), None)
