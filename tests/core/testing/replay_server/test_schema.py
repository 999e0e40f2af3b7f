"""Values made for JSON schemas are valid for them, whatever the schema."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pointsman.testing.replay_server.borrowing import Borrowed
from pointsman.testing.replay_server.schema import UnsatisfiableError, example

jsonschema = pytest.importorskip("jsonschema")
PROMPT = "Tell 'Ada' that 7, -2.5 and 40 are \"numbers\""


def strings() -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of strings."""

    def build(least: int, more: int) -> dict[str, Any]:
        return {"type": "string", "minLength": least, "maxLength": least + more}

    return st.builds(build, st.integers(0, 80), st.integers(0, 80))


def numbers() -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of numbers between bounds."""

    def build(kind: str, low: int, width: int, limits: tuple[str, str]) -> dict[str, Any]:
        return {"type": kind, limits[0]: low, limits[1]: low + width}

    limits = st.sampled_from([("minimum", "maximum"), ("exclusiveMinimum", "exclusiveMaximum")])
    return st.builds(build, st.sampled_from(["integer", "number"]), st.integers(-50, 50), st.integers(2, 30), limits)


def objects(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of objects."""

    def build(properties: dict[str, Any], optional: set[str]) -> dict[str, Any]:
        required = [name for name in properties if name not in optional]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    names = st.sampled_from(["city", "answer", "days", "ok"])
    return st.builds(build, st.dictionaries(names, parts, max_size=3), st.sets(names))


def arrays(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of arrays."""

    def build(items: Any, least: int, more: int) -> dict[str, Any]:
        return {"type": "array", "items": items, "minItems": least, "maxItems": least + more}

    return st.builds(build, parts, st.integers(0, 3), st.integers(0, 2))


LEAVES = st.one_of(
    strings(),
    numbers(),
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.just({"type": ["null", "integer"], "multipleOf": 3}),
    st.builds(lambda value: {"const": value}, st.sampled_from(["Ada", 3, None, True])),
    st.builds(lambda values: {"enum": values}, st.lists(st.sampled_from(["Bob", "Ada", 1]), min_size=1)),
    st.just({"$ref": "#/$defs/tree"}),
    st.just(True),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        objects(parts),
        arrays(parts),
        st.builds(lambda branches: {"anyOf": branches}, st.lists(parts, min_size=1, max_size=3)),
        st.builds(lambda part: {"allOf": [part, {"description": "the same"}]}, parts),
    ),
    max_leaves=8,
)
TREE = {
    "type": "object",
    "properties": {
        "label": {"type": "string"},
        "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
    },
    "required": ["label", "next"],
}


@given(SCHEMAS, st.sampled_from([PROMPT, "", "nothing to borrow"]))
def test_value_is_valid(schema: Any, prompt: str) -> None:
    """An independent validator accepts every value made, also for recursive schemas."""
    assume(schema is not True)
    schema = {**schema, "$defs": {"tree": TREE}}
    jsonschema.Draft202012Validator(schema).validate(example(schema, Borrowed(prompt)))


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 7),
        ({"type": "number", "maximum": 0}, -2.5),
        ({"type": "integer", "minimum": 8, "multipleOf": 20}, 40),
        ({"type": "integer", "minimum": 100}, 100),
        ({"type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 0.6}, 0.55),
        ({"type": "integer", "exclusiveMaximum": -100, "multipleOf": 7}, -105),
        ({"type": "string"}, "Ada"),
        ({"type": "string", "minLength": 5}, "Adaxx"),
        ({"type": "string", "maxLength": 2}, "Ad"),
        ({"type": "string", "format": "date"}, "2024-02-29"),
        ({"enum": ["Bob", "ada"]}, "ada"),
        ({"enum": ["Bob", "Cid"]}, "Bob"),
        ({"type": ["null", "boolean"]}, True),
        ({"type": "array", "items": {"type": "string"}, "minItems": 3}, ["Ada", "numbers", "Ada"]),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]}, [7, "Ada"]),
        ({"type": "array", "items": False}, []),
        ({"required": ["a"], "additionalProperties": {"type": "integer"}}, {"a": 7}),
        ({"properties": {"a": False, "b": {"minimum": 1}}}, {"b": 7}),
        ({"oneOf": [{"type": "integer", "minimum": 5, "maximum": 4}, {"const": "second"}]}, "second"),
        ({"allOf": [{"type": "number"}, {"type": "integer", "minimum": 9}, {"minimum": 8}]}, 40),
        ({"allOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]}, 2),
        ({"anyOf": [{"minimum": 8}, {"minimum": 9}], "type": "integer"}, 40),
    ],
)
def test_value_fits_and_is_borrowed_where_it_can_be(schema: Any, value: Any) -> None:
    """Each keyword shows in the value made, and in an independent validator's verdict."""
    made = example(schema, Borrowed(PROMPT))
    assert made == value
    jsonschema.Draft202012Validator(schema).validate(made)


def test_same_property_of_two_conjuncts_satisfies_both() -> None:
    """Conjunctions merge properties one by one, and what they require adds up."""
    schema = {
        "allOf": [
            {"properties": {"n": {"type": "integer"}, "a": {"const": 1}}, "required": ["a"]},
            {"properties": {"n": {"minimum": 39}}, "required": ["n"]},
        ]
    }
    assert example(schema, Borrowed(PROMPT)) == {"n": 40, "a": 1}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (False, "false admits nothing"),
        ({"$ref": "#/$defs/gone"}, "points nowhere"),
        ({"$ref": "https://example.org/schema"}, "leaves the schema"),
        ({"$ref": "#"}, "circle"),
        ({"properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "endless"),
        ({"allOf": [{"type": "string"}, {"type": "null"}]}, "type"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "no number"),
        ({"type": "array", "minItems": 2, "maxItems": 1}, "minItems"),
        ({"type": "array", "minItems": 1, "items": False}, "false"),
        ({"type": "string", "minLength": 2, "maxLength": 1}, "minLength"),
        ({"enum": []}, "enum"),
        ({"anyOf": [False, {"enum": []}]}, "anyOf"),
    ],
)
def test_schema_without_value_is_an_error_that_says_why(schema: Any, words: str) -> None:
    """Nothing invalid is made up instead."""
    with pytest.raises(UnsatisfiableError, match=words):
        example(schema, Borrowed(PROMPT))


@pytest.mark.parametrize(
    ("prompt", "quoted"),
    [
        ("it's 'one' and the dogs' \"two\"", ("one", "two")),
        ("`a` “b” 「c」 'd'", ("a", "b", "c", "d")),
        ("Don't quote me; I can't", ()),
    ],
)
def test_quotations_are_told_from_apostrophes(prompt: str, quoted: tuple[str, ...]) -> None:
    """Every kind of quotation mark counts; an apostrophe inside a word does not."""
    assert Borrowed(prompt).quoted == quoted
