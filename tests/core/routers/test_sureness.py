"""Shares of draws under which a router would choose each model."""

from __future__ import annotations

import pytest

from pointsman.errors import NoEligibleModelError
from pointsman.estimators.stacked import Stacked
from pointsman.features.lexical import Lexical
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter
from pointsman.routers.sureness import choice_shares
from pointsman.testing import toy
from pointsman.types import Constraints, Query


@pytest.fixture(scope="module")
def router() -> EstimatedRouter:
    """Return a router that knows how sure it is."""
    estimator = Stacked(features=Lexical(bits=10, components=8))
    return EstimatedRouter(estimator=estimator, policy=Utility(cost_weight=5.0)).fit(toy())


def test_shares_add_up(router: EstimatedRouter) -> None:
    """They are a distribution over all models, and not all on one where the router is not sure."""
    found = [choice_shares(router, Query(text=text, id=text)) or {} for text in toy().queries.texts[:8]]
    for shares in found:
        assert set(shares) == set(router.models)
        assert sum(shares.values()) == pytest.approx(1.0)
        assert min(shares.values()) >= 0.0
    assert any(max(shares.values()) < 1.0 for shares in found)


def test_who_cannot_serve_has_none(router: EstimatedRouter) -> None:
    """A model that is not allowed has no share; where none is left that is an error."""
    query = Query(text="2+2?", constraints=Constraints(deny=frozenset({"small"})))
    assert (choice_shares(router, query) or {})["small"] == 0.0
    with pytest.raises(NoEligibleModelError):
        choice_shares(router, Query(text="2+2?", constraints=Constraints(deny=frozenset(router.models))))


def test_routers_that_do_not_know() -> None:
    """Rules are neither sure nor unsure: None."""
    assert choice_shares(RulesRouter.examples()[0], Query(text="hi")) is None
