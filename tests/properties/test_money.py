"""Money: whatever plan runs, in whatever way, and however it ends, each call is paid exactly once, and exactly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from threading import Lock

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.budgets import Budget
from pointsman.dispatch import Dispatcher, Retry
from pointsman.errors import AllModelsFailedError, BudgetExceededError, PointsmanError
from pointsman.flow import Effect, Outcome, Plan, ask, cost_of, drive, replaying
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.routers.base import Router
from pointsman.types import Answer, Call, CallError, Context, Decision, Delta, Path, Query, Response, Step, Trace, Usage

QUERY, CONTEXT = Query(text="why?", id="q"), Context(clock=0.0)
PRICE_USD = 0.013
"""What a call costs by its model's price, and what is reserved for it."""


@dataclass(frozen=True)
class Turn:
    """What one attempt at a model meets: a response, or an error, after some pieces of text."""

    pieces: int = 1
    fails: bool = False
    retryable: bool = True
    cost_usd: float | None = None
    counted: bool = True

    def usage(self) -> Usage | None:
        """Return a usage, where the provider tells it."""
        return Usage(input_tokens=3, output_tokens=5) if self.counted else None

    def owed(self, *, shown: int) -> float | None:
        """Return what this attempt costs, None where nobody can know."""
        if self.cost_usd is not None:
            return self.cost_usd
        if self.counted:
            return PRICE_USD
        return 0.0 if self.fails and not shown else None


@dataclass(frozen=True)
class Shape:
    """A plan: batches of calls, then a ladder of models for the answer, which may be shown as it comes."""

    batches: tuple[tuple[str, ...], ...]
    ladder: tuple[str, ...]
    streams: bool
    strict: bool


class Planned(Router):
    """Carries out a shape; `strict` makes a batch in which all failed the end."""

    batches: tuple[tuple[str, ...], ...]
    ladder: tuple[str, ...]
    streams: bool
    strict: bool
    pool: ModelPool

    @property
    def models(self) -> ModelPool:
        """All models of the shape, each at the same price."""
        return self.pool

    def decide(self, query: Query, context: Context = CONTEXT) -> Decision:
        """Return the ladder."""
        return Decision(model=self.ladder[0], ranking=self.ladder, final=self.streams)

    def plan(self, query: Query, context: Context = CONTEXT) -> Plan[Answer]:
        """Collect drafts, then answer; what was collected shows in the reason."""
        drafts: list[str] = []
        for batch in self.batches:
            outcomes = yield tuple(Call(model=name, purpose="sample") for name in batch)
            errors = [outcome for outcome in outcomes if isinstance(outcome, CallError)]
            if self.strict and errors and len(errors) == len(batch):
                raise AllModelsFailedError(errors)
            drafts += (outcome.text for outcome in outcomes if isinstance(outcome, Response))
        errors = []
        for name in self.ladder:
            try:
                response = yield from ask(Call(model=name, stream=self.streams))
            except CallError as error:
                if not error.retryable or error.emitted:
                    raise
                errors.append(error)
            else:
                return Answer.of(response, reason=" ".join(drafts))
        raise AllModelsFailedError(errors)


