"""Streaming: a candidate's stream as deltas of the core, and a routed answer piece by piece as LlamaIndex expects it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, closing
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse

from llamaindex_router.conversation import is_text
from llamaindex_router.exchange import Exchange
from llamaindex_router.record import output_of, stamped, tell
from pointsman.dispatch import AnswerStream, AsyncAnswerStream, record_of
from pointsman.flow import Held
from pointsman.types import Call, Delta, Response, Trace

__all__ = ["Relay", "aopen_pieces", "open_pieces"]


def open_pieces(exchange: Exchange, call: Call) -> Iterator[Delta | Response]:
    """Stream a candidate's pieces, and its response last; LlamaIndex's pieces hold all that came before them."""
    held, last = Held(_shown), None  # which holds all that came before it, so no other piece is kept
    with exchange.prepare(call) as prepared:
        with closing(prepared.pieces()) as pieces:  # type: ignore[type-var]
            for last in pieces:
                yield from held.take(last)
        response = exchange.kept(prepared, last)
    yield from held.rest()
    yield response


async def aopen_pieces(exchange: Exchange, call: Call) -> AsyncIterator[Delta | Response]:
    """Do as `open_pieces`, awaiting."""
    held, last = Held(_shown), None  # which holds all that came before it, so no other piece is kept
    with exchange.prepare(call) as prepared:
        async with aclosing(prepared.apieces()) as pieces:  # type: ignore[type-var]
            async for last in pieces:
                for delta in held.take(last):
                    yield delta
        response = exchange.kept(prepared, last)
    for delta in held.rest():
        yield delta
    yield response


def _shown(piece: Any) -> str:
    """Return what a piece shows: its text, or that it holds anything else; a parsed object shows itself."""
    if isinstance(piece, CompletionResponse):
        return piece.delta or ""
    if not isinstance(piece, ChatResponse):
        return repr(piece)
    return piece.delta or (" " if piece.message.additional_kwargs or not is_text(piece.message) else "")


class Relay:
    """Passes the pieces of a routed answer on as the candidate made them, each with the record, which fills as they come.

    The record names the model from the first piece on, and is complete when the stream has ended. An answer that was complete
    before it could be shown, such as an accepted draft, is passed on whole.
    """

    def __init__(self, record: dict[str, Any], span_id: str | None) -> None:
        self._record = record
        self._span_id = span_id
        self._begun = False

    def pieces(self, answer: AnswerStream) -> Generator[Any, None, None]:
        """Yield the pieces of an answer."""
        try:
            with answer:
                for delta in answer:
                    if delta.raw is not None:
                        yield self._passed(delta.raw)
        finally:
            self._end(answer.trace)
        if not self._begun:
            yield self._whole(answer.trace)

    async def apieces(self, answer: AsyncAnswerStream) -> AsyncGenerator[Any, None]:
        """Yield the pieces of an answer."""
        try:
            async with answer:
                async for delta in answer:
                    if delta.raw is not None:
                        yield self._passed(delta.raw)
        finally:
            self._end(answer.trace)
        if not self._begun:
            yield self._whole(answer.trace)

    def _passed(self, piece: Any) -> Any:
        self._begun = True
        return stamped(piece, self._record)

    def _end(self, trace: Trace) -> None:
        self._record.update(record_of(trace))
        tell(trace, self._record, self._span_id)

    def _whole(self, trace: Trace) -> Any:
        output = stamped(output_of(trace), self._record)
        if isinstance(output, ChatResponse):
            return output.model_copy(update={"delta": output.message.content or ""})
        return output.model_copy(update={"delta": output.text}) if isinstance(output, CompletionResponse) else output
