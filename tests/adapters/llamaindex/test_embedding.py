"""Embedding: a router fitted on a LlamaIndex model's vectors decides on that model's vectors, in calls and in selections."""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llama_index.llms.openai_like", reason="llama-index is not installed")

from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import ToolMetadata

import llamaindex_router.embedding
import llamaindex_router.per_call
from llamaindex_router import Embedder, RouterSelector
from pointsman import EstimatedRouter, RoutingDataset
from pointsman.errors import ConfigError
from pointsman.estimators.nearest import Nearest
from pointsman.features.embedding import Embedding
from pointsman.policies.utility import Utility
from pointsman.types import Trace

TEXTS = [f"{kind} number {i}" for i in range(12) for kind in ("sum", "proof")]


class Kinds(BaseEmbedding):
    """Sees whether a text is about proofs; a query's vector, unlike a text's, says nothing."""

    asked: list[str] = []  # noqa: RUF012 - pydantic copies it

    def _get_text_embedding(self, text: str) -> list[float]:
        self.asked.append(text)
        return [1.0, 0.0] if "proof" in text else [0.0, 1.0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return [0.0, 0.0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return [0.0, 0.0]


def fitted() -> EstimatedRouter:
    """Return a router that has learnt from vectors that only the large model proves."""
    proofs = [float("proof" in text) for text in TEXTS]
    data = RoutingDataset.from_arrays(
        TEXTS,
        {"small": [1.0 - proof for proof in proofs], "large": [1.0] * len(TEXTS)},
        {"small": [0.001] * len(TEXTS), "large": [0.01] * len(TEXTS)},
        embeddings=Embedder(Kinds())(TEXTS),
    )
    estimator = Nearest(k=5, features=Embedding())
    return EstimatedRouter(estimator=estimator, policy=Utility(cost_weight=10.0), embedder="kinds").fit(data)


@pytest.mark.parametrize("way", ["sync", "async", "stream", "astream"])
async def test_a_learned_router_decides_on_vectors(build: Any, ask: Any, client: Any, way: str) -> None:
    """The candidates are chosen by the vector of the question, which is embedded once for each call."""
    kinds, traces = Kinds(), list[Trace]()
    models = {name: client(name) for name in ("small", "large")}
    llm = build(models, router=fitted(), embedders={"kinds": kinds}, observers=[traces.append])
    for question, model in (("a sum", "small"), ("a proof", "large")):
        response = await ask(llm, way, [ChatMessage(content=question)])
        assert response.additional_kwargs["router"]["model"] == model
    assert kinds.asked == ["a sum", "a proof"]
    assert all(trace.decisions[0].estimates["small"].quality is not None for trace in traces)


async def test_a_selector_decides_on_vectors() -> None:
    """A selection asks for the vector as a call does, where the bundle brings none, and calls no model."""
    kinds = Kinds()
    selector = RouterSelector(fitted(), embedders={"kinds": kinds})
    choices = [ToolMetadata(name=name, description="") for name in ("small", "large")]
    assert selector.select(choices, "a proof").ind == 1
    assert (await selector.aselect(choices, "a sum")).ind == 0
    assert kinds.asked == ["a proof", "a sum"]
    with pytest.raises(ConfigError, match="asks for the embedder 'kinds'; embedders has 'other'"):
        RouterSelector(fitted(), embedders={"other": kinds}).select(choices, "a proof")


async def test_vectors_are_arrays() -> None:
    """Texts become an array of floats, called or awaited."""
    embed = Embedder(Kinds())
    rows = embed(["a proof", "a sum"])
    assert rows.dtype == np.float64
    assert rows.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert np.array_equal(await embed.aembed(["a proof", "a sum"]), rows)


@pytest.mark.parametrize("module", [llamaindex_router.embedding, llamaindex_router.per_call])
def test_the_docstrings_run(module: Any) -> None:
    """The examples are true."""
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted > 0
