"""The grammar: batches, siblings, bugs, context variables, recordings and replays, blocking and awaited."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import fields
from threading import Barrier
from typing import Any

import pytest

from pointsman.errors import PointsmanError
from pointsman.flow import (
    Effect,
    Outcome,
    Plan,
    Recorder,
    Run,
    adrive,
    arecorded,
    ask,
    drive,
    embed,
    recorded,
    replaying,
)
from pointsman.types import Answer, Call, CallError, Embed, Path, Response, Step, Usage

SMALL, LARGE = Call(model="small"), Call(model="large")


def answers(effect: Effect, path: Path = ()) -> Outcome:
    """Answer any effect at once; a model named "broken" fails, one named "bug" raises what no plan expects."""
    del path
    if isinstance(effect, Embed):
        return tuple((float(len(text)),) for text in effect.texts)
    if effect.model == "broken":
        raise CallError("broken", "out of order", retryable=True, status=503)
    if effect.model == "bug":
        raise ZeroDivisionError("a bug")
    return Response(model=effect.model, text=f"{effect.model}!", cost_usd=0.25)


async def aanswers(effect: Effect, path: Path = ()) -> Outcome:
    """Answer as `answers` does, after giving way to others."""
    await asyncio.sleep(0)
    return answers(effect, path)


def collecting(*rounds: tuple[Effect, ...]) -> Plan[list[tuple[Outcome, ...]]]:
    """Want these batches one after the other and return their outcomes."""
    seen = []
    for effects in rounds:
        outcomes = yield effects
        seen.append(outcomes)
    return seen


def both(make: Callable[[], Plan[Any]]) -> list[Any]:
    """Carry a plan out blocking and awaited, and return both results."""
    return [drive(make(), answers), asyncio.run(adrive(make(), aanswers))]


def test_a_plan_without_effects_ends_at_once() -> None:
    """A plan that wants nothing returns its result, and no performer is called."""

    def plan() -> Plan[str]:
        yield from ()
        return "done"

    assert drive(plan(), pytest.fail) == "done"
    assert asyncio.run(adrive(plan(), pytest.fail)) == "done"


def test_outcomes_come_back_in_order_each_a_response_or_an_error() -> None:
    """A batch's outcomes stand where its effects stood; a failed sibling is an outcome among the others."""
    for (outcomes,) in both(
        lambda: collecting((SMALL, Call(model="broken"), Embed(embedder="e", texts=("ab",)), LARGE))
    ):
        first, failed, vectors, last = outcomes
        assert (first.text, last.text, vectors) == ("small!", "large!", ((2.0,),))
        assert (failed.status, failed.retryable) == (503, True)


def test_an_empty_batch_has_no_outcomes() -> None:
    """A plan may want nothing for a round."""
    assert both(lambda: collecting((), (SMALL,)))[0][0] == ()
    assert both(lambda: collecting((), (SMALL,)))[1][0] == ()


def test_ask_raises_the_error_of_its_call() -> None:
    """Where a single call failed, `ask` raises its error inside the plan, which may go on."""

    def plan() -> Plan[str]:
        try:
            yield from ask(Call(model="broken"))
        except CallError as error:
            return (yield from ask(SMALL)).text + f" after {error.status}"
        return "unreachable"

    assert both(plan) == ["small! after 503"] * 2


def test_ask_refuses_an_outcome_that_is_none() -> None:
    """A performer that returns something else for a call is a bug that is named."""
    with pytest.raises(TypeError, match="not tuple"):
        drive(ask(SMALL), lambda _effect, _path: ())


def test_embed_returns_a_vector_for_each_text() -> None:
    """Where a plan needs vectors, `embed` returns them; an error is raised, and what is no such thing is refused."""
    wanted = Embed(embedder="e", texts=("a", "bc"))
    assert both(lambda: embed(wanted)) == [((1.0,), (2.0,))] * 2
    failed = CallError("e", "down")
    with pytest.raises(CallError, match="down"):
        drive(embed(wanted), lambda _effect, _path: failed)
    for wrong in (((1.0,),), Response(model="e", text="")):
        with pytest.raises(TypeError, match="2 texts is as many vectors"):
            drive(embed(wanted), lambda _effect, _path, wrong=wrong: wrong)


