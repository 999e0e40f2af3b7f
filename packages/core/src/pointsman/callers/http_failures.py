"""What went wrong over HTTP, and whether trying again may help."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pointsman.failures import may_pass, retry_after_s
from pointsman.types import CallError

if TYPE_CHECKING:
    import httpx

__all__ = ["status_failure", "transport_failure"]

_FOR_GOOD = frozenset({"insufficient_quota"})


def status_failure(model: str, response: httpx.Response) -> CallError:
    """Return the error of a reply that is no success: 408, 409, 429 and 5xx may pass, others and a used-up quota stay."""
    message, code = _explained(response)
    return CallError(
        model,
        f"HTTP {response.status_code}: {message}",
        retryable=may_pass(response.status_code) and code not in _FOR_GOOD,
        status=response.status_code,
        retry_after=retry_after_s(response.headers),
    )


def transport_failure(model: str, error: httpx.TransportError) -> CallError:
    """Return the error of a call without a reply; unless it never reached the server, it may have been billed."""
    import httpx

    unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    ours = isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError)
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return CallError(model, message, retryable=not ours, interrupted=not (unsent or ours))


def _explained(response: httpx.Response) -> tuple[str, Any]:
    """Return a reply's own words about its error, and its code where it has one."""
    try:
        error = json.loads(response.text)["error"]
    except (ValueError, KeyError, TypeError):
        return response.text[:200] or response.reason_phrase, None
    if isinstance(error, Mapping):
        return str(error.get("message", error))[:500], error.get("code")
    return str(error)[:500], None