@dataclass
class World:
    """Models that follow their scripts, and the provider's own books: what each attempt was owed, None until it ended."""

    scripts: dict[str, tuple[Turn, ...]]
    cut: int | None = None
    interrupt: Callable[[], None] = field(default=lambda: None)
    books: dict[tuple[str, int], float | None] = field(default_factory=dict)
    ticks: int = 0
    lock: Lock = field(default_factory=Lock)

    def begin(self, model: str) -> tuple[tuple[str, int], Turn]:
        """Enter an attempt in the books; beyond its script a model succeeds."""
        with self.lock:
            attempt = sum(1 for name, _ in self.books if name == model)
            self.books[model, attempt] = None
        script = self.scripts.get(model, ())
        return (model, attempt), script[attempt] if attempt < len(script) else Turn()

    def tick(self) -> None:
        """Let time pass, and interrupt the run when its moment has come."""
        with self.lock:
            self.ticks += 1
            due = self.ticks == self.cut
        if due:
            self.interrupt()

    def end(self, entry: tuple[str, int], turn: Turn, *, shown: int) -> Response:
        """Write the bill, then return the response or raise the error."""
        model, attempt = entry
        with self.lock:
            self.books[entry] = turn.owed(shown=shown)
        if turn.fails:
            told = f"failed at attempt {attempt}"
            raise CallError(model, told, retryable=turn.retryable, usage=turn.usage(), cost_usd=turn.cost_usd)
        text = f"{model}.{attempt} " * turn.pieces
        return Response(model=model, text=text, usage=turn.usage(), cost_usd=turn.cost_usd)

    def perform(self, effect: Effect) -> Outcome:
        """Answer a call."""
        assert isinstance(effect, Call)
        entry, turn = self.begin(effect.model)
        self.tick()
        return self.end(entry, turn, shown=0)

    async def aperform(self, effect: Effect) -> Outcome:
        """Answer a call, giving way to others before and after the moment of interruption."""
        assert isinstance(effect, Call)
        entry, turn = self.begin(effect.model)
        await asyncio.sleep(0)
        self.tick()
        await asyncio.sleep(0)
        return self.end(entry, turn, shown=0)

    def open_stream(self, call: Call) -> Iterator[Delta | Response]:
        """Answer a call piece by piece."""
        entry, turn = self.begin(call.model)
        self.tick()
        for _ in range(turn.pieces):
            yield Delta(text=f"{call.model}.{entry[1]} ")
            self.tick()
        yield self.end(entry, turn, shown=turn.pieces)

    async def aopen_stream(self, call: Call) -> AsyncIterator[Delta | Response]:
        """Answer a call piece by piece, giving way to others in between."""
        entry, turn = self.begin(call.model)
        await asyncio.sleep(0)
        self.tick()
        for _ in range(turn.pieces):
            await asyncio.sleep(0)
            yield Delta(text=f"{call.model}.{entry[1]} ")
            self.tick()
        await asyncio.sleep(0)
        yield self.end(entry, turn, shown=turn.pieces)


@dataclass
class Ran:
    """How a run ended, and the ledger it left."""

    trace: Trace
    told: str
    shown: str
    world: World
    budget: Budget


def exact(usd: float) -> Fraction:
    """Return an amount as the decimal number it is written as."""
    return Fraction(repr(usd))


def router_of(shape: Shape) -> Planned:
    """Return the router that carries out a shape, with a price for each model."""
    names = {*shape.ladder, *(name for batch in shape.batches for name in batch)}
    price = Price(input_per_mtok=0, output_per_mtok=0, per_call_usd=PRICE_USD)
    pool = ModelPool(ModelSpec(name=name, price=price) for name in names)
    return Planned(batches=shape.batches, ladder=shape.ladder, streams=shape.streams, strict=shape.strict, pool=pool)


def go(way: str, shape: Shape, world: World, attempts: int, *, limit_usd: float = 1e6, take: int | None = None) -> Ran:
    """Run a shape in one of four ways; a stream is left after `take` pieces."""
    traces: list[Trace] = []
    budget = Budget(limit_usd)
    dispatcher = Dispatcher(
        router_of(shape), budget=budget, retry=Retry(attempts=attempts, base_s=0), observers=[traces.append]
    )
    pieces: list[str] = []
    told = ""

    def blocking() -> None:
        world.interrupt = _raise_interrupt
        if way == "run":
            dispatcher.run(QUERY, CONTEXT, perform=world.perform)
            return
        with dispatcher.stream(QUERY, CONTEXT, open_stream=world.open_stream, perform=world.perform) as stream:
            while len(pieces) != take and (piece := next(stream, None)) is not None:
                pieces.append(piece.text)

    async def awaited() -> None:
        task = asyncio.current_task()
        assert task is not None
        world.interrupt = task.cancel  # type: ignore[assignment]
        if way == "arun":
            await dispatcher.arun(QUERY, CONTEXT, aperform=world.aperform)
            return
        opened = dispatcher.astream(QUERY, CONTEXT, aopen_stream=world.aopen_stream, aperform=world.aperform)
        async with opened as stream:
            while len(pieces) != take and (piece := await anext(stream, None)) is not None:
                pieces.append(piece.text)

    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        try:
            asyncio.run(awaited()) if way.startswith("a") else blocking()
        except PointsmanError as error:
            told = repr(error)
    assert len(traces) == 1, "every run gives its trace to the observers, once"
    return Ran(traces[0], told, "".join(pieces), world, budget)


def _raise_interrupt() -> None:
    raise KeyboardInterrupt


