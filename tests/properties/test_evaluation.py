"""Properties of replay, evaluation and audit that hold for any outcomes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pointsman.data import Queries, RoutingDataset
from pointsman.estimators.base import Estimates
from pointsman.estimators.constant import Constant
from pointsman.evaluation import evaluate, simulate, simulate_sweep
from pointsman.evaluation.curve import Curve, Span
from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.resampling import Resampling
from pointsman.flow import Effect, Plan, Recorder, ask, drive, recorded
from pointsman.models import ModelPool
from pointsman.policies.utility import Utility
from pointsman.routers.base import Router
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.fallback import FallbackRouter
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.selection import audit
from pointsman.types import Answer, Call, Context, Decision, Query, Response, total_usd

NAMES = ("a", "b", "c")
POOL = ModelPool(NAMES)

scores = st.one_of(st.sampled_from([0.0, 1.0, float("nan")]), st.floats(0, 1))
prices = st.one_of(st.just(float("nan")), st.floats(1e-6, 1.0))


class Escalating(Router):
    """Asks the first model, and the last as well when the first said "0"."""

    @property
    def models(self) -> ModelPool:
        """Three models."""
        return POOL

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008
        """Start with the first."""
        return Decision(model="a", ranking=NAMES, propensity=0.5)

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008
        """Escalate by the text of the first answer."""
        decision = self.decide(query, context)
        first = yield from ask(Call(model="a", decision=decision))
        if first.text != "0":
            return Answer.of(first)
        return Answer.of((yield from ask(Call(model="c", decision=decision))))


@st.composite
def datasets(draw: st.DrawFn, *, missing: bool = True, least: int = 1) -> RoutingDataset:
    """1 to 12 queries, some of them alike, with three models; cells may be missing."""
    n = draw(st.integers(least, 12))
    cells = scores if missing else st.floats(0, 1)
    costs = prices if missing else st.floats(1e-6, 1.0)
    matrix = [st.lists(st.lists(of, min_size=3, max_size=3), min_size=n, max_size=n) for of in (cells, costs)]
    quality, cost = (np.array(draw(rows)) for rows in matrix)
    texts = draw(st.lists(st.sampled_from(["add", "prove it", "x" * 30, "Ω?", ""]), min_size=n, max_size=n))
    queries = Queries.from_texts(texts, domains=[f"d{i % 2}" for i in range(n)])
    answers = np.array([["0" if q < 0.5 else "1" for q in row] for row in quality], dtype=object)
    return RoutingDataset(queries=queries, models=NAMES, quality=quality, cost_usd=cost, answers=answers)


def estimated(draw: st.DrawFn) -> Router:
    """Return a fitted router that predicts constants."""
    quality = draw(st.lists(st.floats(0, 1), min_size=3, max_size=3))
    train = RoutingDataset.from_arrays(
        ["t"], {n: [q] for n, q in zip(NAMES, quality, strict=True)}, {name: [0.1] for name in NAMES}
    )
    return EstimatedRouter(estimator=Constant(), policy=Utility(cost_weight=draw(st.floats(0, 3)))).fit(train)


@st.composite
def routers(draw: st.DrawFn) -> Router:
    """A router of any kind: rules, estimates, fallback, a cascade."""
    default, other = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
    rules = RulesRouter(pool=POOL, default=default, rules=(Rule(model=other, contains=("prove",)),))
    kind = draw(st.sampled_from(["rules", "estimated", "fallback", "cascade"]))
    if kind == "estimated":
        return estimated(draw)
    return {"rules": rules, "fallback": FallbackRouter(routers=(rules,)), "cascade": Escalating()}[kind]


def driven(router: Router, data: RoutingDataset, row: int, context: Context) -> tuple[float, float]:
    """Drive one plan by hand, and look up what its answer scored and what its steps cost."""
    column = {name: j for j, name in enumerate(data.models)}

    def perform(effect: Effect) -> Response:
        assert isinstance(effect, Call)
        assert data.answers is not None
        cost = float(data.cost_usd[row, column[effect.model]])
        text = str(data.answers[row, column[effect.model]])
        return Response(model=effect.model, text=text, cost_usd=None if np.isnan(cost) else cost)

    recorder = Recorder()
    answer = drive(router.plan(data.queries[row], context), recorded(perform, recorder))
    cost = total_usd(step.cost_usd for step in recorder.steps)
    assert answer.model is not None
    return float(data.quality[row, column[answer.model]]), float("nan") if cost is None else cost


@given(datasets(), routers(), st.sampled_from([None, "a", "b"]))
@settings(max_examples=150)
def test_simulate_is_driving_every_plan(data: RoutingDataset, router: Router, down: str | None) -> None:
    """Quality and dollars of a replay equal those of driving each plan with the recorded outcomes, exactly."""
    context = Context() if down is None else Context(unavailable={down: "down"})
    found = simulate(router, data, context)
    expected = np.array([driven(router, data, row, context) for row in range(len(data))])
    assert np.array_equal(found.quality, expected[:, 0], equal_nan=True)
    assert np.array_equal(found.cost_usd, expected[:, 1], equal_nan=True)


@given(datasets(), routers())
def test_nothing_is_invented(data: RoutingDataset, router: Router) -> None:
    """Every known figure of a replay is on record: a score of some model, a cost no greater than all of the query's."""
    found = simulate(router, data)
    for row in range(len(data)):
        if np.isfinite(found.quality[row]):
            assert found.quality[row] in data.quality[row]
        if np.isfinite(found.cost_usd[row]):
            assert found.cost_usd[row] <= np.nansum(data.cost_usd[row]) * (1 + 1e-12)
    assert found.unobserved == np.isnan(found.quality).sum()


