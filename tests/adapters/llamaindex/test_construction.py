"""Construction, copies and dumps: what does not fit is told, limits are joint, and nothing that is written down holds a key."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llama_index.llms.openai_like", reason="llama-index is not installed")

from llama_index.core.base.llms.types import LLMMetadata, MessageRole
from llama_index.core.llms import LLM, ChatMessage
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.mock import MockLLM
from llama_index.core.types import PydanticProgramMode

from llamaindex_router import RouterLLM
from pointsman import save
from pointsman.dispatch import Dispatcher
from pointsman.errors import ArtifactError, ConfigError
from pointsman.estimators.constant import Constant
from pointsman.models import ModelPool
from pointsman.routers.rules import RulesRouter
from pointsman.testing.replay_server import ReplayServer

KEY = "sk-secret-key"


def test_it_is_an_llm_by_type(build: Any) -> None:
    """Whoever looks at the type finds an LLM that calls functions."""
    llm = build()
    assert isinstance(llm, LLM)
    assert isinstance(llm, FunctionCallingLLM)
    assert RouterLLM.class_name() == "pointsman_router_llm"


def test_a_router_may_come_from_a_file(build: Any, tmp_path: Path) -> None:
    """`from_artifact` reads what `save` wrote, with all that construction takes; what is no router is told."""
    llm, traces = build(), []
    path = save(llm.router, tmp_path / "router.pointsman")
    read = RouterLLM.from_artifact(path, models=llm.models, observers=[traces.append])
    assert read.router.digest() == llm.router.digest()
    assert read.complete("hard").additional_kwargs["router"]["model"] == "large"
    assert len(traces) == 1
    with pytest.raises(ConfigError, match="holds Constant, not a router"):
        RouterLLM.from_artifact(save(Constant(), tmp_path / "other"), models=llm.models)
    with pytest.raises(ArtifactError):
        RouterLLM.from_artifact(tmp_path / "none", models=llm.models)


def test_a_dispatcher_may_be_shared(build: Any) -> None:
    """A dispatcher stands in for a router and its parts, and another router can be put in service."""
    first = build()
    second = RouterLLM(models=first.models, dispatcher=first.dispatcher)
    pool = ModelPool(["large"])
    first.dispatcher.replace(RulesRouter(pool=pool, default="large"))
    assert second.complete("easy").additional_kwargs["router"]["model"] == "large"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"models": {}}, "must map at least one name to an LLM, got dict"),
        ({"models": {"small": "gpt-4o"}}, r"models\['small'\] must be an LLM of LlamaIndex, got str"),
        ({"models": {"small": MockLLM()}}, "may choose 'large', 'medium', for which models has no LLM; it has 'small'"),
        ({"router": None}, "needs a router, or a dispatcher"),
        ({"system_prompt": "x"}, "system_prompt is the candidates' own"),
        ({"messages_to_prompt": str}, "messages_to_prompt is the candidates' own"),
        ({"temperature": 0.5}, "has no parameter 'temperature'"),
    ],
)
def test_what_does_not_fit_is_told(wrong: dict[str, Any], message: str) -> None:
    """A parameter that is wrong, unknown or the candidates' own is an error that says so, without anybody's key."""
    models = {name: MockLLM() for name in ("large", "medium", "small")}
    router = RulesRouter(pool=ModelPool(models), default="small")
    with pytest.raises(ConfigError, match=message) as caught:
        RouterLLM(**{"models": models, "router": router, **wrong})
    assert KEY not in str(caught.value)


def test_a_dispatcher_and_its_parts_are_one_too_many(build: Any) -> None:
    """What a dispatcher has already cannot be given beside it."""
    llm = build()
    with pytest.raises(ConfigError, match="got a dispatcher and also 'deadline_s', 'router', which"):
        RouterLLM(models=llm.models, router=llm.router, dispatcher=Dispatcher(llm.router), deadline_s=1.0)


def test_a_candidate_that_is_never_chosen_is_told_of(build: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It stays unused, and one warning names it."""
    RouterLLM(models=build().models, router=RulesRouter(pool=ModelPool(["small"]), default="small"))
    assert caplog.messages == ["models has 'large', 'medium', which the router never chooses; it chooses from 'small'."]


