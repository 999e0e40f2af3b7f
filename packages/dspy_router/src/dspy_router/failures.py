"""Failures: which exceptions mean "this model failed", read from their names and status, and what the user sees of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pointsman.errors import AllModelsFailedError, PointsmanError
from pointsman.types import CallError

__all__ = ["call_error", "surfacing"]

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
# Of those that were cut off: nothing was sent yet.
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "ConnectionRefusedError", "PoolTimeout", "ProxyError"})
_RETRYABLE = frozenset({408, 409, 429})
_SERVER_ERRORS = range(500, 600)
_STATUSES = range(400, 600)
_SHOWN = 200  # characters of a provider's message that the trace keeps


def call_error(model: str, error: Exception, *, emitted: int = 0) -> CallError | None:
    """Return the error as an outcome of the call, or None for what is not the provider's doing: a bug, which propagates.

    Refusals for the moment, time-outs and lost connections are retryable: another model may not have them. Any other error
    of DSPy's language models, and any other status of 4xx, is the request's own fault. `emitted` counts the characters of a
    stream that were already shown.
    """
    names, status = _names(error), _status(error)
    passing = bool(names & (_CUT_OFF | _REFUSED))
    if not passing and "LMError" not in names:
        if status is None:
            return None
        passing = status in _RETRYABLE or status in _SERVER_ERRORS
    if not passing and "LMUnexpectedError" in names:
        return None
    message = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
    unread = status is None and type(error).__name__ == "LMProviderError"  # a reply that nobody could read
    return CallError(
        model,
        message if len(message) <= _SHOWN else message[:_SHOWN] + "…",
        retryable=passing,
        status=status,
        retry_after=getattr(error, "retry_after", None),
        emitted=emitted,
        interrupted=unread or (bool(names & _CUT_OFF) and not _unsent(error)),
    )


@contextmanager
def surfacing() -> Iterator[None]:
    """Raise a provider's own exception in place of the core's, with a note on what was tried.

    DSPy's modules look at the exception's type. An error that no provider raised, such as a spent budget, is raised as it is.
    """
    try:
        yield
    except PointsmanError as error:
        original = _original(error)
        if original is None:
            raise
        context = original.__context__
        try:
            raise original
        finally:
            original.__context__ = context  # not the core's error, whose cause it is: that would be a circle


def _original(error: PointsmanError) -> Exception | None:
    failures = error.errors if isinstance(error, AllModelsFailedError) else (error,)
    causes = [failure.__cause__ for failure in failures if isinstance(failure, CallError)]
    originals = [cause for cause in causes if isinstance(cause, Exception) and not isinstance(cause, PointsmanError)]
    if originals and len(failures) > 1:
        originals[-1].add_note(str(error))
    return originals[-1] if originals else None


def _names(error: BaseException) -> frozenset[str]:
    return frozenset(kind.__name__ for kind in type(error).__mro__)


def _status(error: Exception) -> int | None:
    found = (getattr(error, name, None) for name in ("status", "status_code"))
    return next((status for status in found if isinstance(status, int) and status in _STATUSES), None)


def _unsent(error: BaseException | None) -> bool:
    """Tell whether the error, or what it was raised from, says that no connection was made."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if _names(error) & _UNSENT:
            return True
        seen.append(error)
        error = error.__cause__
    return False