@given(datasets(), st.lists(st.floats(0, 1e4), min_size=1, max_size=4), st.data())
def test_sweeping_is_simulating_point_by_point(data: RoutingDataset, points: list[float], more: st.DataObject) -> None:
    """A sweep gives at each operating point what simulating in that context gives."""
    router = more.draw(st.composite(estimated)())
    for point, found in zip(points, simulate_sweep(router, data, points), strict=True):
        assert np.array_equal(found.model, simulate(router, data, Context(operating_point=point)).model)


@given(datasets(missing=False, least=3), routers())
@settings(max_examples=40, deadline=None)
def test_the_oracle_is_the_ceiling(data: RoutingDataset, router: Router) -> None:
    """No method scores above the oracle, regrets are not negative, and shares add up to one."""
    found = evaluate(router, data, draws=100)
    top = found.row("oracle")
    assert top.quality is None or all(
        row.quality is None or row.quality.estimate <= top.quality.estimate + 1e-12 for row in found.rows
    )
    for row in found.rows:
        assert row.regret is not None
        assert row.regret >= -1e-12
        assert abs(sum(row.shares.values()) - 1) < 1e-9
        for interval in (row.quality, None if row.own is None else row.own.difference):
            assert interval is None or interval.low <= interval.high


@given(datasets(missing=False, least=4), st.permutations(range(3)), st.data())
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_and_models_is_irrelevant(
    data: RoutingDataset, models: list[int], more: st.DataObject
) -> None:
    """Shuffling queries and models changes no estimate of an evaluation and of an audit."""
    assume(len(np.unique(data.quality.mean(axis=0).round(6))) == 3)
    rows = more.draw(st.permutations(range(len(data))))
    shuffled = data.only([NAMES[j] for j in models]).take(rows)
    router = RulesRouter(pool=POOL, default="b", rules=(Rule(model="c", contains=("prove",)),))
    first, second = (evaluate(router, part, draws=100) for part in (data, shuffled))
    assert (first.best_single, first.cheapest) == (second.best_single, second.cheapest)
    for row in first.rows:
        other = second.row(row.name)
        for name in ("cost_usd", "aiq", "regret", "captured"):
            mine, theirs = getattr(row, name), getattr(other, name)
            assert (mine is None) == (theirs is None)
            assert mine is None or abs(mine - theirs) < 1e-9
    assert audit(data, draws=100).to_dict() == audit(shuffled, draws=100).to_dict()


@given(datasets(least=2))
@settings(max_examples=60, deadline=None)
def test_the_ceiling_holds(data: RoutingDataset) -> None:
    """β and the oracle add up to one, and no choice of models passes the ceiling on the queries that all answered."""
    assume(np.isfinite(data.quality).any())
    found = audit(data, draws=100).ceiling
    if found is None:
        return
    assert abs(found.cofailure.estimate + found.oracle.estimate - 1) < 1e-9
    assert found.headroom.estimate >= -1e-12
    complete = data.quality[np.isfinite(data.quality).all(axis=1)]
    assert found.queries == len(complete)
    picks = np.random.default_rng(0).integers(3, size=(20, len(complete)))
    assert (complete[np.arange(len(complete)), picks].mean(axis=1) <= found.oracle.estimate + 1e-12).all()
    for interval in (found.oracle, found.cofailure, found.headroom):
        assert interval.low - 1e-12 <= interval.estimate <= interval.high + 1e-12


@given(datasets(missing=False, least=2), st.lists(st.floats(0, 50), min_size=1, max_size=6))
def test_a_curve_lies_between_its_settings(data: RoutingDataset, points: list[float]) -> None:
    """The height of a curve is between the lowest and the highest quality of its settings."""
    router = EstimatedRouter(estimator=Constant()).fit(data)
    curve = Curve.of(
        (point, [found]) for point, found in zip(points, simulate_sweep(router, data, points), strict=True)
    )
    assert curve is not None
    low, high = data.cost_usd.argmin(axis=1), data.cost_usd.argmax(axis=1)
    rows = np.arange(len(data))
    height = curve.height(Span(low=data.cost_usd[rows, low], high=data.cost_usd[rows, high]))
    if height is not None:
        quality = curve.on_test[:, 1]
        assert quality.min() - 1e-9 <= height <= quality.max() + 1e-9


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=2, max_size=40), st.integers(1, 4))
def test_intervals_hold_their_mean(values: list[float], size: int) -> None:
    """An interval lies within its bounds and holds the mean of what is known."""
    group = np.arange(len(values)) // size
    found = interval_of(np.array(values), Resampling(group=group, draws=100, random_state=0), level=0.9)
    if found is None:
        return
    assert 0 <= found.low <= found.high <= 1
    known = np.array(values)[np.isfinite(values)]
    assert abs(found.estimate - known.mean()) < 1e-12


@given(datasets(missing=False))
def test_predictions_that_are_outcomes_are_an_oracle(data: RoutingDataset) -> None:
    """The plug-in rule on the outcomes themselves at λ = 0 scores what the oracle row scores."""
    estimates = Estimates(models=data.models, quality=data.quality, cost_usd=data.cost_usd)
    chosen = Utility().choose(estimates, uniforms=lambda: np.zeros(len(data))).model
    oracle = evaluate(RulesRouter(pool=POOL, default="a"), replace(data), draws=100).row("oracle")
    if oracle.quality is not None:
        assert abs(oracle.quality.estimate - data.quality[np.arange(len(data)), chosen].mean()) < 1e-9
