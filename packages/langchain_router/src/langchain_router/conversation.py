"""The conversation in the core's terms: its turns, the question that is routed on, and what earlier turns settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, convert_to_messages
from langchain_core.prompt_values import PromptValue

from pointsman.types import Message, Session

__all__ = ["author_of", "messages_of", "question_of", "session_of", "this_turn", "to_langchain", "turns_of"]

_KINDS = {
    "audio": "audio",
    "audio_url": "audio",
    "document": "file",
    "file": "file",
    "image": "image",
    "image_url": "image",
    "input_audio": "audio",
    "input_file": "file",
    "input_image": "image",
    "input_video": "video",
    "video": "video",
    "video_url": "video",
}
"""What providers call the parts of a message, and the modality each one is."""

_ROLES = {"human": "user", "ai": "assistant"}
_NEW = Session()


def messages_of(given: LanguageModelInput) -> list[BaseMessage]:
    """Return whatever a chat model may be called with as messages; TypeError for anything else."""
    if isinstance(given, PromptValue):
        return given.to_messages()
    if isinstance(given, str):
        return [HumanMessage(content=given)]
    if isinstance(given, Sequence):
        return convert_to_messages(given)
    raise TypeError(f"A chat model takes text, messages or a prompt's value, not {type(given).__name__}.")


def turns_of(messages: Sequence[BaseMessage]) -> tuple[Message, ...]:
    """Return the messages as the core's; a part that is not text keeps the provider's form under "raw"."""
    return tuple(
        Message(role=_ROLES.get(message.type, message.type), content=_content(message.content)) for message in messages
    )


def _content(content: str | list[Any]) -> str | tuple[Mapping[str, Any], ...]:
    if isinstance(content, str):
        return content
    parts = ({"type": "text", "text": part} if isinstance(part, str) else _part(part) for part in content)
    return tuple(part for part in parts if part is not None)


def _part(part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return a part of a message; None for what is neither text nor a modality, such as a tool call or a trace of reasoning."""
    kind = part.get("type")
    if kind == "text":
        return part
    if kind == "media":
        kind = str(part.get("mime_type", "")).partition("/")[0].replace("application", "file")
    modality = _KINDS.get(str(kind))
    return None if modality is None else {"type": modality, "raw": part}


def to_langchain(messages: Sequence[Message]) -> list[BaseMessage]:
    """Return the core's messages, such as those a judge is asked with, as LangChain's.

    The result of a tool is shown as the user's, since the call it answers is not part of the message.
    """
    roles = ("user" if message.role == "tool" else message.role for message in messages)
    return convert_to_messages([(role, _parts(turn.content)) for role, turn in zip(roles, messages, strict=True)])


def _parts(content: str | tuple[Mapping[str, Any], ...]) -> Any:
    return content if isinstance(content, str) else [part.get("raw", part) for part in content]


def question_of(messages: Sequence[BaseMessage]) -> str:
    """Return the text of the last human message, or of the last message when no human speaks.

    What a middleware says in a human's name, such as a summary of what was said before, comes only after that.
    """
    human = [message for message in messages if message.type == "human"]
    spoken = [message for message in human if "lc_source" not in message.additional_kwargs]
    last = next((each[-1] for each in (spoken, human, messages) if each), None)
    return "" if last is None else _text(last)


def this_turn(messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
    """Return what was said since the last human message."""
    for i in range(len(messages) - 1, -1, -1):
        if messages[i].type == "human":
            return messages[i + 1 :]
    return messages


def author_of(message: AIMessage) -> str | None:
    """Return the candidate that answered, as the message's record says."""
    record = message.response_metadata.get("router")
    model = record.get("model") if isinstance(record, Mapping) else None
    return model if isinstance(model, str) else None


def _text(message: BaseMessage) -> str:
    return message.content if isinstance(message.content, str) else str(message.text)


def session_of(messages: Sequence[BaseMessage], candidates: AbstractSet[str]) -> Session:
    """Return which candidate answered last, as its message says, and whether it still waits for the results of its tools.

    A tool call is open until the model has spoken again or the human has.
    """
    human_spoke = False
    for message in reversed(messages):
        if isinstance(message, AIMessage):
            model = author_of(message)
            if model not in candidates:
                return _NEW
            return Session(last_model=model, open_tool_call=bool(message.tool_calls) and not human_spoke)
        human_spoke = human_spoke or message.type == "human"
    return _NEW
