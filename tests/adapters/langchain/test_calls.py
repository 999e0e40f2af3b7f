"""The ways to call: they agree with each other, each real call is one LLM event, each answer tells its own decision."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from langchain_router import RouterLLM
from pointsman.models import ModelPool
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing.replay_server import ReplayServer

WAYS = ("invoke", "ainvoke", "stream", "astream")


class Events(BaseCallbackHandler):
    """Keeps which runs started and ended, under which parents."""

    run_inline = True

    def __init__(self) -> None:
        self.starts: list[tuple[str, UUID, UUID | None, list[str]]] = []
        self.ends: list[str] = []
        self.names: list[str | None] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **about: Any) -> None:
        """Note an LLM run."""
        self.starts.append(("llm", run_id, about["parent_run_id"], about["tags"]))
        self.names.append(about.get("name"))

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **about: Any) -> None:
        """Note a chain run, and what traces are told of it."""
        self.starts.append(("chain", run_id, about["parent_run_id"], about["tags"]))
        self.names.append(about.get("name"))
        self.serialized = serialized

    def on_llm_end(self, response: Any, **_: Any) -> None:
        """Note the end of an LLM run."""
        self.ends.append("llm")

    def on_chain_end(self, outputs: Any, **_: Any) -> None:
        """Note the end of a chain run."""
        self.ends.append("chain")
        self.outputs = outputs


@pytest.mark.parametrize(
    "given", ["a hard question", "an easy one", [SystemMessage("Be brief."), HumanMessage("hard?")]]
)
async def test_four_ways_give_one_answer(build: Any, ask: Any, given: Any) -> None:
    """Text, decision, usage and cost of a call are the same however it is made."""
    answers = {way: await ask(build(), way, given) for way in WAYS}
    first = answers["invoke"]
    told = {"model", "tried", "propensity", "reason", "cost_usd", "total_usage", "excluded", "degraded"}
    for way, message in answers.items():
        assert message.text == first.text, way
        assert message.usage_metadata == first.usage_metadata, way
        assert message.response_metadata["model_name"] == first.response_metadata["model_name"], way
        record, other = message.response_metadata["router"], first.response_metadata["router"]
        assert {key: record[key] for key in told} == {key: other[key] for key in told}, way
    assert first.response_metadata["router"]["model"] == ("large" if "hard" in str(given) else "small")


def test_record_of_a_decision(build: Any) -> None:
    """The record is plain data: who answered, why, how likely that was, what it cost and who was left out."""
    message = build().invoke("a hard question", config={"configurable": {"router_model": "large"}})
    record = message.response_metadata["router"]
    assert record.pop("trace_id")
    assert UUID(record.pop("run_id"))
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
async def test_one_llm_event_under_one_chain(build: Any, ask: Any, way: str) -> None:
    """However it is called, a router is a chain with exactly one LLM run for the one real call."""
    events = Events()
    await ask(build(), way, "hi", {"callbacks": [events]})
    [(chain, chain_id, parent, _), (model, _, under, tags)] = events.starts
    assert (chain, parent) == ("chain", None)
    assert (model, under) == ("llm", chain_id)
    assert "router:answer" in tags
    assert events.ends == ["llm", "chain"]


@pytest.mark.parametrize("way", WAYS)
async def test_run_carries_what_the_config_says(build: Any, ask: Any, way: str) -> None:
    """Run id, name and tags of the config are the chain's, which the record names; the model's run has its own id and name."""
    events, run_id = Events(), uuid4()
    config = {"callbacks": [events], "run_id": run_id, "run_name": "chooser", "tags": ["mine"]}
    message = await ask(build(), way, "hi", config)
    (_, chain_id, _, chain_tags), (_, model_id, _, model_tags) = events.starts
    assert chain_id == run_id == UUID(message.response_metadata["router"]["run_id"])
    assert model_id != run_id
    assert (sorted(chain_tags), sorted(model_tags)) == (["mine"], ["mine", "router:answer"])
    assert events.names[0] == "chooser"
    assert events.names[1] != "chooser"


def test_chain_run_has_no_usage_of_its_own(build: Any) -> None:
    """Tracers add children up, so the chain's output has usage nowhere but in the message that the child made."""
    events = Events()
    build().invoke("hi", {"callbacks": [events]})
    assert isinstance(events.outputs, AIMessage)
    assert "usage_metadata" not in events.outputs.response_metadata
    assert "usage_metadata" not in events.outputs.response_metadata["router"]


def test_constructor_callbacks_hear_the_candidates(build: Any) -> None:
    """Callbacks and tags given to the router reach its own run and those of the candidates."""
    events = Events()
    build(callbacks=[events], tags=["kept"]).invoke("hi")
    assert [kind for kind, *_ in events.starts] == ["chain", "llm"]
    assert all("kept" in tags for *_, tags in events.starts)


def test_traces_show_a_short_text_of_the_router(build: Any) -> None:
    """What tracers are given of the router is a short repr, without keys or learnt state."""
    events, llm = Events(), build()
    llm.invoke("hi", {"callbacks": [events]})
    shown = events.serialized["repr"]
    assert shown == repr(llm)
    assert shown.startswith("RouterLLM(models=['large', 'medium', 'small'], router=RulesRouter(")
    assert len(shown) < 300
    assert "none" not in shown


