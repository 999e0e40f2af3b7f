"""Checks of adapters: one fact each that holds of a routed model in every framework, seen with the framework's own eyes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from math import isclose
from typing import TypeAlias

from pointsman.errors import PointsmanError
from pointsman.testing.adapters.worlds import EASY, HARD, AdapterCase, World, cascade
from pointsman.testing.cases import only
from pointsman.testing.expecting import expect_error
from pointsman.testing.replay_server import Fault

__all__ = [
    "ADAPTER_CHECKS",
    "AdapterCheck",
    "check_concurrent_calls_are_told_apart",
    "check_costs_are_the_servers",
    "check_drafts_are_never_shown",
    "check_events_are_nested",
    "check_failures_move_on",
    "check_no_key_is_serialised",
    "check_one_event_for_each_call",
    "check_programs_complete",
    "check_providers_errors_surface",
    "check_the_chosen_model_answers",
    "check_tokens_are_counted_once",
    "check_ways_agree",
]

AdapterCheck: TypeAlias = Callable[[AdapterCase], None]

_AT_ONCE = 24


def _round(world: World) -> None:
    """Ask both questions in every way."""
    for way in world.driver.ways:
        for question in (EASY, HARD):
            world.ask(way, question)


def check_the_chosen_model_answers(case: AdapterCase) -> None:
    """Each question is answered by the model that the router chose for it, whichever way it is asked."""
    for way in case.driver.ways:
        with case.world() as world:
            texts = [world.ask(way, question) for question in (EASY, HARD)]
            assert [entry.model for entry in world.ledger] == ["small", "large"], f"{way} asked {world.ledger}"
            assert all(model in text for model, text in zip(("small", "large"), texts, strict=True)), f"{way}: {texts}"


def check_one_event_for_each_call(case: AdapterCase) -> None:
    """The framework is told of exactly as many LLM calls as the server was asked, drafts and judges included."""
    for router in (None, cascade()):
        with case.world(router) as world:
            seen = world.watch(lambda: _round(world))
            assert seen.llm_events == len(world.ledger), f"{seen.llm_events} LLM events for {len(world.ledger)} calls"


def check_tokens_are_counted_once(case: AdapterCase) -> None:
    """The framework's own counters come to what the server says it has used, drafts and judges included."""
    for router in (None, cascade()):
        with case.world(router) as world:
            seen = world.watch(lambda: _round(world))
            used = [
                sum(counts) for counts in zip(*((e.input_tokens, e.output_tokens) for e in world.ledger), strict=True)
            ]
            assert [seen.input_tokens, seen.output_tokens] == used, f"{seen} where the server used {used}"


@only(lambda case: case.driver.nests)
def check_events_are_nested(case: AdapterCase) -> None:
    """Every LLM event lies under a span, or run, of the router, so that a trace shows what caused it."""
    for router in (None, cascade()):
        with case.world(router) as world:
            seen = world.watch(lambda: _round(world))
            assert seen.nested == seen.llm_events > 0, f"{seen.nested} of {seen.llm_events} events are the router's"


def check_ways_agree(case: AdapterCase) -> None:
    """Text, model, tokens and dollars of a call are the same however it is made."""
    for router in (None, cascade()):
        told = {}
        for way in case.driver.ways:
            with case.world(router) as world:
                texts = [world.ask(way, question) for question in (EASY, HARD)]
                told[way] = [texts, [e.model for e in world.ledger], [trace.cost_usd for trace in world.traces]]
        first, *others = told
        assert all(told[way] == told[first] for way in others), f"ways differ: {told}"


def check_costs_are_the_servers(case: AdapterCase) -> None:
    """The costs of the traces add up to what the server charges, calls that failed on the way included."""
    for router in (None, cascade()):
        with case.world(router) as world:
            if router is None:
                world.server.fail(Fault(model="small", status=429))
            _round(world)
            costs, charged = [trace.cost_usd for trace in world.traces], world.server.cost_usd()
            assert None not in costs, f"a cost is unknown: {costs}"
            assert isclose(sum(cost or 0.0 for cost in costs), charged or 0.0), f"{costs} is not ${charged}"


