"""The ways to call: they agree with each other, each real call is one LLM event, each answer tells its own decision."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("llama_index.core", reason="llama-index-core is not installed")

from llama_index.core.llms import ChatMessage, ChatResponse, ImageBlock, TextBlock
from llama_index.core.llms.mock import MockLLM

from llamaindex_router import RouterLLM, routing
from pointsman.errors import ConfigError
from pointsman.models import ModelPool
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing.replay_server import ReplayServer
from pointsman.types import Trace

WAYS = ("sync", "async", "stream", "astream")
TOLD = ("model", "tried", "propensity", "reason", "cost_usd", "total_usage", "excluded", "degraded")


def user(text: str) -> ChatMessage:
    """Return a user's message."""
    return ChatMessage(role="user", content=text)


def text_of(response: Any) -> str:
    """Return the text of a chat's or a completion's response."""
    return response.text if hasattr(response, "text") else response.message.content


GIVEN = {
    "chat": ([ChatMessage(role="system", content="Be brief."), user("a hard one")], "large"),
    "completion": ("an easy one", "small"),
    "earlier turns": ([user("hard"), ChatMessage(role="assistant", content="yes"), user("easy")], "small"),
}


@pytest.mark.parametrize("case", GIVEN)
async def test_four_ways_give_one_answer(build: Any, ask: Any, case: str) -> None:
    """Text, decision, usage and cost of a call are the same however it is made, and the last piece of a stream has them."""
    given, model = GIVEN[case]
    answers = {way: await ask(build(), way, given) for way in WAYS}
    first = answers["sync"]
    for way, response in answers.items():
        assert text_of(response) == text_of(first), way
        record, other = response.additional_kwargs["router"], first.additional_kwargs["router"]
        assert {key: record[key] for key in TOLD} == {key: other[key] for key in TOLD}, way
        assert response.additional_kwargs["prompt_tokens"] == first.additional_kwargs["prompt_tokens"], way
    assert first.additional_kwargs["router"]["model"] == model
    assert text_of(first).startswith(model)


def test_record_of_a_decision(build: Any) -> None:
    """The record is plain data: who answered, why, how likely that was, what it cost and who was left out."""
    with routing(model="large"):
        record = build().chat([user("a hard one")]).additional_kwargs["router"]
    assert record.pop("trace_id")
    assert record == {
        "model": "large",
        "tried": ["large"],
        "propensity": 1.0,
        "reason": "rule 1 applies",
        "cost_usd": pytest.approx((11 * 10 + 7 * 40) / 1e6),
        "total_usage": {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18},
        "excluded": {"medium": "not in the allow list", "small": "not in the allow list"},
        "degraded": [],
    }


@pytest.mark.parametrize("way", WAYS)
async def test_the_providers_own_objects_come_through(build: Any, ask: Any, client: Any, way: str) -> None:
    """Message, raw object and what the provider told are those of a direct call; nothing is put into the message."""
    routed, direct = await ask(build(), way, [user("easy")]), await ask(client("small"), way, [user("easy")])
    assert routed.message == direct.message
    assert routed.message.additional_kwargs == {}
    assert type(routed.raw) is type(direct.raw)
    assert routed.raw.usage == direct.raw.usage
    assert routed.logprobs == direct.logprobs
    assert {
        key: value for key, value in routed.additional_kwargs.items() if key != "router"
    } == direct.additional_kwargs


def test_input_is_sent_as_it_came(build: Any, server: ReplayServer) -> None:
    """Messages, images and options reach the provider as they do without a router."""
    traces: list[Trace] = []
    image = ImageBlock(url="data:image/png;base64,iVBORw0KGgo=")
    messages = [
        ChatMessage(role="system", content="Answer in French."),
        ChatMessage(blocks=[TextBlock(text="What?"), image]),
    ]
    llm = build(observers=[traces.append])
    llm.chat(messages, temperature=0.7, stop=["END"])
    routed = server.ledger[0].request
    llm.models["small"].chat(messages, temperature=0.7, stop=["END"])
    assert routed == server.ledger[1].request
    assert traces[0].query.modalities == {"image"}
    assert traces[0].query.text == "What?"


class Metered(MockLLM):
    """Says back what it hears after giving way to others; it uses a token for each character."""

    async def achat(self, messages: Any, **_: Any) -> ChatResponse:
        """Answer."""
        await asyncio.sleep(0)
        said = messages[-1].content
        usage = {"prompt_tokens": len(said), "completion_tokens": 1}
        return ChatResponse(message=ChatMessage(role="assistant", content=said), raw={"usage": usage})