async def test_thousand_calls_at_once_keep_their_own_decisions() -> None:
    """Each of 1,000 concurrent answers tells the decision that made it, and no other."""
    answers = {"small": FakeListChatModel(responses=["small"]), "large": FakeListChatModel(responses=["large"])}
    router = RulesRouter(pool=ModelPool(answers), default="small", rules=(Rule(model="large", contains=("odd",)),))
    llm = RouterLLM(models=answers, router=router)
    asked = [f"{i} {'odd' if i % 2 else 'even'}" for i in range(1000)]
    got = await asyncio.gather(*(llm.ainvoke(text, {"metadata": {"router_query_id": text}}) for text in asked))
    for text, message in zip(asked, got, strict=True):
        expected = "large" if "odd" in text else "small"
        assert message.text == expected
        assert message.response_metadata["router"]["model"] == expected
    assert len({message.response_metadata["router"]["trace_id"] for message in got}) == len(asked)


def test_batch_routes_each_item(build: Any) -> None:
    """A batch is as many calls, each routed by itself."""
    got = build().batch(["easy", "hard", "easy"])
    assert [message.response_metadata["router"]["model"] for message in got] == ["small", "large", "small"]


async def test_generate_builds_a_result(build: Any) -> None:
    """`generate` and `agenerate`, which evaluation libraries call, give one generation and one run for each conversation."""
    conversations = [[HumanMessage("easy")], [HumanMessage("hard")]]
    llm = build()
    run_id = uuid4()
    for result in (llm.generate(conversations, run_id=run_id), await llm.agenerate(conversations, run_id=run_id)):
        assert [one[0].message.response_metadata["router"]["model"] for one in result.generations] == ["small", "large"]
        assert result.run[0].run_id == run_id
        assert len({run.run_id for run in result.run}) == 2
        assert result.generations[0][0].generation_info == {"finish_reason": "stop"} | {"logprobs": None}
    prompt = ChatPromptTemplate.from_template("{q}").invoke({"q": "hard"})
    assert llm.generate_prompt([prompt]).generations[0][0].text.startswith("large")


def test_stream_ends_with_the_record(build: Any) -> None:
    """The record comes with the last chunk, once; the chunks are in the places that the candidate gives them."""
    llm = build()
    chunks = list(llm.stream("hi"))
    assert len(chunks) > 3
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    assert ["router" in chunk.response_metadata for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert [chunk.chunk_position for chunk in chunks] == [
        one.chunk_position for one in llm.models["small"].stream("hi")
    ]
    assert chunks[-1].chunk_position == "last"


@pytest.mark.parametrize("settings", [{"disable_streaming": True}, {"streaming": False}])
async def test_streaming_can_be_switched_off(build: Any, server: ReplayServer, settings: dict[str, Any]) -> None:
    """Where streaming is off, `stream` and `astream` give one chunk, and the server is not asked to stream."""
    llm = build(**settings)
    for chunks in (list(llm.stream("hi")), [chunk async for chunk in llm.astream("hi")]):
        [chunk] = chunks
        assert isinstance(chunk, AIMessageChunk)
        assert chunk.response_metadata["router"]["model"] == "small"
    assert not any(entry.streamed for entry in server.ledger)


def test_settings_go_with_every_request(build: Any, server: ReplayServer) -> None:
    """Temperature, length and stops of the router are sent to whichever model answers; a call's own win."""
    llm = build(temperature=0.25, max_tokens=50, stop=["END"], model_kwargs={"seed": 7})
    llm.invoke("hi")
    llm.invoke("hi", stop=["NOW"], temperature=0.5)
    first, second = (entry.request for entry in server.ledger)
    assert (first["temperature"], first["max_completion_tokens"], first["stop"], first["seed"]) == (
        0.25,
        50,
        ["END"],
        7,
    )
    assert (second["temperature"], second["stop"]) == (0.5, ["NOW"])


def test_input_is_sent_as_it_came(build: Any, server: ReplayServer) -> None:
    """What is routed on does not change what is sent."""
    messages = [SystemMessage("Answer in French."), HumanMessage("context: hard things\nquestion: easy?")]
    message = build().invoke(messages, {"metadata": {"router_query": "easy?"}})
    assert message.response_metadata["router"]["model"] == "small"
    assert [one["content"] for one in server.ledger[0].request["messages"]] == [one.content for one in messages]


def test_question_is_the_users_choice(build: Any) -> None:
    """The question comes from the config, else from the user's function, else it is the last human message."""
    messages = [HumanMessage("hard"), AIMessage("yes"), HumanMessage("easy")]

    def first(given: Any) -> str:
        return str(given[0].content)

    assert build().invoke(messages).response_metadata["router"]["model"] == "small"
    assert build(query=first).invoke(messages).response_metadata["router"]["model"] == "large"
    config = {"metadata": {"router_query": "easy"}}
    assert build(query=first).invoke(messages, config).response_metadata["router"]["model"] == "small"


def test_chain_with_prompt_and_parser(build: Any) -> None:
    """A router stands in a chain where a chat model does."""
    chain = ChatPromptTemplate.from_template("Say: {q}") | build() | StrOutputParser()
    assert chain.invoke({"q": "hard"}) == "large heard 1 messages"
    assert "".join(chain.stream({"q": "easy"})) == "small heard 1 messages"


def test_wrong_input_is_named(build: Any) -> None:
    """What is no input of a chat model raises TypeError that says so."""
    with pytest.raises(TypeError, match="not int"):
        build().invoke(3)
