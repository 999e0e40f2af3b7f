"""A JSON schema with its references and conjunctions folded into one plain level."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

__all__ = ["Schema", "UnsatisfiableError", "fold"]

Schema: TypeAlias = Mapping[str, Any] | bool

_LONGEST_CHAIN: Final = 16  # references followed before a chain counts as a circle


class UnsatisfiableError(ValueError):
    """A schema admits no value, or none that can be made here."""


def fold(schema: Schema, root: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` without `$ref` and `allOf` at its top: what they say is merged into it.

    Args:
        schema: The schema; True admits anything.
        root: Where references (`#/...`) point into.

    Raises:
        UnsatisfiableError: If it is False, contradicts itself, or a reference is circular, foreign or dangling.

    >>> fold({"$ref": "#/$defs/n", "minimum": 3}, {"$defs": {"n": {"type": "integer", "minimum": 0}}})
    {'minimum': 3, 'type': 'integer'}
    """
    return _fold(schema, root, chain=0)


def _fold(schema: Schema, root: Mapping[str, Any], *, chain: int) -> dict[str, Any]:
    if schema is False:
        raise UnsatisfiableError("a schema of false admits nothing")
    if chain > _LONGEST_CHAIN:
        raise UnsatisfiableError("references lead in a circle")
    folded = {} if schema is True else dict(schema)
    reference, parts = folded.pop("$ref", None), folded.pop("allOf", [])
    if reference is not None:
        parts = [_target(reference, root), *parts]
    for part in parts:
        folded = _both(folded, _fold(part, root, chain=chain + 1))
    return folded


def _target(reference: str, root: Mapping[str, Any]) -> Any:
    if not reference.startswith("#"):
        raise UnsatisfiableError(f"$ref {reference!r} leaves the schema")
    node: Any = root
    for step in filter(None, reference[1:].split("/")):
        try:
            node = node[step.replace("~1", "/").replace("~0", "~")]
        except (KeyError, TypeError) as error:
            raise UnsatisfiableError(f"$ref {reference!r} points nowhere") from error
    return node


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that admits what both admit; where no rule says how, `other` wins."""
    merged = {**one, **other}
    for key in one.keys() & other.keys():
        merged[key] = _RULES[key](one[key], other[key]) if key in _RULES else other[key]
    return merged


def _same_names(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, **other, **{name: {"allOf": [one[name], other[name]]} for name in one if name in other}}


def _common_types(one: str | list[str], other: str | list[str]) -> list[str]:
    ours, theirs = ([kinds] if isinstance(kinds, str) else kinds for kinds in (one, other))
    common = [kind for kind in ours if kind in theirs or (kind == "integer" and "number" in theirs)]
    common += [kind for kind in theirs if kind == "integer" and "number" in ours and kind not in common]
    if not common:
        raise UnsatisfiableError(f"nothing is of type {one} and {other}")
    return common


_RULES: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "$defs": _same_names,
    "properties": _same_names,
    "type": _common_types,
    "required": lambda one, other: list(dict.fromkeys([*one, *other])),
    "enum": lambda one, other: [value for value in one if value in other],
    "items": lambda one, other: {"allOf": [one, other]},
    "anyOf": lambda one, other: [{"allOf": [left, right]} for left in one for right in other],
    "oneOf": lambda one, other: [{"allOf": [left, right]} for left in one for right in other],
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minItems", "minLength"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxItems", "maxLength"), min),
}
