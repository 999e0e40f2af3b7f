"""Streaming: a candidate's stream as deltas of the core, and a routed answer piece by piece as LangChain expects it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_router.exchange import CandidateCall
from langchain_router.record import as_chunk, output_of, run_record, stamped
from pointsman.dispatch import AnswerStream, AsyncAnswerStream
from pointsman.flow import Held
from pointsman.types import Delta, Response, Trace

__all__ = ["CHUNKS", "Form", "Relay", "aopen_chunks", "open_chunks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What the pieces of one kind of stream are: LangChain's message chunks, or events of its typed protocol.

    Parameters:
        shown: What a piece shows, as text; empty for one that only frames the others.
        is_last: Whether a piece is the one that says the message ends.
        ending: The pieces to end with, given the last one and the one before it, where there are any, the output with its
            record, and the record.
    """

    shown: Callable[[Any], str]
    is_last: Callable[[Any], bool]
    ending: Callable[[Any, Any, Any, Mapping[str, Any]], Iterable[Any]]


def open_chunks(call: CandidateCall) -> Iterator[Delta | Response]:
    """Stream a candidate's chunks, and its response last."""
    held, came = Held(_shown), []
    with call, closing(call.runnable.stream(call.input, call.config, **call.kwargs)) as chunks:  # type: ignore[type-var]
        for chunk in chunks:
            came.append(chunk)
            yield from held.take(chunk)
    yield from held.rest()
    yield call.response(_whole(came))


async def aopen_chunks(call: CandidateCall) -> AsyncIterator[Delta | Response]:
    """Do as `open_chunks`, awaiting."""
    held, came = Held(_shown), []
    with call:
        async with aclosing(call.runnable.astream(call.input, call.config, **call.kwargs)) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                came.append(chunk)
                for delta in held.take(chunk):
                    yield delta
    for delta in held.rest():
        yield delta
    yield call.response(_whole(came))


class Relay:
    """Passes the pieces of a routed answer on as the candidate made them; the last one waits for the record and carries it.

    An answer that was complete before it could be shown is passed on whole. `output` stands at the end.
    """

    def __init__(self, run_id: UUID, form: Form, key: str, ended: Callable[[Trace], None]) -> None:
        self.output: Any = None
        self._run_id = run_id
        self._form = form
        self._key = key
        self._ended = ended
        self._last: Any = None
        self._before: Any = None

    def pieces(self, answer: AnswerStream) -> Iterator[Any]:
        """Yield the pieces of an answer."""
        with answer:
            for delta in answer:
                yield from self._take(delta)
        yield from self._ending(answer.trace)

    async def apieces(self, answer: AsyncAnswerStream) -> AsyncGenerator[Any, None]:
        """Yield the pieces of an answer."""
        async with answer:
            async for delta in answer:
                for piece in self._take(delta):
                    yield piece
        for piece in self._ending(answer.trace):
            yield piece

    def _take(self, delta: Delta) -> list[Any]:
        if delta.raw is None:  # the text of an answer that no candidate streamed; its message comes at the end
            return []
        ready = [] if self._last is None else [self._last]
        self._last = None
        if self._form.is_last(delta.raw):
            self._last = delta.raw
        else:
            ready.append(delta.raw)
        self._before = ready[-1] if ready else self._before
        return ready

    def _ending(self, trace: Trace) -> Iterable[Any]:
        self._ended(trace)
        record = run_record(trace, self._run_id, self._key)
        self.output = stamped(output_of(trace), record)
        return self._form.ending(self._last, self._before, self.output, record)


def _shown(chunk: Any) -> str:
    """Return what a chunk shows: its text, its tool calls, or any other content; a parsed object shows itself."""
    if not isinstance(chunk, AIMessage):
        return repr(chunk) if chunk else ""
    if isinstance(chunk.content, str) and chunk.content:
        return chunk.content
    calls = chunk.tool_call_chunks if isinstance(chunk, AIMessageChunk) else chunk.tool_calls
    return str(calls or chunk.content or "")


def _is_last(chunk: Any) -> bool:
    if isinstance(chunk, AIMessageChunk):
        return chunk.chunk_position == "last"
    return isinstance(chunk, AIMessage)


def _ending(last: Any, before: Any, output: Any, record: Mapping[str, Any]) -> Iterable[Any]:
    if last is not None:
        yield stamped(last, record)
    elif before is None:
        yield as_chunk(output)
    elif isinstance(before, AIMessageChunk):
        yield stamped(AIMessageChunk(content="", id=before.id, chunk_position="last"), record)


CHUNKS = Form(shown=_shown, is_last=_is_last, ending=_ending)


def _whole(pieces: list[Any]) -> Any:
    """Add a stream's pieces up; pieces that cannot be added supersede each other, as parsed objects do."""
    if not pieces:
        return None
    if all(isinstance(piece, AIMessageChunk) for piece in pieces):
        return pieces[0] + pieces[1:] if len(pieces) > 1 else pieces[0]
    whole = pieces[0]
    for piece in pieces[1:]:
        try:
            whole = whole + piece
        except TypeError:
            whole = piece
    return whole
