"""The checks that every adapter passes, with LlamaIndex's own span handler, event handler and token counter for eyes."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest

pytest.importorskip("llama_index.llms.openai_like", reason="llama-index is not installed")

import httpx
from llama_index.core import Document, MockEmbedding, SummaryIndex, VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from llamaindex_router import RouterLLM
from pointsman.dispatch import Dispatcher
from pointsman.errors import ConfigError
from pointsman.testing import AdapterCase, AdapterDriver, Watched, adapter_checks_for
from pointsman.testing.adapters import ADAPTER_CHECKS
from pointsman.testing.replay_server import Recorded

pytestmark = [  # LlamaIndex's own workflows warn
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:is_running called:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*aiosqlite:ResourceWarning"),
    pytest.mark.usefixtures("collected"),
]


class Starts(BaseEventHandler):
    """Keeps the spans of LLM calls that begin."""

    spans: list[str] = []  # noqa: RUF012 - pydantic copies it
    events: list[Any] = []  # noqa: RUF012 - the same

    def handle(self, event: Any, **_: Any) -> None:
        """Keep an LLM call's span, and every event of the router's."""
        name = event.class_name()
        if name in {"LLMChatStartEvent", "LLMCompletionStartEvent"}:
            self.spans.append(event.span_id)
        elif name == "RouterDecisionEvent":
            self.events.append(event)


class Country(BaseModel):
    """A country."""

    name: str


class LlamaIndexDriver(AdapterDriver):
    """RouterLLM over OpenAILike clients."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.http, self.ahttp = httpx.Client(verify=False), httpx.AsyncClient(verify=False)  # noqa: S501 - no certificates

    def close(self) -> None:
        """End the loop and the clients."""
        self.run(self.ahttp.aclose())
        self.http.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def run(self, running: Coroutine[Any, Any, Any]) -> Any:
        """Await something in the driver's loop."""
        return asyncio.run_coroutine_threadsafe(running, self.loop).result()

    def build(self, url: str, dispatcher: Dispatcher) -> Any:
        """Return a RouterLLM; LlamaIndex's counter is reached through its callback manager."""
        models = {
            name: OpenAILike(
                model=name,
                api_base=url,
                api_key=self.key,
                is_chat_model=True,
                is_function_calling_model=True,
                context_window=16_000,
                max_retries=0,
                additional_kwargs={"stream_options": {"include_usage": True}},
                http_client=self.http,
                async_http_client=self.ahttp,
            )
            for name in dispatcher.router.models
        }
        return RouterLLM(models=models, dispatcher=dispatcher)

    def ask(self, llm: Any, way: str, question: str) -> Sequence[str]:
        """Ask by `chat` and its kin."""
        messages = [ChatMessage(role="user", content=question)]
        if way == "sync":
            return [llm.chat(messages).message.content]
        if way == "stream":
            return [piece.delta or "" for piece in llm.stream_chat(messages)]
        pieces: list[str] = self.run(_asked(llm, way, messages))
        return pieces

    def watch(self, llm: Any, act: Callable[[], object]) -> Watched:
        """Watch with a span handler, an event handler and a token counter."""
        spans, starts, root = SimpleSpanHandler(), Starts(), get_dispatcher()
        counter = TokenCountingHandler(tokenizer=str.split)
        llm.callback_manager = CallbackManager([counter])
        root.add_span_handler(spans)
        root.add_event_handler(starts)
        try:
            act()
        finally:
            root.span_handlers.remove(spans)
            root.event_handlers.remove(starts)
        parents = {span.id_: span.parent_id for span in spans.completed_spans}
        return Watched(
            llm_events=len(starts.spans),
            nested=sum(any(one.startswith("RouterLLM.") for one in _line(span, parents)) for span in starts.spans),
            input_tokens=counter.prompt_llm_token_count,
            output_tokens=counter.completion_llm_token_count,
        )

    def programs(self) -> Mapping[str, Callable[[Any, str], str]]:
        """Return query engines, chat engines and agents."""
        modes = (
            "compact",
            "refine",
            "tree_summarize",
            "simple_summarize",
            "accumulate",
            "compact_accumulate",
            "generation",
        )
        engines = {
            f"query engine, {mode}": lambda llm, question, mode=mode: str(
                _index().as_query_engine(llm=llm, response_mode=mode).query(question)
            )
            for mode in modes
        }
        chats = {
            f"chat engine, {mode}": lambda llm, question, mode=mode: str(
                _index().as_chat_engine(chat_mode=mode, llm=llm).chat(question)
            )
            for mode in ("context", "condense_question", "condense_plus_context")
        }
        return {
            **engines,
            **chats,
            "streaming engine": lambda llm, q: str(_index().as_query_engine(llm=llm, streaming=True).query(q)),
            "awaited engine": lambda llm, q: str(self.run(_index().as_query_engine(llm=llm).aquery(q))),
            "summary index": lambda llm, q: str(_summary().as_query_engine(llm=llm).query(q)),
            "simple chat engine": lambda llm, q: str(SimpleChatEngine.from_defaults(llm=llm).chat(q)),
            "function agent": lambda llm, q: self.run(_agent(FunctionAgent, llm, q)),
            "function agent that streams": lambda llm, q: self.run(_agent(FunctionAgent, llm, q, streaming=True)),
            "ReAct agent": lambda llm, q: self.run(_agent(ReActAgent, llm, q)),
            "agent workflow": lambda llm, q: self.run(_workflow(llm, q)),
        }

    def serialised(self, llm: Any) -> Mapping[str, str]:
        """Return dumps, reprs, payloads and events; a pickle is refused."""
        structured = llm.as_structured_llm(Country)
        agent = FunctionAgent(llm=llm, tools=[])
        forms = {
            "to_dict": str(llm.to_dict()),
            "to_json": llm.to_json(),
            "model_dump": str(llm.model_dump()),
            "to_payload": json.dumps(llm.to_payload()),
            "repr": f"{llm!r} {llm!s}",
            "structured": f"{structured.to_dict()} {structured!r}",
            "agent": f"{agent.model_dump()} {agent!r}",
            "event": str(_event(llm).model_dump()),
            "schema": str(RouterLLM.model_json_schema()),
        }
        with suppress(ConfigError):
            forms["pickle"] = pickle.dumps(llm).decode("latin-1")
        return forms

    def answer(self, model: str, request: Mapping[str, Any]) -> Recorded:
        """Answer in the form that a ReAct agent asks for, where one asks."""
        plain = super().answer(model, request)
        if "Thought: " in str(request["messages"][0]["content"]):
            thought = f"Thought: I can answer without using any more tools.\nAnswer: {plain.text}"
            return Recorded(text=thought, input_tokens=plain.input_tokens, output_tokens=plain.output_tokens)
        return plain


