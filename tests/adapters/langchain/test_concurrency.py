"""Many at once: every answer, decision, usage and cost belongs to the question it was for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from pointsman.models import ModelPool
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing.replay_server import Recorded, ReplayServer
from pointsman.types import Trace

CALLS = 500
PRICES = {"large": (10.0, 40.0), "medium": (2.0, 8.0), "small": (0.5, 1.5)}


def question(i: int) -> str:
    """Return a question that says what it will use; every third one is hard."""
    return f"{'hard' if i % 3 == 0 else 'easy'} {i}"


def echo(model: str, request: dict[str, Any]) -> Recorded:
    """Answer with the question, and use as many tokens as it says."""
    text = request["messages"][-1]["content"]
    return Recorded(text=f"{model}: {text}", input_tokens=int(text.split()[1]) + 1, output_tokens=3)


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    """Serve echoes."""
    with ReplayServer({}, default=echo, prices=PRICES) as running:
        yield running


@pytest.fixture
async def client(server: ReplayServer) -> AsyncIterator[Callable[[str], ChatOpenAI]]:
    """Return a maker of clients that share a few connections, which are closed in the end."""
    few, patient = httpx.Limits(max_connections=48), httpx.Timeout(120.0)
    async with httpx.AsyncClient(limits=few, timeout=patient) as later:
        with httpx.Client(limits=few, timeout=patient) as now:

            def make(name: str) -> ChatOpenAI:
                settings: Any = {"base_url": server.url, "api_key": "none", "stream_usage": True, "max_retries": 0}
                return ChatOpenAI(model=name, http_client=now, http_async_client=later, **settings)

            yield make


def check(i: int, message: Any, record: dict[str, Any]) -> None:
    """Hold one answer against what its question alone explains."""
    model = "large" if i % 3 == 0 else "small"
    into, out = PRICES[model]
    assert message.text == f"{model}: {question(i)}"
    assert (record["model"], record["tried"]) == (model, [model])
    assert message.usage_metadata["input_tokens"] == record["total_usage"]["input_tokens"] == i + 1
    assert record["cost_usd"] == pytest.approx(((i + 1) * into + 3 * out) / 1e6)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", ["tasks", "threads", "streams"])
async def test_nothing_is_mixed_up(build: Any, server: ReplayServer, way: str) -> None:
    """Of 500 calls at once, in tasks, in threads or streamed, each has its own answer, decision, usage, cost and trace."""
    traces: list[Trace] = []
    llm = build(observers=[traces.append])
    if way == "tasks":
        messages = await asyncio.gather(*(llm.ainvoke(question(i)) for i in range(CALLS)))
    elif way == "threads":
        with ThreadPoolExecutor(max_workers=32) as threads:
            messages = list(threads.map(llm.invoke, map(question, range(CALLS))))
    else:
        messages = await asyncio.gather(*(_streamed(llm, question(i)) for i in range(CALLS)))
    for i, message in enumerate(messages):
        check(i, message, message.response_metadata["router"])
    records = [message.response_metadata["router"] for message in messages]
    assert len({record["trace_id"] for record in records} & {trace.id for trace in traces}) == CALLS
    by_id = {trace.id: trace for trace in traces}
    assert [by_id[record["trace_id"]].query.text for record in records] == [question(i) for i in range(CALLS)]
    assert Counter(entry.model for entry in server.ledger) == {"large": 167, "small": 333}
    assert sum(record["cost_usd"] for record in records) == pytest.approx(server.cost_usd())


async def _streamed(llm: Any, text: str) -> Any:
    whole: Any = None
    async for chunk in llm.astream(text):
        whole = chunk if whole is None else whole + chunk
    return whole


async def test_agents_are_not_mixed_up(client: Any, pool: ModelPool, server: ReplayServer) -> None:
    """A hundred runs of one agent at once keep their records apart, and feedback finds the right ones."""
    agents = pytest.importorskip("langchain.agents")
    from langchain_router import RouterMiddleware

    router = RulesRouter(pool=pool, default="small", rules=(Rule(model="large", contains=("hard",)),))
    made = RouterMiddleware(models={name: client(name) for name in pool}, router=router)
    agent = agents.create_agent(client("own"), [], middleware=[made])
    states = await asyncio.gather(*(agent.ainvoke({"messages": [HumanMessage(question(i))]}) for i in range(100)))
    for i, state in enumerate(states):
        [record] = state["router_log"]
        check(i, state["messages"][-1], record)
        assert made.feedback.decisions(record["run_id"]) == ((record["trace_id"], record["model"]),)
    assert len(server.ledger) == 100
