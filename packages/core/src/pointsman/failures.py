"""Failures: what an exception of a provider means, read from its status and its names, never from provider SDKs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any

from pointsman.errors import AllModelsFailedError, PointsmanError
from pointsman.types import CallError

__all__ = [
    "TRANSIENT",
    "UNSENT",
    "Surfacing",
    "asked_wait_s",
    "error_names",
    "may_pass",
    "never_sent",
    "original_error",
    "retry_after_s",
    "status_of",
    "summary",
]

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

TRANSIENT = frozenset(
    {
        "APIConnectionError",
        "APITimeoutError",
        "ChunkedEncodingError",
        "ClientConnectionError",
        "ClientPayloadError",
        "ConnectTimeoutError",
        "ConnectionError",
        "EndpointConnectionError",
        "NetworkError",
        "NewConnectionError",
        "ProxyError",
        "ReadTimeoutError",
        "RemoteProtocolError",
        "RetryError",
        "Timeout",
        "TimeoutError",
        "TimeoutException",
    }
)
"""Timeouts and lost connections, which carry no status: the base classes that openai, anthropic, httpx, requests, aiohttp,
urllib3, botocore and google-api-core give them; builtins are matched by the same names."""

_REFUSALS = range(400, 600)
_RETRYABLE = frozenset({408, 409, 429})
_SERVER_ERROR = 500
_SHOWN = 200  # characters of a provider's message that a trace keeps


def may_pass(status: int) -> bool:
    """Tell whether an HTTP status is one that another attempt, or another model, may not have.

    >>> [may_pass(status) for status in (400, 401, 408, 429, 500, 503)]
    [False, False, True, True, True, True]
    """
    return status in _RETRYABLE or status >= _SERVER_ERROR


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an exception carries, wherever a provider's SDK keeps it; None if it carries none."""
    response: Any = getattr(error, "response", None)
    places = [
        *(getattr(error, name, None) for name in ("status_code", "status", "http_status", "code")),
        getattr(response, "status_code", None),
        response.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(response, Mapping) else None,
    ]
    return next((int(place) for place in places if isinstance(place, int) and place in _REFUSALS), None)


def asked_wait_s(error: BaseException) -> float | None:
    """Return the seconds a provider asks to wait, where its reply is at hand in the exception; None if not."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    return retry_after_s(headers) if isinstance(headers, Mapping) else None


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


class Surfacing:
    """A context manager that raises a provider's own exception in place of the core's, with a note on what was tried.

    An error that no provider raised, such as a spent budget, is raised as it is.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(error, PointsmanError) or (original := original_error(error)) is None:
            return
        context = original.__context__
        try:
            raise original
        finally:
            original.__context__ = context  # not the core's error, whose cause it is: that would be a circle
