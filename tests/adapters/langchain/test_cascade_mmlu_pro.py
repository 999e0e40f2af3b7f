"""A learnt cascade over HTTP: quality and dollars at each of its settings are those of the offline curve, call by call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_openai import ChatOpenAI

from langchain_router import RouterLLM
from pointsman.confidence.learned import LearnedConfidence
from pointsman.data import RoutingDataset
from pointsman.evaluation.outcomes import Outcomes
from pointsman.evaluation.replay import simulate, simulate_sweep
from pointsman.features.lexical import Lexical
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.routers.cascade import Cascade
from pointsman.testing.replay_server import ReplayServer

ORDER = ("mathstral-7B", "Meta-Llama-3_1-8B-Instruct", "Meta-Llama-3_1-70B-Instruct")
LEARNT, ASKED = 400, 30


@dataclass(frozen=True)
class World:
    """A fitted cascade, the questions that it is asked, their right letters, and who answers them."""

    router: Cascade
    asked: RoutingDataset
    gold: list[str]
    server: ReplayServer
    llm: RouterLLM


def read(folder: Path) -> tuple[RoutingDataset, list[str]]:
    """Return outcomes of the three models on some questions, every one of which has its own text, and the right letters."""
    parquet = pytest.importorskip("pyarrow.parquet")
    texts: dict[str, dict[str, Any]] = {}
    for row in parquet.read_table(folder / "queries.parquet", columns=["query_id", "text", "gold"]).to_pylist():
        texts.setdefault(row["text"], row)
    chosen = {row["query_id"]: row for row in list(texts.values())[: LEARNT + ASKED]}
    table = parquet.read_table(folder / "outcomes.parquet", filters=[("model", "in", list(ORDER))])
    columns = ("query_id", "model", "quality", "input_tokens", "output_tokens", "cost_usd", "answer")
    rows = [
        {name: row[name] for name in columns} | {"text": chosen[row["query_id"]]["text"]}
        for row in table.select(list(columns)).to_pylist()
        if row["query_id"] in chosen
    ]
    data = RoutingDataset.from_rows(rows).only(ORDER)
    return data, [chosen[name]["gold"] for name in data.queries.ids]


def prices(data: RoutingDataset) -> dict[str, tuple[float, float]]:
    """Return dollars a million (input, output) tokens, solved from what calls cost."""
    assert data.input_tokens is not None
    assert data.output_tokens is not None
    found = {}
    for column, name in enumerate(data.models):
        tokens = np.column_stack([data.input_tokens[:, column], data.output_tokens[:, column]])
        rates, *_ = np.linalg.lstsq(tokens, data.cost_usd[:, column], rcond=None)
        into, out = np.round(rates * 1e6, 9).tolist()
        found[name] = (into, out)
    return found


@pytest.fixture(scope="module")
def world(outcome_data: Path) -> Iterator[World]:
    """Fit a cascade on some questions, and serve others."""
    data, gold = read(outcome_data / "mmlu_pro")
    rates = prices(data)
    specs = [ModelSpec(name=n, price=Price(input_per_mtok=i, output_per_mtok=o)) for n, (i, o) in rates.items()]
    data = replace(data, pool=ModelPool(specs))
    confidence = LearnedConfidence(features=Lexical(bits=10, components=8))
    router = Cascade(order=ORDER, confidence=confidence, keep=0.95, folds=3).fit(data.take(range(LEARNT)))
    asked = data.take(range(LEARNT, LEARNT + ASKED))
    assert asked.answers is not None
    with ReplayServer.from_outcomes(
        asked.queries.texts, asked.models, asked.answers, asked.input_tokens, asked.output_tokens, prices=rates
    ) as server:
        models = {
            name: ChatOpenAI(model=name, base_url=server.url, api_key="none", stream_usage=True, max_retries=0)
            for name in ORDER
        }
        yield World(router, asked, gold[LEARNT:], server, RouterLLM(models=models, router=router))


def check_is_offline(world: World, messages: list[Any], offline: Outcomes, charged: float) -> None:
    """See that every answer, its score, its cost and all calls are those of the simulation, and what the server charged."""
    records = [message.response_metadata["router"] for message in messages]
    assert [record["model"] for record in records] == [world.asked.models[i] for i in offline.model]
    scored = [float(message.text == right) for message, right in zip(messages, world.gold, strict=True)]
    assert scored == offline.quality.tolist()
    np.testing.assert_allclose([record["cost_usd"] for record in records], offline.cost_usd, rtol=1e-9)
    assert sum(record["cost_usd"] for record in records) == pytest.approx(charged, abs=1e-12)


def test_every_setting_reproduces_the_curve(world: World) -> None:
    """At the learnt setting and along the curve, RouterLLM's messages score and cost what simulating them does."""
    curve = world.router.points(world.asked.queries)
    points = [curve[1], curve[len(curve) // 2], curve[-1]]
    offline = [simulate(world.router, world.asked), *simulate_sweep(world.router, world.asked, points)]
    for point, expected in zip([None, *points], offline, strict=True):
        before, calls = world.server.cost_usd(), len(world.server.ledger)
        config = {} if point is None else {"configurable": {"operating_point": point}}
        messages = [world.llm.invoke(text, config) for text in world.asked.queries.texts]  # type: ignore[arg-type]
        check_is_offline(world, messages, expected, world.server.cost_usd() - before)
        assert len(world.server.ledger) - calls == expected.calls.sum()
    costs = [found.cost_usd.mean() for found in offline[1:]]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


def test_streams_are_the_same(world: World) -> None:
    """Streamed, answers, scores and dollars are the same, and only the last model's answer comes in pieces."""
    before, calls = world.server.cost_usd(), len(world.server.ledger)
    messages = [reduce(add, world.llm.stream(text)) for text in world.asked.queries.texts]
    check_is_offline(world, messages, simulate(world.router, world.asked), world.server.cost_usd() - before)
    streamed = {entry.model for entry in world.server.ledger[calls:] if entry.streamed}
    assert streamed <= {world.router.course().rungs[-1]}
