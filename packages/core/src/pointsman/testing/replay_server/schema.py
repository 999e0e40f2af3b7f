"""A value that a JSON schema admits, made of what the prompt lends."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from pointsman.testing.replay_server.borrowing import Borrowed
from pointsman.testing.replay_server.schema_folding import Schema, UnsatisfiableError, fold

__all__ = ["JSON", "UnsatisfiableError", "example"]

JSON: TypeAlias = bool | int | float | str | list["JSON"] | dict[str, "JSON"] | None
Folded: TypeAlias = Mapping[str, Any]

_FULL = 4  # levels filled with all a schema offers; below them only what it requires
_DEEPEST = 24  # levels at which a recursive schema is given up

_FORMATS = {
    "date": "2024-02-29",
    "date-time": "2024-02-29T12:00:00Z",
    "duration": "P1D",
    "email": "someone@example.org",
    "ipv4": "127.0.0.1",
    "time": "12:00:00Z",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def example(schema: Schema, borrowed: Borrowed) -> JSON:
    """Return a value valid for `schema`, with the numbers and strings of `borrowed` where they fit.

    Understood: `$ref` within the schema, `allOf`, `anyOf`, `oneOf` (the first branch that works), `const`, `enum`,
    `type` (also several), the bounds of numbers, `multipleOf`, the lengths of strings and arrays, `prefixItems`,
    `items`, `properties`, `required`, `additionalProperties`, and the common formats. Ignored: `pattern`, `not`,
    `uniqueItems`, `contains`, `minProperties`, conditions. A string called `answer` gets the recorded answer.

    Raises:
        UnsatisfiableError: If there is no such value, or none was found.

    >>> where = {"properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 7}}}
    >>> example(where, Borrowed("The weather in 'Pau', for 14 or 3 days?"))
    {'city': 'Pau', 'days': 3}
    """
    return _Maker(schema if isinstance(schema, Mapping) else {}, borrowed).value(schema, depth=0)


class _Maker:
    """The making of one value; carries the schema that references point into."""

    def __init__(self, root: Folded, borrowed: Borrowed) -> None:
        self._root = root
        self._borrowed = borrowed

    def value(self, schema: Schema, *, depth: int, name: str = "") -> JSON:
        if depth > _DEEPEST:
            raise UnsatisfiableError("the schema requires endless depth")
        folded = fold(schema, self._root)
        for union in ("anyOf", "oneOf"):
            if union in folded:
                return self._first(folded, union, depth, name)
        if "const" in folded:
            return self._choice([folded["const"]])
        if "enum" in folded:
            return self._choice(folded["enum"])
        return self._typed(folded, depth, name)

    def _typed(self, schema: Folded, depth: int, name: str) -> JSON:
        match _kind(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth, name)
            case "integer" | "number" as kind:
                return self._number(schema, whole=kind == "integer")
            case "boolean" | "null" as kind:
                return True if kind == "boolean" else None
        return self._string(schema, name)

    def _first(self, schema: Folded, union: str, depth: int, name: str) -> JSON:
        rest = {key: value for key, value in schema.items() if key != union}
        branches = list(schema[union])
        if depth >= _FULL:  # None ends a recursion soonest
            branches.sort(key=lambda branch: not (isinstance(branch, Mapping) and branch.get("type") == "null"))
        for branch in branches:
            try:
                return self.value({"allOf": [rest, branch]}, depth=depth + 1, name=name)
            except UnsatisfiableError:
                continue
        raise UnsatisfiableError(f"no branch of {union} admits a value")

    def _choice(self, values: list[JSON]) -> JSON:
        if not values:
            raise UnsatisfiableError("an enum admits no value")
        return next((value for value in values if self._borrowed.mentions(value)), values[0])

    def _object(self, schema: Folded, depth: int) -> JSON:
        required = list(schema.get("required", ()))
        properties = dict(schema.get("properties", {}))
        for name in required:
            properties.setdefault(name, schema.get("additionalProperties", {}))
        made: dict[str, JSON] = {}
        for name, part in properties.items():
            if name not in required and depth >= _FULL:
                continue
            try:
                made[name] = self.value(part, depth=depth + 1, name=name)
            except UnsatisfiableError:
                if name in required:
                    raise
        return made

    def _array(self, schema: Folded, depth: int, name: str) -> JSON:
        least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        if least > most:
            raise UnsatisfiableError(f"minItems {least} exceeds maxItems {most}")
        first = list(schema.get("prefixItems", ()))
        wanted = least if depth >= _FULL else max(least, min(most, len(first) or 1))
        made: list[JSON] = []
        while len(made) < wanted:
            part = first[len(made)] if len(made) < len(first) else schema.get("items", {})
            try:
                made.append(self.value(part, depth=depth + 1, name=name))
            except UnsatisfiableError:
                if len(made) < least:
                    raise
                break
        return made

    def _number(self, schema: Folded, *, whole: bool) -> JSON:
        def fits(value: float) -> bool:
            return _within(value, schema) and (value.is_integer() or not whole)

        value = self._borrowed.number(fits)
        if value is None:
            value = next(filter(fits, _candidates(schema)), None)
        if value is None:
            raise UnsatisfiableError(f"found no number within {dict(schema)}")
        return int(value) if value.is_integer() else value

    def _string(self, schema: Folded, name: str) -> JSON:
        least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        if least > most:
            raise UnsatisfiableError(f"minLength {least} exceeds maxLength {most}")
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = self._borrowed.answer if name == "answer" else ""
        text = (text or self._borrowed.string()).ljust(least, "x")
        return text if len(text) <= most else text[: int(most)]


def _kind(schema: Folded) -> str:
    """Return the type to make: of several the first that is not null, of none the one its keywords speak of."""
    kinds = schema.get("type")
    if isinstance(kinds, str):
        return kinds
    if kinds:
        return next((str(kind) for kind in kinds if kind != "null"), "null")
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema or "minItems" in schema:
        return "array"
    bounds = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
    return "number" if any(bound in schema for bound in bounds) else "string"


def _within(value: float, schema: Folded) -> bool:
    step = schema.get("multipleOf")
    return (
        schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)
        and schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf)
        and (step is None or (value / step).is_integer())
    )


def _candidates(schema: Folded) -> Iterator[float]:
    """Propose numbers one of which is within the bounds wherever a plain one is."""
    lows = [float(schema[key]) for key in ("minimum", "exclusiveMinimum") if key in schema]
    highs = [float(schema[key]) for key in ("maximum", "exclusiveMaximum") if key in schema]
    low, high = max(lows, default=-math.inf), min(highs, default=math.inf)
    step = float(schema.get("multipleOf", 1))
    yield 1.0
    if math.isfinite(low):
        yield from (low, (math.floor(low / step) + 1) * step, math.ceil(low / step) * step)
    if math.isfinite(high):
        yield from (high, (math.ceil(high / step) - 1) * step, math.floor(high / step) * step)
    if math.isfinite(low) and math.isfinite(high):
        yield (low + high) / 2
    yield from (0.0, step)
