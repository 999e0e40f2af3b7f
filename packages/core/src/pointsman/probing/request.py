"""What each model is asked: the prompt, a system message, and the parameters of the call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pointsman.callers.base import messages_of
from pointsman.data.text_id import text_id
from pointsman.errors import ConfigError
from pointsman.models import ModelPool
from pointsman.types import Call, Message, Query

__all__ = ["Request", "request_hash"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How prompts become calls.

    Parameters:
        pool: The models; what their metadata say under "params" goes with every call.
        system: A system message before every prompt, if any.
        params: Parameters of every answering call; they go before those of the metadata.
    """

    pool: ModelPool
    system: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, spec in self.pool.items():
            if not isinstance(given := spec.metadata.get("params", {}), Mapping):
                raise ConfigError(f"models.{name}.metadata.params must be a table of names and values, got {given!r}.")

    def call(self, model: str, query: Query) -> Call:
        """Return the call that answers a prompt."""
        messages = None
        if self.system is not None:
            messages = (Message(role="system", content=self.system), Message(role="user", content=query.text))
        return self.completed(Call(model=model, messages=messages, params=self.params))

    def completed(self, call: Call) -> Call:
        """Return a call with the parameters that its model always gets."""
        return replace(call, params={**self.pool[call.model].metadata.get("params", {}), **call.params})


def request_hash(call: Call, query: Query) -> str:
    """Return a hash of all that is sent: equal for calls that ask a model the same in the same way."""
    sent = [[message.role, message.content] for message in messages_of(call, query)]
    return text_id(json.dumps([sent, call.params], sort_keys=True, default=str))