def check_accounts(ran: Ran) -> None:
    """See that the record and the ledger say what the provider's books say."""
    steps = {(step.effect.model, step.path[2]): step for step in ran.trace.steps if isinstance(step.effect, Call)}
    assert len(steps) == len(ran.trace.steps), "no attempt is recorded twice"
    assert {entry: step.cost_usd for entry, step in steps.items()} == ran.world.books, "paid to the cent, or unknown"
    owed = list(ran.world.books.values())
    known = [usd for usd in owed if usd is not None]
    total = float(sum(map(exact, known), Fraction()))
    assert ran.budget.spent_usd == total
    assert ran.budget.unknown_calls == len(owed) - len(known)
    kept = (len(owed) - len(known)) * exact(PRICE_USD)
    assert exact(ran.budget.reserved_usd) == kept, "what may still be billed stays reserved, all else is given back"
    assert (ran.trace.cost_usd is None) == (len(known) < len(owed)), "one unknown cost makes the total unknown"


costs = st.none() | st.integers(0, 50_000).map(lambda micro: micro / 1e6)
turns = st.builds(
    Turn, pieces=st.integers(0, 3), fails=st.booleans(), retryable=st.booleans(), cost_usd=costs, counted=st.booleans()
)


@st.composite
def shapes(draw: st.DrawFn, *, streams: bool | None = None) -> Shape:
    """Draw a plan; every place in it has a model of its own, so that the books know which call is meant."""
    sizes = draw(st.lists(st.integers(0, 3), max_size=3))
    batches = tuple(tuple(f"draft{i}{j}" for j in range(size)) for i, size in enumerate(sizes))
    ladder = tuple(f"final{i}" for i in range(draw(st.integers(1, 3))))
    shown = draw(st.booleans()) if streams is None else streams
    return Shape(batches=batches, ladder=ladder, streams=shown, strict=draw(st.booleans()))


@st.composite
def plays(draw: st.DrawFn, *, streams: bool | None = None) -> tuple[Shape, dict[str, tuple[Turn, ...]], int]:
    """Draw a plan, what each attempt at each of its models meets, and how many attempts there are."""
    shape = draw(shapes(streams=streams))
    names = [name for batch in (*shape.batches, shape.ladder) for name in batch]
    scripts = {name: tuple(draw(st.lists(turns, max_size=3))) for name in names}
    return shape, scripts, draw(st.integers(1, 3))


WAYS = ("run", "arun", "stream", "astream")
ways = st.sampled_from(WAYS)
many = settings(deadline=None, max_examples=200)


@many
@given(ways, plays())
def test_every_attempt_is_paid_exactly_when_nothing_interrupts(
    way: str, play: tuple[Shape, dict[str, tuple[Turn, ...]], int]
) -> None:
    """Answers, errors, drafts, retries and fallbacks: each costs what the provider charged, known or unknown."""
    shape, scripts, attempts = play
    ran = go(way, shape, World(scripts), attempts)
    check_accounts(ran)
    assert ran.trace.ended == ("failed" if ran.told else "answered")


@many
@given(ways, plays(), st.integers(1, 12))
def test_an_interruption_loses_no_money(
    way: str, play: tuple[Shape, dict[str, tuple[Turn, ...]], int], cut: int
) -> None:
    """Cancelled or interrupted at any moment, what had ended is paid and what was under way keeps its reservation."""
    shape, scripts, attempts = play
    ran = go(way, shape, World(scripts, cut=cut), attempts)
    check_accounts(ran)
    for step in ran.trace.steps:
        if isinstance(step.outcome, CallError) and step.outcome.interrupted:
            assert (step.cost_usd, step.outcome.usage) == (None, None)


@many
@given(st.sampled_from(["stream", "astream"]), plays(streams=True), st.integers(0, 4))
def test_leaving_a_stream_early_loses_no_money(
    way: str, play: tuple[Shape, dict[str, tuple[Turn, ...]], int], take: int
) -> None:
    """After any number of pieces the reader may go: the open call is on record with what was shown of it."""
    shape, scripts, attempts = play
    ran = go(way, shape, World(scripts), attempts, take=take)
    check_accounts(ran)
    if ran.trace.ended == "cancelled" and ran.shown:
        (cut,) = (step for step in ran.trace.steps if getattr(step.outcome, "interrupted", False))
        assert cut.outcome.emitted == len(ran.shown)  # type: ignore[union-attr]


