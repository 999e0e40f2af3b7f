"""Caller: whoever carries out a model call, and what of a call it has to send."""

from __future__ import annotations

from typing import Protocol

from pointsman.types import Call, Message, Query, Response

__all__ = ["Caller", "messages_of", "prompt_of"]


class Caller(Protocol):
    """Performs calls of one model.

    A caller that is an async context manager too is entered by those who make many calls, and may then keep connections.
    """

    async def __call__(self, call: Call, query: Query) -> Response:
        """Return the model's response; raise CallError when the call fails. Any other error is a bug of the caller."""
        ...


def messages_of(call: Call, query: Query) -> tuple[Message, ...]:
    """Return what a call sends: its own messages, else the query's conversation, else the query's text."""
    if call.messages is not None:
        return call.messages
    return query.messages or (Message(role="user", content=query.text),)


def prompt_of(call: Call, query: Query) -> str:
    r"""Return what a call sends as one text, for models that read no messages.

    >>> prompt_of(Call(model="m"), Query(text="2+2?"))
    '2+2?'
    >>> turns = Message(role="system", content="Be brief."), Message(role="user", content="2+2?")
    >>> prompt_of(Call(model="m", messages=turns), Query(text="2+2?"))
    'system: Be brief.\n\nuser: 2+2?'
    """
    messages = messages_of(call, query)
    if len(messages) == 1:
        return messages[0].text
    return "\n\n".join(f"{message.role}: {message.text}" for message in messages)
