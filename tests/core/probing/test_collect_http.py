"""Collecting over real HTTP, from a server that replays recorded answers and fails on demand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pointsman.dispatch import Retry
from pointsman.models import ModelPool
from pointsman.probing import Collector, Prompt
from pointsman.testing.replay_server import Fault, Recorded, ReplayServer

pytest.importorskip("httpx", reason="calling over HTTP needs the extra 'http'")

TEXTS = [f"What is {i} + {i}?" for i in range(12)]
PROMPTS = [Prompt(text=text, references=(str(2 * i),)) for i, text in enumerate(TEXTS)]


def serving(**options: Any) -> ReplayServer:
    """Return a server with a model that adds, one that always says 4, and one that judges."""
    answers = {
        ("large", text): Recorded(text=f"It is {2 * i}.", input_tokens=10, output_tokens=5)
        for i, text in enumerate(TEXTS)
    }
    answers |= {("small", text): Recorded(text="4", input_tokens=10, output_tokens=1) for text in TEXTS}

    def judge(_: str, body: dict[str, Any]) -> Recorded:
        return Recorded(
            text=f'{{"score": {int("It is" in body["messages"][-1]["content"])}}}', input_tokens=50, output_tokens=9
        )

    return ReplayServer(
        answers, default=judge, prices={"large": (2, 10), "small": (0.1, 0.4), "judge": (1, 4)}, **options
    )


def models(url: str, *names: str) -> ModelPool:
    """Return models behind this endpoint, at the server's prices."""
    rates = {"large": (2, 10), "small": (0.1, 0.4), "judge": (1, 4)}
    return ModelPool.of(
        [
            {
                "name": name,
                "price": {"input_per_mtok": rates[name][0], "output_per_mtok": rates[name][1]},
                "metadata": {"endpoint": url, "timeout_s": 5.0},
            }
            for name in names
        ]
    )


async def test_real_requests_fill_the_table_and_the_books_agree(tmp_path: Path) -> None:
    """Answers, scores and dollars are those of the server, to the cent."""
    with serving() as server:
        collection = await Collector(
            pool=models(server.url, "large", "small"), scorer="numeric", log=tmp_path / "log.jsonl"
        ).run(PROMPTS)
        billed = server.cost_usd()
    data = collection.dataset()
    assert data.mean_quality.tolist() == [1, pytest.approx(1 / 12)]
    assert collection.progress.spent_usd == pytest.approx(billed)
    assert data.cost_usd.sum() == pytest.approx(billed)


async def test_faults_on_the_way_lose_nothing(tmp_path: Path) -> None:
    """Overload, errors and dropped connections are tried again; each request reached the server's books or ours as failed."""
    faults = [
        Fault(status=429, retry_after=0.01, count=3),
        Fault(status=503, count=2),
        Fault(drop=True, count=1, model="small"),
    ]
    with serving(faults=faults) as server:
        collection = await Collector(
            pool=models(server.url, "large", "small"),
            scorer="numeric",
            log=tmp_path / "log.jsonl",
            retry=Retry(attempts=8, base_s=0.001),
            concurrency=4,
        ).run(PROMPTS)
        billed, requests = server.cost_usd(), len(server.ledger)
    assert collection.complete
    assert requests == 24 + 6
    assert collection.progress.spent_usd == pytest.approx(billed)
    assert collection.progress.unknown_calls == 1


async def test_a_judge_over_http_is_billed_as_the_server_says(tmp_path: Path) -> None:
    """The sum of answers and judgements is what the server charged."""
    with serving() as server:
        collection = await Collector(
            pool=models(server.url, "large", "small", "judge"),
            scorer={"type": "judge", "model": "judge", "rubric": "Is it a sentence?"},
            log=tmp_path / "log.jsonl",
        ).run(PROMPTS[:3])
        billed = server.cost_usd()
    assert collection.dataset().mean_quality.tolist() == [1, 0]
    assert collection.progress.spent_usd == pytest.approx(billed)


async def test_a_wrong_name_is_given_up_and_the_rest_collected(tmp_path: Path) -> None:
    """A model that the endpoint does not know costs a few refusals."""
    with serving(faults=[Fault(status=404, model="small", count=None)]) as server:
        collection = await Collector(
            pool=models(server.url, "large", "small"),
            scorer="numeric",
            log=tmp_path / "log.jsonl",
            concurrency=1,
            give_up_after=2,
        ).run(PROMPTS)
        refusals = sum(entry.status == 404 for entry in server.ledger)
    assert set(collection.given_up) == {"small"}
    assert refusals == 2
    assert collection.dataset().mean_quality.tolist() == [1]
