"""Confidences that ask a model: how its replies are read, what it is sent, and that its failures lose nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.confidence.judge import RubricJudge
from pointsman.confidence.verbalised import Verbalised
from pointsman.confidence.verification import SelfVerification
from pointsman.errors import ConfigError
from pointsman.testing.assessments import assess
from pointsman.types import Message, Query, Response


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("95", 0.95),
        ("95%", 0.95),
        ("**80**", 0.8),
        ("I am 90 % sure.", 0.9),
        ("90 percent; it took me 3 steps", 0.9),
        ("95 per cent", 0.95),
        ("12.5%", 0.125),
        ("0.5%", 0.005),
        ("between 80 and 90", 0.9),
        ("85/100", 0.85),
        ("85 out of 100", 0.85),
        ("100%.", 1.0),
        ("0", 0.0),
        ("1", 0.01),
        ("0.95", None),
        ("9/10", None),
        ("-5", None),
        ("-5%", None),
        ("1000", None),
        ("150%", None),
        ("certain", None),
        ("", None),
        ("9" * 5_000 + "%", None),
    ],
)
def test_stated_chances(score: Any, replies: Any, reply: str, expected: float | None) -> None:
    """A percentage is read as one; a bare share, which may be one in a hundred of it, is no statement."""
    assert score(Verbalised(), "4", by=replies(reply)) == expected


def test_the_model_is_asked_in_its_conversation(replies: Any) -> None:
    """It sees the conversation, its own answer, and the question how sure it is; the first models are not asked."""
    turns = (Message(role="system", content="Be brief."), Message(role="user", content="2+2?"))
    by = replies("50")
    responses = [Response(model="small", text="five"), Response(model="large", text="four")]
    found, steps = assess(Verbalised(), Query(text="2+2?", messages=turns), responses, by)
    assert found == 0.5
    assert len(steps) == 1
    (call,) = by.calls
    assert call.model == "large"
    assert call.messages[:2] == turns
    assert call.messages[2] == Message(role="assistant", content="four")
    assert "per cent" in call.messages[3].text
    assert call.purpose == "judge"
    assert not call.stream


def test_no_stated_chance(score: Any, replies: Any) -> None:
    """A failed call tells nothing."""
    assert score(Verbalised(), "4", by=replies(None)) is None


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        (["Verdict: correct"], 1.0),
        (["Verdict: incorrect"], 0.0),
        (["verdict - CORRECT.", "It is wrong. **Verdict:** incorrect"], 1 / 2),
        (["Verdict: correct. No: Verdict: incorrect"], 0.0),
        (["Verdict: correct", None, "I cannot say", "Verdict: incorrect", "Verdict: correct"], 2 / 3),
        (["Verdict: not correct"], None),
        (["Verdict: correctly"], None),
        (["correct"], None),
        ([None], None),
        ([""], None),
    ],
)
def test_checks(score: Any, replies: Any, checks: list[str | None], expected: float | None) -> None:
    """The share is of the checks that end in a verdict; the last verdict of each counts."""
    by = replies(*checks)
    assert score(SelfVerification(checks=len(checks)), "4", by=by) == expected
    assert len(by.calls) == len(checks)
    assert {call.purpose for call in by.calls} == {"judge"}


def test_who_checks(score: Any, replies: Any) -> None:
    """The model checks itself, unless another one is named; what it reads is marked off."""
    by = replies("Verdict: correct")
    assert score(SelfVerification(checks=1), "three", "Verdict: correct", by=by) == 1.0
    score(SelfVerification(checks=1, model="large"), "4", by=by)
    first, second = by.calls
    assert (first.model, second.model) == ("model1", "large")
    task = first.messages[0].text
    assert "What is 2 + 2?" in task
    assert "three" not in task.split("<question-")[1]
    assert task.count("Verdict: correct") > 1, "the examples show how"


@pytest.mark.parametrize(
    ("sent", "expected", "calls"),
    [
        (['{"score": 10}'], 1.0, 1),
        (['{"score": 1}'], 0.0, 1),
        (["hm", '{"score": 5.5}'], 0.5, 2),
        (["hm", "hm"], None, 2),
        (['{"score": 12}', "Score: 10"], 1.0, 2),
        ([None], None, 1),
        (["hm", None], None, 2),
    ],
)
def test_grades(score: Any, replies: Any, sent: list[str | None], expected: float | None, calls: int) -> None:
    """A grade is rescaled, an unreadable one asked for again, and a failed call tells nothing."""
    by = replies(*sent)
    assert score(RubricJudge(model="judge"), "4", by=by) == expected
    assert len(by.calls) == calls
    assert {(call.model, call.purpose) for call in by.calls} == {("judge", "judge")}


def test_a_second_attempt_is_a_conversation(score: Any, replies: Any) -> None:
    """The judge sees its first reply and is told what was wrong with it."""
    by = replies("nice", "Score: 10")
    score(RubricJudge(model="judge", attempts=3), "4", by=by)
    roles = [message.role for message in by.calls[1].messages]
    assert roles == ["user", "assistant", "user"]
    assert by.calls[1].messages[1].text == "nice"


@pytest.mark.parametrize(
    "given", [{"low": 5.0, "high": 5.0}, {"low": 5.0, "high": 1.0}, {"rubric": " "}, {"attempts": 0}]
)
def test_impossible_judges(given: dict[str, Any]) -> None:
    """A judge needs a scale, a rubric and an attempt."""
    with pytest.raises(ConfigError, match="RubricJudge"):
        RubricJudge(model="judge", **given)
