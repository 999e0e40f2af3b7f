"""An error reply in OpenAI's shape."""

from __future__ import annotations

from typing import Any

__all__ = ["Refusal", "refusal_of_status"]


class Refusal(Exception):  # noqa: N818 - it is a reply, not a failure of the server
    """A request that gets an error instead of an answer.

    Parameters:
        message: What the client is told.
        status: The HTTP status.
        kind: The error's `type`.
        param: The part of the request at fault.
        code: A word for programs.
        retry_after: Seconds for the Retry-After header.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.body: dict[str, Any] = {"error": {"message": message, "type": kind, "param": param, "code": code}}


_KINDS = {
    401: ("authentication_error", "invalid_api_key"),
    403: ("permission_error", "forbidden"),
    404: ("invalid_request_error", "model_not_found"),
    408: ("timeout_error", "timeout"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
    503: ("server_error", "overloaded"),
}


def refusal_of_status(status: int, model: str, *, retry_after: float | None = None) -> Refusal:
    """Return the refusal a provider would send with `status`."""
    kind, code = _KINDS.get(status, ("invalid_request_error", None) if status < 500 else ("server_error", None))  # noqa: PLR2004 - HTTP
    message = f"The model {model!r} was made to fail with status {status}."
    return Refusal(message, status=status, kind=kind, code=code, retry_after=retry_after)
