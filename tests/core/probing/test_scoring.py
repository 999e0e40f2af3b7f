"""Scorers that compare, parse and match, and how they are chosen by name."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pointsman.confidence.reading import last_number
from pointsman.errors import ConfigError, DataError, MissingExtraError
from pointsman.probing import Prompt, scorer_of
from pointsman.probing.scoring import SCORERS
from pointsman.types import Call, Response


async def nobody(call: Call) -> Response:
    """Refuse to be asked: these scorers call no model."""
    raise AssertionError(call)


async def quality(spec: Any, answer: str, *references: str) -> float | None:
    """Score one answer."""
    return (await scorer_of(spec).score(answer, Prompt(text="?", references=references), nobody)).quality


@pytest.mark.parametrize(
    ("answer", "references", "right"),
    [
        ("Paris", ("paris",), True),
        ('  "PARIS." ', ("Paris",), True),
        ("New\n York", ("new york",), True),
        ("Ｐａｒｉｓ", ("Paris",), True),  # noqa: RUF001 - full-width letters are the point
        ("It is Paris", ("Paris",), False),
        ("Lyon", ("Paris", "lyon!"), True),
        ("", ("Paris",), False),
        ("?", ("!",), False),
    ],
)
async def test_exact_ignores_case_blanks_and_wrapping(answer: str, references: tuple[str, ...], right: bool) -> None:  # noqa: FBT001
    """The whole answer is one of the references, however it is set."""
    assert await quality("exact", answer, *references) == right


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        ("So the answer is 4.", "4", True),
        ("So the answer is 14.", "4", False),
        ("The C++ language", "c++", True),
        ("parisian", "Paris", False),
    ],
)
async def test_contains_finds_whole_words(answer: str, reference: str, right: bool) -> None:  # noqa: FBT001
    """A reference inside another word or number does not count."""
    assert await quality("contains", answer, reference) == right


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("The total is $1,234.50.", 1234.5),
        ("#### 42", 42),
        ("First 3, then 5kg", 5),
        ("x = -7", -7),
        ("x = −7", -7),
        ("10-4", 4),
        ("1.5e-3", 0.0015),
        (".5 of it", 0.5),
        ("3 / 4", 0.75),
        (r"\dfrac{1}{8}", 0.125),
        ("5/0", None),
        ("version v2", None),
        ("none", None),
        ("1e999", None),
        ("12, 13, 14", 14),
        ("1,2345", 2345),
    ],
)
def test_the_last_number_is_read_as_people_write_it(text: str, number: float | None) -> None:
    """Thousands, signs, exponents and fractions; words with digits are no numbers."""
    assert last_number(text) == number


async def test_numeric_compares_within_its_tolerance() -> None:
    """Relative to the larger number; an answer without any number is wrong."""
    assert await quality("numeric", "it is 1,000.0", "1000") == 1
    assert await quality("numeric", "it is 1001", "1000") == 0
    assert await quality({"type": "numeric", "tolerance": 0.01}, "it is 1001", "1000") == 1
    assert await quality("numeric", "many", "1000") == 0
    assert await quality("numeric", "3", "unknown") == 0


async def test_a_pattern_is_searched() -> None:
    """Without a group any match is right, and no reference is needed."""
    spec = {"type": "regex", "pattern": r"(?i)\bsorry\b"}
    assert await quality(spec, "I am Sorry.") == 1
    assert await quality(spec, "I am not.") == 0
    assert not scorer_of(spec).needs_reference


async def test_a_pattern_with_a_group_extracts_the_last_match() -> None:
    """Reasoning mentions choices before it makes one."""
    spec = {"type": "regex", "pattern": r"answer is \(?([A-J])|option ([A-J])"}
    assert await quality(spec, "The answer is A? No, the answer is (C).", "c") == 1
    assert await quality(spec, "The answer is (A).", "C") == 0
    assert await quality(spec, "I pass.", "C") == 0
    assert await quality(spec, "option C", "C") == 0
    assert scorer_of(spec).needs_reference


SCHEMA = {"type": "object", "required": ["age"], "properties": {"age": {"type": "integer"}}}


async def test_json_must_fit_its_schema() -> None:
    """Bare or in a code block; the note says what is wrong."""
    pytest.importorskip("jsonschema", reason="schemas need the extra 'schema'")
    spec = {"type": "json_schema", "schema": SCHEMA}
    assert await quality(spec, '{"age": 3}') == 1
    assert await quality(spec, 'Here:\n```json\n{"age": 3}\n```\nDone.') == 1
    assert await quality(spec, '{"age": "three"}') == 0
    assert await quality(spec, "three") == 0
    score = await scorer_of(spec).score('{"age": "three"}', Prompt(text="?"), nobody)
    assert score.note == "$.age: 'three' is not of type 'integer'"


def test_a_schema_may_be_a_file(tmp_path: Path) -> None:
    """The same schema is the same scorer, wherever it was read from."""
    pytest.importorskip("jsonschema", reason="schemas need the extra 'schema'")
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA), encoding="utf-8")
    from_file = scorer_of({"type": "json_schema", "schema": str(path)})
    assert from_file.identity == scorer_of({"type": "json_schema", "schema": SCHEMA}).identity
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not valid JSON"):
        scorer_of({"type": "json_schema", "schema": str(path)})
    with pytest.raises(ConfigError, match="cannot be read"):
        scorer_of({"type": "json_schema", "schema": "absent.json"})
    with pytest.raises(ConfigError, match=r"JsonSchema\.schema is no JSON schema"):
        scorer_of({"type": "json_schema", "schema": {"type": "nothing"}})


def test_without_jsonschema_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install, before anything is paid."""
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(MissingExtraError, match=r'pip install "pointsman\[schema\]"'):
        scorer_of({"type": "json_schema", "schema": SCHEMA})


