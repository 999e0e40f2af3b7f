"""How a RouterLLM is made: from models or their names, a router, a dispatcher or a file; and what a wrong part says."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import FakeListChatModel
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_openai import ChatOpenAI

import langchain_router
from langchain_router import DISTRIBUTION, RouterLLM, check_installation
from pointsman.artifacts import save
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.dispatch import Dispatcher
from pointsman.errors import ArtifactError, ConfigError, MissingExtraError, NotFittedError
from pointsman.estimators.constant import Constant
from pointsman.estimators.domain import Domain
from pointsman.models import ModelPool
from pointsman.policies.utility import Utility
from pointsman.routers.base import Router
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter
from pointsman.selection.auto import AutoRouter
from pointsman.types import Trace

NAMES = ("large", "small")


def fakes() -> dict[str, Any]:
    """Return two candidates that answer with their names."""
    return {name: FakeListChatModel(responses=[name]) for name in NAMES}


def constant(**settings: Any) -> RulesRouter:
    """Return a router that always says "small"."""
    return RulesRouter(pool=ModelPool(NAMES), default="small", **settings)


def by_domain() -> Router:
    """Return a fitted router that sends law to the large model and all else to the small one."""
    outcomes = RoutingDataset(
        queries=Queries.from_texts(list(map(str, range(100))), domains=["law", "chat"] * 50),
        models=NAMES,
        quality=np.array([[1.0, 0.0], [1.0, 1.0]] * 50),
        cost_usd=np.array([[0.01, 0.001]] * 100),
    )
    return EstimatedRouter(estimator=Domain(), policy=Utility(cost_weight=30.0)).fit(outcomes)


def test_models_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text goes through LangChain's `init_chat_model`."""
    pytest.importorskip("langchain")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    llm = RouterLLM(models={"large": "openai:gpt-4o", "small": ChatOpenAI(model="gpt-4o-mini")}, router=constant())
    assert isinstance(llm.models["large"], ChatOpenAI)
    assert llm.models["large"].model_name == "gpt-4o"


def test_models_by_text_without_langchain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where langchain is not installed, the error says what needs it and what to install."""

    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr("langchain_router.candidates.import_module", absent)
    with pytest.raises(
        MissingExtraError, match=r"langchain, which makes a chat model of 'openai:gpt-4o', is not installed"
    ):
        RouterLLM(models={"large": "openai:gpt-4o", "small": fakes()["small"]}, router=constant())


def test_candidates_keep_their_identity() -> None:
    """The models are the user's own objects, and those that the router holds are they."""
    models = fakes()
    llm = RouterLLM(models=models, router=constant())
    assert all(llm.models[name] is model for name, model in models.items())
    assert llm.router is llm.dispatcher.router


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"models": {}}, "models must map at least one name"),
        ({"models": [FakeListChatModel(responses=["x"])]}, "models must map at least one name"),
        ({"models": {**fakes(), "small": 3}}, r"models\['small'\] must be a chat model, or text .* got 3"),
        ({"models": {"small": fakes()["small"]}}, "The router may choose 'large', for which models has no chat model"),
        ({"router": None}, "RouterLLM needs a router, or a dispatcher"),
        ({"dispatcher": Dispatcher(constant())}, "got a dispatcher and also 'router'"),
        (
            {"router": None, "dispatcher": Dispatcher(constant()), "deadline_s": 3},
            "got a dispatcher and also 'deadline_s', which the dispatcher has already",
        ),
        ({"temprature": 1}, "RouterLLM has no parameter 'temprature'; it has .*'temperature'"),
        ({"cache": InMemoryCache()}, "cache is the candidates' own"),
        ({"rate_limiter": InMemoryRateLimiter()}, "rate_limiter is the candidates' own"),
    ],
)
def test_wrong_part_is_named(settings: dict[str, Any], message: str) -> None:
    """A wrong part raises ConfigError that names it and the choices."""
    with pytest.raises(ConfigError, match=message):
        RouterLLM(**{"models": fakes(), "router": constant(), **settings})


def test_candidates_that_the_router_never_chooses_stay_unused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A model that a router left out when it was fitted may be given: a warning names it, and a later router may choose it."""
    texts = [f"question {i}" for i in range(60)]
    quality = {"large": [1.0] * 60, "small": [float(i % 2) for i in range(60)], "weak": [0.0] * 60}
    cost = {"large": [0.02] * 60, "small": [0.001] * 60, "weak": [0.03] * 60}
    router = AutoRouter(estimator=AutoRouter.examples()[0].estimator).fit(
        RoutingDataset.from_arrays(texts, quality, cost)
    )
    assert "weak" in router.findings().pruned
    models = {name: FakeListChatModel(responses=[name]) for name in quality}
    llm = RouterLLM.from_artifact(save(router, tmp_path / "router.pointsman"), models=models)
    assert caplog.messages == ["models has 'weak', which the router never chooses; it chooses from 'large', 'small'."]
    answer = llm.invoke(texts[0])
    assert answer.content == answer.response_metadata["router"]["model"] != "weak"
    with pytest.raises(ConfigError, match="unknown model 'weak'; the pool has 'large', 'small'"):
        llm.invoke(texts[0], config={"configurable": {"router_model": "weak"}})
    llm.dispatcher.replace(RulesRouter(pool=ModelPool(tuple(quality)), default="weak"))
    assert llm.invoke(texts[0]).content == "weak"


def test_unfitted_router() -> None:
    """A router that knows no models yet cannot be used."""
    with pytest.raises(NotFittedError):
        RouterLLM(models=fakes(), router=EstimatedRouter(estimator=Constant()))


def test_dispatcher_is_shared_and_hot_swapped() -> None:
    """Two adapters may share a dispatcher; a router put into it serves from the next call on."""
    traces: list[Trace] = []
    dispatcher = Dispatcher(constant(), observers=[traces.append])
    first, second = (RouterLLM(models=fakes(), dispatcher=dispatcher) for _ in range(2))
    assert first.invoke("hi").text == second.invoke("hi").text == "small"
    dispatcher.replace(RulesRouter(pool=ModelPool(NAMES), default="large"))
    assert first.invoke("hi").text == second.invoke("hi").text == "large"
    assert len(traces) == 4
    dispatcher.replace(RulesRouter(pool=ModelPool(["huge"]), default="huge"))
    with pytest.raises(ConfigError, match="The router chose 'huge', but the candidates are 'large', 'small'"):
        first.invoke("hi")


def test_artifact_in_a_fresh_process(tmp_path: Path) -> None:
    """A router saved here decides alike in a process that has never seen its data."""
    router = by_domain()
    path = save(router, tmp_path / "router.pointsman")
    program = """
