"""The books of a collection: what is known of each cell, in memory as on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pointsman.probing.log import Attempt, Cell, Entry, Log, Scored
from pointsman.probing.prompts import Prompt

__all__ = ["Books"]


class Books:
    """Answers and scores by cell; whatever is entered is on disk before anybody can read it here.

    Parameters:
        log: Where entries go.
        earlier: The entries of earlier runs.
        scorer: The identity of the scorer whose scores count; those of others are left alone.
    """

    def __init__(self, log: Log, earlier: Iterable[Entry], scorer: str) -> None:
        self._log = log
        self._scorer = scorer
        self.answers: dict[Cell, Attempt] = {}
        self.scores: dict[Cell, float] = {}
        for entry in earlier:
            self._take(entry)

    def enter(self, entry: Entry) -> None:
        """Write an entry down and take note of it."""
        self._log.append(entry)
        self._take(entry)

    def _take(self, entry: Entry) -> None:
        if isinstance(entry, Scored):
            if entry.scorer == self._scorer and entry.quality is not None:
                self.scores[entry.cell] = entry.quality
        elif entry.purpose == "answer" and entry.answer is not None:
            self.answers[entry.cell] = entry

    def finished(self, cell: Cell) -> bool:
        """Tell whether a cell has its answer and its score."""
        return cell in self.answers and cell in self.scores

    def rows(self, cells: Iterable[Cell], prompts: Mapping[str, Prompt]) -> list[dict[str, Any]]:
        """Return the answered ones of these cells in the long form."""
        return [self._row(cell, prompts[cell.query_id]) for cell in cells if cell in self.answers]

    def _row(self, cell: Cell, prompt: Prompt) -> dict[str, Any]:
        answer = self.answers[cell]
        return {
            "query_id": prompt.id,
            "text": prompt.text,
            "domain": prompt.domain,
            "group": prompt.group,
            "model": cell.model,
            "run": cell.run,
            "quality": self.scores.get(cell),
            "cost_usd": answer.cost_usd,
            "input_tokens": answer.input_tokens,
            "output_tokens": answer.output_tokens,
            "latency_s": answer.latency_s,
            "answer": answer.answer,
        }
