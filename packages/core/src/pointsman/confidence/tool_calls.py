"""ToolCallVerifier: the calls that a response asks for name known tools, with arguments that fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

from pointsman.confidence.base import Confidence
from pointsman.confidence.schema import fits, schema_validator
from pointsman.errors import ConfigError
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["ToolCallVerifier"]


class ToolCallVerifier(Confidence):
    """The share of a response's tool calls that name a known tool and whose arguments fit its schema.

    Where a response calls no tool, it cannot tell. The calls are read from the response's content: those of a chat completion
    ("function": {"name", "arguments" as JSON text}) and those of a message with "name" and "args"; "invalid_tool_calls", where
    a framework keeps those that it could not read, fit nothing.

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
        read, unread = (_listed(responses[-1].content, name) for name in ("tool_calls", "invalid_tool_calls"))
        if not read and not unread:
            return None
        return sum(self._fits(call) for call in read) / (len(read) + len(unread))

    def _fits(self, call: Any) -> bool:
        named = _field(call, "function") or call
        name = _field(named, "name")
        validator = self._validators.get(name) if isinstance(name, str) else None
        arguments = _field(named, "arguments") if _field(named, "args") is None else _field(named, "args")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except (ValueError, RecursionError):
                return False
        return validator is not None and fits(validator, arguments)


def _listed(content: Any, name: str) -> Sequence[Any]:
    calls = _field(content, name)
    return calls if isinstance(calls, list | tuple) else ()


def _field(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
