"""Typed streams: LangChain's content-block events (`stream_events(version="v3")`) of a routed answer.

That protocol is young: this module is imported only when it is used, which a LangChain without it never does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.messages import AIMessage

from langchain_router.exchange import CandidateCall
from langchain_router.streaming import Form
from pointsman.flow import Held
from pointsman.types import Delta, Response

__all__ = ["EVENTS", "PulledStream", "aopen_events", "open_events", "pulled_stream"]


def open_events(call: CandidateCall) -> Iterator[Delta | Response]:
    """Stream a candidate's events, and its response last."""
    held = Held(_shown)
    with call:
        stream: Any = call.runnable.stream_events(call.input, call.config, version="v3", **call.kwargs)
        for event in stream:
            yield from held.take(event)
    yield from held.rest()
    yield call.response(stream.output)


async def aopen_events(call: CandidateCall) -> AsyncIterator[Delta | Response]:
    """Do as `open_events`, awaiting."""
    held = Held(_shown)
    with call:
        opening: Any = call.runnable.astream_events(call.input, call.config, version="v3", **call.kwargs)
        async with aclosing(await opening) as stream:
            async for event in stream:
                for delta in held.take(event):
                    yield delta
    for delta in held.rest():
        yield delta
    yield call.response(await stream.output)


def pulled_stream(events: Generator[Any, None, None]) -> ChatModelStream:
    """Return a typed stream that draws its events when they are asked for."""
    stream = ChatModelStream()

    def pump() -> bool:
        try:
            stream.dispatch(next(events))
            if stream.done:
                next(events, None)  # nobody asks again, and the router's run ends after its last event
        except StopIteration:
            return False
        except BaseException as error:  # noqa: BLE001 - whoever reads the stream gets it
            stream.fail(error)
            return False
        return True

    stream.bind_pump(pump)
    return stream


class PulledStream(AsyncChatModelStream):
    """A typed stream that draws its events when they are asked for; closing it closes their source."""

    def __init__(self, events: AsyncGenerator[Any, None]) -> None:
        super().__init__()
        self._source = events
        self._one_at_a_time = asyncio.Lock()
        self.set_arequest_more(self._pump)

    async def _pump(self) -> bool:
        async with self._one_at_a_time:
            try:
                self.dispatch(await anext(self._source))
                if self.done:
                    await anext(self._source, None)  # nobody asks again, and the router's run ends after its last event
            except StopAsyncIteration:
                return False
            except BaseException as error:
                self.fail(error)
                if not isinstance(error, Exception):
                    raise
                return False
            return True

    async def aclose(self) -> None:
        """Stop here: the candidate's stream is closed, and an unfinished message ends as cancelled."""
        await self._source.aclose()
        if not self.done:
            self.fail(asyncio.CancelledError())


def _shown(event: Mapping[str, Any]) -> str:
    """Return what an event shows: the delta of a block, or a block that comes whole."""
    if event.get("event") == "content-block-delta":
        delta = event.get("delta") or {}
        return str(delta.get("text") or delta.get("reasoning") or delta.get("args") or delta.get("fields") or "")
    if event.get("event") == "content-block-finish":
        return str(event.get("content") or "")
    return ""


def _ending(last: Any, before: Any, output: Any, record: Mapping[str, Any]) -> Iterable[Any]:
    if last is None and before is None:
        *begun, last = _events_of(output)
        yield from begun
    elif last is None:
        last = {"event": "message-finish"}
    yield {**last, "metadata": {**(last.get("metadata") or {}), **record}}


def _events_of(message: AIMessage) -> Iterator[dict[str, Any]]:
    """Return the events of a message that is already whole."""
    yield {"event": "message-start", "role": "ai", "id": message.id or ""}
    for index, block in enumerate(message.content_blocks):
        content = dict(block)
        text = content.get("text") if content["type"] == "text" else None
        yield {"event": "content-block-start", "index": index, "content": {**content, **({"text": ""} if text else {})}}
        if text:
            yield {"event": "content-block-delta", "index": index, "delta": {"type": "text-delta", "text": text}}
        yield {"event": "content-block-finish", "index": index, "content": content}
    metadata = dict(message.response_metadata)
    yield {"event": "message-finish", "usage": message.usage_metadata, "metadata": metadata}


EVENTS = Form(shown=_shown, is_last=lambda event: event.get("event") == "message-finish", ending=_ending)
