"""Money: what LangChain counts, what the trace says and what the server charges are the same dollars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.exceptions import OutputParserException
from pydantic import BaseModel, Field

from pointsman.budgets import Budget
from pointsman.models import ModelPool
from pointsman.routers.rules import RulesRouter
from pointsman.testing.replay_server import Fault, Recorded, ReplayServer
from pointsman.types import Trace

PRICES = {"large": (10.0, 40.0), "medium": (2.0, 8.0), "small": (0.5, 1.5)}
WAYS = ("invoke", "ainvoke", "stream", "astream")


def dollars(usage: Mapping[str, Mapping[str, Any]]) -> float:
    """Return what LangChain's own counts cost at the server's prices."""
    return sum(
        (count["input_tokens"] * PRICES[model][0] + count["output_tokens"] * PRICES[model][1]) / 1e6
        for model, count in usage.items()
    )


async def test_three_books_agree(build: Any, ask: Any, server: ReplayServer) -> None:
    """LangChain's usage callback times prices, the traces' cost and the server's ledger are one sum, fallbacks included."""
    traces: list[Trace] = []
    llm = build(observers=[traces.append])
    server.fail(Fault(model="small", status=429), Fault(model="large", status=500))
    with get_usage_metadata_callback() as counted:
        for way in WAYS:
            for question in ("easy", "hard", "easy again"):
                record = (await ask(llm, way, question)).response_metadata["router"]
                assert record["cost_usd"] == traces[-1].cost_usd
    assert len(server.ledger) == 14
    assert sum(trace.cost_usd or 0.0 for trace in traces) == pytest.approx(server.cost_usd(), abs=1e-15)
    assert dollars(counted.usage_metadata) == pytest.approx(server.cost_usd(), abs=1e-15)


def test_cached_and_reasoning_tokens_reach_the_trace(build: Any, client: Any) -> None:
    """Every kind of token that LangChain tells is in the trace's usage."""
    recorded = Recorded(text="Paris", input_tokens=20, output_tokens=9, cached_tokens=16, reasoning_tokens=7)
    traces: list[Trace] = []
    with ReplayServer({("small", "capital?"): recorded}) as server:
        models = {name: client(name, base_url=server.url) for name in PRICES}
        build(models, observers=[traces.append]).invoke("capital?")
    [step] = traces[0].steps
    usage = step.outcome.usage  # type: ignore[union-attr]
    assert (usage.input_tokens, usage.output_tokens) == (20, 9)
    assert (usage.cached_input_tokens, usage.reasoning_tokens) == (16, 7)


def test_cache_is_the_candidates(build: Any, client: Any, server: ReplayServer) -> None:
    """A candidate's cache holds one entry for one question, an answer from it costs nothing, and decisions are not frozen."""
    cache = InMemoryCache()
    llm = build({name: client(name, cache=cache) for name in PRICES})
    costs = [llm.invoke("easy").response_metadata["router"]["cost_usd"] for _ in range(3)]
    assert costs == [pytest.approx((11 * 0.5 + 7 * 1.5) / 1e6), 0.0, 0.0]
    assert len(cache._cache) == len(server.ledger) == 1
    pinned = llm.invoke("easy", model="large")
    assert pinned.response_metadata["router"]["model"] == "large"
    assert len(cache._cache) == len(server.ledger) == 2
    assert "router" not in str(cache._cache)


def test_unknown_price_is_unknown_cost(build: Any, client: Any) -> None:
    """Without a price the cost is None, and the tokens are known all the same."""
    models = {name: client(name) for name in PRICES}
    record = build(models, router=RulesRouter(pool=ModelPool(models), default="small")).invoke("hi")
    assert record.response_metadata["router"]["cost_usd"] is None
    assert record.response_metadata["router"]["total_usage"]["total_tokens"] == 18


def test_budget_is_what_was_spent(build: Any, server: ReplayServer) -> None:
    """A budget given to the router has paid exactly what the server charged."""
    budget = Budget(1.0)
    llm = build(budget=budget)
    for question in ("easy", "hard", "easy"):
        llm.invoke(question)
    assert budget.spent_usd == pytest.approx(server.cost_usd())
    assert budget.reserved_usd == 0.0


class Year(BaseModel):
    """A year that no answer of the server can be."""

    year: int = Field(description="a year", gt=5000)


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_answer_that_cannot_be_read_is_paid(build: Any, ask: Any, client: Any, way: str) -> None:
    """When only the parsing fails, the error is the parser's, the call is paid, and no other model is asked."""
    traces: list[Trace] = []
    recorded = Recorded(text='{"year": 7}', input_tokens=30, output_tokens=6)
    with ReplayServer({(name, "json: when?"): recorded for name in PRICES}, prices=PRICES) as server:
        llm = build({name: client(name, base_url=server.url) for name in PRICES}, observers=[traces.append])
        with pytest.raises(OutputParserException, match="greater than 5000"):
            await ask(llm.with_structured_output(Year, method="json_mode"), way, "json: when?")
        assert len(server.ledger) == 1
        assert [step.cost_usd for trace in traces for step in trace.steps] == [pytest.approx(server.cost_usd())]
