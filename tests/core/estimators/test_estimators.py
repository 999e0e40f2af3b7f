"""What each estimator predicts, on data small enough to know the answer."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.data import Queries, RoutingDataset
from pointsman.errors import DataError, NotFittedError
from pointsman.estimators.averages import shrunken_means
from pointsman.estimators.base import Estimator
from pointsman.estimators.clusters import Clusters
from pointsman.estimators.constant import Constant
from pointsman.estimators.crossfit import out_of_fold
from pointsman.estimators.domain import Domain
from pointsman.estimators.factor import Factor
from pointsman.estimators.linear import Linear
from pointsman.estimators.logistic import contrast_logistic
from pointsman.estimators.nearest import Nearest
from pointsman.estimators.usage import TokenUsage
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.types import Query

RNG = np.random.default_rng(1)
POINTS = RNG.standard_normal((120, 3))
DOMAINS = ["east" if x > 0 else "west" for x in POINTS[:, 0]]
EAST = (POINTS[:, 0] > 0).astype(float)
MODELS = {"local": 0.9 * EAST + 0.05, "remote": 0.9 * (1 - EAST) + 0.05}
ESTIMATORS = (
    Constant(),
    Domain(features=Embedding()),
    Nearest(features=Embedding(), k=5),
    Clusters(features=Embedding(), clusters=8, nearest=1, prior=0.0),
    Linear(features=Embedding()),
    Linear(features=Embedding(), target="levels"),
    Linear(features=Embedding(), loss="logistic"),
    Factor(features=Embedding()),
    TokenUsage(estimator=Linear(features=Embedding()), features=Embedding()),
)


def dataset(**changes: object) -> RoutingDataset:
    """Return outcomes where one model is good in the east and the other in the west."""
    texts = [f"point {i}" for i in range(len(POINTS))]
    costs = {"local": np.full(120, 0.001), "remote": np.full(120, 0.002)}
    made = RoutingDataset.from_arrays(texts, MODELS, costs, domains=DOMAINS, embeddings=POINTS)
    for name, value in changes.items():
        object.__setattr__(made, name, value)
    return made


def at(*points: tuple[float, float, float], domains: list[str | None] | None = None) -> Queries:
    """Return queries at these points."""
    return Queries.from_texts(["somewhere"] * len(points), embeddings=np.array(points), domains=domains)


@pytest.mark.parametrize("estimator", ESTIMATORS[1:], ids=repr)
def test_the_better_model_is_found(estimator: Estimator) -> None:
    """On clear-cut queries every estimator that looks at the query knows which model is better."""
    found = estimator.clone().fit(dataset()).predict(at((2, 0, 0), (-2, 0, 0), domains=[None, None]))
    assert found.best() == ["local", "remote"]
    assert found.cost_usd == pytest.approx(np.array([[0.001, 0.002]] * 2), rel=0.05)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_before_fit_there_is_an_error(estimator: Estimator) -> None:
    """Predicting before `fit` is refused by name."""
    with pytest.raises(NotFittedError, match=type(estimator).__name__):
        estimator.clone().predict(at((0, 0, 0)))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_a_model_without_outcomes_is_refused(estimator: Estimator) -> None:
    """A model nobody ever tried has no estimate; the error names it."""
    quality = dataset().quality.copy()
    quality[:, 1] = np.nan
    with pytest.raises(DataError, match="remote"):
        estimator.clone().fit(dataset(quality=quality))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_unknown_costs_stay_unknown(estimator: Estimator) -> None:
    """A model whose cost nobody knows is predicted to cost NaN, not 0; the other's cost is unharmed."""
    cost = dataset().cost_usd.copy()
    cost[:, 0] = np.nan
    found = estimator.clone().fit(dataset(cost_usd=cost)).predict(at((1, 1, 1)))
    assert np.isnan(found.cost_usd[0, 0])
    assert found.cost_usd[0, 1] == pytest.approx(0.002, rel=0.05)


