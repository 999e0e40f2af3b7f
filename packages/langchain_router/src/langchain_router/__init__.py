"""Routing in LangChain: a chat model, an agent's middleware and more, in which a pointsman router chooses who answers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from langchain_router.feedback import RunFeedback
from langchain_router.installation import DISTRIBUTION, check_installation
from langchain_router.on_question import on_question
from langchain_router.route_runnable import RouteRunnable
from langchain_router.router_llm import RouterLLM
from pointsman.errors import MissingExtraError

if TYPE_CHECKING:
    from langchain_router.agent_state import RouterRecord, RouterState
    from langchain_router.decision_model import PointsmanDecisionModel
    from langchain_router.middleware import RouterMiddleware

__all__ = [
    "DISTRIBUTION",
    "PointsmanDecisionModel",
    "RouteRunnable",
    "RouterLLM",
    "RouterMiddleware",
    "RouterRecord",
    "RouterState",
    "RunFeedback",
    "check_installation",
    "on_question",
]

_LATER = {
    "PointsmanDecisionModel": "decision_model",
    "RouterMiddleware": "middleware",
    "RouterRecord": "agent_state",
    "RouterState": "agent_state",
}
"""What needs LangChain's agents or a recent version, and is loaded when it is asked for."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"langchain_router.{_LATER[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"langchain", "langgraph"}:
            raise
        raise MissingExtraError(f"langchain, which {name} is for,", "agents") from error
