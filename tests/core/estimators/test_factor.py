"""What the factorisation finds, on outcomes that were made from factors, and against plain ridge regression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import Queries, RoutingDataset
from pointsman.errors import ConfigError
from pointsman.estimators.axes import Axes
from pointsman.estimators.factor import Factor
from pointsman.estimators.linear import Linear
from pointsman.estimators.ridge import RidgeSolver
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.testing.alterations import shuffled
from pointsman.types import Query

MODELS = tuple("abcdefgh")
RNG = np.random.default_rng(3)
VECTORS = np.linalg.qr(RNG.standard_normal((len(MODELS), 2)))[0]
PATHS = RNG.standard_normal((12, 2)) / 4


def outcomes(n: int, *, noise: float = 0.2, seed: int = 0) -> tuple[RoutingDataset, np.ndarray]:
    """Return outcomes of eight models on n queries that differ along two axes only, and their true contrasts."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((n, 12))
    vectors = VECTORS - VECTORS.mean(axis=0)
    truth = 0.3 * (points @ PATHS) @ vectors.T
    quality = np.clip(0.5 + truth + noise * rng.standard_normal(truth.shape), 0, 1)
    texts = [f"query {seed} {i}" for i in range(n)]
    data = RoutingDataset.from_arrays(texts, dict(zip(MODELS, quality.T, strict=True)), embeddings=points)
    return data, truth


def error(estimator: Factor | Linear, data: RoutingDataset) -> float:
    """Return the mean squared error of the contrasts on new queries."""
    test, truth = outcomes(500, seed=1)
    found = estimator.clone().fit(data).predict(test.queries).quality
    return float(np.square(found - found.mean(axis=1, keepdims=True) - truth).mean())


def test_the_number_of_factors_is_found() -> None:
    """Outcomes that differ along two axes have two factors, seldom one more; without any signal there are none."""
    data, _ = outcomes(400)
    counts = [len(Factor(features=Embedding()).fit(outcomes(400, seed=seed)[0]).vector("a")) for seed in range(5)]
    assert set(counts) <= {2, 3}
    assert np.median(counts) == 2
    noise = replace(data, quality=np.random.default_rng(5).random(data.quality.shape))
    fitted = Factor(features=Embedding()).fit(noise)
    assert fitted.vector("a").shape == (0,)
    assert np.ptp(fitted.predict(data.queries.take([0, 1])).quality, axis=1) == pytest.approx(
        np.ptp(noise.mean_quality)
    )


def test_few_factors_beat_a_regression_of_every_model() -> None:
    """Where the truth has two factors and rows are few, the factorisation errs less than independent weights do."""
    data, _ = outcomes(60)
    assert error(Factor(features=Embedding()), data) < 0.8 * error(Linear(features=Embedding()), data)


def test_missing_cells_are_filled_by_what_models_share() -> None:
    """With seven cells in ten missing, the error stays under a third of what knowing only the means would leave."""
    data, truth = outcomes(600)
    holes = np.random.default_rng(2).random(data.quality.shape) < 0.7
    sparse = replace(data, quality=np.where(holes, np.nan, data.quality))
    assert error(Factor(features=Embedding()), sparse) < np.square(truth).mean() / 3


def test_all_factors_without_penalty_are_a_plain_regression() -> None:
    """Axes are a rotation: with every one of them, and next to no penalty, predictions are those of least squares."""
    data, _ = outcomes(100)
    every = Factor(features=Embedding(), factors=len(MODELS), penalties=(1e-9,)).fit(data).predict(data.queries).quality
    plain = Linear(features=Embedding(), penalties=(1e-9,)).fit(data).predict(data.queries).quality
    assert every == pytest.approx(plain, abs=1e-6)


def test_axes_are_orthonormal_and_errors_count_them_one_by_one() -> None:
    """The error after k axes is that of predicting with the first k."""
    data, _ = outcomes(80)
    rows = data.queries.embeddings
    assert rows is not None
    found = Axes.fit(RidgeSolver(rows), data.quality, (1.0, 10.0))
    assert found.axes.T @ found.axes == pytest.approx(np.eye(len(MODELS)))
    for k in (0, 3, len(MODELS)):
        rest = data.quality - found.first(k).predict(rows)
        assert found.errors(rows, data.quality)[k] == pytest.approx(np.square(rest).sum())


def test_the_order_of_rows_and_models_does_not_matter() -> None:
    """Shuffled outcomes, with holes, give the same fit to the last bit."""
    data, _ = outcomes(60)
    holes = replace(
        data, quality=np.where(np.random.default_rng(4).random(data.quality.shape) < 0.3, np.nan, data.quality)
    )
    one, other = (Factor(features=Embedding()).fit(d) for d in (holes, shuffled(holes)))
    assert one.digest() == other.digest()


def test_a_given_number_is_at_most_the_number_of_models() -> None:
    """More factors than models are as many as there are models; a single query leaves nothing to choose by."""
    data, _ = outcomes(30)
    assert Factor(features=Embedding(), factors=50).fit(data).vector("b").shape == (len(MODELS),)
    assert Factor(features=Embedding()).fit(data.take([0])).vector("b").shape == (0,)


def test_predictions_are_the_products() -> None:
    """From query to query, the difference of two models changes by the change of place times that of their vectors."""
    fitted = Factor(features=Embedding(), factors=2).fit(outcomes(200)[0])
    queries = Queries.from_texts(["x", "y", "z"], embeddings=np.eye(3, 12))
    found = fitted.predict(queries).quality
    expected = np.diff(fitted.places(queries), axis=0) @ (fitted.vector("a") - fitted.vector("b"))
    assert np.diff(found[:, 0] - found[:, 1]) == pytest.approx(expected)


def test_an_unknown_model_has_no_vector() -> None:
    """The error names the model and the choices."""
    with pytest.raises(ConfigError, match=r"'zebra'.*'a'"):
        Factor(features=Embedding()).fit(outcomes(30)[0]).vector("zebra")


def test_an_explanation_adds_up() -> None:
    """What the factors add, with the average, is the difference of the two models; words carry their sign."""
    texts = ["solve the equation", "write a poem"] * 30
    skill = {"maths": [1.0, 0.0] * 30, "poetry": [0.0, 1.0] * 30}
    fitted = Factor(features=Lexical(components=4), factors=1).fit(RoutingDataset.from_arrays(texts, skill))
    query = Query(text="solve the equation")
    factors, words = fitted.explain(query).items()
    quality = fitted.predict_one(query).quality[0]
    assert factors[0] == "factors for maths over poetry"
    assert sum(factors[1].values()) == pytest.approx(quality[0] - quality[1])
    assert words[1]["solve"] > 0


def test_a_single_model_needs_no_factors() -> None:
    """One model has a level and nothing to be told from."""
    data, _ = outcomes(30)
    fitted = Factor(features=Embedding()).fit(data.only(["c"]))
    assert np.isfinite(fitted.predict(data.queries).quality).all()
    assert fitted.explain(data.queries[0]) == {}
