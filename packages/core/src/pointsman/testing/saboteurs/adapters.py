"""Saboteurs of adapters: routed models that ask the wrong one, count twice, blab, mix up and give up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pointsman.errors import AllModelsFailedError
from pointsman.flow import Effect
from pointsman.testing.adapters.driver import Program, Watched
from pointsman.testing.adapters.toy import ToyClient, ToyDriver, ToyError, ToyRouter
from pointsman.types import CallError, Delta, Query, Response, Usage

__all__ = [
    "ADAPTER_SABOTEURS",
    "AsksOneForAll",
    "Blabs",
    "CountsItself",
    "ForgetsTheUsage",
    "GivesUp",
    "LosesTheParent",
    "MixesUp",
    "RunsPastTheRouter",
    "ShowsItsDrafts",
    "StreamsOtherwise",
    "WrapsErrors",
]

_A_MOMENT_S = 0.05  # in which others ask


class _Fixed(ToyRouter):
    def query(self, question: str) -> Query:
        return Query(text="whatever")


class AsksOneForAll(ToyDriver):
    """Routes every question as if it were the same."""

    breaks: ClassVar = ("check_the_chosen_model_answers",)
    router = _Fixed


class CountsItself(ToyDriver):
    """Tells of the router as one more LLM, as nesting one model's events in another's does."""

    breaks: ClassVar = ("check_one_event_for_each_call", "check_tokens_are_counted_once")

    def watch(self, llm: Any, act: Callable[[], object]) -> Watched:
        """Count everything twice."""
        seen = super().watch(llm, act)
        return replace(
            seen,
            llm_events=2 * seen.llm_events,
            nested=2 * seen.nested,
            input_tokens=2 * seen.input_tokens,
            output_tokens=2 * seen.output_tokens,
        )


class _Rootless(ToyClient):
    def tell(self, usage: Usage) -> None:
        super().tell(usage)
        self.events[-1] = replace(self.events[-1], span=None)


class LosesTheParent(ToyDriver):
    """Tells of its calls as if nothing had caused them."""

    breaks: ClassVar = ("check_events_are_nested",)
    client = _Rootless


class _Shouting(ToyRouter):
    def stream(self, question: str) -> list[str]:
        return [piece.upper() for piece in super().stream(question)]


class StreamsOtherwise(ToyDriver):
    """Says something else when it streams."""

    breaks: ClassVar = ("check_ways_agree",)
    router = _Shouting


class _Forgetful(ToyRouter):
    def open(self, question: str, effect: Effect) -> Iterator[Delta | Response]:
        for piece in super().open(question, effect):
            yield replace(piece, usage=None) if isinstance(piece, Response) else piece


class ForgetsTheUsage(ToyDriver):
    """Does not pass on what a call has used."""

    breaks: ClassVar = ("check_costs_are_the_servers",)
    router = _Forgetful


class _Chatty(ToyRouter):
    def _streamed(self, question: str) -> list[str]:
        shown: list[str] = []
        perform = self.performer(question)

        def showing(effect: Effect) -> Any:
            outcome = perform(effect)
            shown.append(getattr(outcome, "text", ""))
            return outcome

        opened = self.dispatcher.stream(
            self.query(question), open_stream=lambda call: self.open(question, call), perform=showing
        )
        with opened:
            return [*(delta.text for delta in opened), *shown]


class ShowsItsDrafts(ToyDriver):
    """Streams whatever any model says."""

    breaks: ClassVar = ("check_drafts_are_never_shown",)
    router = _Chatty


class _Fatalist(ToyRouter):
    def failure(self, model: str, error: ToyError) -> CallError:
        return CallError(model, str(error), status=error.status, retryable=False)


class GivesUp(ToyDriver):
    """Takes an overloaded provider for the end."""

    breaks: ClassVar = ("check_failures_move_on",)
    router = _Fatalist


class _Wrapping(ToyRouter):
    def inside(self, act: Callable[[], list[str]]) -> list[str]:
        try:
            return super().inside(act)
        except ToyError as error:
            raise AllModelsFailedError([CallError("small", str(error))]) from error


class WrapsErrors(ToyDriver):
    """Raises errors of the router's own, which nobody's `except` knows."""

    breaks: ClassVar = ("check_providers_errors_surface",)
    router = _Wrapping


class _Shared(ToyRouter):
    question = ""

    def query(self, question: str) -> Query:
        self.question = question
        return super().query(question)

    def open(self, question: str, effect: Effect) -> Iterator[Delta | Response]:
        time.sleep(_A_MOMENT_S)
        yield from super().open(self.question, effect)


class MixesUp(ToyDriver):
    """Keeps the question on the model, where the next call finds it."""

    breaks: ClassVar = ("check_concurrent_calls_are_told_apart",)
    router = _Shared


class RunsPastTheRouter(ToyDriver):
    """Has a program that goes to a candidate directly."""

    breaks: ClassVar = ("check_programs_complete",)

    def programs(self) -> Mapping[str, Program]:
        """Return a program that helps itself."""
        return {"shortcut": lambda llm, question: "".join(map(str, llm.clients["small"].stream(question)))}


class Blabs(ToyDriver):
    """Writes the key down with everything else."""

    breaks: ClassVar = ("check_no_key_is_serialised",)

    def serialised(self, llm: Any) -> Mapping[str, str]:
        """Return the attributes of every client."""
        return {"state": str([vars(client) for client in llm.clients.values()])}


ADAPTER_SABOTEURS: Sequence[type[ToyDriver]] = (
    AsksOneForAll,
    CountsItself,
    LosesTheParent,
    StreamsOtherwise,
    ForgetsTheUsage,
    ShowsItsDrafts,
    GivesUp,
    WrapsErrors,
    MixesUp,
    RunsPastTheRouter,
    Blabs,
)
"""Drivers of adapters with one thing broken; `breaks` of each names the checks it must fail."""
