"""What the tests of the LangChain adapter share: clients of the replay server, and routers over them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import reduce
from operator import add
from typing import Any, TypeAlias

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI

from langchain_router import RouterLLM
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing.replay_server import Recorded, ReplayServer

PRICES = {"large": (10.0, 40.0), "medium": (2.0, 8.0), "small": (0.5, 1.5)}
"""US dollars a million input and output tokens."""

Client: TypeAlias = Callable[..., ChatOpenAI]
Build: TypeAlias = Callable[..., RouterLLM]
Ask: TypeAlias = Callable[..., Awaitable[Any]]


def answer(model: str, request: dict[str, Any]) -> Recorded:
    """Answer anything with the model's name and the number of messages."""
    return Recorded(text=f"{model} heard {len(request['messages'])} messages", input_tokens=11, output_tokens=7)


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    """Serve every model an answer to everything."""
    with ReplayServer({}, default=answer, prices=PRICES) as running:
        yield running


@pytest.fixture(scope="session")
async def connections() -> AsyncIterator[dict[str, Any]]:
    """Return the connections that all clients share; they are closed in the end."""
    async with httpx.AsyncClient() as later:
        with httpx.Client() as now:
            yield {"http_client": now, "http_async_client": later}


@pytest.fixture
def client(server: ReplayServer, connections: dict[str, Any]) -> Client:
    """Return a maker of clients that leave all retrying to the router."""

    def make(name: str, **settings: Any) -> ChatOpenAI:
        given = {"base_url": server.url, "api_key": "none", "stream_usage": True, "max_retries": 0}
        given |= {**connections, **settings}
        return ChatOpenAI(model=name, **given)

    return make


@pytest.fixture
def pool() -> ModelPool:
    """Return the three models with their prices."""
    return ModelPool(
        ModelSpec(name=name, price=Price(input_per_mtok=into, output_per_mtok=out))
        for name, (into, out) in PRICES.items()
    )


@pytest.fixture
def build(client: Client, pool: ModelPool) -> Build:
    """Return a maker of routers: "hard" questions go to the large model, all others to the small one."""

    def make(models: Mapping[str, BaseChatModel] | None = None, **settings: Any) -> RouterLLM:
        rules = (Rule(model="large", contains=("hard",)),)
        given = {"router": RulesRouter(pool=pool, default="small", rules=rules), **settings}
        return RouterLLM(models=models or {name: client(name) for name in PRICES}, **given)

    return make


@pytest.fixture
def ask() -> Ask:
    """Return a way to call a model as one of "invoke", "ainvoke", "stream" and "astream", chunks added up.

    Chunks are put into `seen` as they come, so that they are there also when the stream breaks.
    """

    async def asking(
        llm: Any, way: str, given: Any, config: RunnableConfig | None = None, *, seen: list[Any] | None = None
    ) -> Any:
        if way == "invoke":
            return llm.invoke(given, config)
        if way == "ainvoke":
            return await llm.ainvoke(given, config)
        chunks = [] if seen is None else seen
        if way == "stream":
            for chunk in llm.stream(given, config):
                chunks.append(chunk)
        else:
            async for chunk in llm.astream(given, config):
                chunks.append(chunk)
        return reduce(add, chunks)

    return asking
