"""Provider errors: which exceptions mean "this model failed", read from their attributes and names, not from provider SDKs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pointsman.errors import PointsmanError
from pointsman.failures import error_names, may_pass, never_sent, original_error, retry_after_s, summary
from pointsman.types import CallError, Usage

__all__ = ["call_error", "provider_error"]

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


def call_error(model: str, error: Exception, *, usage: Usage | None = None) -> CallError | None:
    """Return the error as an outcome of the call, or None for what is not the provider's doing: a bug, which propagates.

    A status of 408, 409, 429 or 5xx, a timeout and a lost connection are retryable: another model may not have them. Any
    other status of 4xx is the request's own fault, and LangChain's own kinds of model errors say which they are. What was
    cut off after it was sent may have been billed. With `usage` the model has answered and is paid, and what failed is the
    reading of its answer.
    """
    if usage is not None:
        return CallError(model, summary(error), usage=usage)
    status, transient = _status(error), bool(error_names(error) & _TRANSIENT)
    if status is not None:
        retryable = may_pass(status)
    elif transient or "ModelError" in error_names(error):
        retryable = transient or getattr(error, "is_retryable", False) is True
    else:
        return None
    return CallError(
        model,
        summary(error),
        retryable=retryable,
        status=status,
        retry_after=_retry_after(error),
        interrupted=status is None and transient and not never_sent(error),
    )


def provider_error(error: PointsmanError) -> Exception:
    """Return what the user sees when no fallback is left: the last provider's own exception, with a note on what was tried.

    An error that no provider raised, such as a spent budget, is returned as it is.
    """
    return original_error(error) or error


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
    """Return the seconds a provider asks to wait, where its reply is at hand."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    return retry_after_s(headers) if isinstance(headers, Mapping) else None
