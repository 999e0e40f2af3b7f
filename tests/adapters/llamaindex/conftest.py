"""What the tests of the LlamaIndex adapter share: LLMs over the replay server, and routers over them."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeAlias

import pytest

from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing.replay_server import Recorded, ReplayServer

PRICES = {"large": (10.0, 40.0), "medium": (2.0, 8.0), "small": (0.5, 1.5)}
"""US dollars a million input and output tokens."""
KEY = "sk-secret-key"

Client: TypeAlias = Callable[..., Any]
Build: TypeAlias = Callable[..., Any]
Ask: TypeAlias = Callable[..., Awaitable[Any]]


def answer(model: str, request: dict[str, Any]) -> Recorded:
    """Answer anything with the model's name and the length of what it was told last, which makes every usage its own."""
    content = request["messages"][-1]["content"] or ""
    said = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    return Recorded(text=f"{model} heard {len(said)} characters", input_tokens=len(said) + 1, output_tokens=7)


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    """Serve every model an answer to everything."""
    with ReplayServer({}, default=answer, prices=PRICES) as running:
        yield running


@pytest.fixture
async def client(server: ReplayServer) -> AsyncIterator[Client]:
    """Return a maker of LLMs that leave all retrying to the router and are told what a stream used."""
    httpx = pytest.importorskip("httpx")
    openai_like = pytest.importorskip("llama_index.llms.openai_like", reason="llama-index is not installed")
    http, ahttp = httpx.Client(verify=False), httpx.AsyncClient(verify=False)

    def make(name: str, **settings: Any) -> Any:
        given = {
            "api_base": server.url,
            "api_key": KEY,
            "is_chat_model": True,
            "is_function_calling_model": True,
            "context_window": 16_000,
            "max_retries": 0,
            "additional_kwargs": {"stream_options": {"include_usage": True}},
            "http_client": http,
            "async_http_client": ahttp,
            **settings,
        }
        return openai_like.OpenAILike(model=name, **given)

    yield make
    http.close()
    await ahttp.aclose()


@pytest.fixture
def pool() -> ModelPool:
    """Return the three models with their prices."""
    return ModelPool(
        ModelSpec(name=name, price=Price(input_per_mtok=into, output_per_mtok=out))
        for name, (into, out) in PRICES.items()
    )


@pytest.fixture
def build(client: Client, pool: ModelPool) -> Build:
    """Return a maker of routers: "hard" questions go to the large model, all others to the small one."""
    from llamaindex_router import RouterLLM

    def make(models: Mapping[str, Any] | None = None, **settings: Any) -> Any:
        rules = (Rule(model="large", contains=("hard",)),)
        given = {"router": RulesRouter(pool=pool, default="small", rules=rules), **settings}
        return RouterLLM(models=models or {name: client(name) for name in PRICES}, **given)

    return make


@pytest.fixture
def ask() -> Ask:
    """Return a way to call an endpoint as one of "sync", "async", "stream" and "astream"; of a stream, the last piece.

    Pieces are put into `seen` as they come, so that they are there also when the stream breaks.
    """

    async def asking(
        llm: Any, way: str, given: Any, *, endpoint: str = "", seen: list[Any] | None = None, **kwargs: Any
    ) -> Any:
        name = endpoint or ("complete" if isinstance(given, str) else "chat")
        args = given if isinstance(given, tuple) else (given,)
        pieces = [] if seen is None else seen
        if way == "sync":
            return getattr(llm, name)(*args, **kwargs)
        if way == "async":
            return await getattr(llm, f"a{name}")(*args, **kwargs)
        if way == "stream":
            for piece in getattr(llm, f"stream_{name}")(*args, **kwargs):
                pieces.append(piece)
        else:
            async for piece in await getattr(llm, f"astream_{name}")(*args, **kwargs):
                pieces.append(piece)
        return pieces[-1]

    return asking


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    """Return every event of LlamaIndex's instrumentation that comes meanwhile, in order."""
    from llama_index.core.instrumentation import get_dispatcher
    from llama_index.core.instrumentation.event_handlers import BaseEventHandler

    events: list[Any] = []

    class Ears(BaseEventHandler):
        def handle(self, event: Any, **_: Any) -> None:
            events.append(event)

    ears, root = Ears(), get_dispatcher()
    root.add_event_handler(ears)
    yield events
    root.event_handlers.remove(ears)


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect what a test leaves behind while its own filters of warnings hold."""
    yield
    gc.collect()
