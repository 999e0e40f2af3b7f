"""Spans: every endpoint has LlamaIndex's where anybody listens, with its arguments, and nothing is made where nobody does."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("llama_index.llms.openai_like", reason="llama-index is not installed")

from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.span import BaseSpan
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler
from llama_index.core.llms import ChatMessage
from llama_index.core.llms.mock import MockLLM
from llama_index.core.prompts import PromptTemplate

from llamaindex_router import RouterLLM, spans
from pointsman.models import ModelPool
from pointsman.routers.rules import RulesRouter

HI = [ChatMessage(role="user", content="hi")]


class Kept(BaseSpanHandler[BaseSpan]):
    """Keeps what spans are told at their beginning."""

    begun: list[tuple[str, str | None, dict[str, Any]]] = []  # noqa: RUF012 - pydantic copies it

    def new_span(
        self, id_: str, bound_args: Any, instance: Any = None, parent_span_id: str | None = None, **_: Any
    ) -> BaseSpan:
        """Keep the id, the parent and the arguments."""
        self.begun.append((id_.split("-", maxsplit=1)[0], parent_span_id, dict(bound_args.arguments)))
        return BaseSpan(id_=id_, parent_id=parent_span_id)

    def prepare_to_exit_span(self, id_: str, *_: Any, **__: Any) -> BaseSpan:
        """End a span."""
        return self.open_spans[id_]

    def prepare_to_drop_span(self, id_: str, *_: Any, **__: Any) -> BaseSpan:
        """Drop a span."""
        return self.open_spans[id_]


@pytest.fixture
def kept() -> Iterator[Kept]:
    """Return a handler that sees every span."""
    handler, root = Kept(), get_dispatcher()
    root.add_span_handler(handler)
    yield handler
    root.span_handlers.remove(handler)


async def test_every_endpoint_has_its_span(build: Any, kept: Kept) -> None:
    """Called, awaited and streamed, each endpoint is one span with its own arguments, and the candidate's lies under it."""
    llm, template = build(), PromptTemplate("{query_str}")
    llm.chat(HI, temperature=0.5)
    await llm.acomplete("hi")
    list(llm.stream_chat(HI))
    assert [piece async for piece in await llm.astream_complete("hi")]
    llm.predict(template, query_str="hi")
    assert [token async for token in await llm.astream(template, query_str="hi")]
    routed = [(name, arguments) for name, parent, arguments in kept.begun if name.startswith("RouterLLM.")]
    assert [name.partition(".")[2] for name, _ in routed] == [
        "chat",
        "acomplete",
        "stream_chat",
        "astream_complete",
        "predict",
        "astream",
    ]
    assert routed[0][1] == {"messages": HI, "kwargs": {"temperature": 0.5}}
    assert routed[1][1] == {"prompt": "hi"}
    under = [parent for name, parent, _ in kept.begun if name.startswith("OpenAILike.")]
    assert sum((parent or "").startswith("RouterLLM.") for parent in under) == 6
    assert None not in under


def test_nothing_is_made_where_nobody_listens(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a handler no span and no event is made, and with one of any dispatcher above they are."""
    made: list[str] = []
    monkeypatch.setattr(spans._dispatcher.__class__, "span_enter", lambda *_, **about: made.append(about["id_"]))
    assert not spans.heard()
    llm = RouterLLM(models={"small": MockLLM()}, router=RulesRouter(pool=ModelPool(["small"]), default="small"))
    assert llm.chat(HI).additional_kwargs["router"]["model"] == "small"
    assert [name.split(".")[0] for name in made] == ["MockLLM", "MockLLM"]
    own = get_dispatcher(spans.__name__)
    own.add_span_handler(Kept())
    try:
        assert spans.heard()
    finally:
        own.span_handlers.pop()
    assert build() is not None


def test_endpoints_keep_what_they_say_of_themselves() -> None:
    """Signatures, docstrings and whether to await are those of the endpoint, for tools that look."""
    assert list(inspect.signature(RouterLLM.chat).parameters) == ["self", "messages", "kwargs"]
    assert inspect.iscoroutinefunction(RouterLLM.achat)
    assert not inspect.iscoroutinefunction(RouterLLM.stream_chat)
    assert (RouterLLM.chat.__doc__ or "").startswith("Return the answer")


def test_an_override_has_a_span_too(build: Any, kept: Kept) -> None:
    """A subclass's own endpoint is a span, as in any LLM of LlamaIndex."""

    class Shouting(RouterLLM):
        """Shouts."""

        def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
            """Shout."""
            return super().complete(prompt.upper(), formatted, **kwargs)

    llm = build()
    Shouting(models=llm.models, dispatcher=llm.dispatcher).complete("hi")
    names = [name for name, *_ in kept.begun]
    assert names[:3] == ["Shouting.complete", "Shouting.complete", "OpenAILike.complete"]
