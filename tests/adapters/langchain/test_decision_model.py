"""PointsmanDecisionModel: LangChain's own model router, decided locally by a router that learnt from outcomes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

import langchain_router
from pointsman.artifacts import save
from pointsman.errors import ConfigError
from pointsman.estimators.stacked import Stacked
from pointsman.features.lexical import Lexical
from pointsman.models import ModelPool
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing import toy
from pointsman.testing.replay_server import ReplayServer
from pointsman.types import Query

pytestmark = pytest.mark.filterwarnings("ignore:.*beta:langchain_core._api.beta_decorator.LangChainBetaWarning")


def test_without_decision_models_it_says_so() -> None:
    """Where LangChain has none, one sentence tells what is needed and what is there."""
    if importlib.util.find_spec("langchain_core.decisions") is not None:
        pytest.skip("this LangChain has decision models")
    with pytest.raises(ImportError, match=r"needs langchain-core 1\.8 or later, which has decision models; 1\."):
        _ = langchain_router.PointsmanDecisionModel


@pytest.fixture(scope="module")
def router() -> EstimatedRouter:
    """Return a router that knows how sure it is."""
    return EstimatedRouter(
        estimator=Stacked(features=Lexical(bits=10, components=8)), policy=Utility(cost_weight=5.0)
    ).fit(toy())


@pytest.fixture
def decisions() -> Any:
    """Return LangChain's module of decision models."""
    return pytest.importorskip("langchain_core.decisions")


def choice(decisions: Any, *labels: str) -> Any:
    """Return a question on who should answer."""
    return decisions.Choice(instructions="Who should answer?", criteria=dict.fromkeys(labels))


async def test_answers_are_the_routers(decisions: Any, router: EstimatedRouter, tmp_path: Path) -> None:
    """The choice is the router's, the probabilities add up to 1 and the confidence is the quality expected of it."""
    model = langchain_router.PointsmanDecisionModel.from_artifact(save(router, tmp_path / "r.pointsman"))
    for text in toy().queries.texts[:6]:
        request = {"state": HumanMessage(text), "questions": {"who": choice(decisions, "large", "medium", "small")}}
        answer = model.invoke(request).choices["who"]
        expected = router.decide(Query(text=text))
        assert answer.choice == expected.model
        assert sum(answer.probabilities.values()) == pytest.approx(1.0)
        assert answer.confidence == expected.estimates[expected.model].quality
        assert (await model.ainvoke(request)).choices["who"] == answer


def test_fewer_labels_and_rules(decisions: Any, router: EstimatedRouter) -> None:
    """Labels that are only some of the router's models limit the choice; rules are as sure as they are deterministic."""
    model = langchain_router.PointsmanDecisionModel(router=router, operating_point=0.0)
    asked = {"state": "2+2?", "questions": {"who": choice(decisions, "medium", "small")}}
    answer = model.invoke(asked).choices["who"]
    assert set(answer.probabilities) == {"medium", "small"}
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)
    ruled = RulesRouter(pool=ModelPool(["medium", "small"]), default="small")
    answer = langchain_router.PointsmanDecisionModel(router=ruled).invoke(asked).choices["who"]
    assert (answer.choice, answer.confidence, answer.probabilities) == ("small", 1.0, {"medium": 0.0, "small": 1.0})


def test_what_it_cannot_answer(decisions: Any, router: EstimatedRouter) -> None:
    """Questions of another kind, and labels the router does not know, are named."""
    model = langchain_router.PointsmanDecisionModel(router=router)
    with pytest.raises(ConfigError, match="'urgent' is a Noul; a router answers Choice questions alone"):
        model.invoke({"state": "x", "questions": {"urgent": decisions.Noul(instructions="Is it?")}})
    with pytest.raises(ConfigError, match="has 'fast', which the router never chooses"):
        model.invoke({"state": "x", "questions": {"who": choice(decisions, "fast", "small")}})


@pytest.mark.usefixtures("decisions")
async def test_in_langchains_own_router(client: Any, server: ReplayServer) -> None:
    """`ModelRouterMiddleware` sends a run where the router says, and keeps the answer in the agent's state."""
    middleware = pytest.importorskip("langchain.agents.middleware")
    if not hasattr(middleware, "ModelRouterMiddleware"):
        pytest.skip("this LangChain has no ModelRouterMiddleware")
    from langchain.agents import create_agent

    pool = ModelPool(["large", "small"])
    rules = RulesRouter(pool=pool, default="small", rules=(Rule(model="large", contains=("hard",)),))
    made = middleware.ModelRouterMiddleware(
        choices={name: middleware.ModelChoice(model=client(name), criteria=None) for name in pool},
        instructions="Who should answer?",
        classifier=langchain_router.PointsmanDecisionModel(router=rules),
    )
    agent = create_agent(client("own"), [], middleware=[made])
    state = agent.invoke({"messages": [HumanMessage("a hard one")]})
    assert state["model_route"].choice == "large"
    await agent.ainvoke({"messages": [HumanMessage("hi")]})
    assert [entry.model for entry in server.ledger] == ["large", "small"]
