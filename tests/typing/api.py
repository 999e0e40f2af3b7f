"""The public face as a user's type checker sees it; checked by mypy, never run."""

from __future__ import annotations

from typing import assert_type

from pointsman import (
    Decision,
    Dispatcher,
    EstimatedRouter,
    Linear,
    MeanBudget,
    ModelPool,
    Queries,
    Query,
    RoutingDataset,
    RulesRouter,
    Trace,
    grouped_split,
    save,
)
from pointsman.evaluation import Evaluation, evaluate
from pointsman.selection.audit import Audit, audit


def offline(dataset: RoutingDataset) -> None:
    """Fit, judge and save."""
    train, test = grouped_split(dataset, (0.8, 0.2))
    assert_type(audit(train), Audit)
    router = EstimatedRouter(estimator=Linear(loss="logistic"), policy=MeanBudget(usd=0.002)).fit(train)
    assert_type(router, EstimatedRouter)
    assert_type(evaluate(router, test, train=train), Evaluation)
    save(router, "router.pointsman", metadata={"data": "mine"})


def online(router: RulesRouter) -> None:
    """Decide and dispatch."""
    assert_type(router.decide(Query(text="2+2?")), Decision)
    assert_type(router.decide_many(Queries.from_texts(["a", "b"])).names, list[str])
    assert_type(Dispatcher(router).run(Query(text="2+2?")), Trace)
    assert_type(RulesRouter(pool=ModelPool(["small"]), default="small"), RulesRouter)


def mistakes() -> None:
    """What a type checker must refuse; an unused ignore would be an error."""
    EstimatedRouter(policy=MeanBudget(usd=0.1))  # type: ignore[call-arg]
    MeanBudget(0.1)  # type: ignore[call-arg]
    Linear(loss="hinge")  # type: ignore[arg-type]
    Query(text="?").text = "!"  # type: ignore[misc]
