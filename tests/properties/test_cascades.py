"""Cascades: no draft that is rejected is ever shown, none that is in hand is lost, and every call is paid, however it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.budgets import Budget
from pointsman.confidence.base import Confidence
from pointsman.dispatch import Dispatcher
from pointsman.errors import PointsmanError
from pointsman.flow import Plan, drive, replaying
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.routers.cascade import Cascade
from pointsman.testing.fakes import FakeModels
from pointsman.types import Answer, Call, CallError, Context, Message, Query, Response, Step, Trace, total_usd

NAMES = ("one", "two", "three", "four")
USD = {"one": 0.25, "two": 1.0, "three": 4.0, "four": 16.0, "judge": 0.5}
QUERY, CONTEXT = Query(text="why?", id="q"), Context(clock=0.0)
WAYS = ("run", "arun", "stream", "astream")


class Scripted(Confidence):
    """Scores each model's answers as it is told, after so many samples and calls of a judge; -1 is unable to tell.

    Where all its samples, or its judge, fail, it is unable to tell.
    """

    scores: tuple[float, ...]
    samples: int
    judges: int

    def assess(self, query: Query, responses: Sequence[Response], context: Context = CONTEXT) -> Plan[float | None]:
        """Sample, ask the judge, and say what the script says of the last model."""
        model = responses[-1].model
        if self.samples:
            drawn = yield (Call(model=model, purpose="sample"),) * self.samples
            if not any(isinstance(outcome, Response) for outcome in drawn):
                return None
        for _ in range(self.judges):
            asked = (Message(role="user", content=responses[-1].text),)
            (verdict,) = yield (Call(model="judge", messages=asked, purpose="judge"),)
            if not isinstance(verdict, Response):
                return None
        score = self.scores[NAMES.index(model)]
        return None if score < 0 else score


@dataclass(frozen=True)
class Play:
    """A cascade, and what the calls of each model meet, one after the other; None is an answer."""

    order: tuple[str, ...]
    thresholds: tuple[float, ...]
    confidence: Scripted
    failures: dict[str, tuple[CallError | None, ...]]

    @property
    def router(self) -> Cascade:
        """The cascade, over models with a price each."""
        price = {name: Price(input_per_mtok=0, output_per_mtok=0, per_call_usd=usd) for name, usd in USD.items()}
        pool = ModelPool(ModelSpec(name=name, price=price[name]) for name in self.order)
        return Cascade(order=self.order, confidence=self.confidence, thresholds=self.thresholds, pool=pool)


@dataclass
class Ran:
    """How a run ended, what was shown on the way, and the books of all who were paid."""

    trace: Trace
    error: str
    shown: str
    models: FakeModels
    budget: Budget


def go(way: str, play: Play, *, take: int | None = None) -> Ran:
    """Run a cascade in one of four ways; a stream is left after `take` pieces."""
    models, budget, traces = FakeModels(cost_usd=USD, failures=play.failures), Budget(1e6, on_unknown="ignore"), []
    dispatcher = Dispatcher(play.router, budget=budget, observers=[traces.append])
    pieces: list[str] = []

    def blocking() -> None:
        if way == "run":
            dispatcher.run(QUERY, CONTEXT, perform=models)
            return
        with dispatcher.stream(QUERY, CONTEXT, open_stream=models.open_stream, perform=models) as stream:
            while len(pieces) != take and (piece := next(stream, None)) is not None:
                pieces.append(piece.text)

    async def awaited() -> None:
        if way == "arun":
            await dispatcher.arun(QUERY, CONTEXT, aperform=models.aperform)
            return
        opened = dispatcher.astream(QUERY, CONTEXT, aopen_stream=models.aopen_stream, aperform=models.aperform)
        async with opened as stream:
            while len(pieces) != take and (piece := await anext(stream, None)) is not None:
                pieces.append(piece.text)

    error = ""
    try:
        asyncio.run(awaited()) if way.startswith("a") else blocking()
    except PointsmanError as raised:
        error = repr(raised)
    assert len(traces) == 1, "every run gives its trace to the observers, once"
    return Ran(traces[0], error, "".join(pieces), models, budget)


def exact(usd: Sequence[float | None]) -> float:
    """Return the sum of known amounts; those of these tests are exact in binary."""
    return float(sum(Fraction(one) for one in usd if one is not None))


def check_accounts(ran: Ran) -> None:
    """See that trace, budget and provider say the same of all calls that came to an end, and that what was cut off is held."""
    steps = ran.trace.steps
    ended = [step for step in steps if not getattr(step.outcome, "interrupted", False)]
    open_ = [step for step in steps if step not in ended]
    assert exact([step.cost_usd for step in ended]) == ran.models.paid_usd == ran.budget.spent_usd
    assert [step.cost_usd for step in open_] == [None] * len(open_)
    assert len(steps) == len(ran.models.performed)
    held = exact([USD[step.effect.model] for step in open_ if isinstance(step.effect, Call)])
    assert ran.budget.reserved_usd == held, "what may still be billed stays reserved, all else is given back"
    assert ran.trace.cost_usd == total_usd(step.cost_usd for step in steps)


def outcome_of(ran: Ran) -> tuple[Any, ...]:
    """Return what a run came to, without times, attempts and who showed it."""
    answer = ran.trace.answer
    told = None if answer is None else (answer.content, answer.model, answer.confidence, answer.reason, answer.support)
    return told, ran.error, ran.trace.cost_usd, len(ran.trace.steps)


def errors_of(name: str) -> st.SearchStrategy[CallError | None]:
    """Draw an answer, or an error that another model may or may not have, which may have been billed."""
    error = st.builds(
        lambda retryable, usd: CallError(name, "no", retryable=retryable, cost_usd=usd),
        st.booleans() | st.just(value=True),
        st.sampled_from([None, 0.0, 0.125]),
    )
    return st.none() | error


levels = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


@st.composite
def plays(draw: st.DrawFn) -> Play:
    """Draw a cascade of one to four models."""
    order = tuple(draw(st.permutations(NAMES))[: draw(st.integers(1, 4))])
    confidence = Scripted(
        scores=tuple(draw(st.tuples(*[levels | st.just(-1.0)] * len(NAMES)))),
        samples=draw(st.integers(0, 2)),
        judges=draw(st.integers(0, 2)),
    )
    failures = {name: tuple(draw(st.lists(errors_of(name), max_size=4))) for name in (*order, "judge")}
    thresholds = tuple(draw(st.tuples(*[levels | st.just(1.5)] * (len(order) - 1))))
    return Play(order, thresholds, confidence, failures)


ways = st.sampled_from(WAYS)
many = settings(deadline=None, max_examples=30)


@many
@given(plays())
def test_all_ways_agree(play: Play) -> None:
    """Blocking, awaited or streamed, it is the same answer for the same reason at the same cost, or the same error."""
    runs = {way: go(way, play) for way in WAYS}
    first = outcome_of(runs["run"])
    for way, ran in runs.items():
        assert outcome_of(ran) == first, way
        check_accounts(ran)
        if way.endswith("stream"):
            answer = ran.trace.answer
            assert ran.shown == ("" if answer is None else answer.content), (
                "the answer is shown, once, and nothing else"
            )


def expected(play: Play, steps: Sequence[Step]) -> tuple[str | None, float | None]:
    """Return whose answer it has to be, and how sure, told from how each call on record ended."""
    held: list[tuple[float, int, str]] = []
    limit_of = dict(zip(play.order, play.thresholds, strict=False))
    for place, name in enumerate(play.order):
        own = [step for step in steps if isinstance(step.effect, Call) and step.effect.model == name]
        (draft,) = (step for step in own if step.effect.purpose == "answer")  # type: ignore[union-attr]
        if isinstance(draft.outcome, CallError):
            if draft.outcome.retryable:
                continue
            break
        if name == play.order[-1]:
            return name, None
        following = [step for step in steps if step.path > draft.path]
        checks = following[: play.confidence.samples]
        told = not checks or any(isinstance(step.outcome, Response) for step in checks)
        judged = following[len(checks) : len(checks) + play.confidence.judges] if told else []
        told = told and not any(isinstance(step.outcome, CallError) for step in judged)
        score = play.confidence.scores[NAMES.index(name)] if told else -1.0
        if score >= limit_of[name] and score >= 0:
            return name, score
        held.append((score, place, name))
    score, _, surest = max(held, default=(-1.0, 0, None))
    return surest, None if score < 0 else score


@many
@given(ways, plays())
def test_the_answer_is_the_first_sure_one_or_the_surest(way: str, play: Play) -> None:
    """It is the first that reaches its threshold, else the last model's, else the surest draft, the later of two alike."""
    ran = go(way, play)
    answer = ran.trace.answer
    found = (None, None) if answer is None else (answer.model, answer.confidence)
    assert found == expected(play, ran.trace.steps)


