"""Filling a table: several workers take open cells in order, and each gets its answer and its score."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pointsman.data.readers.problems import LISTED
from pointsman.errors import BudgetExceededError, DataError
from pointsman.probing.collection import Collection, Progress
from pointsman.probing.log import Cell, Scored
from pointsman.probing.paid_calls import PaidCalls
from pointsman.probing.prompts import Prompt
from pointsman.probing.request import request_hash
from pointsman.probing.scoring import Scorer
from pointsman.types import CallError

__all__ = ["Filling"]


@dataclass(kw_only=True)
class Filling:
    """One run over the cells of a table.

    Parameters:
        cells: All cells, in the order in which they are to be filled.
        prompts: By id.
        scorer: What an answer is worth.
        calls: Makes the calls, and holds the books.
        give_up_after: Failures of a model in a row after which it is left alone.
        on_progress: Is told after every cell.
    """

    cells: Sequence[Cell]
    prompts: Mapping[str, Prompt]
    scorer: Scorer
    calls: PaidCalls
    give_up_after: int
    on_progress: Callable[[Progress], None] | None
    failures: dict[Cell, str] = field(default_factory=dict)
    given_up: dict[str, str] = field(default_factory=dict)
    stopped: str | None = None
    _finished: int = 0
    _in_a_row: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        books = self.calls.books
        changed = sorted(
            {cell.query_id for cell in self.cells if cell in books.answers and self._asked_otherwise(cell)}
        )
        if changed:
            listed = [*changed[:LISTED], *([f"... and {len(changed) - LISTED} more"] if len(changed) > LISTED else [])]
            raise DataError(
                "The log holds answers to other requests than these (another text, system message or parameter); use "
                "another log, or ask as before. Prompts:",
                listed,
            )
        self._finished = sum(map(books.finished, self.cells))

    def _asked_otherwise(self, cell: Cell) -> bool:
        query = self.prompts[cell.query_id].query
        return self.calls.books.answers[cell].request != request_hash(self.calls.request.call(cell.model, query), query)

    async def run(self, concurrency: int) -> Collection:
        """Fill what is open with so many workers; an unexpected error of one cancels all and is raised."""
        self._tell(None)
        still_open = (cell for cell in self.cells if not self.calls.books.finished(cell))
        workers = [asyncio.create_task(self._work(still_open)) for _ in range(concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return Collection(
            progress=self._progress(None),
            rows=self.calls.books.rows(self.cells, self.prompts),
            failures=self.failures,
            given_up=self.given_up,
            stopped=self.stopped,
            pool=self.calls.request.pool,
        )

    async def _work(self, still_open: Iterator[Cell]) -> None:
        for cell in still_open:
            if self.stopped is not None:
                return
            try:
                await self._fill(cell)
            except BudgetExceededError as error:
                self.stopped = str(error)
                return
            except CallError as error:
                self._fail(cell, error)
            self._tell(cell)

    async def _fill(self, cell: Cell) -> None:
        """Get what a cell lacks: an answer, a score, or both."""
        prompt, books = self.prompts[cell.query_id], self.calls.books
        if cell.model in self.given_up:
            self.failures[cell] = f"given up: {self.given_up[cell.model]}"
            return
        ask = self.calls.asking(cell, prompt.query)
        if cell not in books.answers:
            await ask(self.calls.request.call(cell.model, prompt.query))
            self._in_a_row.pop(cell.model, None)
        score = await self.scorer.score(books.answers[cell].answer or "", prompt, ask)
        for judge in self.scorer.models:
            self._in_a_row.pop(judge, None)
        books.enter(Scored(**cell._asdict(), scorer=self.scorer.identity, quality=score.quality, note=score.note))
        if score.quality is None:
            self.failures[cell] = f"not scored: {score.note or 'the scorer could not tell'}"
        else:
            self._finished += 1

    def _fail(self, cell: Cell, error: CallError) -> None:
        """Note a failure; a model that fails again and again is left alone, and without its judge the run ends."""
        self.failures[cell] = str(error)
        self._in_a_row[error.model] = self._in_a_row.get(error.model, 0) + 1
        if self._in_a_row[error.model] < self.give_up_after:
            return
        self.given_up[error.model] = str(error)
        if error.model in self.scorer.models:
            self.stopped = f"The judge failed {self.give_up_after} times in a row: {error}"

    def _progress(self, cell: Cell | None) -> Progress:
        return Progress(
            total=len(self.cells),
            finished=self._finished,
            failed=len(self.failures),
            spent_usd=self.calls.purse.spent_usd,
            unknown_calls=self.calls.purse.unknown_calls,
            cell=cell,
        )

    def _tell(self, cell: Cell | None) -> None:
        if self.on_progress is not None:
            self.on_progress(self._progress(cell))
