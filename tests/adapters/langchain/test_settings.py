"""Per-call settings: pins, limits and trade-offs in a call's config, and what a wrong one says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import ConfigurableField

from langchain_router import RouterLLM
from pointsman.budgets import Budget
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.dispatch import Dispatcher
from pointsman.errors import BudgetExceededError, ConfigError, NoEligibleModelError
from pointsman.estimators.constant import Constant
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.types import Trace

NAMES = ("large", "medium", "small")


@pytest.fixture
def llm() -> RouterLLM:
    """Return a router that expects quality 0.9, 0.7, 0.4 at $0.03, $0.01, $0.001 and 3, 2, 1 seconds, and takes the best."""
    outcomes = RoutingDataset(
        queries=Queries.from_texts(["a"]),
        models=NAMES,
        quality=np.array([[0.9, 0.7, 0.4]]),
        cost_usd=np.array([[0.03, 0.01, 0.001]]),
        latency_s=np.array([[3.0, 2.0, 1.0]]),
    )
    router = EstimatedRouter(estimator=Constant(), policy=Utility()).fit(outcomes)
    return RouterLLM(models={name: FakeListChatModel(responses=[name]) for name in NAMES}, router=router)


@pytest.mark.parametrize(
    ("settings", "chosen"),
    [
        ({}, "large"),
        ({"max_cost_usd": 0.02}, "medium"),
        ({"max_cost_usd": 0.002}, "small"),
        ({"max_latency_s": 2.5}, "medium"),
        ({"operating_point": 1000.0}, "small"),
        ({"operating_point": 1000.0, "min_quality": 0.6}, "medium"),
        ({"operating_point": 0}, "large"),
        ({"router_model": "small"}, "small"),
        ({"router_model": None, "max_cost_usd": None}, "large"),
    ],
)
async def test_setting_of_one_call(llm: RouterLLM, ask: Any, settings: dict[str, Any], chosen: str) -> None:
    """Limits and trade-offs of a call's config hold for that call, however it is made."""
    for way in ("invoke", "ainvoke", "stream", "astream"):
        assert (await ask(llm, way, "hi", {"configurable": settings})).text == chosen
    assert llm.invoke("hi").text == "large"


def test_limits_show_in_the_record(llm: RouterLLM) -> None:
    """The record says which models a limit left out."""
    record = llm.with_config(configurable={"max_cost_usd": 0.02}).invoke("hi").response_metadata["router"]
    assert record["excluded"] == {"large": "expected cost $0.03 exceeds $0.02"}
    record = llm.invoke("hi", {"configurable": {"min_quality": 0.95}}).response_metadata["router"]
    assert record["degraded"] == ["no model is expected to reach quality 0.95; took the best"]


def test_limit_nobody_meets(llm: RouterLLM) -> None:
    """A cost nobody keeps to raises NoEligibleModelError."""
    with pytest.raises(NoEligibleModelError, match="exceeds"):
        llm.invoke("hi", {"configurable": {"max_cost_usd": 0.0001}})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_cost_usd": "cheap"}, r"configurable\['max_cost_usd'\] must be a finite number, got 'cheap'"),
        ({"max_cost_usd": -1}, r"configurable\['max_cost_usd'\] must be at least 0, got -1"),
        ({"max_latency_s": float("nan")}, "must be a finite number, got nan"),
        ({"min_quality": True}, "must be a finite number, got True"),
        ({"operating_point": float("inf")}, "must be a finite number, got inf"),
        ({"router_model": "huge"}, "Unknown model 'huge'; the candidates are 'large', 'medium', 'small'"),
    ],
)
def test_wrong_setting_is_named(llm: RouterLLM, settings: dict[str, Any], message: str) -> None:
    """A setting that cannot be meant raises ConfigError with its name, its value and the choices."""
    with pytest.raises(ConfigError, match=message):
        llm.invoke("hi", {"configurable": settings})


def test_pin_by_argument(llm: RouterLLM) -> None:
    """`model=` pins a candidate in a call or a binding, over the config's pin."""
    assert llm.invoke("hi", model="medium").text == "medium"
    assert llm.bind(model="small").invoke("hi").text == "small"
    assert llm.invoke("hi", {"configurable": {"router_model": "small"}}, model="medium").text == "medium"
    with pytest.raises(ConfigError, match="Unknown model 'huge'"):
        llm.invoke("hi", model="huge")


def test_settings_are_described(llm: RouterLLM) -> None:
    """`config_specs` lists every setting, and a chain shows them as its own."""
    wanted = {"router_model", "max_cost_usd", "max_latency_s", "min_quality", "operating_point"}
    assert {spec.id for spec in llm.config_specs} == wanted
    assert wanted <= {spec.id for spec in (llm | (lambda message: message.text)).config_specs}
    assert all(spec.description and spec.default is None for spec in llm.config_specs)
    assert {spec.id for spec in llm.with_structured_output(dict).config_specs} == wanted


def test_settings_of_candidates_are_described_too() -> None:
    """What the candidates let be configured shows on the router."""
    candidate = FakeListChatModel(responses=["x"])
    outcomes = RoutingDataset(
        queries=Queries.from_texts(["a"]), models=("a",), quality=np.ones((1, 1)), cost_usd=np.ones((1, 1))
    )
    router = EstimatedRouter(estimator=Constant()).fit(outcomes)
    inner = RouterLLM(models={"a": candidate}, router=router)
    outer = RouterLLM(models={"a": inner}, router=router)
    assert {spec.id for spec in outer.config_specs} == {spec.id for spec in inner.config_specs}


class Listening(FakeListChatModel):
    """A candidate that notes what it is called with."""

    heard: list[dict[str, Any]]

    def _call(self, *_: Any, **kwargs: Any) -> str:
        self.heard.append(kwargs)
        return "x"


def test_configurable_fields(llm: RouterLLM) -> None:
    """A parameter made configurable re-makes the router for each call, around the same dispatcher."""
    traces: list[Trace] = []
    candidate = Listening(responses=["x"], heard=[])
    routed = RouterLLM(
        models=dict.fromkeys(NAMES, candidate), dispatcher=Dispatcher(llm.router, observers=[traces.append])
    )
    hot = routed.configurable_fields(temperature=ConfigurableField(id="heat"))
    hot.invoke("hi", {"configurable": {"heat": 0.9, "max_cost_usd": 0.002}})
    hot.invoke("hi")
    assert [call.get("temperature") for call in candidate.heard] == [0.9, None]
    assert [trace.answer.model for trace in traces if trace.answer] == ["small", "large"]


def test_session_reaches_the_router(llm: RouterLLM) -> None:
    """LangGraph's thread, or a session named in the config, is the query's session."""
    traces: list[Trace] = []
    heard = RouterLLM(models=llm.models, router=llm.router, observers=[traces.append])
    heard.invoke("hi", {"configurable": {"thread_id": "t1"}})
    heard.invoke("hi", {"configurable": {"thread_id": "t1", "session_id": 7}})
    heard.invoke("hi", {"metadata": {"router_query_id": "q1", "router_domain": "law"}})
    assert [trace.query.session_id for trace in traces] == ["t1", "7", None]
    assert (traces[2].query.id, traces[2].query.domain) == ("q1", "law")
    assert traces[0].query.id != traces[1].query.id


def test_a_limit_on_the_answer_reaches_the_budget(build: Any) -> None:
    """What a request may answer at most is what is reserved: a budget without room for it refuses the call."""
    llm = build(budget=Budget(limit_usd=0.005))
    assert llm.invoke("hello").text
    with pytest.raises(BudgetExceededError):
        llm.invoke("hello", max_tokens=100_000)
