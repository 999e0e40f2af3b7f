"""Failures: what an exception of a provider means, read from its status and its names, never from provider SDKs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from pointsman.errors import AllModelsFailedError, PointsmanError
from pointsman.types import CallError

__all__ = ["UNSENT", "error_names", "may_pass", "never_sent", "original_error", "retry_after_s", "summary"]

UNSENT = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "ConnectTimeoutError",
        "ConnectionRefusedError",
        "EndpointConnectionError",
        "NewConnectionError",
        "PoolTimeout",
        "ProxyError",
    }
)
"""Exceptions of the usual clients that come before anything was sent, so that nothing can have been billed."""

_RETRYABLE = frozenset({408, 409, 429})
_SERVER_ERROR = 500
_SHOWN = 200  # characters of a provider's message that a trace keeps


def may_pass(status: int) -> bool:
    """Tell whether an HTTP status is one that another attempt, or another model, may not have.

    >>> [may_pass(status) for status in (400, 401, 408, 429, 500, 503)]
    [False, False, True, True, True, True]
    """
    return status in _RETRYABLE or status >= _SERVER_ERROR


def error_names(error: BaseException) -> frozenset[str]:
    """Return the names of an exception's class and of all its bases."""
    return frozenset(kind.__name__ for kind in type(error).__mro__)


def never_sent(error: BaseException | None) -> bool:
    """Tell whether the error, or what it was raised from, says that no connection was made."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if error_names(error) & UNSENT:
            return True
        seen.append(error)
        error = error.__cause__
    return False


def summary(error: BaseException) -> str:
    """Return an exception's name and the beginning of its first line, as a trace keeps it."""
    text = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a server asks to wait, given as milliseconds, seconds or a date; None if it does not say.

    >>> retry_after_s({"retry-after": "1.5"}), retry_after_s({"retry-after-ms": "20"}), retry_after_s({})
    (1.5, 0.02, None)
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * unit)
        except (KeyError, ValueError):
            continue
    try:
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError):
        return None


def original_error(error: PointsmanError) -> Exception | None:
    """Return the last provider's own exception behind an error, with a note on what else was tried.

    None where no provider raised anything, as when a budget is spent.
    """
    failures = error.errors if isinstance(error, AllModelsFailedError) else (error,)
    causes = [failure.__cause__ for failure in failures if isinstance(failure, CallError)]
    originals = [cause for cause in causes if isinstance(cause, Exception) and not isinstance(cause, PointsmanError)]
    if not originals:
        return None
    if len(failures) > 1:
        originals[-1].add_note(str(error))
    return originals[-1]
