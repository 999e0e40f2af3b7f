"""One model call of an agent as the router sees it: what is asked, who is asked first, and what an error means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal, cast
from uuid import UUID

from langchain.agents.middleware import ExtendedModelResponse, ModelRequest, ModelResponse
from langchain.agents.structured_output import ToolStrategy
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import ensure_config
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command

from langchain_router.agent_calls import AgentExchange, answer_of
from langchain_router.agent_state import RouterRecord
from langchain_router.conversation import author_of, question_of, this_turn
from langchain_router.feedback import RunFeedback, run_of_message
from langchain_router.record import KEY, output_of, stamped
from langchain_router.request import Ask, context_of, query_of
from pointsman.dispatch import record_of
from pointsman.errors import BudgetExceededError, NoEligibleModelError, PointsmanError, UnknownCostError
from pointsman.failures import Surfacing, original_error, summary
from pointsman.telemetry.logging import logger
from pointsman.types import Call, CallError, Context, Query, Trace, total_usd

__all__ = ["AgentStep"]


class AgentStep:
    """One model call of an agent.

    Parameters:
        request: What the agent would ask its own model.
        candidates: The chat models by name.
        embedders: What computes the embeddings a router may ask for, by name.
        ask: Reads the question out of the messages; None takes the last human one.
        keep_from: Models that, having answered last in this turn, are asked first.
        on_error: "default" leaves the call to the agent's own model where the router fails; "raise" does not.
        feedback: Who is told which decision was made under which run.
    """

    def __init__(
        self,
        request: ModelRequest[Any],
        *,
        candidates: Mapping[str, BaseChatModel],
        embedders: Mapping[str, Embeddings],
        ask: Ask | None,
        keep_from: AbstractSet[str],
        on_error: Literal["default", "raise"],
        feedback: RunFeedback,
    ) -> None:
        self.exchange = AgentExchange(request, candidates, embedders)
        self._request = request
        self._candidates = candidates
        self._ask = ask
        self._on_error = on_error
        self._feedback = feedback
        self._config = ensure_config()
        self._run: UUID | None = getattr(self._config.get("callbacks"), "parent_run_id", None)
        self._kept = self._keeps(keep_from)
        self._notes: list[str] = []
        self._failed: list[Trace] = []
        self._borne: Exception | None = None

    def _keeps(self, among: AbstractSet[str]) -> str | None:
        """Return the model that answered last since the human spoke, if it is one of these."""
        answers = [message for message in this_turn(self._request.messages) if isinstance(message, AIMessage)]
        author = author_of(answers[-1]) if answers else None
        return author if author in among else None

    def attempts(self) -> Iterator[tuple[Query, Context]]:
        """Yield what to dispatch, one after the other until one is answered: to the model that is kept, then to any other."""
        messages = self._spoken()
        query = self._query(messages)
        context = context_of(query, messages, self._config, self._candidates)
        context = replace(context, session=replace(context.session, open_tool_call=False))  # an agent answers them all
        limits = query.constraints
        if self._kept is None or limits.allow is not None:
            yield query, context
            return
        kept = self._kept
        yield replace(query, constraints=replace(limits, allow=frozenset({kept}))), context
        if self._borne is not None:  # it cannot go on, and it is no fault of the router's
            yield replace(query, constraints=replace(limits, deny=limits.deny | {kept})), context

    def _outer_run(self) -> UUID | None:
        """Return the id that the user gave the agent's run, where LangGraph tells it."""
        told = getattr(getattr(self._request.runtime, "execution_info", None), "run_id", None)
        return UUID(str(told)) if told else None

    def _spoken(self) -> list[BaseMessage]:
        system = self._request.system_message
        return [*([system] if system is not None else ()), *self._request.messages]

    def _query(self, messages: list[BaseMessage]) -> Query:
        request, config = self._request, self._config
        named = (config.get("metadata") or {}).get("router_query")
        asked = question_of if self._ask is None else self._ask
        options: dict[str, Any] = {**request.model_settings, "tools": request.tools}
        format_ = request.response_format
        if isinstance(format_, ToolStrategy):
            options["tools"] = [*request.tools, format_]
        return query_of(
            str(named) if named is not None else asked(request.messages),
            messages,
            config,
            options,
            run_id="",
            pinned=None,
            candidates=self._candidates,
            structured=format_ is not None and not isinstance(format_, ToolStrategy),
            tags=_tags(request.messages),
        )

    @contextmanager
    def bearing(self) -> Iterator[None]:
        """Bear what goes wrong with an attempt where another one, or the agent's own model, may do; else raise it."""
        try:
            yield
        except GraphBubbleUp:
            raise
        except Exception as error:
            if self._kept is not None and _mendable(error):
                self._note(error, f"{self._kept}, which answered before, cannot go on: {_told(error)}")
                self._kept, self._borne = None, error
                return
            if isinstance(error, NoEligibleModelError) and self._borne is not None:
                error = self._borne  # that nobody else is left does not hide why
            if self._on_error == "raise" or not self._is_routers(error):
                with Surfacing():
                    raise error  # noqa: TRY201 - which may be the one before
            self._note(error, f"the router failed, so the agent's own model answers: {summary(error)}")
            logger.warning("The router failed, and the agent's own model answers.", exc_info=error)

    def _note(self, error: Exception, note: str) -> None:
        self._notes.append(note)
        trace = getattr(error, "trace", None)
        if isinstance(trace, Trace):
            self._failed.append(trace)

    def _is_routers(self, error: Exception) -> bool:
        """Tell whether the router failed, rather than a model, the budget or the agent around it."""
        if isinstance(error, BudgetExceededError | UnknownCostError):
            return False
        origin = original_error(error) if isinstance(error, PointsmanError) else error
        if any(origin is one for one in self.exchange.raised):
            return False
        steps = error.trace.steps if isinstance(error, PointsmanError) and error.trace is not None else ()
        last = steps[-1].effect if steps else None
        return not (isinstance(last, Call) and last.messages is None)

    def answered(self, trace: Trace) -> ExtendedModelResponse[Any]:
        """Return the agent's response with the record of its trace."""
        record = record_of(trace)
        response = _response_of(trace)
        before = [record_of(one) for one in self._failed]
        record["tried"] = list(dict.fromkeys(name for one in (*before, record) for name in one["tried"]))
        record["cost_usd"] = total_usd(one["cost_usd"] for one in (*before, record))
        record["total_usage"] = _sum([one["total_usage"] for one in (*before, record)])
        record["degraded"] = [*self._notes, *record["degraded"]]
        self._feedback.note(trace, self._run, self._outer_run(), run_of_message(answer_of(response)))
        return self._recorded(response, record)

    def unrouted(self, response: ModelResponse[Any], reason: str) -> ExtendedModelResponse[Any]:
        """Return a response that the router had no part in, with a record that says so."""
        record: dict[str, Any] = {
            "model": None,
            "tried": [],
            "trace_id": self._failed[-1].id if self._failed else None,
            "propensity": None,
            "reason": reason,
            "cost_usd": None,
            "total_usage": None,
            "excluded": {},
            "degraded": self._notes,
        }
        return self._recorded(response, record)

    def _recorded(self, response: ModelResponse[Any], record: dict[str, Any]) -> ExtendedModelResponse[Any]:
        record["run_id"] = None if self._run is None else str(self._run)
        message = answer_of(response)
        result = [stamped(one, {KEY: record}) if one is message else one for one in response.result]
        update = {"router_log": [cast("RouterRecord", record)]}
        return ExtendedModelResponse(model_response=replace(response, result=result), command=Command(update=update))


