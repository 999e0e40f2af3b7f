"""LangChain's embeddings as a router's embedder: it learns from their vectors and asks for them when it decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.messages import HumanMessage

from langchain_router import RouteRunnable
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError
from pointsman.estimators.nearest import Nearest
from pointsman.features.embedding import Embedding
from pointsman.models import ModelPool
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.testing.replay_server import ReplayServer
from pointsman.types import Trace

WAYS = ("invoke", "ainvoke", "stream", "astream")


class Letters(Embeddings):
    """Counts letters; notes how it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Count letters."""
        self.asked.append("sync")
        return [[text.count("x"), text.count("o"), 1.0] for text in texts]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Count letters."""
        vectors = self.embed_documents(texts)
        self.asked[-1] = "async"
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Raise: questions are embedded as the router learnt them."""
        raise AssertionError(text)


class Down(Letters):
    """An embedder whose provider does not answer."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Time out."""
        raise TimeoutError("no answer")


@pytest.fixture
def router(pool: ModelPool) -> EstimatedRouter:
    """Return a router that has learnt that the large model is for texts of x, and the small one does for texts of o."""
    texts = ["x" * i for i in range(1, 13)] + ["o" * i for i in range(1, 13)]
    ones, zeros = [1.0] * 12, [0.0] * 12
    dataset = RoutingDataset.from_arrays(
        texts,
        {"large": ones + ones, "medium": zeros + ones, "small": zeros + ones},
        {"large": [0.003] * 24, "medium": [0.002] * 24, "small": [0.001] * 24},
        pool=pool,
        embeddings=np.array(Letters().embed_documents(texts)),
    )
    nearest = Nearest(features=Embedding(), k=3)
    return EstimatedRouter(estimator=nearest, policy=Utility(cost_weight=10.0), embedder="letters").fit(dataset)


@pytest.mark.parametrize("way", WAYS)
async def test_router_sees_the_vectors_it_learnt_from(
    router: EstimatedRouter, build: Any, ask: Any, server: ReplayServer, way: str
) -> None:
    """A router whose plan asks for a vector gets it, awaited where the call is, and decides by it."""
    letters, traces = Letters(), list[Trace]()
    llm = build(router=router, embedders={"letters": letters}, observers=[traces.append])
    for text, model in (("xxxx", "large"), ("oooo", "small")):
        assert (await ask(llm, way, text)).response_metadata["router"]["model"] == model
    assert [entry.model for entry in server.ledger] == ["large", "small"]
    assert set(letters.asked) == {"async" if way.startswith("a") else "sync"}
    assert traces[0].cost_usd == pytest.approx(sum(step.cost_usd or 0 for step in traces[0].steps))


async def test_embedders_of_the_others(router: EstimatedRouter, client: Any, server: ReplayServer) -> None:
    """RouteRunnable and RouterMiddleware take embedders as well."""
    embedders = {"letters": Letters()}
    routes: dict[str, Callable[[str], str]] = dict.fromkeys(router.models, str.upper)
    assert RouteRunnable(routes=routes, router=router, embedders=embedders).invoke("xxxx") == "XXXX"
    agents = pytest.importorskip("langchain.agents")
    from langchain_router import RouterMiddleware

    models = {name: client(name) for name in router.models}
    made = RouterMiddleware(models=models, router=router, embedders=embedders)
    agent = agents.create_agent(client("own"), [], middleware=[made])
    await agent.ainvoke({"messages": [HumanMessage("xxxx")]})
    assert [entry.model for entry in server.ledger] == ["large"]


@pytest.mark.parametrize("way", WAYS)
async def test_embedder_that_fails(
    router: EstimatedRouter, build: Any, ask: Any, server: ReplayServer, way: str
) -> None:
    """The embedding provider's own error is raised, and nobody is asked; a missing embedder is named."""
    with pytest.raises(TimeoutError, match="no answer"):
        await ask(build(router=router, embedders={"letters": Down()}), way, "xxxx")
    with pytest.raises(ConfigError, match="asks for the embedder 'letters'; embedders has none"):
        await ask(build(router=router), way, "xxxx")
    assert server.ledger == ()
