"""Engines: the question is routed on, never the context; what LlamaIndex sets on its LLM reaches whoever makes the calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("llama_index.llms.openai_like", reason="llama-index is not installed")

from llama_index.core import Document, MockEmbedding, Settings, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent, ReActAgent
from llama_index.core.callbacks import CallbackManager, CBEventType, TokenCountingHandler
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.query_engine import RetrieverQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.tools import FunctionTool, QueryEngineTool
from pydantic import BaseModel

from llamaindex_router import RouterDecisionEvent, routing
from pointsman.testing.replay_server import Recorded, ReplayServer
from pointsman.types import Trace

pytestmark = [  # LlamaIndex's memory leaves its connections open
    pytest.mark.filterwarnings("ignore:.*aiosqlite:ResourceWarning"),
    pytest.mark.usefixtures("collected"),
]
MODES = ("compact", "refine", "tree_summarize", "simple_summarize", "accumulate", "compact_accumulate", "generation")
HARD_TEXT = "This is a hard text about hard things, and it is hard throughout. " * 40


def index() -> VectorStoreIndex:
    """Return an index over long texts that speak of nothing but hard things."""
    documents = [Document(text=f"{HARD_TEXT} Number {i}.") for i in range(3)]
    return VectorStoreIndex.from_documents(documents, embed_model=MockEmbedding(embed_dim=4))


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("question", "model"), [("Who wrote it?", "small"), ("A hard one: why?", "large")])
async def test_the_context_does_not_decide(
    build: Any,
    server: ReplayServer,
    mode: str,
    question: str,
    model: str,
    streaming: bool,  # noqa: FBT001
) -> None:
    """An easy question inside a long hard context routes as easy, and a hard one as hard, in every mode of every engine."""
    traces: list[Trace] = []
    llm = build(observers=[traces.append])
    modes = {"response_mode": mode, "similarity_top_k": 3}
    engine = index().as_query_engine(llm=llm, streaming=streaming and "accumulate" not in mode, **modes)
    assert str(engine.query(question)).startswith(("Response 1: ", model))
    asked = index().as_query_engine(llm=llm, streaming=False, **modes)
    assert model in str(await asked.aquery(question))
    assert {entry.model for entry in server.ledger} == {model}
    assert {trace.query.text for trace in traces} == {question}
    if mode != "generation":
        assert all(trace.query.input_chars > len(HARD_TEXT) for trace in traces)


async def test_an_awaited_stream(build: Any, server: ReplayServer) -> None:
    """An engine that streams and is awaited is routed on its question as well."""
    engine = index().as_query_engine(llm=build(), streaming=True)
    response = await engine.aquery("Who wrote it?")
    assert "".join([token async for token in response.response_gen]).startswith("small")
    assert {entry.model for entry in server.ledger} == {"small"}


class Author(BaseModel):
    """Who wrote it."""

    name: str


def test_an_engine_that_gives_objects(build: Any, server: ReplayServer) -> None:
    """`output_cls` gets an object by the model that the question routes to."""
    engine = index().as_query_engine(llm=build(), output_cls=Author, response_mode="compact")
    assert isinstance(engine.query("Who wrote it?").response, Author)
    assert {entry.model for entry in server.ledger} == {"small"}


def test_a_synthesizer_over_its_own_prompts(build: Any, server: ReplayServer) -> None:
    """RetrieverQueryEngine with an explicit synthesizer is no exception."""
    synthesizer = get_response_synthesizer(llm=build(), response_mode="compact")  # type: ignore[arg-type]
    engine = RetrieverQueryEngine(retriever=index().as_retriever(), response_synthesizer=synthesizer)
    assert str(engine.query("Who?")).startswith("small")
    assert str(engine.query("A hard one?")).startswith("large")
    assert [entry.model for entry in server.ledger] == ["small", "large"]


@pytest.mark.parametrize("mode", ["simple", "condense_question", "context", "condense_plus_context"])
async def test_chat_engines(build: Any, server: ReplayServer, mode: str) -> None:
    """Chats answer turn by turn, called, awaited and streamed, each turn by the model of its own question."""
    llm = build()

    def engine() -> Any:
        return SimpleChatEngine.from_defaults(llm=llm) if mode == "simple" else index().as_chat_engine(mode, llm=llm)

    first = engine()
    assert str(first.chat("Who wrote it?")).startswith("small")
    seen = len(server.ledger)
    assert str(first.chat("A hard one: why?"))
    assert seen >= 1
    assert (await engine().achat("A hard one: why?")).response.startswith("large")
    assert "".join(engine().stream_chat("Who wrote it?").response_gen).startswith("small")
    streamed = await engine().astream_chat("A hard one: why?")
    assert "".join([token async for token in streamed.async_response_gen()]).startswith("large")


def test_a_simple_chat_keeps_to_the_last_turn(build: Any, server: ReplayServer) -> None:
    """Earlier turns do not decide."""
    engine = SimpleChatEngine.from_defaults(llm=build())
    for question in ("A hard one?", "An easy one?", "hard again"):
        engine.chat(question)
    assert [entry.model for entry in server.ledger] == ["large", "small", "large"]


def test_a_condensed_question_can_be_named(build: Any, server: ReplayServer) -> None:
    """What an engine hides in a text of its own is named by `routing`, for all calls of the block."""
    engine = index().as_chat_engine("condense_plus_context", llm=build())
    engine.chat("A hard one: why?")
    with routing(query="easy"):
        engine.chat("And then?")
    assert [entry.model for entry in server.ledger] == ["large", "small", "small"]


def test_as_the_settings_llm(build: Any, server: ReplayServer) -> None:
    """`Settings.llm` takes it, and the callback manager of the settings counts the candidates' calls, once each."""
    counter, llm = TokenCountingHandler(tokenizer=str.split), build()
    before = Settings._llm, Settings._callback_manager, Settings._embed_model
    try:
        Settings.callback_manager = CallbackManager([counter])
        Settings.llm = llm
        Settings.embed_model = MockEmbedding(embed_dim=4)
        assert Settings.llm is llm
        assert str(index().as_query_engine().query("Who wrote it?")).startswith("small")
    finally:
        Settings._llm, Settings._callback_manager, Settings._embed_model = before
    assert len(counter.llm_token_counts) == len(server.ledger) == 1
    assert counter.prompt_llm_token_count == server.ledger[0].input_tokens
    assert counter.completion_llm_token_count == server.ledger[0].output_tokens


