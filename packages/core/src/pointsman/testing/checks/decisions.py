"""Decisions: a model of the pool, the propensity it was chosen with, a ranking to go down, and ties to the cheapest."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from pointsman.data.queries import Queries
from pointsman.errors import UnknownCostError
from pointsman.testing.alterations import tied, unpriced
from pointsman.testing.cases import RouterCase, learns_any_models, only
from pointsman.testing.expecting import expect_same
from pointsman.testing.plain import numbers
from pointsman.testing.toys import QUERIES, UNUSUAL, toy
from pointsman.types import Decision, Query

__all__ = [
    "check_decide_many_agrees",
    "check_decisions_give_a_reason",
    "check_estimates_are_of_the_pool",
    "check_propensities_are_probabilities",
    "check_propensities_match_frequencies",
    "check_rankings_are_of_eligible_models",
    "check_rankings_start_with_the_model",
    "check_single_models_are_chosen",
    "check_ties_go_to_the_cheapest",
    "check_unknown_costs_are_not_free",
    "check_unusual_texts_are_decided",
]

_DRAWS = 1_000
_SIGMAS = 5


def _decisions(case: RouterCase) -> list[Decision]:
    return [case.fitted.decide(query) for query in QUERIES]


def check_propensities_are_probabilities(case: RouterCase) -> None:
    """The propensity of every decision is in (0, 1]."""
    for decision in _decisions(case):
        assert 0 < decision.propensity <= 1, f"a decision has propensity {decision.propensity}"


def check_propensities_match_frequencies(case: RouterCase) -> None:
    """Over many queries that differ in their id alone, a model is chosen as often as its propensity says."""
    for query in QUERIES[:2]:
        made = [case.fitted.decide(replace(query, id=f"draw {i}")) for i in range(_DRAWS)]
        for model, count in Counter(decision.model for decision in made).items():
            stated = [decision.propensity for decision in made if decision.model == model]
            p = sum(stated) / count
            slack = _SIGMAS * (p * (1 - p) / _DRAWS) ** 0.5 + 1e-9
            assert abs(count / _DRAWS - p) <= slack, f"{model}: chosen in {count} of {_DRAWS}, propensity {p:.3f}"


def check_rankings_start_with_the_model(case: RouterCase) -> None:
    """The ranking starts with the chosen model."""
    for decision in _decisions(case):
        assert decision.ranking[:1] == (decision.model,), f"{decision.ranking} does not start with {decision.model}"


def check_rankings_are_of_eligible_models(case: RouterCase) -> None:
    """The ranking holds models of the pool that were not left out, each once."""
    for query in (*QUERIES, replace(QUERIES[0], constraints=replace(QUERIES[0].constraints, deny=_first(case)))):
        decision = case.fitted.decide(query)
        assert len(set(decision.ranking)) == len(decision.ranking), f"{decision.ranking} repeats a model"
        strangers = set(decision.ranking) - (set(case.fitted.models) - set(decision.excluded))
        assert not strangers, f"{sorted(strangers)} cannot serve the query"


def _first(case: RouterCase) -> frozenset[str]:
    return frozenset({case.fitted.decide(QUERIES[0]).model})


def check_estimates_are_of_the_pool(case: RouterCase) -> None:
    """Estimates and exclusions name models of the pool."""
    for decision in _decisions(case):
        strangers = {*decision.estimates, *decision.excluded} - set(case.fitted.models)
        assert not strangers, f"{sorted(strangers)} are not in the pool"


def check_decisions_give_a_reason(case: RouterCase) -> None:
    """Every decision says why, in words."""
    for decision in _decisions(case):
        assert decision.reason.strip(), "a decision gives no reason"


def check_decide_many_agrees(case: RouterCase) -> None:
    """`decide_many` decides as `decide` does; scores agree up to rounding."""
    queries = Queries.of(QUERIES)
    many, single = case.fitted.decide_many(queries), [case.fitted.decide(query) for query in queries]
    expect_same(many.names, [d.model for d in single], "other models")
    expect_same(many.propensity.tolist(), [d.propensity for d in single], "other propensities", tolerance=1e-9)
    if many.scores is not None:
        scores = [[d.estimates[name].score for name in many.models] for d in single]
        expect_same(numbers(many.scores), scores, "other scores", tolerance=1e-9)


def check_unusual_texts_are_decided(case: RouterCase) -> None:
    """Texts that nobody foresaw are decided like any other: empty ones, any script, a hundred thousand characters."""
    for query in UNUSUAL:
        try:
            case.fitted.decide(query)
        except Exception as error:
            raise AssertionError(f"{query.id} text raises {error!r}") from error


@only(learns_any_models)
def check_ties_go_to_the_cheapest(case: RouterCase) -> None:
    """Where all models are expected to be equally good, the cheapest is chosen."""
    router = case.trained(tied(toy()))
    for decision in map(router.decide, QUERIES):
        assert decision.model == toy().cheapest or decision.propensity < 1, f"a tie went to {decision.model}"


@only(learns_any_models)
def check_unknown_costs_are_not_free(case: RouterCase) -> None:
    """A model of unknown price does not win a tie: either a known one does, or the missing price is an error."""
    try:
        router = case.trained(unpriced(tied(toy()), "medium"))
        made = [router.decide(query) for query in QUERIES]
    except UnknownCostError:
        return
    dear = [d for d in made if d.model == "medium" and d.propensity == 1]
    assert not dear, "a model of unknown price was taken for the cheapest"


@only(learns_any_models)
def check_single_models_are_chosen(case: RouterCase) -> None:
    """With one model there is one decision."""
    router = case.trained(toy().only(["medium"]))
    for query in (*QUERIES, Query(text="new")):
        decision = router.decide(replace(query, embedding=QUERIES[0].embedding))
        assert (decision.model, decision.ranking, decision.propensity) == ("medium", ("medium",), 1.0)
