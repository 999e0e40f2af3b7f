"""What is routed on: in a chain that puts documents around a question, the question decides."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_router import on_question
from langchain_router.conversation import question_of
from pointsman.testing.replay_server import ReplayServer
from pointsman.types import Trace

WAYS = ("invoke", "ainvoke", "stream", "astream")
LONG = "This is hard, hard, hard, and it goes on. " * 200


@pytest.fixture
def store() -> InMemoryVectorStore:
    """Return a store with one long and hard document."""
    made = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    made.add_documents([Document(LONG)])
    return made


@pytest.mark.parametrize("way", WAYS)
async def test_an_easy_question_in_a_hard_context(
    build: Any, ask: Any, store: Any, server: ReplayServer, way: str
) -> None:
    """An easy question inside a long hard context goes where easy questions go, however the chain is called."""
    traces: list[Trace] = []
    prompt = ChatPromptTemplate.from_template("{documents}\nQuestion: {question}")
    both: Any = {"documents": store.as_retriever(), "question": RunnablePassthrough()}
    rag = both | prompt | build(observers=[traces.append]) | StrOutputParser()
    assert await ask(rag, way, "Is it easy?") == "large heard 1 messages"
    assert await ask(on_question(rag), way, "Is it easy?") == "small heard 1 messages"
    assert traces[-1].query.text == "Is it easy?"
    assert traces[-1].query.input_chars > len(LONG)
    assert "hard, hard" in server.ledger[-1].request["messages"][0]["content"]


@pytest.mark.parametrize("way", WAYS)
async def test_where_the_question_is(build: Any, ask: Any, way: str) -> None:
    """It is said by key or by function; the caller's own `router_query` goes first, and other metadata stay."""
    traces: list[Trace] = []
    chain = ChatPromptTemplate.from_template("hard {notes} {topic}") | build(observers=[traces.append])
    given = {"notes": "n", "topic": "hi"}
    for question in ("topic", lambda one: one["topic"]):
        message = await ask(on_question(chain, question), way, given)
        assert message.response_metadata["router"]["model"] == "small"
    config = {"metadata": {"router_query": "a hard one", "router_query_id": "q1"}}
    message = await ask(on_question(chain, "topic"), way, given, config)
    assert message.response_metadata["router"]["model"] == "large"
    assert traces[-1].query.id == "q1"


def test_batches_have_a_question_each(build: Any) -> None:
    """In a batch every input has its own."""
    chain = ChatPromptTemplate.from_template("context {question}") | build() | StrOutputParser()
    found = on_question(chain).batch([{"question": "hard"}, {"question": "easy"}])
    assert [text.split()[0] for text in found] == ["large", "small"]


def test_a_summary_is_not_the_question() -> None:
    """What a middleware says in a human's name, such as a summary, is routed on only where no human speaks."""
    summary = HumanMessage("Here is a summary.", additional_kwargs={"lc_source": "summarization"})
    assert question_of([HumanMessage("What now?"), AIMessage("?"), summary]) == "What now?"
    assert question_of([summary, AIMessage("?")]) == "Here is a summary."
    assert question_of([AIMessage("?")]) == "?"
    assert question_of([]) == ""