def test_a_batch_runs_at_once() -> None:
    """Three effects of a batch wait for each other, which only works while all are under way."""
    meet = Barrier(3)

    def perform(effect: Effect, _path: Path) -> Outcome:
        meet.wait(timeout=30)
        return answers(effect)

    (outcomes,) = drive(collecting((SMALL, LARGE, SMALL)), perform)
    assert len(outcomes) == 3

    async def together() -> Any:
        arrived = [asyncio.Event() for _ in range(3)]

        async def aperform(effect: Effect, path: Path) -> Outcome:
            arrived[path[1]].set()
            await asyncio.gather(*(event.wait() for event in arrived))
            return answers(effect)

        return await asyncio.wait_for(adrive(collecting((SMALL, LARGE, SMALL)), aperform), 30)

    assert len(asyncio.run(together())[0]) == 3


def test_threads_of_a_batch_see_the_callers_context_variables() -> None:
    """A tracing framework's context reaches every effect of a batch, each in a context of its own."""
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    variable.set("outer")
    seen: list[tuple[str, int]] = []

    def perform(effect: Effect, _path: Path) -> Outcome:
        seen.append((variable.get(), threading.get_ident()))
        variable.set("inner")
        return answers(effect)

    drive(collecting((SMALL, LARGE)), perform)
    assert [value for value, _ in seen] == ["outer", "outer"]
    assert threading.get_ident() not in {thread for _, thread in seen}
    assert variable.get() == "outer"


def test_a_single_effect_runs_in_the_callers_thread() -> None:
    """Where nothing is concurrent there is no thread."""
    threads: list[int] = []

    def perform(effect: Effect, _path: Path) -> Outcome:
        threads.append(threading.get_ident())
        return answers(effect)

    drive(collecting((SMALL,), (LARGE,)), perform)
    assert threads == [threading.get_ident()] * 2


def test_a_bug_propagates_after_its_siblings_have_ended() -> None:
    """What is no CallError is raised, once every other effect of the batch is on record with its money."""
    recorder = Recorder()

    def slowly(effect: Effect) -> Outcome:
        if isinstance(effect, Call) and effect.model == "small":
            time.sleep(0.05)
        return answers(effect)

    with pytest.raises(ZeroDivisionError):
        drive(collecting((Call(model="bug"), SMALL)), recorded(slowly, recorder))
    bug, paid = recorder.steps
    assert (bug.outcome.interrupted, bug.cost_usd) == (True, None)
    assert (paid.outcome.text, paid.cost_usd) == ("small!", 0.25)


async def test_an_awaited_bug_propagates_after_its_siblings_have_ended() -> None:
    """The same holds for tasks."""
    recorder = Recorder()

    async def slowly(effect: Effect) -> Outcome:
        if isinstance(effect, Call) and effect.model == "small":
            await asyncio.sleep(0.05)
        return answers(effect)

    with pytest.raises(ZeroDivisionError):
        await adrive(collecting((Call(model="bug"), SMALL)), arecorded(slowly, recorder))
    assert [step.cost_usd for step in recorder.steps] == [None, 0.25]


def test_the_plan_is_closed_whatever_happens() -> None:
    """A plan's own cleanup runs when a bug ends the run."""
    closed: list[bool] = []

    def plan() -> Plan[None]:
        try:
            yield (Call(model="bug"),)
        finally:
            closed.append(True)

    with pytest.raises(ZeroDivisionError):
        drive(plan(), answers)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(adrive(plan(), aanswers))
    assert closed == [True, True]


def test_every_effect_is_a_step_with_its_place_and_its_money() -> None:
    """Steps stand in the order of the plan with (round, position, attempt), and responses know theirs."""
    recorder = Recorder()
    seen = drive(collecting((SMALL, Call(model="broken")), (LARGE,)), recorded(answers, recorder))
    assert [(step.path, step.cost_usd) for step in recorder.steps] == [
        ((0, 0, 0), 0.25),
        ((0, 1, 0), 0.0),
        ((1, 0, 0), 0.25),
    ]
    assert (seen[0][0].step, seen[1][0].step) == ((0, 0, 0), (1, 0, 0))
    assert seen[1][0].latency_s >= 0
    assert all(step.latency_s >= 0 and step.started_at > 0 for step in recorder.steps)


