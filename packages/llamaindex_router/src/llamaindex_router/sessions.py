"""Sessions: whose tool calls are still open, so that a tool's result goes back to the model that asked for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole

from pointsman.types import Session

__all__ = ["ToolCalls"]

_NEW = Session()
_RESULTS = (MessageRole.TOOL, MessageRole.FUNCTION)
_KEPT = 10_000


class ToolCalls:
    """Remembers which candidate made each of the last tool calls, by the call's id; safe across threads.

    It is kept here and not in the messages, as whatever stands in a message's `additional_kwargs` is sent to the provider.
    An id that only repeats the tool's name, as some integrations have it, names no call and is not kept.
    """

    def __init__(self) -> None:
        self._models: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def keep(self, name: str, model: Any, response: Any) -> None:
        """Note the tool calls in a candidate's response, as the candidate itself reads them."""
        if not isinstance(response, ChatResponse) or not hasattr(model, "get_tool_calls_from_response"):
            return
        made = model.get_tool_calls_from_response(response, error_on_no_tool_call=False)
        with self._lock:
            for call in made:
                if call.tool_id and call.tool_id != call.tool_name:
                    self._models[call.tool_id] = name
                    self._models.move_to_end(call.tool_id)
            while len(self._models) > _KEPT:
                self._models.popitem(last=False)

    def session_of(self, messages: Sequence[ChatMessage]) -> Session:
        """Return the session of a conversation: open while it ends in the results of tools."""
        for message in reversed(messages):
            if message.role not in _RESULTS:
                return _NEW
            told = message.additional_kwargs
            if (model := self._models.get(str(told.get("tool_call_id") or told.get("call_id")))) is not None:
                return Session(last_model=model, open_tool_call=True)
        return _NEW
