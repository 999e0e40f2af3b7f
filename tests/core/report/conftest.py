"""Outcomes of every shape that a report has to cope with, and reports of them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pointsman.data.dataset import RoutingDataset
from pointsman.estimators.nearest import Nearest
from pointsman.features.lexical import Lexical
from pointsman.policies.floor import NearBest
from pointsman.policies.utility import Utility
from pointsman.report import Report, build_report
from pointsman.routers.estimated import EstimatedRouter

HOSTILE = (
    '<script>alert(1)</script><img src=https://example.com/x.png onerror=alert(2)> & "it\'s" \u202e \x00 $x^2$ \ud83e'
)
HOSTILE_NAME = "evil</title><script>fetch('//example.com')</script>&\"$"


def router(*, priced: bool = True) -> EstimatedRouter:
    """Return a router that learns in milliseconds."""
    words = Lexical(bits=8, components=4)
    return EstimatedRouter(estimator=Nearest(features=words, k=5), policy=NearBest() if priced else Utility(), folds=2)


def outcomes(
    rows: int = 150,
    models: int = 3,
    *,
    priced: bool = True,
    labelled: bool = True,
    names: tuple[str, ...] = (),
    text: str = "",
) -> RoutingDataset:
    """Return outcomes in which each kind of question has models that are good at it."""
    rng = np.random.default_rng(7)
    kinds = ("sum", "proof", "translation", "law")
    kind = [kinds[i % 4] for i in range(rows)]
    texts = [f"{kind[i]} question number {i} {text}".rstrip() for i in range(rows)]
    names = names or tuple(f"provider-{j}/model-{j:02d}-instruct" for j in range(models))
    skill = {name: 0.25 + 0.6 * j / len(names) + 0.1 * rng.random(4) for j, name in enumerate(names)}
    quality = {n: [float(rng.random() < skill[n][kinds.index(k)]) for k in kind] for n in names}
    cost = {n: 1e-5 * 1.1**j * (1 + rng.random(rows)) for j, n in enumerate(names)} if priced else None
    return RoutingDataset.from_arrays(texts, quality, cost, domains=kind if labelled else None)


def report_of(data: RoutingDataset, *, priced: bool = True, repeats: int = 2) -> Report:
    """Return a report with fewer draws than usual."""
    return build_report(router(priced=priced), data, source="toy.csv", draws=100, steps=3, repeats=repeats)


@pytest.fixture(scope="session")
def usual() -> Report:
    """A report where everything is known."""
    return report_of(outcomes())


@pytest.fixture
def drawable() -> None:
    """Skip where nothing draws a page."""
    for package in ("jinja2", "matplotlib"):
        pytest.importorskip(package, reason="a page needs the extra 'report'")


@pytest.fixture(scope="session")
def page(usual: Report) -> str:
    """The page of the usual report."""
    return usual.html()


SHAPES = {
    "usual": lambda: report_of(outcomes()),
    "without costs": lambda: report_of(outcomes(priced=False), priced=False),
    "without domains": lambda: report_of(outcomes(labelled=False)),
    "two models": lambda: report_of(outcomes(models=2)),
    "57 models": lambda: report_of(outcomes(rows=60, models=57), repeats=0),
    "twenty rows": lambda: report_of(outcomes(rows=20)),
    "nine rows": lambda: report_of(outcomes(rows=9)),
    "one model": lambda: report_of(outcomes(models=1)),
    "hostile": lambda: report_of(outcomes(names=(HOSTILE_NAME, "x" * 300, "plain"), text=HOSTILE)),
}


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """What makes data, routers and reports."""
    return SimpleNamespace(
        outcomes=outcomes, router=router, report_of=report_of, shapes=SHAPES, hostile_name=HOSTILE_NAME
    )
