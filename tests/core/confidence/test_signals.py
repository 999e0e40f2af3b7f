"""Signals of one response: likelihoods of its tokens, and verifiers of its form."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log
from typing import Any

import pytest

from pointsman.confidence.base import Confidence
from pointsman.confidence.entropy import TokenEntropy
from pointsman.confidence.function import FunctionVerifier
from pointsman.confidence.likelihood import TokenLikelihood
from pointsman.confidence.margin import FirstTokenMargin
from pointsman.confidence.pattern import PatternVerifier
from pointsman.confidence.schema import SchemaVerifier
from pointsman.confidence.tool_calls import ToolCallVerifier
from pointsman.errors import ConfigError, DataError
from pointsman.flow import drive
from pointsman.types import Query, Response

QUERY = Query(text="2 + 2?")
SAID = Response(model="small", text="It is 4.", logprobs=(-0.1, -0.3, -2.0))


def score(confidence: Confidence, response: Response) -> float | None:
    """Return the score of one response by a confidence that makes no calls."""
    return drive(confidence.assess(QUERY, [response]), lambda effect, path: pytest.fail(f"{effect} at {path}"))


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        (TokenLikelihood(), exp(-0.8)),
        (TokenLikelihood(statistic="sum"), exp(-2.4)),
        (TokenLikelihood(statistic="quantile", quantile=0.0), exp(-2.0)),
        (TokenLikelihood(statistic="quantile", quantile=0.25), exp(-1.15)),
        (TokenLikelihood(statistic="quantile", quantile=1.0), exp(-0.1)),
    ],
)
def test_likelihoods_are_of_the_tokens(confidence: Confidence, expected: float) -> None:
    """Mean, sum and quantile are those of the log-probabilities; a quantile lies between its neighbours."""
    assert score(confidence, SAID) == pytest.approx(expected)


def test_a_margin_is_between_the_likeliest_two() -> None:
    """It is the difference of their probabilities, at the place asked for, and unknown where there are not two."""
    response = replace(SAID, top_logprobs=((log(0.7), log(0.2)), (log(0.5),)))
    assert score(FirstTokenMargin(), response) == pytest.approx(0.5)
    assert score(FirstTokenMargin(place=1), response) is None
    assert score(FirstTokenMargin(place=2), response) is None


def test_entropy_counts_what_is_not_listed() -> None:
    """A certain token scores 1; an even one, with the rest as a further token, 0."""
    assert score(TokenEntropy(), replace(SAID, top_logprobs=((0.0, -50.0),))) == pytest.approx(1.0)
    assert score(TokenEntropy(), replace(SAID, top_logprobs=((log(1 / 3), log(1 / 3)),))) == pytest.approx(0.0)


def test_schemas_are_held_to() -> None:
    """JSON that fits scores 1, in a code block too; what does not fit, or is none, scores 0."""
    pytest.importorskip("jsonschema")
    verifier = SchemaVerifier(json_schema='{"type": "object", "required": ["total"]}')
    texts = ('{"total": 3}', 'Here:\n```json\n{"total": 3}\n```', '{"sum": 3}', "three")
    assert [score(verifier, replace(SAID, text=text)) for text in texts] == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("schema", ["{", '{"type": "number of things"}'])
def test_what_is_no_schema_is_refused(schema: str) -> None:
    """The error names the parameter."""
    pytest.importorskip("jsonschema")
    with pytest.raises(ConfigError, match=r"SchemaVerifier\.json_schema"):
        SchemaVerifier(json_schema=schema)


def test_patterns_want_and_refuse() -> None:
    """Both the wanted and the refused pattern count."""
    verifier = PatternVerifier(pattern=r"\d", refuses="(?i)not sure")
    texts = ("It is 4.", "four", "I am not sure, 4?")
    assert [score(verifier, replace(SAID, text=text)) for text in texts] == [1.0, 0.0, 0.0]
    with pytest.raises(ConfigError, match=r"PatternVerifier\.refuses"):
        PatternVerifier(pattern="", refuses="(")


def test_functions_decide() -> None:
    """What a function returns counts, None included; anything that is no score is an error."""
    assert score(FunctionVerifier(function="pointsman.testing.toys:looks_finished"), SAID) == 1.0
    assert score(FunctionVerifier(function="pointsman.testing.toys:looks_finished"), replace(SAID, text="")) is None
    with pytest.raises(DataError, match="must return a number"):
        score(FunctionVerifier(function="builtins:slice"), SAID)


CALLS = [
    ({"function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}, 1.0),
    ({"function": {"name": "add", "arguments": '{"a": 1}'}}, 0.0),
    ({"function": {"name": "add", "arguments": "{"}}, 0.0),
    ({"name": "add", "args": {"a": 1, "b": 2}}, 1.0),
    ({"name": "subtract", "args": {}}, 0.0),
]


@pytest.mark.parametrize(("call", "expected"), CALLS)
def test_tool_calls_are_checked(call: Any, expected: float) -> None:
    """A call counts when its tool is known and its arguments fit, in either form."""
    pytest.importorskip("jsonschema")
    verifier = ToolCallVerifier(tools='{"add": {"type": "object", "required": ["a", "b"]}}')
    assert score(verifier, replace(SAID, content={"tool_calls": [call]})) == expected


def test_no_tool_call_says_nothing() -> None:
    """Where no tool is called, a verifier of calls cannot tell."""
    assert score(ToolCallVerifier(tools="{}"), SAID) is None
    with pytest.raises(ConfigError, match="must map names to schemas"):
        ToolCallVerifier(tools="[]")