def _index() -> VectorStoreIndex:
    return VectorStoreIndex.from_documents([Document(text="A hard text.")], embed_model=MockEmbedding(embed_dim=4))


def _summary() -> SummaryIndex:
    return SummaryIndex.from_documents([Document(text="A hard text."), Document(text="Another one.")])


def capital_of(country: str) -> str:
    """Return a country's capital."""
    return f"the capital of {country}"


async def _agent(kind: Any, llm: Any, question: str, **settings: Any) -> str:
    given = {"streaming": False, **settings}
    agent = kind(llm=llm, tools=[FunctionTool.from_defaults(capital_of)], **given)
    return str(await agent.run(user_msg=question))


async def _workflow(llm: Any, question: str) -> str:
    agent = FunctionAgent(name="a", description="a", llm=llm, tools=[FunctionTool.from_defaults(capital_of)])
    return str(await AgentWorkflow(agents=[agent], root_agent="a").run(user_msg=question))


async def _asked(llm: Any, way: str, messages: list[ChatMessage]) -> list[str]:
    if way == "async":
        return [(await llm.achat(messages)).message.content]
    return [piece.delta or "" async for piece in await llm.astream_chat(messages)]


def _line(span: str | None, parents: Mapping[str, str | None]) -> Iterator[str]:
    """Yield a span and those it lies under."""
    while span is not None:
        yield span
        span = parents.get(span)


def _event(llm: Any) -> Any:
    starts, root = Starts(), get_dispatcher()
    root.add_event_handler(starts)
    try:
        llm.complete("hi")
    finally:
        root.event_handlers.remove(starts)
    return starts.events[0]


@pytest.fixture(scope="module")
def case() -> Iterator[AdapterCase]:
    """Return the case of the LlamaIndex adapter."""
    driver = LlamaIndexDriver()
    yield AdapterCase(driver)
    driver.close()


@pytest.mark.parametrize("name", ADAPTER_CHECKS, ids=lambda name: name.removeprefix("check_"))
def test_conformance(case: AdapterCase, name: str) -> None:
    """The adapter satisfies the check."""
    assert ADAPTER_CHECKS[name] in adapter_checks_for(case)
    ADAPTER_CHECKS[name](case)
