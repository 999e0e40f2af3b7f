"""Fields: the query that the input fields of a module are, routed on the text of those that were chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dspy

from dspy_router.asking import known
from pointsman.errors import ConfigError, choices
from pointsman.types import Message, Query

__all__ = ["checked_fields", "query_of_fields", "text_of_fields"]

_MODALITIES = {dspy.Image: "image", dspy.Audio: "audio", dspy.File: "file"}


def text_of_fields(inputs: Mapping[str, Any], on: Sequence[str] | None) -> str:
    """Return the text that is routed on: of the fields chosen, or of all of them, each on lines of its own.

    >>> text_of_fields({"context": "Long and hard.", "question": "2 + 2?"}, ("question",))
    '2 + 2?'
    """
    names = inputs if on is None else on
    return "\n".join(_text(inputs[name]) for name in names if inputs.get(name) is not None)


def query_of_fields(
    inputs: Mapping[str, Any], on: Sequence[str] | None, *, instructions: str = "", needs: Iterable[str] = ()
) -> Query:
    """Return the query; its messages hold all inputs, so that lengths and images count."""
    parts = tuple(part for value in inputs.values() for part in _parts(value))
    said = (Message(role="system", content=instructions),) if instructions else ()
    return Query(
        text=text_of_fields(inputs, on),
        messages=(*said, Message(role="user", content=parts)),
        required=frozenset(needs),
        **known(),
    )


def checked_fields(on: Sequence[str] | str | None, signature: Any) -> tuple[str, ...] | None:
    """Return the fields to route on, each an input of the signature; None is all of them.

    Raises:
        ConfigError: If there is none, or one is no input.
    """
    if on is None:
        return None
    names = (on,) if isinstance(on, str) else tuple(on)
    known = list(signature.input_fields)
    if not names or set(names) - set(known):
        raise ConfigError(
            f"on must name input fields of the signature, {choices(known)}; got {choices(names) or 'none'}."
        )
    return names


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _parts(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list | tuple) and any(isinstance(one, tuple(_MODALITIES)) for one in value):
        return [part for one in value for part in _parts(one)]
    kind = next((name for known, name in _MODALITIES.items() if isinstance(value, known)), None)
    return [{"type": "text", "text": _text(value)}] if kind is None else [{"type": kind, "raw": value}]
