"""LogTraces: one line a query, with models, money and ends, and none of the text."""

from __future__ import annotations

import logging

import pytest

from pointsman.telemetry import LogTraces
from pointsman.types import Answer, Call, CallError, Context, Embed, Query, Response, Step, Trace

PRIVATE = "what the user wrote"


def step(i: int, model: str, outcome: Response | CallError, cost_usd: float | None) -> Step:
    """Return one step of a trace."""
    return Step(path=(i, 0, 0), effect=Call(model=model), outcome=outcome, cost_usd=cost_usd)


ANSWERED = step(2, "large", Response(model="large", text=PRIVATE), 0.25)
FAILED = step(0, "small", CallError("small", PRIVATE, status=429), 0.0)
CUT_OFF = step(1, "small", CallError("small", PRIVATE, interrupted=True), None)
EMBEDDED = Step(path=(3, 0, 0), effect=Embed(embedder="e", texts=(PRIVATE,)), outcome=((1.0,),), cost_usd=0.0)


def trace(*steps: Step, ended: str = "answered", answer: Answer | None = None) -> Trace:
    """Return a trace of these steps."""
    return Trace(
        id="t1",
        query=Query(text=PRIVATE),
        context=Context(),
        router="r",
        steps=steps,
        answer=answer,
        ended=ended,  # type: ignore[arg-type]
    )


def logged(caplog: pytest.LogCaptureFixture, *traces: Trace, level: int = logging.INFO) -> list[tuple[int, str]]:
    """Return the lines these traces leave, each with its level."""
    with caplog.at_level(logging.DEBUG, logger="pointsman"):
        for each in traces:
            LogTraces(level)(each)
    return [(record.levelno, record.getMessage()) for record in caplog.records]


def test_a_line_names_models_money_and_end(caplog: pytest.LogCaptureFixture) -> None:
    """Each call is told with how it ended; embeddings are not calls of a model."""
    answer = Answer(content=PRIVATE, model="large")
    assert logged(caplog, trace(FAILED, ANSWERED, EMBEDDED, answer=answer)) == [
        (logging.INFO, "t1 answered by large for $0.250000, calls: small failed (429), large ok")
    ]


def test_what_did_not_end_well_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Failed and cancelled runs stand out, an unknown cost is called that, and no calls are called none."""
    lines = logged(caplog, trace(CUT_OFF, ended="cancelled"), trace(ended="failed"))
    assert lines == [
        (logging.WARNING, "t1 cancelled for unknown cost, calls: small interrupted"),
        (logging.WARNING, "t1 failed for $0.000000, calls: none"),
    ]


def test_no_text_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither question, answer nor a provider's message reaches the log."""
    logged(caplog, trace(FAILED, CUT_OFF, ANSWERED, EMBEDDED, answer=Answer(content=PRIVATE)))
    assert PRIVATE not in caplog.text


def test_the_level_is_the_callers(caplog: pytest.LogCaptureFixture) -> None:
    """Answered traces have the level given; below the logger's own they cost nothing and leave nothing."""
    assert [level for level, _ in logged(caplog, trace(ANSWERED), level=logging.DEBUG)] == [logging.DEBUG]
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="pointsman"):
        LogTraces(logging.DEBUG)(trace(ANSWERED))
    assert caplog.records == []


def test_an_unconfigured_program_stays_silent() -> None:
    """The package's logger has a null handler, so that no warning is printed behind the program's back."""
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("pointsman").handlers)
