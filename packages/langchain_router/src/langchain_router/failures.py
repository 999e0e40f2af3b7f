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
# Those of them that come before anything was sent, so that nothing can have been billed.
_UNSENT = frozenset(
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
_SHOWN = 200  # characters of a provider's message that the trace keeps


def call_error(model: str, error: Exception, *, usage: Usage | None = None) -> CallError | None:
    """Return the error as an outcome of the call, or None for what is not the provider's doing: a bug, which propagates.

    A status of 408, 409, 429 or 5xx, a timeout and a lost connection are retryable: another model may not have them. Any
    other status of 4xx is the request's own fault, and LangChain's own kinds of model errors say which they are. What was
    cut off after it was sent may have been billed. With `usage` the model has answered and is paid, and what failed is the
    reading of its answer.
    """
    if usage is not None:
        return CallError(model, _message(error), usage=usage)
    status, transient = _status(error), bool(_names(error) & _TRANSIENT)
    if status is not None:
        retryable = status in _RETRYABLE or status in _SERVER_ERRORS
    elif transient or "ModelError" in _names(error):
        retryable = transient or getattr(error, "is_retryable", False) is True
    else:
        return None
    return CallError(
        model,
        _message(error),
        retryable=retryable,
        status=status,
        retry_after=_retry_after(error),
        interrupted=status is None and transient and not _unsent(error),
    )


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


def _names(error: BaseException) -> frozenset[str]:
    return frozenset(kind.__name__ for kind in type(error).__mro__)


def _unsent(error: BaseException | None) -> bool:
    """Tell whether the error, or what it was raised from, says that no connection was made."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if _names(error) & _UNSENT:
            return True
        seen.append(error)
        error = error.__cause__
    return False


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
