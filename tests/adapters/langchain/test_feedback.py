"""Feedback on LangChain's runs reaches the decisions made under them, and what is remembered for it is bounded."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID, uuid4

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langsmith.schemas import Feedback as Given

from langchain_router import RouterLLM, RunFeedback
from pointsman.dispatch import Dispatcher
from pointsman.errors import ConfigError, PointsmanError
from pointsman.models import ModelPool
from pointsman.routers.rules import RulesRouter
from pointsman.types import Feedback, Trace


class Notebook:
    """An observer that keeps the traces and the feedback on them."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.told: list[Feedback] = []

    def __call__(self, trace: Trace) -> None:
        """Keep a trace."""
        self.traces.append(trace)

    def on_feedback(self, feedback: Feedback) -> None:
        """Keep feedback."""
        self.told.append(feedback)


class Learning(RulesRouter):
    """A router that counts what it is taught."""

    taught: tuple[tuple[str, float], ...] = ()

    def update(self, feedback: Sequence[tuple[Trace, Feedback]]) -> Self:
        """Count."""
        new = tuple((trace.id, one.reward) for trace, one in feedback)
        return type(self)(pool=self.pool, default=self.default, taught=self.taught + new)


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_by_the_ids_that_langchain_gives(build: Any, ask: Any, way: str) -> None:
    """The router's run, the chain's around it and the answering call's own id lead to the same decision."""
    notebook, run_id = Notebook(), uuid4()
    llm = build(observers=[notebook])
    chain = ChatPromptTemplate.from_template("{question}") | llm
    message = await ask(chain, way, {"question": "hi"}, {"run_id": run_id})
    record = message.response_metadata["router"]
    for known in (run_id, str(run_id), record["run_id"], UUID(message.id.removeprefix("lc_run--")[:36])):
        llm.feedback.create_feedback(known, key="thumbs", score=True)
    [trace] = notebook.traces
    assert {(one.trace_id, one.model, one.reward, one.kind) for one in notebook.told} == {
        (trace.id, "small", 1.0, "thumbs")
    }
    assert len(notebook.told) == 4
    assert record["trace_id"] == trace.id


def test_runs_further_out(build: Any) -> None:
    """Among a call's callbacks it knows every run around the router, and all decisions made under one."""
    notebook, run_id = Notebook(), uuid4()
    llm = build(observers=[notebook])
    inner: Any = ChatPromptTemplate.from_template("{question}") | llm | StrOutputParser()
    outer = RunnableLambda(lambda given: inner.invoke(given) + inner.invoke({"question": "a hard one"}))
    config: Any = {"run_id": run_id}
    outer.invoke({"question": "hi"}, config)
    with pytest.raises(PointsmanError, match="No decision is known under run"):
        llm.feedback.create_feedback(run_id, score=0.5)
    outer.invoke({"question": "hi"}, {**config, "callbacks": [llm.feedback]})
    llm.feedback.create_feedback(run_id, score=0.5)
    assert [(one.trace_id, one.model) for one in notebook.told] == [
        (trace.id, trace.answer.model) for trace in notebook.traces[2:] if trace.answer
    ]


def test_agents(client: Any, pool: ModelPool) -> None:
    """The id given to an agent's run leads to every decision of it, without any callback where LangGraph tells the id."""
    agents = pytest.importorskip("langchain.agents")
    runtime = pytest.importorskip("langgraph.runtime")
    from langchain_router import RouterMiddleware

    notebook, run_id = Notebook(), uuid4()
    models = {name: client(name) for name in pool}
    made = RouterMiddleware(models=models, router=RulesRouter(pool=pool, default="small"), observers=[notebook])
    agent = agents.create_agent(client("own"), [], middleware=[made])
    watching = [] if hasattr(runtime, "ExecutionInfo") else [made.feedback]
    state = agent.invoke({"messages": [HumanMessage("hi")]}, {"run_id": run_id, "callbacks": watching})
    [record] = state["router_log"]
    made.feedback.create_feedback(run_id, score=0.25)
    made.feedback.create_feedback(record["run_id"], score=0.25)
    assert [(one.trace_id, one.reward) for one in notebook.told] == [(record["trace_id"], 0.25)] * 2


def test_a_router_that_learns(build: Any, pool: ModelPool) -> None:
    """Feedback on a run teaches the router in service."""
    llm = build(router=Learning(pool=pool, default="small"))
    record = llm.invoke("hi").response_metadata["router"]
    llm.feedback.create_feedback(record["run_id"], score=0.75)
    assert llm.router.taught == ((record["trace_id"], 0.75),)


def test_read_back_from_langsmith(build: Any) -> None:
    """What LangSmith has collected is taken over; what has no score or concerns other runs is left."""
    notebook = Notebook()
    llm = build(observers=[notebook])
    run_id = UUID(llm.invoke("hi").response_metadata["router"]["run_id"])
    now = datetime.now(UTC)

    def given(run: UUID, score: Any) -> Given:
        return Given(id=uuid4(), created_at=now, modified_at=now, run_id=run, trace_id=run, key="correct", score=score)

    assert llm.feedback.take([given(run_id, 1), given(run_id, None), given(uuid4(), 0)]) == 1
    assert [(one.kind, one.reward) for one in notebook.told] == [("correct", 1.0)]


def test_memory_is_bounded(build: Any, pool: ModelPool) -> None:
    """Only the latest runs are remembered, and only the latest decisions under one."""
    dispatcher = Dispatcher(RulesRouter(pool=pool, default="small"))
    feedback = RunFeedback(dispatcher, remember=6)
    llm = build(router=None, dispatcher=dispatcher, feedback=feedback)
    runs = [uuid4() for _ in range(5)]
    for run_id in runs:
        llm.invoke("hi", {"run_id": run_id, "callbacks": [feedback]})
    assert [bool(feedback.decisions(run_id)) for run_id in runs] == [False, False, True, True, True]
    trace = Trace(**{**_parts(llm), "id": "t"})
    for _ in range(150):
        feedback.note(trace, runs[0])
    assert len(feedback.decisions(runs[0])) == 100
    assert len(feedback._made) <= 6
    assert len(feedback._parents) <= 6


def _parts(llm: RouterLLM) -> dict[str, Any]:
    seen: list[Trace] = []
    made = RouterLLM(models=llm.models, router=llm.router, observers=[seen.append])
    made.invoke("hi")
    return {name: getattr(seen[0], name) for name in Trace.__slots__}


def test_what_is_refused(build: Any, pool: ModelPool) -> None:
    """A score off the scale and feedback of another dispatcher are errors; copies share what is remembered."""
    llm = build()
    run_id = llm.invoke("hi").response_metadata["router"]["run_id"]
    with pytest.raises(ValueError, match=r"must be in \[0, 1\], got 5"):
        llm.feedback.create_feedback(run_id, score=5)
    with pytest.raises(ConfigError, match="the feedback of another dispatcher"):
        build(feedback=RunFeedback(Dispatcher(RulesRouter(pool=pool, default="small"))))
    with pytest.raises(ConfigError, match="at least 1, got 0"):
        RunFeedback(llm.dispatcher, remember=0)
    assert deepcopy(llm).feedback is llm.feedback
