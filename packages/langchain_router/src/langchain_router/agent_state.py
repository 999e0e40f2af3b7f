"""What an agent's state keeps of the router's decisions."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from langchain.agents.middleware import AgentState

__all__ = ["LOG_SIZE", "RouterRecord", "RouterState", "logged"]

LOG_SIZE = 100
"""How many records an agent's state keeps, the latest ones."""


class RouterRecord(TypedDict):
    """What the router did for one model call; None is unknown.

    `model` is the candidate that answered, None where none of them did; `cost_usd` and `total_usage` are of all calls together.
    """

    model: str | None
    tried: list[str]
    trace_id: str | None
    run_id: str | None
    propensity: float | None
    reason: str
    cost_usd: float | None
    total_usage: dict[str, int] | None
    excluded: dict[str, str]
    degraded: list[str]


def logged(kept: list[RouterRecord] | None, new: list[RouterRecord] | None) -> list[RouterRecord]:
    """Return the records with the new ones behind them, as many as are kept."""
    return [*(kept or ()), *(new or ())][-LOG_SIZE:]


class RouterState(AgentState[Any]):
    """An agent's state with the router's records, the latest last, under `router_log`."""

    router_log: NotRequired[Annotated[list[RouterRecord], logged]]