async def test_five_hundred_calls_at_once_keep_their_own(pool: ModelPool) -> None:
    """Each of 500 concurrent answers tells the decision, the usage and the cost that are its own, and no other's."""
    rules = (Rule(model="large", contains=("odd",)),)
    traces: list[Trace] = []
    router = RulesRouter(pool=pool, default="small", rules=rules)
    llm = RouterLLM(models={name: Metered() for name in pool}, router=router, observers=[traces.append])
    asked = [f"{'odd' if i % 2 else 'even'} {'x' * i}" for i in range(500)]
    got = await asyncio.gather(*(llm.achat([user(text)]) for text in asked))
    by_id = {trace.id: trace for trace in traces}
    for text, response in zip(asked, got, strict=True):
        record = response.additional_kwargs["router"]
        into, out = (10.0, 40.0) if "odd" in text else (0.5, 1.5)
        assert response.message.content == text
        assert record["model"] == ("large" if "odd" in text else "small")
        assert record["total_usage"]["input_tokens"] == len(text)
        assert record["cost_usd"] == pytest.approx((len(text) * into + out) / 1e6)
        assert by_id.pop(record["trace_id"]).query.text == text
    assert by_id == {}


async def test_bills_of_calls_at_once_are_told_apart(build: Any, server: ReplayServer) -> None:
    """Usage and cost of 60 calls at once over HTTP are each the server's own for that question."""
    llm = build()
    asked = [f"{'hard' if i % 2 else 'easy'} {'x' * i}" for i in range(60)]
    got = await asyncio.gather(*(llm.achat([user(text)]) for text in asked))
    for text, response in zip(asked, got, strict=True):
        record, model = response.additional_kwargs["router"], "large" if "hard" in text else "small"
        assert response.message.content == f"{model} heard {len(text)} characters"
        assert record["model"] == model
        assert record["total_usage"] == {
            "input_tokens": len(text) + 1,
            "output_tokens": 7,
            "total_tokens": len(text) + 8,
        }
    assert sum(one.additional_kwargs["router"]["cost_usd"] for one in got) == pytest.approx(server.cost_usd())


def test_the_question_is_the_callers_choice(build: Any) -> None:
    """The question is what `routing` names, else what `query` says, else the last user message."""
    messages = [user("hard"), ChatMessage(role="assistant", content="yes"), user("easy")]

    def chosen(llm: Any) -> str:
        return str(llm.chat(messages).additional_kwargs["router"]["model"])

    first = build(query=lambda given: given[0].content)
    assert chosen(build()) == "small"
    assert chosen(first) == "large"
    with routing(query="easy"):
        assert chosen(first) == "small"


def test_blocks_within_blocks_change_what_they_name(build: Any) -> None:
    """An inner `routing` keeps what the outer one said of other things, and ends with its block."""
    traces: list[Trace] = []
    llm = build(observers=[traces.append])
    with routing(session_id="user-7", query="hard"):
        with routing(query="easy", operating_point=0.5):
            llm.complete("?")
        llm.complete("?")
    llm.complete("?")
    told = [(trace.query.text, trace.query.session_id, trace.context.operating_point) for trace in traces]
    assert told == [("easy", "user-7", 0.5), ("hard", "user-7", None), ("?", None, None)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"modle": "x"}, "routing knows no 'modle'"),
        ({"max_cost_usd": -1}, "at least 0"),
        ({"min_quality": "high"}, "must be a finite number"),
        ({"operating_point": float("nan")}, "must be a finite number"),
        ({"model": "huge"}, "Unknown model 'huge'; the candidates are 'large', 'medium', 'small'"),
    ],
)
def test_wrong_wishes_are_told(build: Any, wrong: dict[str, Any], message: str) -> None:
    """A misspelt or impossible wish is an error that names it."""
    with pytest.raises(ConfigError, match=message), routing(**wrong):
        build().complete("hi")


def test_a_tight_limit_finds_the_cheaper_model(build: Any) -> None:
    """A pinned model answers whatever the rules say, and a limit that nobody can keep is the core's own error."""
    llm = build()
    with routing(model="medium"):
        assert llm.complete("hard").additional_kwargs["router"]["model"] == "medium"
