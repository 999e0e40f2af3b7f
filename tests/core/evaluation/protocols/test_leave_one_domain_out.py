"""leave_one_domain_out: what is learnt elsewhere is measured on a domain that nothing was learnt from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.evaluation.protocols import leave_one_domain_out
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter

DOMAINS = ("history", "law", "physics")
Reorder = Callable[[RoutingDataset], RoutingDataset]


def test_a_rule_that_holds_everywhere_carries_over(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """Where every domain follows one rule, the router beats the best single model and the Zero router in each, and pooled."""
    found = leave_one_domain_out(knowing, world, draws=200)
    assert tuple(entry.domain for entry in found.domains) == DOMAINS
    for interval in (
        found.difference,
        found.aiq_gain,
        found.aiq_gain_over_domains,
        *(d.aiq_gain for d in found.domains),
    ):
        assert interval is not None
        assert interval.low > 0
    assert found.relative_cost is not None
    assert found.relative_cost.estimate == pytest.approx(0.55, abs=0.1)
    assert sum(entry.queries for entry in found.domains) == len(world)


def test_a_domain_where_the_rule_is_turned_round_shows(turned: RoutingDataset, knowing: EstimatedRouter) -> None:
    """What the router learnt on two domains is worse than the best single model on a third that is the other way round."""
    found = leave_one_domain_out(knowing, turned, draws=200)
    law = next(entry for entry in found.domains if entry.domain == "law")
    assert law.own.difference is not None
    assert law.own.difference.high < 0
    assert found.difference is not None
    assert found.difference_over_domains is not None
    widths = [interval.high - interval.low for interval in (found.difference, found.difference_over_domains)]
    assert widths[1] > 2 * widths[0]  # three domains that differ say little of a fourth


def test_nothing_of_the_held_out_domain_is_learnt(world: RoutingDataset, remembering: EstimatedRouter) -> None:
    """A router that memorises knows nothing of a held-out domain, not even of its texts that stand in another one too."""
    copies = world.take(np.arange(100))
    elsewhere = replace(
        copies.queries, domains=tuple(DOMAINS[(DOMAINS.index(d or "") + 1) % 3] for d in copies.queries.domains)
    )
    both = RoutingDataset(
        queries=replace(
            world.queries,
            texts=world.queries.texts + elsewhere.texts,
            ids=(*world.queries.ids, *(f"copy {i}" for i in elsewhere.ids)),
            domains=world.queries.domains + elsewhere.domains,
            embeddings=None,
        ),
        models=world.models,
        quality=np.vstack([world.quality, copies.quality]),
        cost_usd=np.vstack([world.cost_usd, copies.cost_usd]),
    )
    for entry in leave_one_domain_out(remembering, both, draws=100).domains:
        assert entry.own.difference is not None
        assert entry.own.difference.estimate == 0
        assert entry.own.relative_cost is not None
        assert entry.own.relative_cost.estimate == 1


def test_order_does_not_matter_and_results_are_plain(
    world: RoutingDataset, knowing: EstimatedRouter, reordered: Reorder
) -> None:
    """Rows and models in another order give the same figures; they are JSON and a table; the router stays unfitted."""
    found = leave_one_domain_out(knowing, world, draws=100, domains=("law",))
    assert json.dumps(found.to_dict()) == json.dumps(
        leave_one_domain_out(knowing, reordered(world), draws=100, domains=("law",)).to_dict()
    )
    assert "law" in str(found)
    assert knowing.state_ is None


def test_models_without_outcomes_elsewhere_are_left_out_and_named(
    world: RoutingDataset, knowing: EstimatedRouter
) -> None:
    """A model that was only run on one domain cannot be learnt from the others, and the result says so."""
    quality = world.quality.copy()
    away = np.array([name != "law" for name in world.queries.domains])
    quality[away, world.models.index("middle")] = np.nan
    found = leave_one_domain_out(knowing, replace(world, quality=quality), draws=100, domains=("law",))
    assert found.domains[0].left_out == ("middle",)
    assert "without outcomes of middle" in str(found)


def test_queries_without_a_domain_are_left_out_and_counted(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """They might be of the held-out domain, so they are neither learnt from nor measured."""
    domains = (None,) * 40 + world.queries.domains[40:]
    found = leave_one_domain_out(knowing, replace(world, queries=replace(world.queries, domains=domains)), draws=100)
    assert found.unlabelled == 40
    assert sum(entry.queries for entry in found.domains) == len(world) - 40
    assert "40 queries have no domain" in str(found)


def test_a_router_that_learns_nothing_is_measured_as_it_is(world: RoutingDataset) -> None:
    """Rules have no fit, and are held against the best single model of the other domains all the same."""
    found = leave_one_domain_out(RulesRouter(pool=world.pool, default="dear"), world, draws=100)
    for entry in found.domains:
        assert entry.best_single == "dear"
        assert entry.own.difference is not None
        assert entry.own.difference.estimate == 0


def test_without_costs_there_is_a_difference_and_no_aiq(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """What a curve would need is unknown, and stays so."""
    free = replace(world, cost_usd=np.full(world.quality.shape, np.nan))
    found = leave_one_domain_out(knowing, free, draws=100)
    assert found.difference is not None
    assert found.difference.low > 0
    assert found.aiq_gain is found.aiq_gain_over_domains is found.relative_cost is None
    assert "–" in str(found)


def test_wrong_input_is_named(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """One domain, an unknown one and numbers out of range are refused."""
    one = replace(world, queries=replace(world.queries, domains=("law",) * len(world)))
    with pytest.raises(DataError, match="at least two"):
        leave_one_domain_out(knowing, one)
    with pytest.raises(DataError, match="no domain 'art'"):
        leave_one_domain_out(knowing, world, domains=("art",))
    with pytest.raises(ConfigError, match="level"):
        leave_one_domain_out(knowing, world, level=1.5)
    with pytest.raises(ConfigError, match="draws"):
        leave_one_domain_out(knowing, world, draws=3)
