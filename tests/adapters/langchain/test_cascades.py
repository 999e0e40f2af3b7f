"""Longer plans: drafts stay out of sight, judges get their own messages, votes make one answer, and all of it is paid."""

from __future__ import annotations

from typing import Any

import pytest
from drafting import BY_LIKELIHOOD, Drafting, unsure
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.messages import AIMessageChunk, HumanMessage

from langchain_router import RouterLLM
from pointsman.errors import ConfigError
from pointsman.flow import Plan
from pointsman.flow import ask as asking
from pointsman.models import ModelPool
from pointsman.testing.replay_server import Recorded, ReplayServer
from pointsman.types import Answer, Call, Context, Embed, Query, Response, Trace

agents = pytest.importorskip("langchain.agents")
WAYS = ("invoke", "ainvoke", "stream", "astream")


class Vote(Drafting):
    """Ask all three at once and take what most of them say."""

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Call all, count, and answer with the most frequent text."""
        calls = tuple(Call(model=name, purpose="sample") for name in self.pool)
        outcomes = yield calls
        said = [outcome for outcome in outcomes if isinstance(outcome, Response)]
        text = max({one.text for one in said}, key=lambda each: sum(one.text == each for one in said))
        return Answer(content=text, support=tuple(one.step for one in said if one.text == text), model="vote")


class Embedding(Drafting):
    """Ask for the vector of the question, then answer with the large model."""

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Embed and answer."""
        (vectors,) = yield (Embed(embedder="mini", texts=(query.text,)),)
        final = yield from asking(Call(model="large", stream=True))
        return Answer.of(final, reason=f"{len(vectors)} vector of {len(vectors[0])}")  # type: ignore[arg-type,index]


def replies(model: str, request: dict[str, Any]) -> Recorded:
    """Let the judge reject drafts about hard things; two of three models agree."""
    asked = request["messages"][-1]["content"]
    if asked.startswith("Is this right?"):
        return Recorded(text="no" if "hard" in asked else "yes", input_tokens=5, output_tokens=1)
    text = "two" if model == "small" and "vote" in asked else f"{model}: {asked}" if "vote" not in asked else "three"
    return Recorded(text=text, input_tokens=10, output_tokens=4)


@pytest.fixture
def cascade(client: Any, pool: ModelPool) -> Any:
    """Return a maker of routed models over those replies."""
    with ReplayServer({}, default=replies, prices={"large": (10, 40), "medium": (2, 8), "small": (0.5, 1.5)}) as server:

        def make(kind: type[Drafting] = Drafting, **settings: Any) -> tuple[RouterLLM, ReplayServer]:
            models = {name: client(name, base_url=server.url) for name in pool}
            return RouterLLM(models=models, router=kind(pool=pool), **settings), server

        yield make


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("question", "model", "calls"), [("easy", "small", 2), ("hard", "large", 3)])
async def test_cascade(cascade: Any, ask: Any, way: str, question: str, model: str, calls: int) -> None:
    """Whichever draft or final answer wins comes out whole, with the cost of all calls and its own usage."""
    llm, server = cascade()
    message = await ask(llm, way, question)
    record = message.response_metadata["router"]
    assert message.text == f"{model}: {question}"
    assert record["model"] == message.response_metadata["model_name"] == model
    assert record["tried"] == (["small"] if calls == 2 else ["small", "large"])
    assert len(server.ledger) == calls
    assert record["cost_usd"] == pytest.approx(server.cost_usd())
    assert record["total_usage"]["total_tokens"] == 14 * (calls - 1) + 6
    assert message.usage_metadata["total_tokens"] == 14
    if way.endswith("stream"):
        assert isinstance(message, AIMessageChunk)
        assert [entry.streamed for entry in server.ledger] == [False, False, True][:calls]


async def test_judge_gets_its_own_messages(cascade: Any, ask: Any) -> None:
    """A judge is asked what the plan says, with the plan's parameters, and without the user's tools and settings."""
    llm, server = cascade(temperature=0.9)
    await ask(llm.bind(stop=["END"]), "invoke", "easy")
    draft, judge = (entry.request for entry in server.ledger)
    assert (draft["temperature"], draft["stop"]) == (0.9, ["END"])
    assert judge["messages"] == [{"role": "user", "content": "Is this right? small: easy"}]
    assert judge["temperature"] == 0
    assert "stop" not in judge


@pytest.mark.parametrize("question", ["easy", "hard"])
async def test_drafts_stay_out_of_a_graphs_stream(cascade: Any, question: str) -> None:
    """LangGraph's "messages" stream shows the answer once, and neither rejected drafts nor judges."""
    llm, _ = cascade()
    agent = agents.create_agent(llm, [])
    given = {"messages": [HumanMessage(question)]}
    expected = f"{'large' if question == 'hard' else 'small'}: {question}"
    assert "".join(piece.text for piece, _ in agent.stream(given, stream_mode="messages")) == expected
    assert "".join([piece.text async for piece, _ in agent.astream(given, stream_mode="messages")]) == expected


@pytest.mark.parametrize("way", WAYS)
async def test_vote(cascade: Any, ask: Any, way: str) -> None:
    """Models asked at once make one answer; each of them is paid."""
    traces: list[Trace] = []
    llm, server = cascade(Vote, observers=[traces.append])
    message = await ask(llm, way, "vote")
    assert message.text == "three"
    assert message.response_metadata["router"]["tried"] == ["large", "medium", "small"]
    assert message.response_metadata["router"]["cost_usd"] == pytest.approx(server.cost_usd())
    assert len(traces[0].steps) == 3


async def test_typed_stream_of_a_whole_answer(cascade: Any) -> None:
    """An accepted draft comes through LangChain's typed protocol as a message that is already whole."""
    llm, _ = cascade()
    if not hasattr(llm, "stream_events"):
        pytest.skip("this LangChain has no typed event streams")
    stream = llm.stream_events("easy", version="v3")
    assert [event["event"] for event in stream] == [
        "message-start",
        "content-block-start",
        "content-block-delta",
        "content-block-finish",
        "message-finish",
    ]
    assert stream.output.text == "small: easy"
    assert stream.output.response_metadata["router"]["model"] == "small"
    assert stream.output.usage_metadata["total_tokens"] == 14
    assert (await (await llm.astream_events("easy", version="v3"))).text == "small: easy"


async def test_embeddings_are_langchains(cascade: Any, ask: Any) -> None:
    """A router that asks for vectors gets them from the embedder of that name; without it the error says so."""
    llm, _ = cascade(Embedding, embedders={"mini": DeterministicFakeEmbedding(size=4)})
    for way in WAYS:
        assert (await ask(llm, way, "hi")).response_metadata["router"]["reason"] == "1 vector of 4"
    with pytest.raises(ConfigError, match="asks for the embedder 'mini'; embedders has none"):
        cascade(Embedding)[0].invoke("hi")


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize(("question", "model"), [("easy", "small"), ("hard", "large")])
async def test_log_probabilities_decide(client: Any, ask: Any, way: str, question: str, model: str) -> None:
    """A confidence in tokens asks the models for their log-probabilities and reads those that they send."""
    with ReplayServer({}, default=unsure) as server:
        llm = RouterLLM(
            models={name: client(name, base_url=server.url) for name in BY_LIKELIHOOD.order}, router=BY_LIKELIHOOD
        )
        message = await ask(llm, way, question)
    assert message.text == f"{model} it is"
