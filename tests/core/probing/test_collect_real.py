"""Collecting what is known already: real answers, served over HTTP, must give the scores on record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.models import ModelPool
from pointsman.probing import Collector, Prompt, read_prompts
from pointsman.testing.replay_server import Recorded, ReplayServer

pytest.importorskip("httpx", reason="calling over HTTP needs the extra 'http'")
pq = pytest.importorskip("pyarrow.parquet", reason="parquet needs the extra 'data'")

CHOICE = {"type": "regex", "pattern": r"answer is \(?([A-J])\)?"}


def prompts_and_recordings(folder: Path, count: int) -> tuple[list[Prompt], dict[tuple[str, str], Recorded]]:
    """Return prompts to which models gave full responses, and those responses."""
    prompts = read_prompts(folder / "queries.parquet", columns={"id": "query_id", "reference": "gold"})
    text_of = {prompt.id: prompt.text for prompt in prompts}
    recordings = {
        (row["model"], text_of[row["query_id"]]): Recorded(text=row["response"])
        for row in pq.read_table(folder / "responses.parquet").to_pylist()
        if row["response"] is not None
    }
    answered = {text for _, text in recordings}
    return [prompt for prompt in prompts if prompt.text in answered][:: len(prompts) // count], recordings


async def test_scores_of_real_responses_are_those_on_record(outcome_data: Path, tmp_path: Path) -> None:
    """Reading the choice out of free text agrees with the published scores in all but a few responses."""
    folder = outcome_data / "mmlu_pro"
    prompts, recordings = prompts_and_recordings(folder, 150)
    models = sorted({model for model, _ in recordings})[:3]
    with ReplayServer(recordings) as server:
        pool = ModelPool.of([{"name": name, "metadata": {"endpoint": server.url}} for name in models])
        collection = await Collector(pool=pool, scorer=CHOICE, log=tmp_path / "log.jsonl").run(prompts)
    assert collection.complete
    found = collection.dataset()
    known = RoutingDataset.read(folder).only(models)
    row_of = {name: row for row, name in enumerate(known.queries.ids)}
    known = known.take([row_of[name] for name in found.queries.ids])
    assert found.queries.texts == known.queries.texts
    assert np.mean(found.quality == known.quality) >= 0.97
