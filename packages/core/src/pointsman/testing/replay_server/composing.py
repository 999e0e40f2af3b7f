"""The reply that a recorded answer becomes under a request: text, JSON or a tool call, and what it used."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pointsman.testing.replay_server.asking import ChatRequest
from pointsman.testing.replay_server.borrowing import Borrowed
from pointsman.testing.replay_server.recorded import Recorded
from pointsman.testing.replay_server.refusal import Refusal
from pointsman.testing.replay_server.schema import UnsatisfiableError, example
from pointsman.testing.replay_server.tokens import Tokens, estimate

__all__ = ["Reply", "compose"]

_WORD = re.compile(r"[^\W_]{3,}")  # shorter ones, as in send_to, say nothing

Finish: TypeAlias = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is sent back, `choices` times over.

    Parameters:
        text: The answer, or the arguments of the tool call.
        tool: The tool called, None for an answer.
        finish: Why it ends.
        tokens: What the whole reply uses, all choices together.
        logprob: Log-probability of each token, None if unknown or not asked for.
        choices: How many times it is sent.
        latency_s: Seconds it takes.
    """

    text: str
    tool: str | None
    finish: Finish
    tokens: Tokens
    logprob: float | None
    choices: int
    latency_s: float


def compose(request: ChatRequest, recorded: Recorded) -> Reply:
    """Return the reply to `request` for which `recorded` stands.

    A tool is called when it is required or named, and otherwise when the question mentions a word of its name;
    never in reply to a tool's message. Recorded output tokens count if the recorded text is sent whole; of any other
    text they are estimated.

    Raises:
        Refusal: If a tool is named that is not offered, or a schema admits no value.
    """
    tool = _called(request)
    try:
        sent = _arguments(tool, request, recorded) if tool is not None else _text(request, recorded)
    except UnsatisfiableError as error:
        param = "response_format" if tool is None else "tools"
        raise Refusal(f"no value can be made for the schema: {error}", param=param) from error
    as_recorded = tool is None and sent == recorded.text
    output = recorded.output_tokens if as_recorded else None
    if output is None:
        output = estimate(sent) + recorded.reasoning_tokens
    finish: Finish = "stop" if tool is None else "tool_calls"
    if tool is None and request.longest is not None and output > request.longest:
        sent, finish = sent[: len(sent) * request.longest // output], "length"
        output = request.longest
    return Reply(
        text=sent,
        tool=None if tool is None else str(tool["name"]),
        finish=finish,
        tokens=_tokens(request, recorded, output),
        logprob=recorded.logprob if request.body.get("logprobs") and tool is None else None,
        choices=request.choices,
        latency_s=recorded.latency_s,
    )


def _tokens(request: ChatRequest, recorded: Recorded, output: int) -> Tokens:
    prompt = recorded.input_tokens
    return Tokens(
        input=max(request.prompt_tokens, recorded.cached_tokens) if prompt is None else prompt,
        output=output * request.choices,
        cached=recorded.cached_tokens,
        reasoning=min(recorded.reasoning_tokens, output) * request.choices,
    )


def _called(request: ChatRequest) -> Mapping[str, Any] | None:
    """Return the function to call, None for an answer in text."""
    offered = _offered(request)
    choice = request.body.get("tool_choice") or "auto"
    name = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    if isinstance(choice, dict) and name not in offered:
        raise Refusal(f"tool_choice names {name!r}, which is not among {sorted(offered)}", param="tool_choice")
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        raise Refusal(f"tool_choice must be none, auto, required or a tool, got {choice!r}", param="tool_choice")
    if not offered or choice == "none" or request.tool_result is not None:
        return None
    if name is not None:
        return offered[name]
    likeliest = max(offered, key=lambda each: _mentioned(each, request.question))
    return offered[likeliest] if choice == "required" or _mentioned(likeliest, request.question) else None


def _offered(request: ChatRequest) -> dict[str, Mapping[str, Any]]:
    try:
        return {tool["function"]["name"]: tool["function"] for tool in request.body.get("tools") or ()}
    except (KeyError, TypeError) as error:
        raise Refusal("tools must be functions that have a name", param="tools") from error


def _mentioned(name: str, question: str) -> int:
    """Return how many letters of a tool's name `question` mentions: all, those of whole words, or 0."""
    if name.lower() in question.lower():
        return len(name)
    words = set(_WORD.findall(question.lower()))
    return sum(len(word) for word in _WORD.findall(name.lower()) if word in words)


def _arguments(tool: Mapping[str, Any], request: ChatRequest, recorded: Recorded) -> str:
    borrowed = Borrowed(request.prompt, answer=recorded.text)
    return _json(example({"type": "object", **(tool.get("parameters") or {})}, borrowed))


def _text(request: ChatRequest, recorded: Recorded) -> str:
    wanted = request.body.get("response_format") or {}
    borrowed = Borrowed(request.prompt, answer=recorded.text)
    if wanted.get("type") == "json_schema":
        schema = wanted.get("json_schema", {}).get("schema")
        if not isinstance(schema, dict):
            raise Refusal("response_format.json_schema.schema must be an object", param="response_format")
        fit = _object(recorded.text, schema.get("required", ()))
        text = recorded.text if fit else _json(example(schema, borrowed))
    elif wanted.get("type") == "json_object":
        text = recorded.text if _object(recorded.text) else _json(_keyed(borrowed))
    elif request.tool_result is not None:
        text = f"{recorded.text} (The tool returned: {request.tool_result})".strip()
    else:
        text = recorded.text
    ends = [place for place in (text.find(stop) for stop in request.stops if stop) if place >= 0]
    return text[: min(ends)] if ends else text


def _object(text: str, required: Any = ()) -> bool:
    """Return whether `text` is a JSON object that has the `required` names."""
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict) and all(name in value for name in required)


def _keyed(borrowed: Borrowed) -> dict[str, str]:
    """Return an object with the names the prompt quotes, else one with the answer."""
    names = [quoted for quoted in borrowed.quoted if quoted.isidentifier()] or ["answer"]
    return {name: borrowed.answer if name == "answer" else borrowed.excerpt for name in names}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