import json, sys
from langchain_core.language_models import FakeListChatModel
from langchain_router import RouterLLM
models = {name: FakeListChatModel(responses=[name]) for name in ("large", "small")}
llm = RouterLLM.from_artifact(sys.argv[1], models=models, temperature=0.5)
answers = [llm.invoke("hi", {"metadata": {"router_domain": domain}}) for domain in ("law", "chat")]
records = [answer.response_metadata["router"] for answer in answers]
assert "sklearn" not in sys.modules
print(json.dumps([[answer.text, record["reason"]] for answer, record in zip(answers, records)]))
"""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    llm = RouterLLM(models=fakes(), router=router)
    here = [llm.invoke("hi", {"metadata": {"router_domain": domain}}) for domain in ("law", "chat")]
    assert json.loads(done.stdout) == [[one.text, one.response_metadata["router"]["reason"]] for one in here]
    assert [one.text for one in here] == ["large", "small"]


def test_artifact_that_is_no_router(tmp_path: Path) -> None:
    """A missing file, and a file that holds something else, are named."""
    with pytest.raises(ArtifactError, match="no artefact"):
        RouterLLM.from_artifact(tmp_path / "none", models=fakes())
    path = save(Utility(cost_weight=1.0), tmp_path / "policy.pointsman")
    with pytest.raises(ConfigError, match="holds Utility, not a router"):
        RouterLLM.from_artifact(path, models=fakes())


def test_copies_share_what_learns() -> None:
    """Frameworks copy models freely; a copy keeps the clients and the dispatcher, and the router itself can be deep-copied."""
    llm = RouterLLM(models={**fakes(), "small": ChatOpenAI(model="m", api_key="none")}, router=by_domain())
    for twin in (copy.copy(llm), copy.deepcopy(llm), llm.model_copy(update={"temperature": 0.5})):
        assert twin.dispatcher is llm.dispatcher
        assert twin.models["small"] is llm.models["small"]
    assert copy.deepcopy(llm.router).digest() == llm.router.digest()


def test_tokens_are_counted_by_a_candidate() -> None:
    """Token counts are the first candidate's; the router has no tokenizer of its own."""
    models = {
        name: FakeListChatModel(responses=["x"], custom_get_token_ids=lambda text: [0] * len(text)) for name in NAMES
    }
    llm = RouterLLM(models=models, router=constant())
    assert llm.get_num_tokens("four") == len(llm.get_token_ids("four")) == 4
    assert llm.get_num_tokens_from_messages([]) == 0


def test_tracing_parameters() -> None:
    """LangSmith's standard fields are filled, and follow a pinned model."""
    llm = RouterLLM(models=fakes(), router=constant(), temperature=0.5, max_tokens=9, stop=["X"])
    assert llm._get_ls_params() == {
        "ls_provider": "pointsman",
        "ls_model_name": "router",
        "ls_model_type": "chat",
        "ls_temperature": 0.5,
        "ls_max_tokens": 9,
        "ls_stop": ["X"],
    }
    assert llm._get_ls_params(model="large")["ls_model_name"] == "large"
    assert llm._identifying_params["models"] == ["large", "small"]
    assert llm._generate(["hi"]).generations[0].text == "small"


def test_text_of_a_router_is_short() -> None:
    """However much a router holds, its text does not flood a trace."""
    from pointsman.routers.rules import Rule

    router = constant(rules=tuple(Rule(model="large", contains=(f"word {i}",)) for i in range(200)))
    assert len(repr(RouterLLM(models=fakes(), router=router))) < 300


def test_installation_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The marker tells this package from the unrelated one; the check names a distribution that shares the name."""
    assert langchain_router.DISTRIBUTION == DISTRIBUTION == "pointsman"
    monkeypatch.setattr(
        "langchain_router.installation.packages_distributions", lambda: {"langchain_router": ["pointsman"]}
    )
    check_installation()
    monkeypatch.setattr(
        "langchain_router.installation.packages_distributions",
        lambda: {"langchain_router": ["pointsman", "langchain-router"]},
    )
    with pytest.raises(ImportError, match="shared with 'langchain-router'; uninstall it and install pointsman again"):
        check_installation()
