"""One routed call: performs the effects of a plan by calling the candidates, who tell of each call themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Any, Self

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.llms.llm import LLM
from numpy.typing import NDArray

from llamaindex_router.asking import Asked
from llamaindex_router.conversation import to_llamaindex
from llamaindex_router.embedding import Embedder
from llamaindex_router.failures import call_error
from llamaindex_router.replies import response_of, usage_of
from llamaindex_router.sessions import ToolCalls
from llamaindex_router.witness import Witness
from pointsman.dispatch import named_embedder
from pointsman.errors import ConfigError, choices
from pointsman.flow import Effect, Outcome, Vectors
from pointsman.types import Call, Embed, Response

__all__ = ["CandidateCall", "Exchange"]

_END: Any = object()
_UNWATCHED = nullcontext()


class CandidateCall:
    """One call of one candidate, in whichever way it is made; errors inside its `with` block become outcomes."""

    __slots__ = ("_args", "_endpoint", "_kwargs", "_llm", "_watching", "_witness", "model")

    def __init__(
        self,
        model: str,
        llm: LLM,
        endpoint: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        witness: Witness | None = None,
    ) -> None:
        self.model = model
        self._llm = llm
        self._endpoint = endpoint
        self._args = args
        self._kwargs = kwargs
        self._witness = witness
        self._watching = _UNWATCHED if witness is None else witness

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            failure = call_error(self.model, error, usage=self._witness.usage if self._witness is not None else None)
            if failure is not None:
                raise failure from error

    def invoke(self) -> Any:
        """Return what the candidate answers."""
        if self._witness is None:
            return getattr(self._llm, self._endpoint)(*self._args, **self._kwargs)
        with self._watching:
            return getattr(self._llm, self._endpoint)(*self._args, **self._kwargs)

    async def ainvoke(self) -> Any:
        """Return what the candidate answers."""
        with self._watching:
            return await self._named("a")(*self._args, **self._kwargs)

    def pieces(self) -> Iterator[Any]:
        """Yield what the candidate streams."""
        with self._watching:
            stream = self._named("stream_")(*self._args, **self._kwargs)
        try:
            if self._witness is None:
                yield from stream
                return
            while True:
                with self._watching:
                    piece = next(stream, _END)
                if piece is _END:
                    return
                yield piece
        finally:
            if (close := getattr(stream, "close", None)) is not None:
                close()

    async def apieces(self) -> AsyncIterator[Any]:
        """Yield what the candidate streams."""
        with self._watching:
            stream = await self._named("astream_")(*self._args, **self._kwargs)
        try:
            if self._witness is None:
                async for piece in stream:
                    yield piece
                return
            while True:
                with self._watching:
                    piece = await anext(stream, _END)
                if piece is _END:
                    return
                yield piece
        finally:
            if (close := getattr(stream, "aclose", None)) is not None:
                await close()

    def response(self, output: Any) -> Response:
        """Return what the candidate returned as the core's response."""
        usage = usage_of(output) if self._witness is None else self._witness.usage
        return response_of(self.model, output, usage)

    def _named(self, way: str) -> Any:
        return getattr(self._llm, way + self._endpoint)


class Exchange:
    """The candidates, what was asked, and who streams.

    Parameters:
        candidates: The LLMs by name.
        embedders: What computes the embeddings that a router may ask for, by name.
        asked: The call.
        calls: Where open tool calls are noted.
    """

    __slots__ = ("_tools", "asked", "calls", "candidates", "embedders", "record")

    def __init__(
        self,
        *,
        candidates: Mapping[str, LLM],
        embedders: Mapping[str, BaseEmbedding],
        asked: Asked,
        calls: ToolCalls,
    ) -> None:
        self.candidates = candidates
        self.embedders = embedders
        self.asked = asked
        self._tools = asked.tools
        self.calls = calls
        self.record: dict[str, Any] = {}

    def perform(self, effect: Effect) -> Outcome:
        """Call the candidate, or compute the embedding, that a plan asks for."""
        if isinstance(effect, Embed):
            return _vectors(Embedder(named_embedder(self.embedders, effect.embedder))(effect.texts))
        with self.prepare(effect) as call:
            return self.kept(call, call.invoke())

    async def aperform(self, effect: Effect) -> Outcome:
        """Do as `perform`, awaiting."""
        if isinstance(effect, Embed):
            return _vectors(await Embedder(named_embedder(self.embedders, effect.embedder)).aembed(effect.texts))
        with self.prepare(effect) as call:
            return self.kept(call, await call.ainvoke())

    def prepare(self, call: Call) -> CandidateCall:
        """Return the call of a candidate, ready to be made; the record names who streams.

        Messages of the plan's own, such as a judge's, are sent as they are; the user's go with their options and tools.
        """
        llm = self.candidates.get(call.model)
        if llm is None:
            raise ConfigError(f"The router chose {call.model!r}, but the candidates are {choices(self.candidates)}.")
        if call.messages is not None:
            return CandidateCall(call.model, llm, "chat", (to_llamaindex(call.messages),), call.params)
        if call.stream:
            self.record["model"] = call.model
        witness = Witness() if self.asked.structured else None
        return CandidateCall(call.model, llm, *self.asked.arguments(llm, call.params), witness=witness)

    def kept(self, call: CandidateCall, output: Any) -> Response:
        """Return a candidate's output as the core's response, its tool calls noted."""
        if self._tools:
            self.calls.keep(call.model, self.candidates[call.model], output)
        return call.response(output)


def _vectors(rows: NDArray[np.float64]) -> Vectors:
    return tuple(map(tuple, rows.tolist()))
