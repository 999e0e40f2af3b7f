"""The protocols on real outcomes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.estimators.linear import Linear
from pointsman.evaluation.protocols import controls, label_noise, leave_one_domain_out
from pointsman.features.embedding import Embedding
from pointsman.routers.estimated import EstimatedRouter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

VECTORS = EstimatedRouter(estimator=Linear(features=Embedding()))


def test_routing_by_text_gains_and_its_controls_do_not(outcome_data: Path) -> None:
    """On 14 tasks and 9 models a router gains over the Zero router, nothing with shuffled outcomes or random queries."""
    found = controls(VECTORS, RoutingDataset.read(outcome_data / "llmrouter_nim"))
    assert found.real.above_zero
    assert not found.leaks
    for control in (found.shuffled, found.random):
        assert control.aiq_gain is not None
        assert abs(control.aiq_gain.estimate) < 0.02


def test_a_new_domain_is_harder_than_a_known_one(outcome_data: Path) -> None:
    """On the same data the gain on tasks never seen is smaller than that on tasks that were."""
    data = RoutingDataset.read(outcome_data / "llmrouter_nim")
    away, home = leave_one_domain_out(VECTORS, data, draws=200), controls(VECTORS, data, repeats=2).real
    assert away.aiq_gain is not None
    assert home.aiq_gain is not None
    assert away.aiq_gain.estimate < home.aiq_gain.estimate
    assert len(away.domains) == 14


def test_repeated_samples_steady_a_router(outcome_data: Path) -> None:
    """Where models were sampled up to twenty times, fits on redrawn means disagree less than fits on single samples."""
    from pyarrow.parquet import read_table

    folder = outcome_data / "mot_samples"
    if not (folder / "samples.parquet").is_file():
        pytest.skip(f"no samples at {folder}")
    text = dict(
        zip(*(read_table(folder / "queries.parquet")[c].to_pylist() for c in ("query_id", "text")), strict=True)
    )
    samples = read_table(folder / "samples.parquet", columns=["query_id", "family", "strategy", "correct"]).to_pylist()
    rows = [
        {
            "id": s["query_id"],
            "text": text[s["query_id"]],
            "model": f"{s['family']} {s['strategy']}",
            "quality": s["correct"],
        }
        for s in samples
        if s["query_id"].startswith("mot-date") and s["correct"] is not None
    ]
    data = RoutingDataset.from_rows(rows)
    situation = [text.split("What is the date")[0] for text in data.queries.texts]
    groups = np.unique(situation, return_inverse=True)[1].astype(np.int64)
    router = EstimatedRouter(estimator=Linear())
    found = label_noise(router, replace(data, groups=groups), shares=(0.05,), repeats=4, draws=200)
    means, singles = found.reruns
    assert found.repeated > 0.9
    assert means.flips is not None
    assert singles.flips is not None
    assert means.flips.estimate < singles.flips.estimate
