"""From recorded outcomes to a chain in another process: quality and dollars are those of the offline evaluation, exactly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from one_artefact import priced

from pointsman.artifacts import save
from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import grouped_split
from pointsman.estimators.linear import Linear
from pointsman.features.lexical import Lexical
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.testing.replay_server import ReplayServer

QUESTIONS = 500
COST_WEIGHT = 250.0
"""Quality a US dollar is worth: a point of quality costs 40 cents for a thousand questions."""

PROGRAM = Path(__file__).parent / "mmlu_pro_chain.py"


@dataclass(frozen=True)
class Run:
    """What the chain did, beside what the recorded outcomes say of the same decisions."""

    chosen: list[str]
    quality: NDArray[np.float64]
    cost_usd: NDArray[np.float64]
    gold: list[str]
    prices: dict[str, tuple[float, float]]
    online: dict[str, Any]
    server: ReplayServer


@pytest.fixture(scope="module")
def run(outcome_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Fit, save, and let another process answer 500 held-out questions over the replay server."""
    path = outcome_data / "mmlu_pro"
    data = priced(RoutingDataset.read(path, embeddings=None))
    train, held_out = grouped_split(data, (0.7, 0.3))
    policy = Utility(cost_weight=COST_WEIGHT)
    router = EstimatedRouter(estimator=Linear(features=Lexical()), policy=policy).fit(train)
    artifact = save(router, tmp_path_factory.mktemp("router") / "mmlu_pro.pointsman")

    times = Counter(data.queries.texts)
    once = [row for row, text in enumerate(held_out.queries.texts) if times[text] == 1]
    asked = held_out.take(np.array(once[:QUESTIONS]))
    assert data.pool is not None
    prices = {n: (s.price.input_per_mtok, s.price.output_per_mtok) for n, s in data.pool.items() if s.price is not None}
    assert asked.answers is not None
    with ReplayServer.from_outcomes(
        asked.queries.texts, asked.models, asked.answers, asked.input_tokens, asked.output_tokens, prices=prices
    ) as server:
        questions = list(zip(asked.queries.ids, asked.queries.texts, strict=True))
        given = json.dumps({"artifact": str(artifact), "url": server.url, "questions": questions})
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, str(PROGRAM)], input=given, capture_output=True, text=True, timeout=300, check=False
        )
    assert done.returncode == 0, done.stderr
    decisions = router.decide_many(asked.queries)
    rows = np.arange(len(asked))
    columns = [asked.models.index(name) for name in decisions.names]
    return Run(
        chosen=decisions.names,
        quality=asked.quality[rows, columns],
        cost_usd=asked.cost_usd[rows, columns],
        gold=[gold_of(path)[id_] for id_ in asked.queries.ids],
        prices=prices,
        online=json.loads(done.stdout),
        server=server,
    )


def gold_of(path: Path) -> dict[str, str]:
    """Return the right letter of each question."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(path / "queries.parquet", columns=["query_id", "gold"])
    return dict(zip(table["query_id"].to_pylist(), table["gold"].to_pylist(), strict=True))


def test_decisions_are_the_same_and_spread(run: Run) -> None:
    """The saved router decides in another process as it does here, and sends questions to several models."""
    assert [model for model, _ in run.online["rows"]] == run.chosen
    shares = Counter(run.chosen)
    assert len(run.chosen) == QUESTIONS
    assert sum(count >= 10 for count in shares.values()) >= 3, shares
    assert not run.online["sklearn"]


def test_quality_is_the_offline_quality(run: Run) -> None:
    """The letters that come out of the parser score what the outcomes say, question by question."""
    scored = [float(answer == gold) for answer, gold in zip(run.online["answers"], run.gold, strict=True)]
    assert scored == run.quality.tolist()
    assert 0.5 < np.mean(scored) < 0.9


def test_dollars_are_the_offline_dollars(run: Run) -> None:
    """What each trace says it cost is what the outcomes say, and the sum is right to a billionth of a dollar."""
    np.testing.assert_allclose([cost for _, cost in run.online["rows"]], run.cost_usd, rtol=1e-9, atol=0)
    assert sum(cost for _, cost in run.online["rows"]) == pytest.approx(run.cost_usd.sum(), abs=1e-9)


def test_server_charges_the_same(run: Run) -> None:
    """The server has served exactly these calls, and charged exactly this money."""
    assert [entry.model for entry in run.server.ledger] == run.chosen
    assert run.server.cost_usd() == pytest.approx(run.cost_usd.sum(), abs=1e-9)


def test_langchain_counts_the_same(run: Run) -> None:
    """LangChain's own callback, times the prices, is the same money, model by model."""
    for model, counted in run.online["counted"].items():
        into, out = run.prices[model]
        dollars = (counted["input_tokens"] * into + counted["output_tokens"] * out) / 1e6
        mine = [cost for name, cost in zip(run.chosen, run.cost_usd.tolist(), strict=True) if name == model]
        assert dollars == pytest.approx(sum(mine), abs=1e-9)
    assert set(run.online["counted"]) == set(run.chosen)
