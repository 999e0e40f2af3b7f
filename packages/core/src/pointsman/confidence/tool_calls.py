"""ToolCallVerifier: the calls that a response asks for name known tools, with arguments that fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

from pointsman.confidence.base import Confidence
from pointsman.confidence.schema import schema_validator
from pointsman.errors import ConfigError
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["ToolCallVerifier"]


class ToolCallVerifier(Confidence):
    """The share of a response's tool calls that name a known tool and whose arguments fit its schema.

    Where a response calls no tool, it cannot tell. The calls are read from the response's content: those of a chat completion
    ("function": {"name", "arguments" as JSON text}) and those of a message with "name" and "args".

    Parameters:
        tools: JSON text that maps each tool's name to the JSON schema of its arguments.

    Raises:
        ConfigError: When that is no such JSON.
        MissingExtraError: Without jsonschema.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"tool calls"})

    tools: str

    def __post_init__(self) -> None:
        """Validate the schemas too."""
        super().__post_init__()
        _ = self._validators

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that knows a calculator."""
        return (cls(tools='{"add": {"type": "object", "required": ["a", "b"]}}'),)

    @cached_property
    def _validators(self) -> Mapping[str, Any]:
        try:
            tools = json.loads(self.tools)
        except ValueError as error:
            raise ConfigError(f"ToolCallVerifier.tools is not valid JSON: {error}.") from None
        if not isinstance(tools, dict):
            raise ConfigError(f"ToolCallVerifier.tools must map names to schemas, got {self.tools!r}.")
        return {name: schema_validator(schema, f"ToolCallVerifier.tools[{name!r}]") for name, schema in tools.items()}

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Check every tool call of the last response."""
        yield from ()
        calls = _calls(responses[-1].content)
        if not calls:
            return None
        return sum(self._fits(call) for call in calls) / len(calls)

    def _fits(self, call: Any) -> bool:
        named = _field(call, "function") or call
        validator = self._validators.get(_field(named, "name"))
        arguments = _field(named, "arguments") if _field(named, "args") is None else _field(named, "args")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except ValueError:
                return False
        return validator is not None and bool(validator.is_valid(arguments))


def _calls(content: Any) -> Sequence[Any]:
    return tuple(_field(content, "tool_calls") or ())


def _field(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