@pytest.mark.parametrize("estimator", ESTIMATORS[1:], ids=repr)
def test_missing_cells_are_tolerated(estimator: Estimator) -> None:
    """With a third of the outcomes missing at random the better model is still found."""
    quality = np.where(RNG.random((120, 2)) < 0.33, np.nan, dataset().quality)
    found = estimator.clone().fit(dataset(quality=quality)).predict(at((2, 0, 0), (-2, 0, 0)))
    assert found.best() == ["local", "remote"]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_latency_is_predicted_where_it_was_recorded(estimator: Estimator) -> None:
    """Recorded latencies come back as estimates; without records there is None."""
    latency = np.tile([0.5, 2.0], (120, 1))
    found = estimator.clone().fit(dataset(latency_s=latency)).predict(at((1, 1, 1)))
    assert found.latency_s is not None
    assert found.latency_s[0] == pytest.approx([0.5, 2.0], rel=0.05)
    assert estimator.clone().fit(dataset()).predict(at((1, 1, 1))).latency_s is None


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_latencies_have_no_say_in_costs(estimator: Estimator) -> None:
    """How long calls happened to take changes nothing of what they are expected to cost."""
    costs = np.exp(POINTS @ np.array([[0.5, 0.1], [0.0, 1.0], [-1.0, 0.0]])) * 0.001
    slow = RNG.lognormal(size=(120, 2))
    plain, timed = (
        estimator.clone().fit(dataset(cost_usd=costs, latency_s=latency)).predict(at((1, 1, 1), (0, 2, -1))).cost_usd
        for latency in (None, slow)
    )
    assert timed == pytest.approx(plain, rel=1e-9)


def test_nearest_averages_the_nearest() -> None:
    """The prediction is the plain mean over the k rows of largest cosine."""
    data = dataset(quality=RNG.random((120, 2)))
    point = np.array([0.3, -0.2, 0.9])
    cosine = POINTS @ point / np.linalg.norm(POINTS, axis=1)
    expected = data.quality[np.argsort(-cosine)[:7]].mean(axis=0)
    found = Nearest(features=Embedding(), k=7).fit(data).predict(at(tuple(point)))
    assert found.quality[0] == pytest.approx(expected, abs=1e-6)


def test_a_given_domain_is_looked_up() -> None:
    """A known domain gives its shrunken table row whatever the text; "predicted" does not look at it."""
    data = dataset()
    east = np.array([domain == "east" for domain in DOMAINS])
    table = shrunken_means(east[None, :].astype(float), data.quality, data.mean_quality, 20.0)
    given = Domain(features=Embedding()).fit(data)
    assert given.predict(at((-2, 0, 0), domains=["east"])).quality == pytest.approx(table)
    predicted = Domain(features=Embedding(), source="predicted").fit(data)
    assert predicted.predict(at((-2, 0, 0), domains=["east"])).best() == ["remote"]
    assert predicted.probabilities(at((-2, 0, 0))).sum() == pytest.approx(1)


def test_without_domains_there_is_one() -> None:
    """Data without domains make the domain table the overall means."""
    data = dataset(queries=Queries.from_texts(["x"] * 120, embeddings=POINTS))
    found = Domain(features=Embedding()).fit(data).predict(at((1, 0, 0)))
    assert found.quality[0] == pytest.approx(data.mean_quality)


def test_shrinkage_counts_pseudo_rows() -> None:
    """A mean over n rows and a prior of p is (n·mean + p·overall) / (n + p), missing cells left out."""
    values = np.array([[1.0, np.nan], [0.0, 0.5]])
    found = shrunken_means(np.ones((1, 2)), values, np.array([0.2, 0.3]), 2.0)
    assert found[0] == pytest.approx([(1.0 + 2 * 0.2) / 4, (0.5 + 2 * 0.3) / 3])
    assert shrunken_means(np.zeros((1, 2)), values, np.array([0.2, 0.3]), 0.0)[0] == pytest.approx([0.2, 0.3])


