"""Whether a query of a kind never met is told from those that were learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.data import Queries
from pointsman.estimators.familiarity import Familiarity
from pointsman.estimators.kinds import kinds_of
from pointsman.metrics import auroc

Matrix = np.ndarray


def gaussians(apart: float, *, kinds: int = 6, each: int = 40, seed: int = 0) -> tuple[Matrix, Matrix]:
    """Return rows of kinds whose middles lie this far out, and their kinds."""
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((kinds, 8))
    middles *= apart / np.linalg.norm(middles, axis=1, keepdims=True)
    codes = np.repeat(np.arange(kinds), each)
    return middles[codes] + rng.standard_normal((kinds * each, 8)), codes


def told_apart(apart: float) -> float:
    """Return how well held-out queries of five known kinds are told from those of a sixth."""
    rows, codes = gaussians(apart)
    train = (codes < 5) & (np.arange(len(codes)) % 2 == 0)
    found = Familiarity.fit(rows[train], codes[train])
    assert found is not None
    held = ~train & ((codes == 5) | (np.arange(len(codes)) % 2 == 1))
    area = auroc(found.probability(rows[held]), codes[held] < 5)
    assert area is not None
    return area


def test_a_kind_never_met_is_unfamiliar() -> None:
    """Of kinds that lie apart a new one gets lower probabilities than the known ones."""
    assert told_apart(6.0) > 0.8


def test_what_does_not_differ_is_not_told_apart() -> None:
    """Kinds that are kinds by name only say nothing."""
    assert told_apart(0.0) == pytest.approx(0.5, abs=0.13)


def test_probabilities_are_probabilities() -> None:
    """They are in (0, 1), on both sides of even odds, and finite far away from everything."""
    rows, codes = gaussians(6.0)
    found = Familiarity.fit(rows, codes)
    assert found is not None
    known, far = found.probability(rows), found.probability(1e6 * np.ones((1, 8)))
    assert ((known > 0) & (known < 1)).all()
    assert known.mean() > 0.5
    assert 0 <= far[0] < 0.5


def test_the_order_of_rows_hardly_matters() -> None:
    """Which rows are held out together changes little; estimators fit on rows in canonical order, and so exactly alike."""
    rows, codes = gaussians(4.0)
    order = np.random.default_rng(1).permutation(len(rows))
    one, other = Familiarity.fit(rows, codes), Familiarity.fit(rows[order], codes[order])
    assert one is not None
    assert other is not None
    assert np.abs(one.probability(rows) - other.probability(rows)).max() < 0.1


def test_a_row_does_not_depend_on_its_batch() -> None:
    """A row alone is as familiar as among others."""
    rows, codes = gaussians(4.0)
    found = Familiarity.fit(rows, codes)
    assert found is not None
    together = found.probability(rows)
    assert np.array([found.probability(row[None])[0] for row in rows]) == pytest.approx(together, abs=1e-9)


@pytest.mark.parametrize("codes", [[-1] * 9, [0] * 9, [0, 1] * 4 + [2], [0, 0, 1, 1, 2, 3, 4, 5, -1]], ids=str)
def test_a_few_kinds_are_too_few(codes: list[int]) -> None:
    """Under three kinds of two rows each nothing can be left out and looked at."""
    rows = np.random.default_rng(0).standard_normal((9, 4))
    assert Familiarity.fit(rows, np.array(codes)) is None


def test_three_kinds_of_two_are_enough() -> None:
    """The smallest case that can be fitted is, rows of no kind left out."""
    rows = np.random.default_rng(0).standard_normal((7, 4))
    found = Familiarity.fit(rows, np.array([0, 0, 1, 1, 2, 2, -1]))
    assert found is not None
    assert np.isfinite(found.probability(rows)).all()


def queries(domains: list[str | None]) -> Queries:
    """Return queries of these domains."""
    return Queries.from_texts([f"q{i}" for i in range(len(domains))], domains=domains)


def test_domains_are_the_kinds() -> None:
    """Four domains of two queries each are taken as they are; a domain met once, and none, are no kind."""
    found = kinds_of(queries(["b", "a", None, "c", "d", "a", "b", "c", "d", "once"]), np.zeros((10, 2)))
    assert found.tolist() == [1, 0, -1, 2, 3, 0, 1, 2, 3, -1]


def test_clusters_are_the_kinds_where_there_are_few_domains() -> None:
    """Without domains, rows that lie together are of one kind; too few rows, or all the same, have none."""
    rows, codes = gaussians(50.0, kinds=5, each=8)
    found = kinds_of(queries([None] * 40), rows)
    assert len(set(found.tolist())) == 5
    assert all(len(set(found[codes == kind].tolist())) == 1 for kind in range(5))
    assert set(kinds_of(queries([None] * 40), np.zeros((40, 2))).tolist()) == {-1}
    assert set(kinds_of(queries([None] * 20), rows[:20]).tolist()) == {-1}