@many
@given(ways, plays(), st.booleans())
def test_the_last_model_fails(way: str, play: Play, retryable: bool) -> None:  # noqa: FBT001 - drawn
    """Where the last model fails, whatever the error, the surest draft in hand is the answer."""
    last = play.order[-1]
    play = replace(play, failures={last: (CallError(last, "no", retryable=retryable),) * 9})
    ran = go(way, play)
    answer = ran.trace.answer
    assert (None if answer is None else answer.model) == expected(play, ran.trace.steps)[0]
    assert (answer is None) == (len(play.order) == 1)
    check_accounts(ran)


@many
@given(st.sampled_from(["stream", "astream"]), plays(), st.integers(0, 4))
def test_leaving_early(way: str, play: Play, take: int) -> None:
    """Whatever was shown by then is the beginning of the answer, and what was under way keeps its reservation."""
    whole, ran = go("run", play), go(way, play, take=take)
    content = "" if whole.trace.answer is None else whole.trace.answer.content
    assert content.startswith(ran.shown)
    check_accounts(ran)
    cut = [step for step in ran.trace.steps if getattr(step.outcome, "interrupted", False)]
    assert len(cut) <= 1
    if cut:
        assert cut[0].outcome.emitted == len(ran.shown)  # type: ignore[union-attr]
        assert ran.budget.reserved_usd == USD[cut[0].effect.model]  # type: ignore[union-attr]
        assert ran.budget.unknown_calls == 1


