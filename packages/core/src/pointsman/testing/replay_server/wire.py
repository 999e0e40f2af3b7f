"""Replies in the words of OpenAI's API: bodies, stream chunks, errors."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from pointsman.testing.replay_server.composing import Reply
from pointsman.testing.replay_server.tokens import pieces

__all__ = ["Chunk", "chunks", "completion", "embeddings", "models"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One event of a stream; `token` is the text it carries, empty for the frame around it."""

    body: Mapping[str, Any]
    token: str = ""


def completion(reply: Reply, request: Mapping[str, Any], reply_id: str) -> dict[str, Any]:
    """Return the body of an unstreamed chat completion."""
    choices = [
        {
            "index": index,
            "message": _message(reply, f"call_{reply_id}_{index}"),
            "finish_reason": reply.finish,
            "logprobs": _logprobs(pieces(reply.text), reply, request),
        }
        for index in range(reply.choices)
    ]
    return {**_head("chat.completion", request, reply_id), "choices": choices, "usage": _usage(reply)}


def chunks(reply: Reply, request: Mapping[str, Any], reply_id: str) -> Iterator[Chunk]:
    """Yield the events of a streamed chat completion, one choice after the other, the usage last if asked for."""
    counted = bool((request.get("stream_options") or {}).get("include_usage"))
    head = _head("chat.completion.chunk", request, reply_id) | ({"usage": None} if counted else {})
    for index in range(reply.choices):
        for delta, token, finish in _deltas(reply, f"call_{reply_id}_{index}"):
            logprobs = _logprobs([token], reply, request) if token else None
            choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": logprobs}
            yield Chunk(body={**head, "choices": [choice]}, token=token)
    if counted:
        yield Chunk(body={**head, "choices": [], "usage": _usage(reply)})


def embeddings(vectors: Sequence[NDArray[Any]], request: Mapping[str, Any], tokens: int) -> dict[str, Any]:
    """Return the body of an embeddings reply; floats as numbers, or base64 of little-endian float32 if asked for."""

    def encoded(vector: NDArray[Any]) -> str | list[float]:
        if request.get("encoding_format") == "base64":
            return base64.b64encode(vector.astype("<f4").tobytes()).decode()
        return [float(number) for number in vector]

    data = [
        {"object": "embedding", "index": index, "embedding": encoded(vector)} for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": request["model"], "usage": usage}


def models(names: Sequence[str]) -> dict[str, Any]:
    """Return the body of a list of models."""
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "recorded"} for name in names]
    return {"object": "list", "data": data}


def _head(kind: str, request: Mapping[str, Any], reply_id: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{reply_id}",
        "object": kind,
        "created": int(time.time()),
        "model": request["model"],
        "system_fingerprint": "fp_recorded",
    }


def _message(reply: Reply, call_id: str) -> dict[str, Any]:
    if reply.tool is None:
        return {"role": "assistant", "content": reply.text, "refusal": None}
    call = _call(reply.tool, reply.text, call_id)
    return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}


def _call(tool: str, arguments: str, call_id: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": tool, "arguments": arguments}}


def _deltas(reply: Reply, call_id: str) -> Iterator[tuple[dict[str, Any], str, str | None]]:
    """Yield what one choice adds event by event: the delta, its token, and at last why it ends."""
    yield {"role": "assistant", "content": "" if reply.tool is None else None, "refusal": None}, "", None
    if reply.tool is None:
        yield from (({"content": token}, token, None) for token in pieces(reply.text))
    else:
        yield {"tool_calls": [{"index": 0, **_call(reply.tool, "", call_id)}]}, "", None
        for token in pieces(reply.text):
            yield {"tool_calls": [{"index": 0, "function": {"arguments": token}}]}, token, None
    yield {}, "", reply.finish


def _usage(reply: Reply) -> dict[str, Any]:
    tokens = reply.tokens
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }


def _logprobs(tokens: Sequence[str], reply: Reply, request: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return every token at the recorded mean; None where it is unknown or not asked for."""
    if reply.logprob is None:
        return None
    alternatives = bool(request.get("top_logprobs"))
    content = []
    for token in tokens:
        raw = list(token.encode("utf-8", "surrogatepass"))
        likely = {"token": token, "logprob": reply.logprob, "bytes": raw}
        content.append({**likely, "top_logprobs": [likely] if alternatives else []})
    return {"content": content, "refusal": None}