def _tags(messages: list[Any]) -> dict[str, str]:
    """Return what rules can tell a step by: whether a human speaks last, or which tool."""
    last = messages[-1] if messages else None
    if last is None or last.type != "tool":
        return {"agent_step": "question"}
    return {"agent_step": "tool_result", **({"agent_tool": last.name} if last.name else {})}


def _mendable(error: Exception) -> bool:
    """Tell whether another model may do where the one that is kept cannot."""
    if isinstance(error, NoEligibleModelError | BudgetExceededError | UnknownCostError):
        return True
    if isinstance(error, CallError):
        return error.retryable and not error.emitted
    failures = getattr(error, "errors", ())
    return bool(failures) and all(isinstance(one, CallError) and one.retryable for one in failures)


def _told(error: Exception) -> str:
    if isinstance(error, NoEligibleModelError):
        return "; ".join(reason for reason in error.reasons.values() if reason != "not in the allow list")
    return str(error)


def _sum(usages: list[dict[str, int] | None]) -> dict[str, int] | None:
    known = [usage for usage in usages if usage is not None]
    if len(known) < len(usages):
        return None
    return {key: sum(usage[key] for usage in known) for key in ("input_tokens", "output_tokens", "total_tokens")}


def _response_of(trace: Trace) -> ModelResponse[Any]:
    output = output_of(trace)
    return output if isinstance(output, ModelResponse) else ModelResponse(result=[output])