def test_clusters_describe_a_model_by_its_errors() -> None:
    """A model's profile is 1 minus its quality per cluster."""
    fitted = Clusters(features=Embedding(), clusters=4, prior=0.0).fit(dataset())
    assert fitted.profile("local") + fitted.profile("remote") == pytest.approx(np.full(4, 1.0))


def test_contrasts_ignore_how_hard_a_query_is() -> None:
    """Adding the same amount to all models' quality, query by query, leaves their predicted differences alone."""
    data, shift = dataset(), 0.05 * RNG.random((120, 1))
    queries = at((1, 2, 3), (-1, 0, 1))
    plain, shifted = (
        Linear(features=Embedding()).fit(d).predict(queries).quality
        for d in (dataset(quality=data.quality * 0.9), dataset(quality=data.quality * 0.9 + shift))
    )
    assert np.diff(plain, axis=1) == pytest.approx(np.diff(shifted, axis=1), abs=1e-9)


def test_an_offset_is_taken_as_given() -> None:
    """With an offset that knows everything, the rest is flat."""
    offset = Domain(features=Embedding(), prior=0.0, source="given")
    linear = Linear(features=Embedding(), offset=offset).fit(dataset())
    east = linear.predict(at((0.1, 0, 0), (3, 0, 0), domains=["east", "east"])).quality
    assert np.diff(east, axis=1) == pytest.approx(np.full((2, 1), -0.9), abs=1e-6)


def test_the_logistic_loss_is_at_its_minimum() -> None:
    """The slope of the penalised loss vanishes at the solution, whose predictions average to the data's means."""
    rows, quality = RNG.standard_normal((80, 4)), (RNG.random((80, 3)) < 0.6).astype(float)
    weights, bias = contrast_logistic(rows, quality, level_penalty=1.0, contrast_penalty=2.0)
    predicted = 1 / (1 + np.exp(-(rows @ weights + bias)))
    assert predicted.mean(axis=0) == pytest.approx(quality.mean(axis=0), abs=1e-3)
    slope = rows.T @ (predicted - quality)
    shared = -slope.sum(axis=1) / 1.0
    assert weights == pytest.approx(shared[:, None] - slope / 2.0, abs=1e-2)


def test_out_of_fold_estimates_never_saw_their_row() -> None:
    """A row's estimate comes from a fit without its group: memorising gains nothing."""
    noise = dataset(quality=RNG.integers(0, 2, (120, 2)).astype(float))
    estimator = Nearest(features=Embedding(), k=1)
    inside = estimator.clone().fit(noise).predict(noise.queries).quality
    outside = out_of_fold(estimator, noise, k=4).quality
    assert np.array_equal(inside, noise.quality)
    assert (outside == noise.quality).mean() < 0.7
    assert estimator.state_ is None


def test_a_linear_explanation_names_words() -> None:
    """The words that speak for the better model over the other come first, with their sign."""
    texts = ["solve the equation", "write a poem"] * 30
    skill = {"maths": [1.0, 0.0] * 30, "poetry": [0.0, 1.0] * 30}
    fitted = Linear(features=Lexical(components=4)).fit(RoutingDataset.from_arrays(texts, skill))
    told = fitted.explain(Query(text="solve this poem"))
    ((heading, words),) = told.items()
    assert heading in {"words for maths over poetry", "words for poetry over maths"}
    sign = 1 if heading.startswith("words for maths") else -1
    assert sign * words["solve"] > 0 > sign * words["poem"]


def test_nearly_as_many_domains_as_queries_make_no_noise() -> None:
    """Forty queries of thirty domains are fitted without a warning, and predicted."""
    data = RoutingDataset.from_arrays(
        [f"question {i}" for i in range(40)],
        {"a": [1.0] * 40, "b": [0.0, 1.0] * 20},
        domains=[f"domain {min(i, 29)}" for i in range(40)],
    )
    found = Domain(features=Lexical(bits=10, components=4)).fit(data).predict(data.queries)
    assert np.isfinite(found.quality).all()
