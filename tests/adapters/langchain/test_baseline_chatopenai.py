"""LangChain's own test suite on a plain ChatOpenAI against the replay server.

What fails here is not the adapter's fault: the server, the client and the suite are all that take part.
"""

import base64
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import ANY

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from pointsman.testing.replay_server import Recorded, ReplayServer

pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{warning}:UserWarning")
    for warning in (  # all of them ChatOpenAI's, about what the suite asks of it
        "Pydantic serializer warnings",
        "Received a Pydantic BaseModel V1 schema",
        "OpenAI may require a filename for file uploads",
    )
]

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def answer(model: str, request: dict[str, Any]) -> Recorded:
    """Answer whatever the suite asks, with a word of every kind of token."""
    return Recorded(text=f"{model} heard {len(request['messages'])} messages", cached_tokens=1, reasoning_tokens=2)


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    """Serve the suite's questions."""
    with ReplayServer({}, default=answer) as running:
        yield running


class OnReplayServer:
    """What a plain ChatOpenAI can do, and where it is served."""

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
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """A client of the server; without `stream_usage` it streams no usage from a foreign base URL."""
        return {"model": "small", "base_url": self.url, "api_key": "none", "stream_usage": True, "max_retries": 0}

    @property
    def model_override_value(self) -> str:
        """Another model of the same server."""
        return "large"

    supports_json_mode = True
    supports_image_inputs = True
    supports_image_tool_message = True
    supports_pdf_inputs = True
    supports_anthropic_inputs = True


class TestUnit(OnReplayServer, ChatModelUnitTests):
    """The suite's unit tests."""

    @pytest.fixture
    def snapshot(self) -> Callable[..., Any]:
        """Let ChatOpenAI serialise as its release does; that it can be read back is still compared."""
        return lambda **_: ANY

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        """The key may come from the environment."""
        return {"OPENAI_API_KEY": "key"}, {"model": "small"}, {"openai_api_key": "key"}


class TestIntegration(OnReplayServer, ChatModelIntegrationTests):
    """The suite's integration tests."""


def test_recorded_usage_reaches_langchain() -> None:
    """Every kind of token, and the model's name, arrive in LangChain's own fields; the books agree."""
    recorded = Recorded(text="Paris", input_tokens=20, output_tokens=9, cached_tokens=16, reasoning_tokens=7)
    with ReplayServer({("small", "capital?"): recorded}, prices={"small": (1, 2)}) as server:
        model = ChatOpenAI(model="small", base_url=server.url, api_key="none", stream_usage=True)
        whole = model.invoke("The capital?")
        chunks = list(model.stream("The capital?"))
    streamed = chunks[0]
    for chunk in chunks[1:]:
        streamed += chunk
    for message in (whole, streamed):
        assert message.text == "Paris"
        assert message.usage_metadata == {
            "input_tokens": 20,
            "output_tokens": 9,
            "total_tokens": 29,
            "input_token_details": {"cache_read": 16},
            "output_token_details": {"reasoning": 7},
        }
        assert message.response_metadata["model_name"] == "small"
    assert [(entry.streamed, entry.completed) for entry in server.ledger] == [(False, True), (True, True)]
    assert server.cost_usd() == pytest.approx(2 * 38e-6)


def test_stream_left_early_is_not_completed() -> None:
    """A `break` in LangChain's stream closes the connection under it."""
    slow = Recorded(text="a word at a time " * 20, latency_s=5)
    with ReplayServer({("small", "story"): slow}) as server:
        stream = ChatOpenAI(model="small", base_url=server.url, api_key="none").stream("story")
        next(chunk for chunk in stream if chunk.text)
        stream.close()
        [entry] = server.ledger
    assert (entry.status, entry.streamed, entry.completed) == (200, True, False)