class Templates(TokenCountingHandler):
    """Counts tokens, and templating events."""

    templates = 0

    def on_event_end(self, event_type: Any, *args: Any, **kwargs: Any) -> None:
        """Count."""
        self.templates += event_type == CBEventType.TEMPLATING
        super().on_event_end(event_type, *args, **kwargs)


def test_a_callback_manager_given_or_set(build: Any, client: Any) -> None:
    """The candidates and the embedders get the manager, at construction and later; without one they keep their own."""
    first, second = (CallbackManager([Templates(tokenizer=str.split)]) for _ in range(2))
    embedder = MockEmbedding(embed_dim=4)
    llm = build(callback_manager=first, embedders={"mini": embedder})
    assert {id(model.callback_manager) for model in (*llm.models.values(), embedder, llm)} == {id(first)}
    llm.predict(PromptTemplate("{query_str}"), query_str="Who?")
    assert (first.handlers[0].templates, len(first.handlers[0].llm_token_counts)) == (1, 1)
    llm.callback_manager = second
    assert {id(model.callback_manager) for model in (*llm.models.values(), embedder, llm)} == {id(second)}
    own = {name: client(name, callback_manager=CallbackManager()) for name in ("large", "medium", "small")}
    managers = [model.callback_manager for model in own.values()]
    assert [model.callback_manager for model in build(own).models.values()] == managers


def test_a_context_is_packed_for_every_candidate(build: Any, client: Any, server: ReplayServer) -> None:
    """Engines pack for the smallest window, so every candidate can take what comes; or for the largest, if so wished."""
    names = ("small", "medium", "large")
    models = {name: client(name, context_window=size) for name, size in zip(names, (1500, 4000, 16000), strict=True)}
    llm = build(models)
    index().as_query_engine(llm=llm, similarity_top_k=3).query("Who wrote it?")
    assert len(server.ledger) > 1
    assert {entry.model for entry in server.ledger} == {"small"}
    before = len(server.ledger)
    wide = build(models, context_window="largest")
    index().as_query_engine(llm=wide, similarity_top_k=3).query("Who wrote it?")
    assert [entry.model for entry in server.ledger[before:]] == ["medium"]


