"""Longer plans in an agent: LangGraph shows the answer alone, drafts and judges are paid, and tools are called once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from drafting import Drafting
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.messages import HumanMessage

from pointsman.flow import Plan, embed
from pointsman.flow import ask as asking
from pointsman.models import ModelPool
from pointsman.testing.replay_server import Recorded, ReplayServer
from pointsman.types import Answer, Call, Context, Embed, Message, Query

agents = pytest.importorskip("langchain.agents")

from langchain_router import RouterMiddleware  # noqa: E402 - only where there are agents

PRICES = {"large": (10.0, 40.0), "medium": (2.0, 8.0), "small": (0.5, 1.5)}


class Cascade(Drafting):
    """Draft, judge by a plain yes, and answer coolly."""

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Draft, judge, and escalate if need be."""
        decision = self.decide(query, context)
        draft = yield from asking(Call(model="small", decision=decision))
        question = (Message(role="user", content=f"Is this right? {draft.text}"),)
        verdict = yield from asking(Call(model="medium", messages=question, purpose="judge"))
        if verdict.text == "yes":
            return Answer.of(draft, reason="accepted")
        final = yield from asking(Call(model="large", decision=decision, stream=True, params={"temperature": 0.1}))
        return Answer.of(final, reason="escalated")


class Embedding(Cascade):
    """Ask for the vector of the question, then answer with the small model."""

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Embed and answer."""
        (vector,) = yield from embed(Embed(embedder="mini", texts=(query.text,)))
        final = yield from asking(Call(model="small", stream=True))
        return Answer.of(final, reason=f"{len(vector)} numbers")


class Down(Embeddings):
    """Embeddings whose provider does not answer."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Time out."""
        raise TimeoutError("no answer")

    def embed_query(self, text: str) -> list[float]:
        """Time out."""
        raise TimeoutError("no answer")


def replies(model: str, request: dict[str, Any]) -> Recorded:
    """Let the judge reject drafts about hard things."""
    said = request["messages"][-1]["content"]
    if said.startswith("Is this right?"):
        return Recorded(text="no" if "hard" in said else "yes", input_tokens=5, output_tokens=1)
    return Recorded(text=f"{model}: {said}", input_tokens=10, output_tokens=4)


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    """Serve drafts, verdicts and answers."""
    with ReplayServer({}, default=replies, prices=PRICES) as running:
        yield running


@pytest.fixture
def agent(client: Any, pool: ModelPool) -> Any:
    """Return a maker of agents over a router of this kind."""

    def make(kind: type[Cascade] = Cascade, **settings: Any) -> Any:
        models = {name: client(name) for name in pool}
        made = RouterMiddleware(models=models, router=kind(pool=pool), **settings)
        return agents.create_agent(client("own"), [], middleware=[made])

    return make


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize(("question", "model", "calls"), [("easy", "small", 2), ("hard", "large", 3)])
async def test_cascade(agent: Any, server: ReplayServer, way: str, question: str, model: str, calls: int) -> None:
    """Whichever draft or final answer wins is the agent's answer; all calls are paid and none is counted twice."""
    given = {"messages": [HumanMessage(question)]}
    with get_usage_metadata_callback() as usage:
        state = agent().invoke(given) if way == "invoke" else await agent().ainvoke(given)
    [record] = state["router_log"]
    assert state["messages"][-1].text == f"{model}: {question}"
    assert len(state["messages"]) == 2
    assert (record["model"], len(server.ledger)) == (model, calls)
    assert record["cost_usd"] == pytest.approx(server.cost_usd())
    tokens = sum(entry.input_tokens + entry.output_tokens for entry in server.ledger)
    assert record["total_usage"]["total_tokens"] == tokens
    assert sum(each["total_tokens"] for each in usage.usage_metadata.values()) == tokens
    if calls == 3:
        assert server.ledger[-1].request["temperature"] == 0.1


@pytest.mark.parametrize("question", ["easy", "hard"])
async def test_drafts_are_never_shown(agent: Any, question: str) -> None:
    """LangGraph's "messages" stream shows the answer once, and neither rejected drafts nor judges."""
    given = {"messages": [HumanMessage(question)]}
    expected = f"{'large' if question == 'hard' else 'small'}: {question}"
    assert "".join(piece.text for piece, _ in agent().stream(given, stream_mode="messages")) == expected
    pieces = [piece async for piece, _ in agent().astream(given, stream_mode="messages")]
    assert "".join(piece.text for piece in pieces) == expected


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_embeddings_are_langchains(agent: Any, way: str) -> None:
    """A router that asks for vectors gets them; an embedder that is down is the router's failure, not the agent's."""
    given = {"messages": [HumanMessage("hi")]}
    for embedder, answering in ((DeterministicFakeEmbedding(size=4), "small"), (Down(), "own")):
        made = agent(Embedding, embedders={"mini": embedder})
        state = made.invoke(given) if way == "invoke" else await made.ainvoke(given)
        assert state["messages"][-1].text == f"{answering}: hi"
    assert "mini: TimeoutError: no answer" in state["router_log"][0]["degraded"][0]
