"""The conversation in the core's terms: its turns, the question that is routed on, and the way back to LlamaIndex."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock

from pointsman.types import Message

__all__ = ["is_text", "question_of", "to_llamaindex", "turns_of"]

_ROLES = {"chatbot": "assistant", "model": "assistant", "developer": "system", "function": "tool"}
_MODALITIES = {"audio": "audio", "document": "file", "image": "image", "video": "video"}
"""What LlamaIndex calls the blocks of a message, and the modality each one is."""

_OBSERVATION = "Observation:"
"""How ReAct agents begin what a tool has said, which they put down as the user's."""


def question_of(messages: Sequence[ChatMessage]) -> str:
    """Return the text of the last user message, or of the last message when no user speaks.

    What a ReAct agent's tool has said is not the user's, though it stands in a user's message.
    """
    for message in reversed(messages):
        if message.role == MessageRole.USER:
            text = message.content or ""
            if not text.startswith(_OBSERVATION):
                return text
    return (messages[-1].content or "") if messages else ""


def is_text(message: ChatMessage) -> bool:
    """Tell whether a message is a text alone."""
    blocks = message.blocks
    return type(blocks[0]) is TextBlock if len(blocks) == 1 else all(isinstance(block, TextBlock) for block in blocks)


def turns_of(messages: Iterable[ChatMessage]) -> tuple[Message, ...]:
    """Return the messages as the core's; a part that is not text keeps LlamaIndex's block under "raw"."""
    return tuple(Message(role=_role(message), content=_content(message.blocks)) for message in messages)


def _role(message: ChatMessage) -> str:
    role = str(message.role.value)
    return _ROLES.get(role, role)


def _content(blocks: Sequence[Any]) -> str | tuple[Mapping[str, Any], ...]:
    if all(isinstance(block, TextBlock) for block in blocks):
        return "\n".join(block.text for block in blocks)
    return tuple(part for block in blocks if (part := _part(block)) is not None)


def _part(block: Any) -> Mapping[str, Any] | None:
    """Return a block of a message; None for what is neither text nor a modality, such as a tool call or a thought."""
    if isinstance(block, TextBlock):
        return {"type": "text", "text": block.text}
    modality = _MODALITIES.get(getattr(block, "block_type", ""))
    return None if modality is None else {"type": modality, "raw": block}


def to_llamaindex(messages: Sequence[Message]) -> list[ChatMessage]:
    """Return the core's messages, such as those a judge is asked with, as LlamaIndex's.

    The result of a tool is shown as the user's, since the call it answers is not part of the message.
    """
    return [
        ChatMessage(role="user" if turn.role == "tool" else turn.role, content=_blocks(turn.content))
        for turn in messages
    ]


def _blocks(content: str | tuple[Mapping[str, Any], ...]) -> Any:
    if isinstance(content, str):
        return content
    return [TextBlock(text=str(part.get("text"))) if part.get("type") == "text" else part["raw"] for part in content]
