"""Verifiers: answers checked by a schema, a pattern, a function or the tools they call, however hostile they are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.confidence.function import FunctionVerifier
from pointsman.confidence.pattern import PatternVerifier
from pointsman.confidence.schema import SchemaVerifier
from pointsman.confidence.tool_calls import ToolCallVerifier
from pointsman.errors import ConfigError, DataError
from pointsman.testing.assessments import assess
from pointsman.types import Query, Response

TOTAL = '{"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}}'
NESTED = '{"type": "array", "items": {"$ref": "#"}}'
ADD = '{"add": {"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}}}}'


@pytest.fixture(autouse=True)
def schemas() -> None:
    """Skip without what checks schemas."""
    pytest.importorskip("jsonschema", reason="schemas need the extra 'schema'")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"total": 3}', 1.0),
        ('```json\n{"total": 3.5}\n```', 1.0),
        ('Here you are:\n```\n{"total": 0}\n```\nBye.', 1.0),
        ('{"total": "3"}', 0.0),
        ("{}", 0.0),
        ("[]", 0.0),
        ('Sure: {"total": 3}', 0.0),
        ("", 0.0),
        ("\x00\ud83e", 0.0),
        ("[" * 50_000, 0.0),
        ('{"total": ' + "[" * 50_000, 0.0),
        ('{"total": 1' + "0" * 5_000 + "}", 0.0),
        ('{"total": 1' + "0" * 400 + "}", 1.0),
    ],
)
def test_schema(score: Any, text: str, expected: float) -> None:
    """What is JSON of the form is good; anything else is not, and nothing raises."""
    assert score(SchemaVerifier(json_schema=TOTAL), text) == expected


@pytest.mark.parametrize(("depth", "expected"), [(3, 1.0), (64, 1.0), (65, 0.0), (400, 0.0), (900, 0.0)])
def test_deep_answers_to_deep_schemas(score: Any, depth: int, expected: float) -> None:
    """A schema that refers to itself holds for what is nested; what is nested beyond reason does not fit."""
    assert score(SchemaVerifier(json_schema=NESTED), "[" * depth + "]" * depth) == expected


@given(
    st.text(max_size=30) | st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5).map(json.dumps)
)
def test_schema_on_anything(text: str) -> None:
    """Any text is good or not."""
    found, steps = assess(SchemaVerifier(json_schema=NESTED), Query(text="q"), [Response(model="m", text=text)])
    assert found in {0.0, 1.0}
    assert not steps


@pytest.mark.parametrize("schema", ["no", '{"type": "nothing"}', "[1]"])
def test_impossible_schemas(schema: str) -> None:
    """What is no schema is refused where it is given."""
    with pytest.raises(ConfigError, match="json_schema is n"):
        SchemaVerifier(json_schema=schema)


@pytest.mark.parametrize(
    ("pattern", "refuses", "text", "expected"),
    [
        (r"^\d+$", None, "42", 1.0),
        (r"^\d+$", None, "about 42", 0.0),
        ("", r"(?i)\bI can(?:no|')t\b", "I CANNOT say", 0.0),
        ("", r"(?i)\bI can(?:no|')t\b", "42", 1.0),
        ("4", "4", "4", 0.0),
        ("", None, "", 1.0),
        (".", None, "\ud83e", 1.0),
    ],
)
def test_pattern(score: Any, pattern: str, refuses: str | None, text: str, expected: float) -> None:
    """An answer is good where the one is found, and the other is not."""
    assert score(PatternVerifier(pattern=pattern, refuses=refuses), text) == expected


def test_impossible_patterns() -> None:
    """What is no expression is refused, by the parameter's name."""
    with pytest.raises(ConfigError, match=r"PatternVerifier\.refuses"):
        PatternVerifier(pattern="", refuses="(")


def verdict(query: Query, response: Response) -> Any:
    """Return what a response says, evaluated."""
    del query
    return {"yes": True, "half": 0.5, "one": 1, "unknown": None, "two": 2, "nan": float("nan"), "text": "1"}[
        response.text
    ]


FUNCTION = FunctionVerifier(function="pointsman.testing.toys:looks_finished")


def of_mine() -> FunctionVerifier:
    """Return a verifier that calls the function of this module."""
    verifier = FunctionVerifier(function="pointsman.testing.toys:looks_finished")
    verifier.__dict__["_loaded"] = verdict
    return verifier


@pytest.mark.parametrize(("text", "expected"), [("yes", 1.0), ("half", 0.5), ("one", 1.0), ("unknown", None)])
def test_function(score: Any, text: str, expected: float | None) -> None:
    """A function's number, bool or None is the score."""
    found = score(of_mine(), text)
    assert found == expected
    assert found is None or type(found) is float


@pytest.mark.parametrize("text", ["two", "nan", "text"])
def test_a_function_that_returns_no_score(score: Any, text: str) -> None:
    """Anything else is an error that names the function and what it returned."""
    with pytest.raises(DataError, match="looks_finished must return a number"):
        score(of_mine(), text)


def test_a_function_of_ones_own(score: Any) -> None:
    """A function is named by its module; its errors are its own."""
    assert score(FUNCTION, "It is done.") == 1.0
    assert score(FUNCTION, " ") is None
    with pytest.raises(KeyError):
        score(of_mine(), "unheard of")
    for wrong in ("pointsman.testing.toys:nothing", "no.module:f", "no colon"):
        with pytest.raises(ConfigError):
            FunctionVerifier(function=wrong)


@dataclass
class Reply:
    """A message as LangChain has it: the calls it could read, and those it could not."""

    tool_calls: Any = None
    invalid_tool_calls: Any = field(default_factory=list)


GOOD, BAD = {"name": "add", "args": {"a": 1}}, {"name": "add", "args": {"a": "1"}}
RAW = {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (Reply([GOOD]), 1.0),
        (Reply([GOOD, BAD]), 1 / 2),
        (Reply([{"name": "remove", "args": {}}]), 0.0),
        (Reply([], [{"name": "add", "args": "{", "error": "no JSON"}]), 0.0),
        (Reply([GOOD], [{"name": "add", "args": "{"}]), 1 / 2),
        ({"tool_calls": [RAW]}, 1.0),
        ({"tool_calls": [RAW, {"function": {"name": "add", "arguments": "{"}}]}, 1 / 2),
        ({"tool_calls": [{"function": {"name": "add", "arguments": "[" * 50_000}}]}, 0.0),
        ({"tool_calls": [{"function": {"name": ["add"], "arguments": "{}"}}]}, 0.0),
        ({"tool_calls": [{"name": {"add": 1}, "args": {}}]}, 0.0),
        ({"tool_calls": [None, "add", 3]}, 0.0),
        ({"tool_calls": "add"}, None),
        ({"tool_calls": 5}, None),
        ({"tool_calls": {"name": "add"}}, None),
        (Reply([]), None),
        (Reply(None), None),
        ("text", None),
        (None, None),
    ],
)
def test_tool_calls(score: Any, content: Any, expected: float | None) -> None:
    """The share is of all calls, unreadable ones included; without any, whatever stands there, it cannot tell."""
    assert score(ToolCallVerifier(tools=ADD), Response(model="small", text="", content=content)) == expected


@pytest.mark.parametrize("tools", ["no", "[]", '{"add": {"type": "nothing"}}'])
def test_impossible_tools(tools: str) -> None:
    """Tools map names to schemas."""
    with pytest.raises(ConfigError, match=r"ToolCallVerifier\.tools"):
        ToolCallVerifier(tools=tools)
