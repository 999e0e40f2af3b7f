"""Collect outcomes from four stand-ins for models, ask whether a router is worth it, learn one, and measure it.

The stand-ins are small programs, so this runs offline; put your own models into the pool and your own prompts into the list.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from pointsman import EstimatedRouter, Linear, NearBest, grouped_split, save
from pointsman.demo import SCORER, generate, pool
from pointsman.evaluation import evaluate
from pointsman.probing import Prompt, collect
from pointsman.selection.audit import audit


def main(folder: Path) -> None:
    """Go from prompts to a saved router."""
    prompts = [Prompt(text=task.text, id=task.id, references=(task.answer,)) for task in generate(400, seed=1)]
    collection = collect(prompts, pool=pool(), scorer=SCORER, log=folder / "log.jsonl", budget_usd=1.0)
    dataset = collection.dataset()
    print(f"{len(dataset)} prompts × {len(dataset.models)} models\n")
    print(audit(dataset))

    train, validation, test = grouped_split(dataset)
    router = EstimatedRouter(estimator=Linear(), policy=NearBest(tolerance=0.05)).fit(train)
    print(evaluate(router, test, train=train, validation=validation))
    path = save(router, folder / "router.pointsman")
    print(f"saved: {path.name}, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
