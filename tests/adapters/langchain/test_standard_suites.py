"""LangChain's own test suite on RouterLLM over ChatOpenAI clients: whatever a plain ChatOpenAI passes, except as said."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_router import RouterLLM
from pointsman.models import ModelPool
from pointsman.routers.rules import RulesRouter
from pointsman.testing.replay_server import Recorded, ReplayServer

pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{warning}")
    for warning in (
        "Pydantic serializer warnings:UserWarning",  # ChatOpenAI's, about what the suite asks of it
        "Received a Pydantic BaseModel V1 schema:UserWarning",  # the same
        "OpenAI may require a filename for file uploads:UserWarning",  # the same
    )
]

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NAMES = ("large", "small")


def answer(model: str, request: dict[str, Any]) -> Recorded:
    """Answer whatever the suite asks, with a word of every kind of token."""
    return Recorded(text=f"{model} heard {len(request['messages'])} messages", cached_tokens=1, reasoning_tokens=2)


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    """Serve the suite's questions."""
    with ReplayServer({}, default=answer) as running:
        yield running


class Routed:
    """A router over two clients that can do what the baseline can."""

    url = ""

    @pytest.fixture(autouse=True)
    def offline(self, server: ReplayServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Point to the server, and give the suite one pixel where it would download an image or a document."""
        self.url = server.url

        def download(url: str, **_: Any) -> httpx.Response:
            return httpx.Response(200, content=PIXEL, request=httpx.Request("GET", url))

        monkeypatch.setattr(httpx, "get", download)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        """The class under test."""
        return RouterLLM

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """Two candidates and a router that sends everything to the small one."""
        client = {"base_url": self.url, "api_key": "none", "stream_usage": True, "max_retries": 0}
        router = RulesRouter(pool=ModelPool(NAMES), default="small")
        return {"models": {name: ChatOpenAI(model=name, **client) for name in NAMES}, "router": router}

    @property
    def model_override_value(self) -> str:
        """The other candidate."""
        return "large"

    supports_json_mode = True
    supports_image_inputs = True
    supports_image_tool_message = True
    supports_pdf_inputs = True
    supports_anthropic_inputs = True


class TestUnit(Routed, ChatModelUnitTests):
    """The suite's unit tests.

    Two skip themselves that pass for ChatOpenAI: `test_init_from_env`, as it is the candidates that read keys from the
    environment; and `test_serdes`, as LangChain's loader refuses classes from outside its own packages, so that
    `is_lc_serializable` stays False and `RouterLLM.from_artifact` restores a router instead.
    """


class TestIntegration(Routed, ChatModelIntegrationTests):
    """The suite's integration tests."""
