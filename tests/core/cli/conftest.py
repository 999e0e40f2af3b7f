"""A small world on disk: outcomes of two models, a router fitted on them, and a runner of commands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pointsman.artifacts import save
from pointsman.cli import main
from pointsman.data.dataset import RoutingDataset
from pointsman.demo import PROGRAMS, final_answer, generate, pool
from pointsman.estimators.linear import Linear
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter


@dataclass(frozen=True)
class World:
    """Paths of the outcomes and of the artefact, and the two behind them."""

    outcomes: Path
    artefact: Path
    dataset: RoutingDataset
    router: EstimatedRouter


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Outcomes of the stand-in programs on 240 tasks, and a router fitted on all of them."""
    folder = tmp_path_factory.mktemp("world")
    quality: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    cost: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    tasks = generate(240, seed=11)
    for task in tasks:
        for name in PROGRAMS:
            response = PROGRAMS[name](task.text)
            quality[name].append(float(final_answer(response.text) == task.answer))
            cost[name].append(response.cost_usd or 0.0)
    ids = [task.id for task in tasks]
    dataset = RoutingDataset.from_arrays([task.text for task in tasks], quality, cost, ids=ids, pool=pool())
    router = EstimatedRouter(estimator=Linear(), policy=Utility(cost_weight=300)).fit(dataset)
    artefact = save(router, folder / "router.pointsman", metadata={"data": {"source": "outcomes.jsonl"}})
    return World(dataset.write(folder / "outcomes.jsonl"), artefact, dataset, router)


class Commands:
    """Runs `pointsman` with arguments, in this process."""

    def __call__(self, *args: object, input: str | None = None) -> Result:  # noqa: A002 - click's own name
        """Return the result; an error that is not meant for the user is raised here."""
        result = CliRunner().invoke(main, [str(arg) for arg in args], input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def data(self, *args: object, input: str | None = None) -> Any:  # noqa: A002
        """Return what a command that succeeds writes with `--json`."""
        result = self(*args, "--json", input=input)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)


@pytest.fixture(scope="session")
def run() -> Commands:
    """The command line."""
    return Commands()
