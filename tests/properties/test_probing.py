"""Properties of collecting that hold whatever models cost, fail or are cut off."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.dispatch import Retry
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.probing import Attempt, Collection, Collector, Prompt, read_log
from pointsman.types import Call, CallError, Query, Response, Usage

MODELS = ("judge", "large", "small")
LIMIT = 20


class Erratic:
    """Answers, fails and dawdles as a list of numbers tells it, and adds up what it really charges."""

    def __init__(self, script: list[int], prices: dict[str, int]) -> None:
        self._script = script
        self._prices = prices
        self._turn = 0
        self.billed = 0

    async def __call__(self, call: Call, query: Query) -> Response:
        """Do what the script says, with at most the promised number of tokens."""
        number = self._script[self._turn % len(self._script)]
        self._turn += 1
        for _ in range(number % 4):
            await asyncio.sleep(0)
        if number % 5 == 0:
            raise CallError(call.model, "busy", retryable=number % 2 == 0)
        tokens = number % (LIMIT + 1)
        cost = tokens * self._prices[call.model]
        self.billed += cost
        if number % 7 == 0:
            raise CallError(call.model, "cut off", retryable=True, interrupted=True)
        usage = Usage(input_tokens=0, output_tokens=tokens)
        return Response(model=call.model, text='{"score": 1}' if number % 3 else "Hm.", usage=usage)


def collector(erratic: Erratic, prices: dict[str, int], log: Path, concurrency: int, **changes: Any) -> Collector:
    """Return a collector with a judge, whose calls are limited in length."""
    pool = ModelPool(
        ModelSpec(
            name=name,
            price=Price(input_per_mtok=0, output_per_mtok=price * 1e6),
            metadata={"params": {"max_tokens": LIMIT}},
        )
        for name, price in prices.items()
    )
    return Collector(
        pool=pool,
        scorer={"type": "judge", "model": "judge", "rubric": "Good?"},
        log=log,
        callers=dict.fromkeys(pool, erratic),
        concurrency=concurrency,
        retry=Retry(attempts=2, base_s=0),
        **changes,
    )


scripts = st.lists(st.integers(0, 999), min_size=1, max_size=30)
charges = st.fixed_dictionaries({name: st.integers(0, 3) for name in MODELS})


@settings(deadline=None, max_examples=60)
@given(
    script=scripts, prices=charges, budget=st.integers(0, 400), concurrency=st.integers(1, 6), count=st.integers(1, 6)
)
def test_the_budget_is_never_exceeded(
    script: list[int], prices: dict[str, int], budget: int, concurrency: int, count: int
) -> None:
    """Whatever the models charge up to their limit, over two runs, with judges, retries and calls whose cost never came."""
    erratic = Erratic(script, prices)
    prompts = [Prompt(id=str(i), text=f"{i}?") for i in range(count)]
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"

        async def twice() -> Collection:
            for _ in range(2):
                collection = await collector(erratic, prices, log, concurrency, budget_usd=budget).run(prompts)
            return collection

        collection = asyncio.run(twice())
        attempts = [entry for entry in read_log(log) if isinstance(entry, Attempt)]
    assert erratic.billed <= budget
    assert collection.progress.spent_usd <= erratic.billed
    assert collection.progress.unknown_calls == sum(entry.cost_usd is None for entry in attempts)


@settings(deadline=None, max_examples=60)
@given(script=scripts, prices=charges, stop=st.integers(0, 40), concurrency=st.integers(1, 6))
def test_a_run_cut_off_anywhere_is_taken_up_without_paying_twice(
    script: list[int], prices: dict[str, int], stop: int, concurrency: int
) -> None:
    """No cell is answered twice, every dollar that was billed is on record as spent or as unknown."""
    erratic = Erratic(script, prices)
    prompts = [Prompt(id=str(i), text=f"{i}?") for i in range(4)]
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"

        async def cut_off() -> None:
            run = asyncio.create_task(collector(erratic, prices, log, concurrency).run(prompts))
            for _ in range(stop):
                await asyncio.sleep(0)
            run.cancel()
            with suppress(asyncio.CancelledError):
                await run

        asyncio.run(cut_off())
        collection = asyncio.run(collector(erratic, prices, log, concurrency).run(prompts))
        attempts = [entry for entry in read_log(log) if isinstance(entry, Attempt)]
    answered = [entry.cell for entry in attempts if entry.purpose == "answer" and entry.answer is not None]
    assert len(answered) == len(set(answered)) == len(collection.rows)
    known = sum(entry.cost_usd for entry in attempts if entry.cost_usd is not None)
    assert known == collection.progress.spent_usd <= erratic.billed
    held = sum(entry.held_usd or 0 for entry in attempts if entry.cost_usd is None)
    assert erratic.billed <= known + held
