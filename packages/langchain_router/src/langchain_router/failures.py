"""Provider errors: which exceptions mean "this model failed", read from their attributes and names, not from provider SDKs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from pointsman.errors import AllModelsFailedError, PointsmanError
from pointsman.types import CallError, Usage

__all__ = ["call_error", "provider_error"]

_RETRYABLE = frozenset({408, 409, 429})
_SERVER_ERRORS = range(500, 600)
_REFUSALS = range(400, 600)

# Timeouts and lost connections carry no status. These are the base classes that openai, anthropic, httpx, requests, aiohttp,
# urllib3, botocore and google-api-core give them; builtins are matched by the same names.
_TRANSIENT = frozenset(
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
_SHOWN = 200  # characters of a provider's message that the trace keeps


def call_error(model: str, error: Exception, *, usage: Usage | None = None) -> CallError | None:
    """Return the error as an outcome of the call, or None for what is not the provider's doing: a bug, which propagates.

    A status of 408, 409, 429 or 5xx, a timeout and a lost connection are retryable: another model may not have them. Any
    other status of 4xx is the request's own fault. With `usage` the model has answered and is paid, and what failed is the
    reading of its answer.
    """
    if usage is not None:
        return CallError(model, _message(error), usage=usage)
    status = _status(error)
    if status is None and not _is_transient(error):
        return None
    retryable = status is None or status in _RETRYABLE or status in _SERVER_ERRORS
    return CallError(model, _message(error), retryable=retryable, status=status, retry_after=_retry_after(error))


def provider_error(error: PointsmanError) -> Exception:
    """Return what the user sees when no fallback is left: the last provider's own exception, with a note on what was tried.

    An error that no provider raised, such as a spent budget, is returned as it is.
    """
    failures = error.errors if isinstance(error, AllModelsFailedError) else (error,)
    causes = [failure.__cause__ for failure in failures if isinstance(failure, CallError)]
    originals = [cause for cause in causes if isinstance(cause, Exception) and not isinstance(cause, PointsmanError)]
    if not originals:
        return error
    if len(failures) > 1:
        originals[-1].add_note(str(error))
    return originals[-1]


def _message(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _is_transient(error: Exception) -> bool:
    return any(kind.__name__ in _TRANSIENT for kind in type(error).__mro__)


def _status(error: Exception) -> int | None:
    """Return the HTTP status an exception carries, wherever SDKs keep it."""
    response: Any = getattr(error, "response", None)
    places = [
        *(getattr(error, name, None) for name in ("status_code", "status", "http_status", "code")),
        getattr(response, "status_code", None),
        response.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(response, Mapping) else None,
    ]
    return next((int(place) for place in places if isinstance(place, int) and place in _REFUSALS), None)


def _retry_after(error: Exception) -> float | None:
    """Return the seconds a provider asks to wait: a number, milliseconds, or the date of HTTP."""
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None)
    if not isinstance(headers, Mapping):
        return None
    milliseconds, seconds = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if milliseconds is not None:
            return max(0.0, float(milliseconds) / 1000)
        return None if seconds is None else max(0.0, float(seconds))
    except ValueError:
        return _until(str(seconds))


def _until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except ValueError:
        return None
