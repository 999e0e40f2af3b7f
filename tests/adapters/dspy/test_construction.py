"""How a RouterLM is made, and what a wrong part says."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("dspy", reason="dspy is not installed")

import dspy

from dspy_router import RouterLM
from pointsman.dispatch import Dispatcher
from pointsman.errors import ConfigError
from pointsman.models import ModelPool
from pointsman.routers.rules import RulesRouter

ROUTER = RulesRouter(pool=ModelPool(["large", "small"]), default="small")


def lms(*names: str) -> dict[str, Any]:
    """Return language models of these names that nothing calls."""
    return {name: dspy.LM(f"openai/{name}") for name in names}


WRONG: dict[str, tuple[Any, dict[str, Any], str]] = {
    "none": ({}, {"router": ROUTER}, "lms must map at least one name to a dspy.LM, got {}"),
    "no model": ({"small": "gpt"}, {"router": ROUTER}, r"lms\['small'\] must be a dspy.LM, got 'gpt'"),
    "lacking": (("small",), {"router": ROUTER}, "may choose 'large', for which lms has no"),
    "no router": (("small", "large"), {}, "RouterLM needs a router, or a dispatcher that has one"),
    "two": (
        ("small", "large"),
        {"router": ROUTER, "dispatcher": Dispatcher(ROUTER)},
        "got a dispatcher and also 'router', which the dispatcher has already",
    ),
    "retries": (("small", "large"), {"router": ROUTER, "num_retries": 3}, "num_retries is the candidates' own"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_part_is_named(case: str) -> None:
    """A part that is missing, unknown or given twice is an error that names it and the choices."""
    names, settings, message = WRONG[case]
    with pytest.raises(ConfigError, match=message):
        RouterLM(lms(*names) if isinstance(names, tuple) else names, **settings)


def test_candidates_that_the_router_never_chooses_stay_unused(caplog: pytest.LogCaptureFixture) -> None:
    """A model that the router left out may be given, and a warning names it."""
    lm = RouterLM(lms("small", "large", "huge"), ROUTER)
    assert caplog.messages == ["lms has 'huge', which the router never chooses; it chooses from 'large', 'small'."]
    assert set(lm.lms) == {"small", "large", "huge"}


def test_it_is_a_language_model() -> None:
    """DSPy sees a language model by a name of its own; the router in service is the dispatcher's, also after a change."""
    lm = RouterLM(lms("large", "small"), ROUTER, name="mine")
    assert isinstance(lm, dspy.BaseLM)
    assert (lm.model, lm.model_type, lm.cache) == ("pointsman/mine", "chat", True)
    assert repr(lm) == "RouterLM(['large', 'small'], RulesRouter)"
    other = RulesRouter(pool=ModelPool(["large", "small"]), default="large")
    lm.dispatcher.replace(other)
    assert lm.router is other
