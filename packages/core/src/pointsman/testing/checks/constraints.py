"""Constraints: who may not serve a query is left out before anything is scored, with the reason on record."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from math import nextafter
from typing import Any

from pointsman.errors import ConfigError, NoEligibleModelError, UnknownCostError
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.testing.alterations import unpriced
from pointsman.testing.cases import RouterCase, learns_any_models, only
from pointsman.testing.expecting import expect_error
from pointsman.testing.toys import QUERIES, toy, toy_pool
from pointsman.types import Constraints, Context, Query, Session

__all__ = [
    "check_allow_lists_are_kept_to",
    "check_capabilities_are_required",
    "check_context_windows_are_respected",
    "check_cost_caps_hold",
    "check_denied_models_are_left_out",
    "check_impossible_queries_are_refused_with_reasons",
    "check_latency_caps_hold",
    "check_left_out_models_need_no_price",
    "check_open_tool_calls_are_kept_to",
    "check_quality_floors_are_reported",
    "check_unavailable_models_are_left_out",
    "check_unknown_names_are_refused",
]


def _limited(query: Query, limits: Constraints) -> Query:
    return replace(query, constraints=limits)


def check_denied_models_are_left_out(case: RouterCase) -> None:
    """A denied model is neither chosen nor ranked, and the decision says that it was left out."""
    for query in QUERIES:
        first = case.fitted.decide(query).model
        decision = case.fitted.decide(_limited(query, Constraints(deny=frozenset({first}))))
        assert first not in decision.ranking, f"{first} is denied but ranked"
        assert decision.excluded.get(first), f"the decision does not say why {first} is left out"


def check_allow_lists_are_kept_to(case: RouterCase) -> None:
    """Only an allowed model is chosen or ranked."""
    for name in case.fitted.models:
        decision = case.fitted.decide(_limited(QUERIES[0], Constraints(allow=frozenset({name}))))
        assert decision.ranking == (name,), f"only {name} is allowed, the ranking is {decision.ranking}"


def check_unavailable_models_are_left_out(case: RouterCase) -> None:
    """A model that is cooling down is left out, with the reason it was given."""
    first = case.fitted.decide(QUERIES[0]).model
    decision = case.fitted.decide(QUERIES[0], Context(unavailable={first: "too many errors"}))
    assert first not in decision.ranking, f"{first} is unavailable but ranked"
    assert "too many errors" in decision.excluded.get(first, ""), "the reason is lost"


def check_unknown_names_are_refused(case: RouterCase) -> None:
    """Allowing or denying a model that does not exist raises ConfigError naming it."""
    stranger = frozenset({"no such model"})
    for limits in (Constraints(allow=stranger), Constraints(deny=stranger)):
        query = _limited(QUERIES[0], limits)
        error = expect_error(ConfigError, partial(case.fitted.decide, query), "an unknown name passes")
        assert "no such model" in str(error), f"the error does not name the model: {error}"


def check_impossible_queries_are_refused_with_reasons(case: RouterCase) -> None:
    """A query that no model may serve raises NoEligibleModelError with a reason for each of them."""
    nobody = _limited(QUERIES[0], Constraints(deny=frozenset(case.fitted.models)))
    error = expect_error(NoEligibleModelError, lambda: case.fitted.decide(nobody), "an impossible query is decided")
    assert set(error.reasons) == set(case.fitted.models), f"reasons only for {sorted(error.reasons)}"
    assert all(error.reasons.values()), "a reason is empty"


def _serves(case: RouterCase) -> bool:
    return learns_any_models(case) or _pools(case.component) != {}


def _pools(router: Router) -> dict[str, ModelPool]:
    return {f.name: value for f in fields(router) if isinstance(value := getattr(router, f.name), ModelPool)}


def _serving(case: RouterCase, able: str, better: dict[str, Any], worse: dict[str, Any]) -> Router:
    """Return the router fitted for, or given, a pool in which one model is able to do more than the others."""

    def change(pool: ModelPool) -> ModelPool:
        return ModelPool(replace(spec, **(better if spec.name == able else worse)) for spec in pool.values())

    router = case.component.clone(**{name: change(pool) for name, pool in _pools(case.component).items()})
    return case.fit(router, replace(toy(), pool=change(toy_pool())))


@only(_serves)
def check_capabilities_are_required(case: RouterCase) -> None:
    """Only a model that can do what the query requires is chosen or ranked."""
    sung = replace(QUERIES[0], required=frozenset({"sing"}))
    for able in case.fitted.models:
        router = _serving(case, able, {"capabilities": frozenset({"sing"})}, {"capabilities": frozenset()})
        assert router.decide(sung).ranking == (able,), f"only {able} can sing, not {router.decide(sung).ranking}"


@only(_serves)
def check_context_windows_are_respected(case: RouterCase) -> None:
    """Only a model whose window holds the conversation is chosen or ranked."""
    long = replace(QUERIES[0], text="word " * 2_000)
    for able in case.fitted.models:
        router = _serving(case, able, {"context_window": 100_000}, {"context_window": 1_000})
        assert router.decide(long).ranking == (able,), f"only {able} can read it, not {router.decide(long).ranking}"


def check_cost_caps_hold(case: RouterCase) -> None:
    """No model expected to cost more than the cap is chosen or ranked; where costs are not known, the decision says so."""
    for query in QUERIES:
        free = case.fitted.decide(query)
        cost = free.estimates[free.model].cost_usd if free.model in free.estimates else None
        cap = nextafter(cost, 0.0) if cost else 0.0
        try:
            capped = case.fitted.decide(_limited(query, Constraints(max_cost_usd=cap)))
        except NoEligibleModelError:
            continue
        costs = [capped.estimates[name].cost_usd if name in capped.estimates else None for name in capped.ranking]
        kept = all(known is not None and known <= cap for known in costs)
        assert kept or capped.degraded, f"{capped.ranking} may cost {costs}, the cap is {cap}"


def check_latency_caps_hold(case: RouterCase) -> None:
    """A latency that no model can keep is refused, or the decision says that it could not be honoured."""
    try:
        decision = case.fitted.decide(_limited(QUERIES[0], Constraints(max_latency_s=0.0)))
    except NoEligibleModelError:
        return
    assert decision.degraded, "a latency of zero seconds was promised"


def check_quality_floors_are_reported(case: RouterCase) -> None:
    """A quality that no model reaches is refused, or the decision says that it could not be honoured."""
    try:
        decision = case.fitted.decide(_limited(QUERIES[0], Constraints(min_quality=1e9)))
    except NoEligibleModelError:
        return
    assert decision.degraded, "an impossible quality was promised"


def check_open_tool_calls_are_kept_to(case: RouterCase) -> None:
    """While a model's tool call is open, that model goes on."""
    for name in case.fitted.models:
        context = Context(session=Session(last_model=name, open_tool_call=True))
        decision = case.fitted.decide(QUERIES[0], context)
        assert decision.ranking == (name,), f"{name} has an open tool call, the ranking is {decision.ranking}"


@only(learns_any_models)
def check_left_out_models_need_no_price(case: RouterCase) -> None:
    """An unknown price is no obstacle once the model is left out."""
    try:
        router = case.trained(unpriced(toy(), "medium"))
    except UnknownCostError:
        return  # its operating point is set from the costs of all models
    without = _limited(QUERIES[0], Constraints(deny=frozenset({"medium"})))
    try:
        router.decide(without)
    except UnknownCostError as error:
        raise AssertionError(f"a model that is left out was scored: {error}") from error
