"""Candidates that answer from a script, for the tests of collecting."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping

import pytest

from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.types import Call, CallError, Query, Response, Usage


class Candidates:
    """Every model answers "<model>: <text>", or what it is told to; failures come first, in order.

    A call costs one dollar: its model's price is a dollar a call.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.sent: list[Call] = []
        self.answers: dict[str, Callable[[str], str]] = {}
        self.failures: dict[str, list[CallError]] = {}
        self.under_way: Counter[str] = Counter()
        self.most_at_once = 0
        self.pause_s = 0.0

    async def __call__(self, call: Call, query: Query) -> Response:
        """Answer after giving way to others."""
        self.calls.append((call.model, query.id))
        self.sent.append(call)
        self.under_way[call.model] += 1
        self.most_at_once = max(self.most_at_once, self.under_way.total())
        try:
            await asyncio.sleep(self.pause_s)
        finally:
            self.under_way[call.model] -= 1
        if self.failures.get(call.model):
            raise self.failures[call.model].pop(0)
        answer = self.answers.get(call.model, lambda text: f"{call.model}: {text}")
        return Response(model=call.model, text=answer(query.text), usage=Usage(input_tokens=3, output_tokens=2))

    def all_for(self, pool: Mapping[str, ModelSpec]) -> dict[str, Candidates]:
        """Return this as the caller of every model."""
        return dict.fromkeys(pool, self)


@pytest.fixture
def candidates() -> Candidates:
    """Return candidates that answer everything."""
    return Candidates()


def priced(*names: str) -> ModelPool:
    """Return models that charge a dollar a call."""
    price = Price(input_per_mtok=0, output_per_mtok=0, per_call_usd=1)
    return ModelPool(ModelSpec(name=name, price=price) for name in names)


@pytest.fixture
def pool() -> ModelPool:
    """Return two models that charge a dollar a call."""
    return priced("large", "small")
