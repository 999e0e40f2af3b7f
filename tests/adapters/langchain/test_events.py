"""Event streams: LangChain's three protocols show one model run inside the router's."""

from __future__ import annotations

from collections import Counter
from typing import Any

import openai
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import tool

from pointsman.testing.replay_server import Fault, Recorded, ReplayServer
from pointsman.types import Trace

typed = pytest.mark.skipif(
    not hasattr(BaseChatModel, "_chat_model_stream_v3"), reason="this LangChain has no typed event streams"
)
pytestmark = pytest.mark.filterwarnings("ignore:.*in beta:langchain_core._api.beta_decorator.LangChainBetaWarning")


@tool
def look_up(word: str) -> str:
    """Look a word up in the dictionary."""
    return f"{word}: a word"


@pytest.mark.filterwarnings("ignore:astream_events version='v1' is deprecated")
@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_events_show_one_model_run(build: Any, version: str) -> None:
    """Versions 1 and 2 tell of one chat model inside one chain, and both stream the same text."""
    events = [event async for event in build().astream_events("hard", version=version)]
    kinds = Counter(event["event"] for event in events)
    assert kinds["on_chat_model_start"] == kinds["on_chat_model_end"] == 1
    assert kinds["on_chain_start"] == kinds["on_chain_end"] == 1
    assert (events[0]["event"], events[0]["name"]) == ("on_chain_start", "RouterLLM")
    assert events[-1]["event"] == "on_chain_end"
    for kind in ("on_chat_model_stream", "on_chain_stream"):
        text = "".join(event["data"]["chunk"].text for event in events if event["event"] == kind)
        assert text == "large heard 1 messages", kind
    [ended] = [event for event in events if event["event"] == "on_chat_model_end"]
    assert "router:answer" in ended["tags"]


async def test_events_of_a_fallback(build: Any, server: ReplayServer) -> None:
    """A failed attempt is a model run of its own, and shows nothing."""
    server.fail(Fault(model="small", status=429))
    events = [event async for event in build().astream_events("hi", version="v2")]
    kinds = Counter(event["event"] for event in events)
    assert kinds["on_chat_model_start"] == 2
    text = "".join(event["data"]["chunk"].text for event in events if event["event"] == "on_chat_model_stream")
    assert text == "medium heard 1 messages"


@typed
async def test_typed_stream(build: Any) -> None:
    """Version 3 gives LangChain's own stream objects, whose message carries the record."""
    from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream

    traces: list[Trace] = []
    llm = build(observers=[traces.append])
    stream = llm.stream_events("hard", version="v3")
    assert isinstance(stream, ChatModelStream)
    assert traces == []
    assert "".join(stream.text) == "large heard 1 messages"
    astream = await llm.astream_events("hard", version="v3")
    assert isinstance(astream, AsyncChatModelStream)
    assert "".join([piece async for piece in astream.text]) == "large heard 1 messages"
    for message in (stream.output, await astream):
        assert message.response_metadata["router"]["model"] == "large"
        assert message.response_metadata["model_name"] == "large"
        assert message.usage_metadata["total_tokens"] == 18
    assert [trace.ended for trace in traces] == ["answered", "answered"]
    assert all(trace.cost_usd == pytest.approx((11 * 10 + 7 * 40) / 1e6) for trace in traces)


@typed
async def test_typed_stream_falls_back(build: Any, server: ReplayServer) -> None:
    """A failure before anything was shown goes to the next model; its frame never shows."""
    llm = build()
    server.fail(Fault(model="small", status=429, count=2))
    stream = llm.stream_events("hi", version="v3")
    assert [event["event"] for event in stream].count("message-start") == 1
    astream = await llm.astream_events("hi", version="v3")
    for message in (stream.output, await astream):
        assert message.text == "medium heard 1 messages"
        assert message.response_metadata["router"]["tried"] == ["small", "medium"]


@typed
async def test_typed_stream_raises_the_providers_error(build: Any, server: ReplayServer) -> None:
    """What no model mends is raised to whoever reads the stream."""
    server.fail(Fault(status=400, count=None))
    stream = build().stream_events("hi", version="v3")
    with pytest.raises(openai.BadRequestError):
        _ = stream.output
    astream = await build().astream_events("hi", version="v3")
    with pytest.raises(openai.BadRequestError):
        await astream


@typed
async def test_typed_stream_with_tools(build: Any) -> None:
    """Bound tools give typed tool calls."""
    bound = build().bind_tools([look_up])
    stream = bound.stream_events("Look up 'cat'.", version="v3")
    [call] = stream.tool_calls.get()
    assert (call["name"], call["args"]) == ("look_up", {"word": "cat"})
    assert stream.output.response_metadata["router"]["model"] == "small"


@typed
async def test_typed_stream_left_early_is_accounted(build: Any, client: Any) -> None:
    """Closing a typed stream closes the connection under it, and its trace ends as cancelled."""
    slow = Recorded(text="a word at a time " * 20, latency_s=5)
    traces: list[Trace] = []
    names = ("small", "medium", "large")
    with ReplayServer({(name, "story"): slow for name in names}) as server:
        llm = build({name: client(name, base_url=server.url) for name in names}, observers=[traces.append])
        async with await llm.astream_events("story", version="v3") as stream:
            async for _ in stream.text:
                break
        [entry] = server.ledger
        [trace] = traces
    assert not entry.completed
    assert (trace.ended, trace.cost_usd) == ("cancelled", None)


class Log(BaseCallbackHandler):
    """Notes what starts and ends, in order."""

    run_inline = True

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_chain_start(self, *_: Any, **__: Any) -> None:
        """Note it."""
        self.lines.append("chain starts")

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        """Note it."""
        self.lines.append("model starts")

    def on_llm_end(self, *_: Any, **__: Any) -> None:
        """Note it."""
        self.lines.append("model ends")

    def on_chain_end(self, outputs: Any, **_: Any) -> None:
        """Note it with the text it ends in."""
        self.lines.append(f"chain ends: {outputs.text}")


@typed
async def test_typed_stream_ends_its_run(build: Any) -> None:
    """The chain run of a typed stream begins with its first event and ends with its last, around the model's."""
    log = Log()
    stream = build().stream_events("hi", {"callbacks": [log]}, version="v3")
    assert log.lines == []
    text = str(stream.text)
    assert log.lines == ["chain starts", "model starts", "model ends", f"chain ends: {text}"]
    later = Log()
    await (await build().astream_events("hi", {"callbacks": [later]}, version="v3"))
    assert later.lines == log.lines
