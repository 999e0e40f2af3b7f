"""Agents, graphs and retrieval: a router stands where LangChain and LangGraph expect a chat model."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langchain_core.tools import tool
from langchain_core.vectorstores import InMemoryVectorStore
from pydantic import BaseModel

from pointsman.testing.replay_server import Fault, ReplayServer
from pointsman.types import Trace

agents = pytest.importorskip("langchain.agents")
graph = pytest.importorskip("langgraph.graph")


@tool
def look_up(word: str) -> str:
    """Look a word up in the dictionary."""
    return f"{word}: a word"


class Verdict(BaseModel):
    """What an agent ends with."""

    word: str
    known: bool


async def test_agent_calls_a_tool_and_answers(build: Any, server: ReplayServer) -> None:
    """An agent's loop runs on a router; the tool's result goes back to the model that asked for it."""
    traces: list[Trace] = []
    agent = agents.create_agent(build(observers=[traces.append]), [look_up])
    given = {"messages": [HumanMessage("A hard one: look up 'cat'.")]}
    for state in (agent.invoke(given), await agent.ainvoke(given)):
        _, asked, told, answered = state["messages"]
        assert asked.tool_calls[0]["name"] == "look_up"
        assert told.content == "cat: a word"
        assert "cat: a word" in answered.text
        assert {one.response_metadata["router"]["model"] for one in (asked, answered)} == {"large"}
    assert [entry.model for entry in server.ledger] == ["large"] * 4
    assert traces[1].context.session.open_tool_call


@pytest.mark.parametrize("fault", [None, Fault(model="small", status=429)])
async def test_messages_are_not_doubled(build: Any, server: ReplayServer, fault: Fault | None) -> None:
    """LangGraph's "messages" stream shows each token once, also after a fallback."""
    if fault is not None:
        server.fail(fault, fault)
    agent = agents.create_agent(build(), [])
    given = {"messages": [HumanMessage("hi")]}
    sync = [piece for piece, _ in agent.stream(given, stream_mode="messages")]
    later = [piece async for piece, _ in agent.astream(given, stream_mode="messages")]
    for pieces in (sync, later):
        tokens = [piece for piece in pieces if isinstance(piece, AIMessageChunk)]
        assert len(tokens) > 3
        assert "".join(piece.text for piece in pieces) == f"{'small' if fault is None else 'medium'} heard 1 messages"


def test_agent_with_structured_response(build: Any) -> None:
    """An agent with a response format ends in the parsed object."""
    agent = agents.create_agent(build(), [], response_format=Verdict)
    state = agent.invoke({"messages": [HumanMessage("Is 'cat' a word?")]})
    assert isinstance(state["structured_response"], Verdict)


def test_node_of_a_graph(build: Any) -> None:
    """A router called inside a node, without a config, still belongs to the graph's run and thread."""
    traces: list[Trace] = []
    llm = build(observers=[traces.append])

    def node(state: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [llm.invoke(state["messages"])]}

    builder = graph.StateGraph(graph.MessagesState)
    builder.add_node("model", node)
    builder.set_entry_point("model")
    app = builder.compile()
    state = app.invoke({"messages": [HumanMessage("hi")]}, {"configurable": {"thread_id": "t9"}})
    assert isinstance(state["messages"][-1], AIMessage)
    assert traces[0].query.session_id == "t9"
    pieces = [piece for piece, _ in app.stream({"messages": [HumanMessage("hi")]}, stream_mode="messages")]
    assert "".join(piece.text for piece in pieces) == "small heard 1 messages"


def test_retrieval_routes_on_the_question(build: Any, server: ReplayServer) -> None:
    """In a retrieval chain the question decides, not the documents around it."""
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    store.add_documents([Document("All of this is hard, hard, hard.")])
    prompt = ChatPromptTemplate.from_template("{documents}\nQuestion: {question}")
    chain: Any = (
        {"documents": store.as_retriever(), "question": RunnablePassthrough()} | prompt | build() | StrOutputParser()
    )
    question = "Is it easy?"
    assert chain.invoke(question) == "large heard 1 messages"
    assert chain.invoke(question, {"metadata": {"router_query": question}}) == "small heard 1 messages"
    assert "hard" in server.ledger[-1].request["messages"][0]["content"]


def test_other_wrappers(build: Any, server: ReplayServer) -> None:
    """`with_retry`, `with_fallbacks` and `with_config` wrap a router as any model."""
    server.fail(Fault(status=500, count=3))
    assert build().with_retry(stop_after_attempt=2).invoke("hi").text == "small heard 1 messages"
    server.fail(Fault(status=500, count=3))
    assert build().with_fallbacks([RunnableLambda(lambda _: "plan B")]).invoke("hi") == "plan B"
    assert build().with_config(tags=["x"], run_name="chosen").invoke("hi").text == "small heard 1 messages"
