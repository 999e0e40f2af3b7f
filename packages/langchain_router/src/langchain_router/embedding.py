"""Embedding: LangChain's embeddings as the embedder that a router's plan asks for, and as the vectors it learns from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from langchain_core.embeddings import Embeddings

from langchain_router.failures import call_error
from pointsman.dispatch import named_embedder
from pointsman.flow import Vectors
from pointsman.types import Embed

__all__ = ["aembedded", "embedded"]


def embedded(embedders: Mapping[str, Embeddings], effect: Embed) -> Vectors:
    """Return the vectors that a plan asks for.

    Texts go through `embed_documents`, for one question too, so that what a router sees is what it learnt from.

    Raises:
        ConfigError: If there is no embedder of that name.
        CallError: If the embedder's provider fails.
    """
    embedder: Embeddings = named_embedder(embedders, effect.embedder)
    with _outcome(effect):
        return _vectors(embedder.embed_documents(list(effect.texts)))


async def aembedded(embedders: Mapping[str, Embeddings], effect: Embed) -> Vectors:
    """Do as `embedded`, awaiting."""
    embedder: Embeddings = named_embedder(embedders, effect.embedder)
    with _outcome(effect):
        return _vectors(await embedder.aembed_documents(list(effect.texts)))


@contextmanager
def _outcome(effect: Embed) -> Iterator[None]:
    """Make a provider's error an outcome of the plan's; a bug propagates."""
    try:
        yield
    except Exception as error:
        failure = call_error(effect.embedder, error)
        if failure is None:
            raise
        raise failure from error


def _vectors(rows: Sequence[Sequence[float]]) -> Vectors:
    return tuple(tuple(map(float, row)) for row in rows)
