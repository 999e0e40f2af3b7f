"""`stress`: the protocols from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pointsman.cli.stress import _PROTOCOLS
from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import grouped_split
from pointsman.evaluation.protocols import controls, diagnose
from pointsman.policies.floor import NearBest
from pointsman.routers.estimated import EstimatedRouter
from pointsman.selection.auto import AutoRouter

if TYPE_CHECKING:
    from conftest import Commands, World

CONSTANT = ("--estimator", "Constant")


@pytest.mark.parametrize("protocol", [name for name in _PROTOCOLS if name != "domains"])
def test_every_protocol_runs_by_its_name(run: Commands, world: World, protocol: str) -> None:
    """Each writes its own finding as JSON, and nothing else."""
    data = run.data("stress", world.outcomes, "--protocol", protocol, *CONSTANT)
    assert list(data) == [protocol]
    assert data[protocol]["level"] == 0.95


def test_the_figures_are_the_librarys(run: Commands, world: World) -> None:
    """The command finds what the function finds, and shows it as a table."""
    from pointsman.estimators.constant import Constant

    router = EstimatedRouter(estimator=Constant(), policy=NearBest())
    found = controls(router, RoutingDataset.read(world.outcomes), random_state=3)
    options = ("stress", world.outcomes, "--protocol", "controls", *CONSTANT, "--seed", 3)
    assert run.data(*options)["controls"] == json.loads(json.dumps(found.to_dict()))
    assert str(found) in run(*options).stdout


def test_by_default_it_is_the_router_that_fit_learns(run: Commands, world: World) -> None:
    """Without an estimator the AutoRouter is put to the test."""
    train, test = grouped_split(RoutingDataset.read(world.outcomes).canonical(), (0.8, 0.2))
    found = diagnose(AutoRouter().fit(train), test, train=train)
    data = run.data("stress", world.outcomes, "--protocol", "diagnostics")
    assert data["diagnostics"] == json.loads(json.dumps(found.to_dict()))


def test_what_the_data_do_not_allow_is_refused_when_asked_for(run: Commands, world: World) -> None:
    """Domains were not recorded: one sentence says so."""
    result = run("stress", world.outcomes, "--protocol", "domains", *CONSTANT)
    assert result.exit_code == 1
    assert "Holding a domain out takes at least two" in result.stderr
    assert result.stdout == ""


def test_without_names_all_run_that_can(run: Commands, world: World) -> None:
    """What the data do not allow is left out, and why is said on stderr."""
    result = run("stress", world.outcomes, *CONSTANT, "--json")
    assert result.exit_code == 0, result.stderr
    assert "no two domains: domains is left out" in result.stderr
    left_out = {"domains", *({"models"} if len(world.dataset.models) < 3 else ())}
    assert set(json.loads(result.stdout)) == set(_PROTOCOLS) - left_out


def test_a_router_is_described_once(run: Commands, world: World) -> None:
    """A configuration and an estimator contradict each other, and an unknown protocol is a usage error."""
    assert run("stress", world.outcomes, "--config", "x.toml", *CONSTANT).exit_code == 2
    assert run("stress", world.outcomes, "--protocol", "luck").exit_code == 2