def test_a_recorded_response_loses_nothing() -> None:
    """Whatever a response carries reaches the plan, its place and its latency filled in."""
    full = Response(
        model="small",
        text="So it is 4.",
        content=["So it is 4."],
        usage=Usage(input_tokens=3),
        cost_usd=0.5,
        logprobs=(-0.1,),
        top_logprobs=((-0.1, -2.0),),
        answer="4",
        served_model="small-1",
        raw="raw",
    )
    seen = drive(ask(SMALL), recorded(lambda _effect: full, Recorder()))
    lost = [f.name for f in fields(Response) if getattr(seen, f.name) != getattr(full, f.name)]
    assert lost == ["step", "latency_s"]
    assert all(getattr(full, f.name) for f in fields(Response) if f.name not in lost)


def test_a_latency_that_the_caller_measured_is_kept() -> None:
    """A recorder fills in only what is unknown."""
    recorder = Recorder()
    timed = Response(model="small", text="", latency_s=1.5)
    drive(ask(SMALL), recorded(lambda _effect: timed, recorder))
    assert recorder.steps[0].outcome.latency_s == 1.5


def test_everything_that_a_response_tells_is_kept() -> None:
    """On record a response differs from what came in its step alone: logarithms, answers and the provider's object stay."""
    recorder = Recorder()
    told: dict[str, Any] = {
        "model": "small",
        "text": "four",
        "content": [4],
        "usage": Usage(input_tokens=3, output_tokens=1),
        "cost_usd": 0.5,
        "latency_s": 1.5,
        "logprobs": (-0.5,),
        "top_logprobs": ((-0.5, -1.5),),
        "answer": "4",
        "served_model": "small-2",
        "raw": object(),
    }
    assert {*told, "step"} == set(Response.__slots__)
    kept = drive(ask(SMALL), recorded(lambda _effect: Response(**told), recorder))
    assert {name: getattr(kept, name) for name in told} == told
    assert kept.step == (0, 0, 0)
    assert recorder.steps[0].outcome is kept


@pytest.mark.parametrize(
    ("error", "cost"),
    [
        (CallError("small", "refused"), 0.0),
        (CallError("small", "billed", cost_usd=0.5), 0.5),
        (CallError("small", "billed, price unknown", usage=Usage(input_tokens=3)), None),
        (CallError("small", "broke off", emitted=7), None),
        (CallError("small", "late", interrupted=True), None),
        (CallError("small", "late, but counted", interrupted=True, cost_usd=0.1), 0.1),
    ],
    ids=lambda value: str(value) if isinstance(value, CallError) else "",
)
def test_a_failed_call_costs_what_is_known_of_it(error: CallError, cost: float | None) -> None:
    """An error before billing is free; one that may have been billed is of unknown cost unless it says what it cost."""
    recorder = Recorder()

    def perform(_effect: Effect) -> Outcome:
        raise error

    with pytest.raises(CallError):
        drive(ask(SMALL), recorded(perform, recorder))
    assert recorder.steps[0].cost_usd == cost


def test_attempts_at_one_place_are_steps_of_their_own() -> None:
    """A performer that records twice at one path has two attempts, both on record."""
    recorder = Recorder()
    perform = recorded(answers, recorder)
    for _ in range(2):
        perform(SMALL, (0, 0))
    perform(SMALL, (0, 1))
    assert [step.path for step in recorder.steps] == [(0, 0, 0), (0, 0, 1), (0, 1, 0)]


def test_steps_are_told_the_moment_they_end() -> None:
    """`on_step` hears of each step as it ends, in that order."""
    told: list[Step] = []
    recorder = Recorder(on_step=told.append)
    drive(collecting((SMALL,), (Call(model="broken"),)), recorded(answers, recorder))
    assert told == list(recorder.steps)


