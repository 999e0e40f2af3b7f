"""What the tests of the DSPy adapter share: language models over the replay server, and routers over them."""

from __future__ import annotations

import atexit
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pytest

from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing.replay_server import Recorded, ReplayServer

_CACHE = TemporaryDirectory(prefix="dspy-cache-")
atexit.register(_CACHE.cleanup)
os.environ["DSPY_CACHEDIR"] = _CACHE.name  # read when dspy is imported, which would otherwise write to the user's home

PRICES = {"large": (10.0, 40.0), "medium": (2.0, 8.0), "small": (0.5, 1.5)}
"""US dollars a million input and output tokens."""

Client: TypeAlias = Callable[..., Any]
Build: TypeAlias = Callable[..., Any]
Ask: TypeAlias = Callable[..., Awaitable[Any]]


def answer(model: str, request: dict[str, Any]) -> Recorded:
    """Answer with the model's name and the question, in the form that DSPy's adapter asks for: fields, or JSON with "yes"."""
    content = request["messages"][-1]["content"]
    said = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    fields = re.findall(r"\[\[ ## (\w+) ## \]\]", said.partition("Respond with")[2])
    question = re.sub(r"\[\[ ## \w+ ## \]\]", "", said.partition("Respond with")[0]).strip()
    text = f"{model} heard {question}"
    if "Respond with a JSON object" in said:
        text = json.dumps(dict.fromkeys(re.findall(r"`(\w+)`", said.partition("Respond with")[2]), "yes"))
    elif fields:
        text = "".join(f"[[ ## {field} ## ]]\n{text if field != 'completed' else ''}\n\n" for field in fields)
    return Recorded(text=text, input_tokens=len(said), output_tokens=7)


@pytest.fixture(scope="session", autouse=True)
def _cached_in_memory() -> None:
    """Keep DSPy's cache off the disk, where it would leave a connection of each thread open."""
    if find_spec("dspy") is not None:
        import dspy

        dspy.cache.disk_cache.close()
        dspy.configure_cache(enable_disk_cache=False)


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    """Serve every model an answer to everything."""
    with ReplayServer({}, default=answer, prices=PRICES) as running:
        yield running


@pytest.fixture
async def client(server: ReplayServer) -> AsyncIterator[Client]:
    """Return a maker of language models that neither retry nor cache; they are closed in the end."""
    import dspy

    made: list[Any] = []

    def make(name: str, **settings: Any) -> Any:
        given = {"api_base": server.url, "api_key": "secret-key", "num_retries": 0, "cache": False, **settings}
        made.append(dspy.LM(f"openai/{name}", **given))
        return made[-1]

    yield make
    for lm in made:
        await lm.aclose()


@pytest.fixture
def router() -> RulesRouter:
    """Return a router: "hard" questions go to the large model, all others to the small one."""
    pool = ModelPool(
        ModelSpec(name=name, price=Price(input_per_mtok=into, output_per_mtok=out))
        for name, (into, out) in PRICES.items()
    )
    return RulesRouter(pool=pool, default="small", rules=(Rule(model="large", contains=("hard",)),))


@pytest.fixture
def build(client: Client, router: RulesRouter) -> Build:
    """Return a maker of a RouterLM over the three models, with a dispatcher of its own if it gets settings of one."""
    from dspy_router import RouterLM
    from pointsman.dispatch import Dispatcher

    def make(lms: Any = None, *, settings: Any = None, **options: Any) -> Any:
        given = lms or {name: client(name) for name in PRICES}
        return RouterLM(given, dispatcher=Dispatcher(options.pop("router", router), **(settings or {})), **options)

    return make


@pytest.fixture
def ask() -> Ask:
    """Return a way to call a language model or a program, "sync" or "async"."""

    async def asking(called: Any, way: str, *args: Any, **kwargs: Any) -> Any:
        return called(*args, **kwargs) if way == "sync" else await called.acall(*args, **kwargs)

    return asking