def test_a_prompt_of_the_candidates_own_cannot_be_set_later(build: Any) -> None:
    """What would do nothing here is refused whenever it comes; what holds for all candidates reaches them."""
    llm = build()
    with pytest.raises(ConfigError, match="output_parser is the candidates' own"):
        llm.output_parser = object()
    llm.pydantic_program_mode = PydanticProgramMode.LLM
    assert {model.pydantic_program_mode for model in llm.models.values()} == {PydanticProgramMode.LLM}


class Described(MockLLM):
    """An LLM that says of itself what it is told to."""

    said: LLMMetadata = LLMMetadata()

    @property
    def metadata(self) -> LLMMetadata:
        """Return it."""
        return self.said


def described(**said: Any) -> Described:
    """Return an LLM with these metadata."""
    llm = Described()
    llm.said = LLMMetadata(**said)
    return llm


def test_metadata_are_joint(build: Any) -> None:
    """The window and the answer's share of it are those of the candidate that leaves least, or most; any ability counts."""
    models = {
        "small": described(context_window=8_000, num_output=256, is_chat_model=True),
        "medium": described(context_window=9_000, num_output=4_000, is_function_calling_model=True),
        "large": described(context_window=100_000, num_output=-1, is_chat_model=True),
    }
    told = build(models).metadata
    assert (told.context_window, told.num_output) == (9_000, 4_000)
    assert (told.is_chat_model, told.is_function_calling_model) == (True, True)
    assert told.model_name == "router(large, medium, small)"
    assert told.system_role == MessageRole.SYSTEM
    wide = build(models, context_window="largest").metadata
    assert (wide.context_window, wide.num_output) == (100_000, -1)
    same = {name: described(system_role=MessageRole.USER) for name in models}
    assert build(same).metadata.system_role == MessageRole.USER
    only = RouterLLM(models=models, router=RulesRouter(pool=ModelPool(["small"]), default="small"))
    assert only.metadata.context_window == 8_000


def test_dumps_hold_no_key_and_can_be_read(build: Any) -> None:
    """A dump tells what the router is made of; with the models and the router given again it is a RouterLLM again."""
    llm = build(context_window="largest")
    dump = llm.to_dict()
    assert dump["class_name"] == "pointsman_router_llm"
    assert dump["router"] == "RulesRouter"
    assert set(dump["models"]) == {"large", "medium", "small"}
    assert KEY not in llm.to_json() + str(dump) + repr(llm) + str(llm) + json.dumps(llm.to_payload())
    read = RouterLLM.from_dict(json.loads(llm.to_json()), models=llm.models, router=llm.router)
    assert read.context_window == "largest"
    assert read.chat([ChatMessage(content="hi")]).message.content.startswith("small")
    with pytest.raises(ConfigError, match=r"models\['large'\] must be an LLM of LlamaIndex, got dict"):
        RouterLLM.from_dict(dump)
    with pytest.raises(ConfigError, match="is not pickled, as it holds clients with their keys"):
        pickle.dumps(llm)


def test_copies_share_what_is_shared(build: Any, server: ReplayServer) -> None:
    """Copies, deep ones too, have the same clients, dispatcher and open tool calls."""
    llm = build()
    for twin in (copy.copy(llm), copy.deepcopy(llm), llm.model_copy()):
        assert twin is not llm
        assert twin.models["small"] is llm.models["small"]
        assert (twin.dispatcher, twin.tool_calls) == (llm.dispatcher, llm.tool_calls)
        twin.complete("hi")
    assert len(server.ledger) == 3


def test_the_repr_is_short(build: Any) -> None:
    """What logs and notebooks show is the names."""
    assert repr(build()) == "RouterLLM(models=['large', 'medium', 'small'], router='RulesRouter')"