async def test_cancellation_loses_no_money() -> None:
    """Of a cancelled batch what had ended is paid, and what was under way is on record as interrupted, cost unknown."""
    recorder, begun = Recorder(), asyncio.Event()

    async def perform(effect: Effect) -> Outcome:
        if isinstance(effect, Call) and effect.model == "large":
            begun.set()
            await asyncio.Event().wait()
        return answers(effect)

    task = asyncio.create_task(adrive(collecting((SMALL, LARGE)), arecorded(perform, recorder)))
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    paid, cut = recorder.steps
    assert paid.cost_usd == 0.25
    assert (cut.cost_usd, cut.outcome.interrupted, cut.outcome.usage) == (None, True, None)


async def test_a_cancelled_embedding_is_on_record_under_its_embedder() -> None:
    """Embeddings are accounted for as calls are: cut off, the cost is unknown; done, the embedder bills nothing itself."""
    recorder = Recorder()

    async def perform(effect: Effect) -> Outcome:
        if isinstance(effect, Embed) and effect.embedder == "slow":
            await asyncio.Event().wait()
        return answers(effect)

    both_ = (Embed(embedder="fast", texts=("a",)), Embed(embedder="slow", texts=("a",)))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(adrive(collecting(both_), arecorded(perform, recorder)), 0.05)
    done, cut = recorder.steps
    assert (done.cost_usd, cut.cost_usd) == (0.0, None)
    assert (cut.outcome.model, cut.outcome.interrupted) == ("slow", True)


def test_an_effect_under_way_is_on_record_as_interrupted() -> None:
    """Whoever reads the steps while a call runs, as after a crash, sees it with unknown cost."""
    recorder, seen = Recorder(), []

    def perform(effect: Effect) -> Outcome:
        seen.extend(recorder.steps)
        return answers(effect)

    drive(ask(SMALL), recorded(perform, recorder))
    assert [(step.cost_usd, step.outcome.interrupted) for step in seen] == [(None, True)]


def branching() -> Plan[str]:
    """Want something else after an error than after a success."""
    first, second = yield (SMALL, Call(model="broken"))
    assert isinstance(first, Response)
    if isinstance(second, CallError):
        return (yield from ask(LARGE)).text
    return first.text


def test_replaying_recorded_outcomes_gives_the_same_result() -> None:
    """A plan run on its recording ends alike and asks for the same."""
    recorder, again = Recorder(), Recorder()
    result = drive(branching(), recorded(answers, recorder))
    replay = replaying(recorder.steps)
    paths = {step.effect: step.path[:2] for step in recorder.steps}
    assert drive(branching(), recorded(lambda effect: replay(effect, paths[effect]), again)) == result
    assert again.steps == recorder.steps


def test_a_replay_answers_with_the_last_attempt() -> None:
    """Where a call was tried again, the plan saw the last outcome only."""
    recorder = Recorder()
    perform = recorded(answers, recorder)
    with pytest.raises(CallError):
        recorded(lambda _effect: answers(Call(model="broken")), recorder)(SMALL, (0, 0))
    perform(SMALL, (0, 0))
    assert drive(ask(SMALL), replaying(recorder.steps)).text == "small!"


def test_a_replay_of_another_plan_is_refused() -> None:
    """Asking for what was not recorded, or for something else at its place, names both."""
    recorder = Recorder()
    drive(ask(SMALL), recorded(answers, recorder))
    with pytest.raises(PointsmanError, match="has nothing at"):
        drive(collecting((SMALL,), (LARGE,)), replaying(recorder.steps))
    with pytest.raises(PointsmanError, match=r"small.*not.*large"):
        drive(ask(LARGE), replaying(recorder.steps))
    with pytest.raises(PointsmanError, match=r"small.*not.*large"):
        drive(ask(LARGE), replaying(recorder.steps, beyond=answers))


def test_a_run_that_was_cut_off_resumes_from_its_recording() -> None:
    """What has an outcome is not performed again; the interrupted step and what comes after it are."""
    recorder = Recorder()

    def dies(effect: Effect) -> Outcome:
        if effect == LARGE:
            raise KeyboardInterrupt
        return answers(effect)

    with pytest.raises(KeyboardInterrupt):
        drive(branching(), recorded(dies, recorder))
    performed: list[Effect] = []

    def live(effect: Effect, _path: Path) -> Outcome:
        performed.append(effect)
        return answers(effect)

    assert drive(branching(), replaying(recorder.steps, beyond=live)) == drive(branching(), answers)
    assert performed == [LARGE]