def test_decisions_are_events(build: Any, heard: Any) -> None:
    """Each routed call sends one event under the span of the engine's call, with estimates, cost and what was left out."""
    index().as_query_engine(llm=build()).query("Who wrote it?")
    [event] = [event for event in heard if isinstance(event, RouterDecisionEvent)]
    assert event.span_id.startswith("RouterLLM.predict-")
    assert (event.model, event.ended, event.query, event.reason) == (
        "small",
        "answered",
        "Who wrote it?",
        "no rule applies",
    )
    assert event.ranking == ["small", "medium", "large"]
    assert event.cost_usd > 0
    assert event.model_dump()["class_name"] == "RouterDecisionEvent"


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")  # LlamaIndex's own
@pytest.mark.filterwarnings("ignore:is_running called:DeprecationWarning")
async def test_an_agents_observations_are_not_its_question(build: Any, client: Any) -> None:
    """A ReAct agent's later steps are routed on the user's question too, though a tool has spoken in the user's name since."""

    def steps(model: str, request: dict[str, Any]) -> Recorded:
        if any("Observation: " in str(one["content"]) for one in request["messages"][1:]):
            return Recorded(text=f"Thought: I can answer without using any more tools.\nAnswer: {model} is done")
        return Recorded(text='Thought: I need a tool.\nAction: look\nAction Input: {"what": "hard things"}')

    def look(what: str) -> str:
        """Look something up."""
        return f"all about {what}"

    with ReplayServer({}, default=steps) as server:
        models = {name: client(name, api_base=server.url) for name in ("large", "medium", "small")}
        agent = ReActAgent(llm=build(models), tools=[FunctionTool.from_defaults(look)])
        assert str(await agent.run(user_msg="Who wrote it?")) == "small is done"
        assert [entry.model for entry in server.ledger] == ["small", "small"]


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")  # LlamaIndex's own
async def test_wishes_reach_an_agents_calls(build: Any, server: ReplayServer) -> None:
    """What a block says holds for every call of an agent that is started in it, and for no other agent at the same time."""

    def capital(country: str) -> str:
        """Return the capital of a country."""
        return f"the capital of {country}"

    async def run(model: str) -> str:
        with routing(model=model):
            agent = FunctionAgent(llm=build(), tools=[FunctionTool.from_defaults(capital)])
            return str(await agent.run(user_msg="What is the capital of France?"))

    answers = await asyncio.gather(*(run(model) for model in ("large", "medium")))
    assert [answer.partition(" ")[0] for answer in answers] == ["large", "medium"]
    assert sorted(entry.model for entry in server.ledger) == ["large", "large", "medium", "medium"]


def test_sub_questions(build: Any, client: Any) -> None:
    """A SubQuestionQueryEngine asks for its questions, and each of them is routed by itself."""
    text = '```json\n{"items": [{"sub_question": "a hard one?", "tool_name": "docs"}]}\n```'

    def replies(model: str, request: dict[str, Any]) -> Recorded:
        return Recorded(text=text if "Tools" in str(request["messages"]) else f"{model} answers")

    with ReplayServer({}, default=replies) as server:
        llm = build({name: client(name, api_base=server.url) for name in ("large", "medium", "small")})
        tool = QueryEngineTool.from_defaults(index().as_query_engine(llm=llm), name="docs", description="texts")
        engine = SubQuestionQueryEngine.from_defaults(
            [tool],
            llm=llm,
            question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
            verbose=False,
            use_async=False,
            response_synthesizer=get_response_synthesizer(llm=llm),
        )
        assert str(engine.query("Who wrote it?")) == "small answers"
        assert [entry.model for entry in server.ledger] == ["small", "large", "small"]


def test_messages_are_not_routed_on_twice(build: Any) -> None:
    """A message's own text is the question, also where it is empty."""
    assert build().chat([ChatMessage(role="system", content="hard")]).message.content.startswith("large")
    assert build().chat([ChatMessage(role="user", content=None)]).message.content.startswith("small")