def check_drafts_are_never_shown(case: AdapterCase) -> None:
    """Of a longer plan only the answer is shown, whole and once; what it drafts and judges stays unseen."""
    for way in case.driver.ways:
        with case.world() as plain, case.world(cascade()) as world:
            assert world.ask(way, HARD) == plain.ask(way, HARD), f"{way} shows more, or less, than the answer"
            assert [entry.model for entry in world.ledger] == ["small", "medium", "large"]
            assert world.ask(way, EASY) == plain.ask(way, EASY), f"{way} does not show an accepted draft as it is"


def check_failures_move_on(case: AdapterCase) -> None:
    """A provider that is overloaded is passed over for the next model of the ranking, whichever way it is asked."""
    for way in case.driver.ways:
        with case.world() as world:
            world.server.fail(Fault(model="small", status=429))
            try:
                text = world.ask(way, EASY)
            except Exception as error:
                raise AssertionError(f"{way} ends with {error!r}") from error
            assert [entry.model for entry in world.ledger] == ["small", "medium"], f"{way} asked {world.ledger}"
            assert "medium" in text, f"{way} shows {text!r}"


def check_providers_errors_surface(case: AdapterCase) -> None:
    """A request that the provider refuses goes nowhere else, and raises what the framework raises without a router."""
    for way in case.driver.ways:
        with case.world() as world:
            world.server.fail(Fault(status=400))
            error = expect_error(Exception, partial(world.ask, way, EASY), f"{way} passes a refusal on")
            assert not isinstance(error, PointsmanError), f"{way} raises {error!r}"
            assert len(world.ledger) == 1, f"{way} asked {len(world.ledger)} times"


def check_concurrent_calls_are_told_apart(case: AdapterCase) -> None:
    """Calls made at once from many threads each get their own answer, decision, tokens and cost."""
    asked = [f"{'hard' if i % 2 else 'easy'} number {i} x{'x' * i}" for i in range(_AT_ONCE)]
    with case.world() as world, ThreadPoolExecutor(max_workers=8) as threads:
        way = case.driver.ways[0]
        started = [threads.submit(copy_context().run, world.ask, way, question) for question in asked]
        texts = [one.result() for one in started]
        wrong = [text for text, question in zip(texts, asked, strict=True) if question not in text]
        assert not wrong, f"an answer to another question: {wrong[0]!r}"
        assert sorted(trace.query.text for trace in world.traces) == sorted(asked), "a trace of another question"
        usage = sorted(e.input_tokens for e in world.ledger)
        known = [trace.response.usage for trace in world.traces if trace.response is not None]
        told = sorted(one.input_tokens or 0 for one in known if one is not None)
        assert told == usage, f"tokens of another call: {told} where the server used {usage}"


def check_programs_complete(case: AdapterCase) -> None:
    """Agents and engines of the framework end with an answer, and each of their calls is routed and told of once."""
    for name, program in case.driver.programs().items():
        with case.world() as world:
            texts: list[str] = []
            seen = world.watch(lambda: texts.append(program(world.llm, EASY)))  # noqa: B023 - called at once
            assert "small" in texts[0], f"{name} ends with {texts[0]!r}"
            assert seen.llm_events == len(world.ledger) == len(world.traces) > 0, f"{name}: {seen}, {world.ledger}"


def check_no_key_is_serialised(case: AdapterCase) -> None:
    """No form in which the framework writes a model down holds a key."""
    with case.world() as world:
        forms = case.driver.serialised(world.llm)
        assert forms, "there is nothing to look at"
        telling = [name for name, text in forms.items() if case.driver.key in text]
        assert not telling, f"the key stands in {telling[0]}"


ADAPTER_CHECKS: dict[str, AdapterCheck] = {
    check.__name__: check
    for check in (
        check_the_chosen_model_answers,
        check_one_event_for_each_call,
        check_tokens_are_counted_once,
        check_events_are_nested,
        check_ways_agree,
        check_costs_are_the_servers,
        check_drafts_are_never_shown,
        check_failures_move_on,
        check_providers_errors_surface,
        check_concurrent_calls_are_told_apart,
        check_programs_complete,
        check_no_key_is_serialised,
    )
}
"""The checks of adapters by name."""
