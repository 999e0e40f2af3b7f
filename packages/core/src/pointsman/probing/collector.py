"""The collector: fills a table of outcomes by asking every candidate every prompt, and takes up where it was stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pointsman.budgets import Budget
from pointsman.callers.base import Caller
from pointsman.callers.resolving import callers_of
from pointsman.dispatch.retry import Retry
from pointsman.errors import ConfigError, DataError, choices
from pointsman.models import ModelPool
from pointsman.pricing import PriceTable
from pointsman.probing.books import Books
from pointsman.probing.collection import Collection, Progress
from pointsman.probing.filling import Filling
from pointsman.probing.log import Attempt, Cell, Log, read_log
from pointsman.probing.pace import Pace
from pointsman.probing.paid_calls import PaidCalls
from pointsman.probing.prompts import Prompt, read_prompts
from pointsman.probing.purse import Purse
from pointsman.probing.request import Request
from pointsman.probing.scoring import Scorer, scorer_of

__all__ = ["Collector", "collect"]

_RETRY = Retry(attempts=4, base_s=1.0)


@dataclass(frozen=True, kw_only=True)
class Collector:
    """Asks models prompts and scores their answers, at a pace, within a budget, and so that nothing is paid for twice.

    Every attempt and every score is appended to the log at once. A later run with the same log makes only the calls that
    are missing; with another scorer it scores the answers at hand again. A run that is cancelled puts the calls under way
    on record as interrupted.

    Parameters:
        pool: The candidates, and the judge if there is one.
        scorer: What an answer is worth: a Scorer, or what `scorer_of` makes one of.
        log: A file of JSON lines.
        models: The candidates; by default all models of the pool but the scorer's.
        callers: Who calls a model, where its metadata do not say it.
        runs: How often each model answers each prompt.
        concurrency: Calls under way at once, at most.
        per_minute: Calls a minute by model; by default what its metadata say under "requests_per_minute".
        budget_usd: The most to spend over all runs of this log, judges and retries included. A call is made only if its
            worst case fits: up to "max_tokens" of output where that is set, else a usual length. A call whose cost never
            arrives counts as its worst case.
        allow_unknown_cost: Spend under a budget on models whose price is unknown; they count as nothing.
        prices: Who knows the prices of models that have none of their own.
        retry: When a failed call is tried again.
        params: Parameters of every answering call, such as `{"max_tokens": 512}`.
        system: A system message before every prompt.
        give_up_after: Failures in a row after which a model is called no more in this run.
        on_progress: Is told after every cell.

    Raises:
        ConfigError: On a bad value, or a model that the pool does not have.
    """

    pool: ModelPool
    scorer: Scorer | str | Mapping[str, Any]
    log: Path | str
    models: Sequence[str] | None = None
    callers: Mapping[str, Caller] = field(default_factory=dict)
    runs: int = 1
    concurrency: int = 8
    per_minute: Mapping[str, float] = field(default_factory=dict)
    budget_usd: float | None = None
    allow_unknown_cost: bool = False
    prices: PriceTable | None = None
    retry: Retry = _RETRY
    params: Mapping[str, Any] = field(default_factory=dict)
    system: str | None = None
    give_up_after: int = 5
    on_progress: Callable[[Progress], None] | None = None

    def __post_init__(self) -> None:
        for name in ("runs", "concurrency", "give_up_after"):
            if getattr(self, name) < 1:
                raise ConfigError(f"Collector.{name} must be at least 1, got {getattr(self, name)}.")
        if unknown := {*self.candidates, *self._scorer.models, *self.per_minute, *self.callers} - set(self.pool):
            raise ConfigError(f"Collector names unknown model {choices(unknown)}; the pool has {choices(self.pool)}.")
        if not self.candidates:
            raise ConfigError(f"Collector has no candidates: the pool has {choices(self.pool) or 'no models'}.")

    @cached_property
    def _scorer(self) -> Scorer:
        return scorer_of(self.scorer)

    @cached_property
    def candidates(self) -> tuple[str, ...]:
        """The models that answer, sorted."""
        given = set(self.pool) - set(self._scorer.models) if self.models is None else set(self.models)
        return tuple(sorted(given))

    @cached_property
    def _called(self) -> ModelPool:
        """Every model that will be called."""
        return self.pool.restrict({*self.candidates, *self._scorer.models})

    async def run(self, prompts: Sequence[Prompt]) -> Collection:
        """Fill what is missing, and return all outcomes.

        Raises:
            DataError: When prompts share an id or lack a reference that the scorer needs, or the log is malformed or holds
                answers to other requests than these.
            UnknownCostError: When there is a budget and a model has no price.
            ConfigError: When nobody says how to call a model.
        """
        asked = self._checked(prompts)
        callers = callers_of(self._called, {name: self.callers[name] for name in self.callers if name in self._called})
        with Log(Path(self.log)) as log:
            filling = Filling(
                cells=list(self._cells(asked)),
                prompts=asked,
                scorer=self._scorer,
                calls=self._calls(log, callers),
                give_up_after=self.give_up_after,
                on_progress=self.on_progress,
            )
            async with AsyncExitStack() as connections:
                for caller in callers.values():
                    if isinstance(caller, AbstractAsyncContextManager):
                        await connections.enter_async_context(caller)
                return await filling.run(self.concurrency)

    def _calls(self, log: Log, callers: Mapping[str, Caller]) -> PaidCalls:
        """Set up the calls, with all that earlier runs put on record."""
        earlier = list(read_log(Path(self.log)))
        budget = None
        if self.budget_usd is not None:
            budget = Budget(self.budget_usd, on_unknown="ignore" if self.allow_unknown_cost else "error")
        purse = Purse(budget, [entry for entry in earlier if isinstance(entry, Attempt)])
        purse.require_prices(self._called, self._called, self.prices)
        return PaidCalls(
            callers=callers,
            request=Request(pool=self._called, system=self.system, params=self.params),
            books=Books(log, earlier, self._scorer.identity),
            purse=purse,
            pace=Pace(self._paces()),
            retry=self.retry,
            prices=self.prices,
        )

    def _paces(self) -> dict[str, float]:
        stated = {name: spec.metadata.get("requests_per_minute") for name, spec in self._called.items()}
        for name, calls in stated.items():
            if not isinstance(calls, int | float | None):
                raise ConfigError(f"models.{name}.metadata.requests_per_minute must be a number, got {calls!r}.")
        return {name: calls for name, calls in stated.items() if calls is not None} | dict(self.per_minute)

    def _checked(self, prompts: Sequence[Prompt]) -> dict[str, Prompt]:
        """Return the prompts by id, once nothing is wrong with them."""
        asked = {prompt.id: prompt for prompt in prompts}
        if not asked or len(asked) < len(prompts):
            raise DataError(f"A collection needs prompts with distinct ids; got {len(prompts)} with {len(asked)} ids.")
        bare = [prompt.id for prompt in prompts if not prompt.references]
        if bare and self._scorer.needs_reference:
            name = type(self._scorer).__name__
            raise DataError(
                f"{name} compares with references, which {len(bare)} prompts lack: {choices(bare[:5])}, ..."
            )
        return asked

    def _cells(self, asked: Mapping[str, Prompt]) -> Iterator[Cell]:
        """Yield the cells so that, wherever a run ends, the prompts reached have been asked of all models."""
        for run in range(self.runs):
            for prompt in asked:
                for model in self.candidates:
                    yield Cell(prompt, model, run)


def collect(prompts: Sequence[Prompt] | Path | str, **parameters: Any) -> Collection:
    """Run a Collector with these parameters over prompts, or over a file that `read_prompts` can read, and wait for it.

    Where an event loop is running already, await `Collector(...).run(...)` instead.
    """
    asked = read_prompts(prompts) if isinstance(prompts, Path | str) else prompts
    return asyncio.run(Collector(**parameters).run(asked))
