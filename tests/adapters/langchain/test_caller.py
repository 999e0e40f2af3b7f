"""Models that LangChain makes from text can be collected from."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from pointsman.callers import caller_of
from pointsman.errors import ConfigError
from pointsman.models import ModelSpec
from pointsman.testing.replay_server import Fault, ReplayServer
from pointsman.types import Call, CallError, Query, Response

needs_langchain = pytest.mark.skipif(find_spec("langchain") is None, reason="init_chat_model is langchain's")


@pytest.fixture(autouse=True)
def _here(server: ReplayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")


@needs_langchain
async def test_a_line_of_text_is_a_model(server: ReplayServer) -> None:
    """The metadata's text names the model that answers, with usage."""
    caller = caller_of(ModelSpec(name="mine", metadata={"langchain": "openai:small"}))
    response = await caller(Call(model="mine"), Query(text="hello"))
    assert isinstance(response, Response)
    assert (response.model, response.text) == ("mine", "small heard 1 messages")
    assert response.usage is not None
    assert response.usage.input_tokens == server.ledger[0].input_tokens == 11


@needs_langchain
async def test_a_provider_error_is_an_outcome(server: ReplayServer) -> None:
    """A status of 400 becomes a CallError that says so."""
    server.fail(Fault(status=400))
    with pytest.raises(CallError) as caught:
        await caller_of(ModelSpec(name="mine", metadata={"langchain": "openai:small"}))(
            Call(model="mine"), Query(text="hi")
        )
    assert (caught.value.status, caught.value.retryable) == (400, False)


def test_what_is_no_text_is_refused() -> None:
    """The metadata's value has to be the text that init_chat_model reads."""
    with pytest.raises(ConfigError, match="'provider:model', got 3"):
        caller_of(ModelSpec(name="mine", metadata={"langchain": 3}))
