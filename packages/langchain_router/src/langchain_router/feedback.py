"""Feedback: which decisions were made under which of LangChain's runs, so that a score for a run teaches the router."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage

from pointsman.dispatch import Dispatcher
from pointsman.errors import ConfigError, PointsmanError
from pointsman.types import Feedback, Trace

__all__ = ["RunFeedback", "feedback_of", "run_of_message"]

_PER_RUN = 100  # decisions under one run that are remembered, the latest ones


class RunFeedback(BaseCallbackHandler):
    """Hands the feedback on a run, as LangSmith takes it, to the decisions that were made under that run.

    Known are the router's own run, the run around it, and the model call that answered. Put this among a call's callbacks
    and all runs around the router are known, the outermost too. The latest `remember` runs are; who answers feedback later
    than that keeps the record's trace id.

    Parameters:
        dispatcher: Who made the decisions.
        remember: How many runs.
    """

    run_inline = True

    def __init__(self, dispatcher: Dispatcher, *, remember: int = 10_000) -> None:
        if remember < 1:
            raise ConfigError(f"RunFeedback.remember must be at least 1, got {remember}.")
        self.dispatcher = dispatcher
        self._remember = remember
        self._made: OrderedDict[int, tuple[tuple[str, str], ...]] = OrderedDict()
        self._parents: OrderedDict[int, int] = OrderedDict()
        self._lock = Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> RunFeedback:
        return self

    def create_feedback(self, run_id: UUID | str, key: str = "user", *, score: float | bool) -> None:
        """Report how good what a run ended in was: `score` in [0, 1], for every decision made under it.

        Raises:
            PointsmanError: If no decision is known under that run.
            ValueError: If the score is outside [0, 1].
        """
        made = self.decisions(run_id)
        if not made:
            raise PointsmanError(
                f"No decision is known under run {str(run_id)!r}; the latest {self._remember} runs are kept."
            )
        for trace_id, model in made:
            self.dispatcher.feedback(
                Feedback(trace_id=trace_id, model=model, reward=float(score), kind=key, at=time.time())
            )

    def take(self, feedbacks: Iterable[Any]) -> int:
        """Report feedback read back from LangSmith, such as `Client.list_feedback` yields; return how many were of use.

        Those without a score, and those on runs that are not known, are left.
        """
        used = 0
        for one in feedbacks:
            if one.score is not None and self.decisions(one.run_id):
                self.create_feedback(one.run_id, one.key, score=one.score)
                used += 1
        return used

    def decisions(self, run_id: UUID | str) -> tuple[tuple[str, str], ...]:
        """Return the decisions under a run, each as the id of its trace and the model that answered."""
        with self._lock:
            return self._made.get(UUID(str(run_id)).int, ())

    def note(self, trace: Trace, *runs: UUID | None) -> None:
        """Remember an answered trace under these runs, and under those known to be around them."""
        model = trace.answer.model if trace.answer is not None else None
        if model is None:
            return
        response = trace.response
        answered = run_of_message(response.raw) if response is not None else None
        with self._lock:
            for run in self._around([given.int for given in (*runs, answered) if given is not None]):
                self._made[run] = (*self._made.get(run, ()), (trace.id, model))[-_PER_RUN:]
                self._made.move_to_end(run)
            while len(self._made) > self._remember:
                self._made.popitem(last=False)

    def _around(self, runs: Iterable[int]) -> Iterable[int]:
        """Return these runs and those known to be around them, each once."""
        found: dict[int, None] = {}
        for one in runs:
            run: int | None = one
            while run is not None:
                found[run] = None
                run = self._parents.get(run)
        return found

    def on_chain_start(
        self, serialized: dict[str, Any], inputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **_: Any
    ) -> None:
        """Remember which run a run belongs to."""
        if parent_run_id is None:
            return
        with self._lock:
            self._parents[run_id.int] = parent_run_id.int
            while len(self._parents) > self._remember:
                self._parents.popitem(last=False)


def feedback_of(owner: str, feedback: RunFeedback | None, dispatcher: Dispatcher) -> RunFeedback:
    """Return the feedback that was given, or one of the dispatcher's; ConfigError for one of another dispatcher."""
    if feedback is not None and feedback.dispatcher is not dispatcher:
        raise ConfigError(f"{owner} got the feedback of another dispatcher; give both the same one.")
    return RunFeedback(dispatcher) if feedback is None else feedback


def run_of_message(message: Any) -> UUID | None:
    """Return the run of the model call that made a message, which LangChain writes into the message's id."""
    if not isinstance(message, AIMessage) or message.id is None:
        return None
    try:
        return UUID(message.id.removeprefix("lc_run--").removeprefix("run-")[:36])
    except ValueError:
        return None
