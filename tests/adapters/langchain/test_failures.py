"""Reading provider errors by their attributes and names, for SDKs that are not even installed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from langchain_router.failures import call_error
from pointsman.types import Usage


def kind(name: str, *bases: type[Exception]) -> type[Exception]:
    """Return an exception class as an SDK would name it."""
    return type(name, bases or (Exception,), {})


def failing(name: str = "SdkError", **attributes: Any) -> Exception:
    """Return an exception with an SDK's attributes."""
    error = kind(name)("no")
    for key, value in attributes.items():
        setattr(error, key, value)
    return error


def response(status: int = 429, **headers: str) -> SimpleNamespace:
    """Return the HTTP response an SDK puts on its errors."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(status_code=status, headers=named)


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(408, True), (409, True), (429, True), (500, True), (529, True)]
    + [(status, False) for status in (400, 401, 403, 404, 413, 422)],
)
@pytest.mark.parametrize("place", ["status_code", "status", "http_status", "code", "response", "botocore"])
def test_status_wherever_it_is(status: int, retryable: bool, place: str) -> None:  # noqa: FBT001 - a table
    """Overload and server errors are retryable, all other statuses are the request's own fault; none was billed."""
    held: Any = {"response": response(status), "botocore": {"ResponseMetadata": {"HTTPStatusCode": status}}}.get(
        place, status
    )
    error = call_error("m", failing(**{"response" if place == "botocore" else place: held}))
    assert error is not None
    assert (error.model, error.retryable, error.status, error.interrupted) == ("m", retryable, status, False)


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (ConnectionRefusedError(), False),
        (failing("APITimeoutError"), True),
        (kind("ReadTimeout", kind("TimeoutException"))(), True),
        (kind("ConnectTimeout", kind("TimeoutException"))(), False),
        (kind("ConnectError", kind("NetworkError"))(), False),
        (failing("ServerDisconnectedError"), None),
        (kind("ServerDisconnectedError", kind("ClientConnectionError"))(), True),
        (ValueError("bug"), None),
        (KeyError("bug"), None),
        (OSError("disk full"), None),
        (failing("Weird", code="invalid_request", status="bad"), None),
        (failing("Weird", code=7), None),
    ],
)
def test_errors_without_a_status(error: Exception, sent: bool | None) -> None:  # noqa: FBT001 - a table
    """Timeouts and lost connections are retryable, and unbilled only if nothing was sent; anything else is a bug."""
    found = call_error("m", error)
    assert (found is None) == (sent is None)
    if found is not None:
        assert (found.retryable, found.status, found.interrupted) == (True, None, sent)


def test_cause_tells_that_nothing_was_sent() -> None:
    """A connection error raised from a refused connection was never billed."""
    wrapped = failing("APIConnectionError")
    wrapped.__cause__ = kind("ConnectError", kind("NetworkError"))()
    found = call_error("m", wrapped)
    assert found is not None
    assert not found.interrupted


def test_langchains_own_kinds() -> None:
    """LangChain's model errors say themselves whether another try may help."""
    base = kind("ModelError")
    overflow, overloaded = kind("ContextOverflowError", base)("too long"), kind("ModelRateLimitError", base)("busy")
    overflow.is_retryable, overloaded.is_retryable = False, True  # type: ignore[attr-defined]
    for error, retryable in ((overflow, False), (overloaded, True)):
        found = call_error("m", error)
        assert found is not None
        assert (found.retryable, found.interrupted) == (retryable, False)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "2"}, 2.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after": "-3"}, 0.0),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_wait_that_is_asked_for(headers: dict[str, str], seconds: float | None) -> None:
    """The provider's wait is read in seconds, also from milliseconds."""
    found = call_error("m", failing(status_code=429, response=response(**headers)))
    assert found is not None
    assert found.retry_after == seconds


def test_wait_until_a_date() -> None:
    """A date of HTTP is a wait from now, and one in the past is none."""
    for ahead, low, high in ((30, 25, 31), (-30, 0, 0)):
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
        found = call_error("m", failing(status_code=429, response=response(retry_after=date)))
        assert found is not None
        assert found.retry_after is not None
        assert low <= found.retry_after <= high


def test_answer_that_was_paid() -> None:
    """An error after the model has answered carries the usage and goes to no other model, whatever it is."""
    found = call_error("m", ValueError("cannot be parsed"), usage=Usage(input_tokens=3, output_tokens=2))
    assert found is not None
    assert (found.retryable, found.usage) == (False, Usage(input_tokens=3, output_tokens=2))


def test_long_messages_are_cut() -> None:
    """A provider's page of HTML does not fill the trace."""
    found = call_error("m", TimeoutError("x" * 5000))
    assert found is not None
    assert len(str(found)) < 300