@many
@given(plays(), st.integers(1, 30))
def test_a_broken_stream_is_not_patched(play: Play, emitted: int) -> None:
    """Once characters of the last model are shown, its failure ends the run: no draft is put behind them."""
    last = play.order[-1]
    broken = CallError(last, "gone", retryable=True, emitted=emitted, cost_usd=0.125)
    play = replace(play, failures={**play.failures, last: (broken,) * 9})
    for way in ("stream", "astream"):
        ran = go(way, play)
        called = [step for step in ran.trace.steps if isinstance(step.effect, Call) and step.effect.stream]
        text = f"{last} answers"
        if called and called[-1].effect.model == last:  # type: ignore[union-attr]
            assert text.startswith(ran.shown)
            assert ran.shown == text[:emitted]
            assert ran.trace.answer is None
            assert "gone" in ran.error
        check_accounts(ran)


@many
@given(ways, plays())
def test_replaying_a_trace_reproduces_it(way: str, play: Play) -> None:
    """A fresh plan that is given the outcomes on record asks for the same, and ends in the same answer."""
    ran = go(way, play)
    asked: list[Step] = []
    known = replaying(ran.trace.steps)
    by_path = {step.path[:2]: step for step in ran.trace.steps}

    def perform(effect: Any, path: Any) -> Any:
        asked.append(by_path[path])
        return known(effect, path)

    answer: Answer | None = None
    error = ""
    try:
        answer = drive(play.router.plan(QUERY, CONTEXT), perform)
    except PointsmanError as raised:
        error = repr(raised)
    assert (answer, error) == (ran.trace.answer, ran.error)
    assert sorted(step.path for step in asked) == [step.path for step in ran.trace.steps]


@many
@given(plays(), st.integers(0, 40))
def test_a_small_budget_loses_no_answer(play: Play, quarters: int) -> None:
    """Where money runs out the surest draft in hand is the answer, and never more is spent and held than there is."""
    models, budget = FakeModels(cost_usd=USD, failures={}), Budget(quarters / 4, on_unknown="ignore")
    traces: list[Trace] = []
    dispatcher = Dispatcher(play.router, budget=budget, observers=[traces.append])
    with suppress(PointsmanError):
        dispatcher.run(QUERY, CONTEXT, perform=models)
    (trace,) = traces
    answered = any(
        isinstance(step.outcome, Response) and isinstance(step.effect, Call) and step.effect.purpose == "answer"
        for step in trace.steps
    )
    assert (trace.answer is not None) == answered
    judged = sum(isinstance(effect, Call) and effect.model == "judge" for effect in models.performed)
    assert budget.spent_usd <= quarters / 4 + judged * USD["judge"], "only the judge has no price that is known before"
