"""The checks that every adapter passes, with LangChain's own tracer events and usage counter for eyes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from threading import Thread
from typing import Any
from uuid import UUID

import httpx
import pytest
from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.load import dumps
from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_openai import ChatOpenAI

from langchain_router import RouterLLM, on_question
from pointsman.dispatch import Dispatcher
from pointsman.testing import AdapterCase, AdapterDriver, Watched, adapter_checks_for
from pointsman.testing.adapters import ADAPTER_CHECKS


class Runs(BaseCallbackHandler):
    """Keeps which run is under which, and which are model calls."""

    run_inline = True

    def __init__(self) -> None:
        self.parents: dict[UUID, UUID | None] = {}
        self.routers: set[UUID] = set()
        self.calls: list[UUID] = []

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **more: Any) -> None:
        """Keep a chain's."""
        self.parents[run_id] = more.get("parent_run_id")
        if more.get("name") == "RouterLLM":
            self.routers.add(run_id)

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **more: Any) -> None:
        """Keep a model's."""
        self.parents[run_id] = more.get("parent_run_id")
        self.calls.append(run_id)

    def nested(self, run: UUID) -> bool:
        """Tell whether a run is under one of the router's."""
        parent = self.parents.get(run)
        return parent is not None and (parent in self.routers or self.nested(parent))


class LangChainDriver(AdapterDriver):
    """RouterLLM over ChatOpenAI clients."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.http, self.ahttp = httpx.Client(), httpx.AsyncClient()

    def close(self) -> None:
        """End the clients' connections and the loop."""
        self.http.close()
        self.run(self.ahttp.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def run(self, running: Coroutine[Any, Any, Any]) -> Any:
        """Await something in the driver's loop."""
        return asyncio.run_coroutine_threadsafe(running, self.loop).result()

    def build(self, url: str, dispatcher: Dispatcher) -> Any:
        """Return a RouterLLM."""
        settings: dict[str, Any] = {"base_url": url, "api_key": self.key, "stream_usage": True, "max_retries": 0}
        settings |= {"http_client": self.http, "http_async_client": self.ahttp}
        models = {name: ChatOpenAI(model=name, **settings) for name in dispatcher.router.models}
        return RouterLLM(models=models, dispatcher=dispatcher)

    def ask(self, llm: Any, way: str, question: str) -> Sequence[str]:
        """Ask by `invoke` and its kin."""
        if way == "sync":
            return [llm.invoke(question).text]
        if way == "async":
            return [self.run(llm.ainvoke(question)).text]
        if way == "stream":
            return [chunk.text for chunk in llm.stream(question)]
        pieces: list[str] = self.run(_streamed(llm, question))
        return pieces

    def watch(self, llm: Any, act: Callable[[], object]) -> Watched:
        """Watch with a handler of runs and LangChain's own counter of usage, among the router's callbacks."""
        runs, usage = Runs(), UsageMetadataCallbackHandler()
        llm.callbacks = [runs, usage]
        try:
            act()
        finally:
            llm.callbacks = None
        used = usage.usage_metadata.values()
        return Watched(
            llm_events=len(runs.calls),
            nested=sum(map(runs.nested, runs.calls)),
            input_tokens=sum(one["input_tokens"] for one in used),
            output_tokens=sum(one["output_tokens"] for one in used),
        )

    def programs(self) -> Mapping[str, Callable[[Any, str], str]]:
        """Return chains, and agents where there are any."""
        prompt = ChatPromptTemplate.from_template("A hard text.\n{question}")
        both: Any = {"question": RunnablePassthrough()}
        chains: dict[str, Callable[[Any, str], str]] = {
            "chain": lambda llm, q: str(on_question(both | prompt | llm | StrOutputParser()).invoke(q)),
            "awaited chain": lambda llm, q: self.run(on_question(both | prompt | llm | StrOutputParser()).ainvoke(q)),
            "streamed chain": lambda llm, q: "".join(on_question(both | prompt | llm | StrOutputParser()).stream(q)),
            "batch": lambda llm, q: str(llm.batch([q])[0].text),
            "retrying": lambda llm, q: str(llm.with_retry().invoke(q).text),
            "generate": lambda llm, q: str(llm.generate([[HumanMessage(q)]]).generations[0][0].text),
        }
        try:
            from langchain.agents import create_agent
        except ModuleNotFoundError:
            return chains

        def agent(llm: Any, question: str) -> str:
            state = create_agent(llm, [capital_of]).invoke({"messages": [HumanMessage(question)]})
            return str(state["messages"][-1].text)

        return {**chains, "agent": agent}

    def serialised(self, llm: Any) -> Mapping[str, str]:
        """Return dumps, reprs and what traces show."""
        return {
            "repr": f"{llm!r} {llm!s}",
            "model_dump": str(llm.model_dump()),
            "dumps": dumps(llm),
            "traces": json.dumps(llm.serialized, default=str),
            "parameters": str(llm._identifying_params),
            "structured": repr(llm.with_structured_output({"title": "x", "type": "object"})),
            "bound": repr(llm.bind_tools([capital_of])),
        }


def capital_of(country: str) -> str:
    """Return a country's capital."""
    return f"the capital of {country}"


async def _streamed(llm: Any, question: str) -> list[str]:
    return [chunk.text async for chunk in llm.astream(question)]


@pytest.fixture(scope="module")
def case() -> Iterator[AdapterCase]:
    """Return the case of the LangChain adapter."""
    driver = LangChainDriver()
    yield AdapterCase(driver)
    driver.close()


@pytest.mark.parametrize("name", ADAPTER_CHECKS, ids=lambda name: name.removeprefix("check_"))
def test_conformance(case: AdapterCase, name: str) -> None:
    """The adapter satisfies the check."""
    assert ADAPTER_CHECKS[name] in adapter_checks_for(case)
    ADAPTER_CHECKS[name](case)