@pytest.fixture
def own_scorers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a user's module on the import path."""
    (tmp_path / "own_scorers.py").write_text(
        "def brief(answer, prompt):\n    return len(answer) <= len(prompt.text)\n\n"
        "async def half(answer, prompt):\n    return 0.5\n\n"
        "def silent(answer, prompt):\n    return None\n\n"
        "def wild(answer, prompt):\n    return 7\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("own_scorers")
async def test_the_users_function_scores() -> None:
    """Plain or async; truth counts as 1, None as not told, and anything else is an error that names it."""
    assert await quality("own_scorers:brief", "x") == 1
    assert await quality("own_scorers:brief", "xxx") == 0
    assert await quality("own_scorers:half", "x") == 0.5
    assert await quality("own_scorers:silent", "x") is None
    with pytest.raises(DataError, match=r"own_scorers:wild must return a number in .* it gave 7"):
        await quality("own_scorers:wild", "x")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("exakt", r"Unknown scorer 'exakt'; known are 'contains', 'exact', .* and 'module:function'"),
        ({"pattern": "x"}, "Unknown scorer None"),
        ({"type": "numeric", "tolerence": 1}, "Numeric has no parameter 'tolerence'; it has 'tolerance'"),
        ({"type": "numeric", "tolerance": "x"}, r"Numeric\.tolerance: Input should be a valid number"),
        ({"type": "numeric", "tolerance": 1}, r"^Numeric\.tolerance must be in \[0, 1\), got 1"),
        ({"type": "regex"}, r"Regex\.pattern: Field required"),
        ({"type": "regex", "pattern": "("}, r"^Regex\.pattern '\(' is no regular expression"),
        ("own:absent", "^'own:absent': there is no module 'own'"),
    ],
)
def test_a_scorer_that_cannot_be_made_says_why(spec: Any, message: str) -> None:
    """Unknown names list the choices; bad values name the parameter."""
    with pytest.raises(ConfigError, match=message):
        scorer_of(spec)


def test_every_name_makes_its_scorer() -> None:
    """Names are those of the classes, and a scorer is left as it is."""
    pytest.importorskip("jsonschema", reason="schemas need the extra 'schema'")
    parameters: dict[str, dict[str, Any]] = {
        "function": {"function": "builtins:len"},
        "json_schema": {"schema": {}},
        "judge": {"model": "m", "rubric": "r"},
        "regex": {"pattern": "x"},
    }
    for name, kind in SCORERS.items():
        made = scorer_of({"type": name, **parameters.get(name, {})})
        assert type(made) is kind
        assert scorer_of(made) is made


@pytest.mark.parametrize("name", ["contains", "exact", "numeric"])
def test_what_compares_needs_a_reference(name: str) -> None:
    """A prompt without one would be scored 0 whatever the answer."""
    assert scorer_of(name).needs_reference


def test_equal_parameters_are_one_identity() -> None:
    """Scores in a log are told apart by what gave them."""
    assert scorer_of("numeric").identity == scorer_of({"type": "numeric"}).identity
    assert scorer_of("numeric").identity != scorer_of({"type": "numeric", "tolerance": 0.1}).identity
    assert scorer_of("exact").identity != scorer_of("contains").identity