@many
@given(plays())
def test_blocking_and_awaited_runs_leave_the_same_trace(
    play: tuple[Shape, dict[str, tuple[Turn, ...]], int],
) -> None:
    """Whole or streamed, awaiting changes neither the trace, nor the error, nor what is shown, nor the ledger."""
    shape, scripts, attempts = play
    for pair in (("run", "arun"), ("stream", "astream")):
        one, two = (go(way, shape, World(scripts), attempts) for way in pair)
        assert replace(one.trace, id="") == replace(two.trace, id="")
        assert (one.told, one.shown) == (two.told, two.shown)
        assert (one.budget.spent_usd, one.budget.reserved_usd) == (two.budget.spent_usd, two.budget.reserved_usd)


@many
@given(plays())
def test_a_stream_that_does_not_break_off_leaves_the_trace_of_a_run(
    play: tuple[Shape, dict[str, tuple[Turn, ...]], int],
) -> None:
    """Streaming shows the answer and nothing else; where no error comes after the first piece, it changes nothing."""
    shape, scripts, attempts = play
    unseen = {
        name: tuple(replace(turn, pieces=0) if turn.fails else turn for turn in script)
        for name, script in scripts.items()
    }
    whole, streamed = (go(way, shape, World(unseen), attempts) for way in ("run", "stream"))
    assert replace(whole.trace, id="") == replace(streamed.trace, id="")
    assert whole.told == streamed.told
    answer = streamed.trace.answer
    assert streamed.shown == ("" if answer is None else answer.content)


@many
@given(ways, plays())
def test_replaying_a_record_reproduces_the_run(way: str, play: tuple[Shape, dict[str, tuple[Turn, ...]], int]) -> None:
    """From recorded outcomes and context the plan asks for the same effects, and ends alike, at the same cost."""
    shape, scripts, attempts = play
    ran = go(way, shape, World(scripts), attempts)
    trace, told, answer = ran.trace, "", None
    remembered = replaying(trace.steps)
    seen: list[tuple[Path, Effect, Outcome]] = []

    def perform(effect: Effect, path: Path) -> Outcome:
        outcome = remembered(effect, path)
        seen.append((path, effect, outcome))
        return outcome

    try:
        answer = drive(router_of(shape).plan(trace.query, trace.context), perform)
    except PointsmanError as error:
        told = repr(error)
    assert (answer, told) == (trace.answer, ran.told)
    assert sorted(seen, key=lambda each: each[0]) == [
        (step.path[:2], step.effect, step.outcome) for step in last_attempts(trace.steps)
    ]


def last_attempts(steps: tuple[Step, ...]) -> list[Step]:
    """Return the step of each place that its plan saw the outcome of."""
    return list({step.path[:2]: step for step in steps}.values())


@many
@given(ways, plays(), st.integers(0, 6))
def test_no_budget_is_overshot_beyond_what_calls_cost_beyond_their_reservation(
    way: str, play: tuple[Shape, dict[str, tuple[Turn, ...]], int], calls: int
) -> None:
    """With room for a few calls, no call is made that the ledger has no room for, and each refusal is on record, free."""
    shape, scripts, attempts = play
    priced = {name: tuple(replace(turn, cost_usd=None) for turn in script) for name, script in scripts.items()}
    limit = float(calls * exact(PRICE_USD))
    ran = go(way, shape, World(priced), attempts, limit_usd=limit)
    assert exact(ran.budget.spent_usd) + exact(ran.budget.reserved_usd) <= exact(limit)
    made = [step for step in ran.trace.steps if not _refused(step)]
    assert len(made) == len(ran.world.books)
    assert all(step.cost_usd == 0.0 for step in ran.trace.steps if _refused(step))
    assert sum(exact(step.cost_usd) for step in made if step.cost_usd is not None) == exact(ran.budget.spent_usd)


def _refused(step: Step) -> bool:
    return isinstance(step.outcome, CallError) and isinstance(step.outcome.__cause__, BudgetExceededError)


@given(turns)
def test_an_outcome_costs_what_it_says_or_is_unknown(turn: Turn) -> None:
    """Before pricing, a response without a cost is unknown; so is an error that knows a usage, while other errors are free."""
    world = World({"m": (turn,)})
    try:
        outcome: Outcome = world.perform(Call(model="m"))
    except CallError as error:
        outcome = error
    if turn.cost_usd is not None:
        assert cost_of(outcome) == turn.cost_usd
    else:
        assert cost_of(outcome) == (0.0 if turn.fails and not turn.counted else None)