def test_a_missed_deadline_is_an_outcome_that_a_replay_repeats() -> None:
    """An interrupted call that the plan was told of, as retryable, is not performed again on resuming."""
    late = CallError("broken", "late", retryable=True, interrupted=True)
    step = Step(path=(0, 0, 0), effect=SMALL, outcome=late)
    with pytest.raises(CallError, match="late"):
        drive(ask(SMALL), replaying([step], beyond=answers))


def test_a_plan_that_goes_on_after_its_streamed_call_is_a_bug() -> None:
    """After the success of a call with `stream=True` a plan may only end, under every driver."""
    final = Call(model="small", stream=True)
    with pytest.raises(PointsmanError, match="after the streamed call of 'small'"):
        drive(collecting((final,), (LARGE,)), answers)
    with pytest.raises(PointsmanError, match="after the streamed call of 'small'"):
        asyncio.run(adrive(collecting((final,), (LARGE,)), aanswers))
    assert len(drive(collecting((final, LARGE), (LARGE,)), answers)) == 2, "a batch is not shown"


def test_a_partly_shown_failure_ends_the_plan_whatever_the_plan_says() -> None:
    """An error that carries emitted text is raised even where the plan would return or go on."""
    shown = CallError("small", "broke off", emitted=3, retryable=True)

    def perform(_effect: Effect, _path: Path) -> Outcome:
        raise shown

    for rest in ((), ((LARGE,),)):
        with pytest.raises(CallError) as raised:
            drive(collecting((Call(model="small", stream=True),), *rest), perform)
        assert raised.value is shown


def test_a_plan_cannot_go_on_for_ever() -> None:
    """A plan that wants more effects than are allowed is stopped and closed."""

    def endless() -> Plan[None]:
        while True:
            yield (SMALL,)

    with pytest.raises(PointsmanError, match="more than 1000 effects"):
        drive(endless(), answers)
    run = Run(collecting((SMALL,), (SMALL, SMALL)), max_steps=2)
    with pytest.raises(PointsmanError, match="more than 2 effects"):
        run.send((answers(SMALL),))
    with pytest.raises(PointsmanError, match="more than 1 effects"):
        Run(collecting((SMALL, SMALL)), max_steps=1)


def test_a_run_can_be_stepped_by_hand() -> None:
    """An adapter may send outcomes itself: wants, places, the final call and the result are at hand."""
    with Run(collecting((SMALL, LARGE), (Call(model="large", stream=True),))) as run:
        assert run.requests() == [(SMALL, (0, 0)), (LARGE, (0, 1))]
        assert run.final_call is None
        with pytest.raises(PointsmanError, match="not ended"):
            _ = run.result
        with pytest.raises(PointsmanError, match="2 outcomes, not 1"):
            run.send((answers(SMALL),))
        run.send((answers(SMALL), answers(LARGE)))
        assert run.final_call == Call(model="large", stream=True)
        assert run.requests() == [(run.final_call, (1, 0))]
        run.send((answers(LARGE),))
        assert run.done
        assert run.wants == ()
        assert len(run.result) == 2


def test_an_answer_of_a_response_names_its_step() -> None:
    """The answer made of a recorded response is supported by that step."""
    recorder = Recorder()

    def plan() -> Plan[Answer]:
        return Answer.of((yield from ask(SMALL)))

    assert drive(plan(), recorded(answers, recorder)).support == ((0, 0, 0),)


def test_a_thousand_concurrent_steps_lose_none() -> None:
    """A recorder that many threads write to has every step, each attempt numbered once."""
    recorder = Recorder()
    perform = recorded(answers, recorder)
    start = Barrier(20)

    def work() -> None:
        start.wait(timeout=30)
        for _ in range(50):
            perform(SMALL, (0, 0))

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [step.path for step in recorder.steps] == [(0, 0, attempt) for attempt in range(1_000)]
