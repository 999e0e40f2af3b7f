"""Log-probabilities of tokens: DSPy's models return them, and confidences decide by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("dspy", reason="dspy is not installed")

import dspy
import openai  # its types by attribute: DSPy puts it off, and a module below it cannot be imported by itself
from drafting import BY_LIKELIHOOD, unsure

from dspy_router import RoutedPredict, RouterLM
from dspy_router.replies import response_of
from pointsman.dispatch import Dispatcher
from pointsman.testing.replay_server import Recorded, ReplayServer
from pointsman.types import Response, Trace

CHOICES = pytest.mark.parametrize(("question", "model"), [("easy", "small"), ("hard", "large")])
WAYS = pytest.mark.parametrize("way", ["sync", "async"])


def in_fields(model: str, request: dict[str, Any]) -> Recorded:
    """Answer in the form that DSPy's adapter asks for; the small model is unsure of its tokens when the question is "hard"."""
    hard = "\nhard\n" in request["messages"][-1]["content"]
    told = unsure(model, {"messages": [{"content": "hard" if hard else "easy"}]})
    return replace(told, text=f"[[ ## answer ## ]]\n{told.text}\n\n[[ ## completed ## ]]\n")


@pytest.fixture
def cascading(client: Any) -> Iterator[Callable[..., Any]]:
    """Return a maker of a RouterLM that decides by likelihood, and of the list of its traces."""
    opened: list[ReplayServer] = []

    def make(answer: Any, **settings: Any) -> tuple[RouterLM, list[Trace]]:
        opened.append(ReplayServer({}, default=answer))
        url, traces = opened[-1].__enter__().url, []
        lms = {name: client(name, api_base=url, **settings) for name in BY_LIKELIHOOD.order}
        return RouterLM(lms, dispatcher=Dispatcher(BY_LIKELIHOOD, observers=[traces.append])), traces

    yield make
    for server in opened:
        server.__exit__(None, None, None)


def drafted(traces: list[Trace]) -> set[float]:
    """Return the log-probabilities of the draft of the one run."""
    [trace] = traces
    draft = trace.steps[0].outcome
    assert isinstance(draft, Response)
    return set(draft.logprobs or ())


@WAYS
@CHOICES
async def test_they_decide(cascading: Any, ask: Any, way: str, question: str, model: str) -> None:
    """A confidence in tokens asks the models for them and reads them; the caller, who did not ask, gets a text."""
    lm, traces = cascading(unsure)
    assert await ask(lm, way, question) == [f"{model} it is"]
    assert drafted(traces) == {-2.0 if question == "hard" else -0.01}
    assert traces[0].answer.content == f"{model} it is"


@WAYS
@CHOICES
async def test_they_decide_on_predictions(cascading: Any, ask: Any, way: str, question: str, model: str) -> None:
    """Those of a prediction are of the reply it was read from, and are no field of it that the user did not ask for."""
    lm, traces = cascading(in_fields)
    prediction = await ask(RoutedPredict("question -> answer", lm), way, question=question)
    assert prediction.toDict() == {"answer": f"{model} it is"}
    assert drafted(traces) == {-2.0 if question == "hard" else -0.01}
    assert [step.outcome.text for step in traces[0].steps][-1] == f"{model} it is"


@WAYS
async def test_who_asks_gets_them(cascading: Any, ask: Any, way: str) -> None:
    """Asked for in a call, in a predictor's config or of the models themselves they come as DSPy gives them."""
    lm, _ = cascading(unsure)
    [called] = await ask(lm, way, "easy", logprobs=True)
    [own] = await ask(cascading(unsure, logprobs=True)[0], way, "easy")
    for output in (called, own):
        assert output["text"] == "small it is"
        assert output["logprobs"].content[0].logprob == -0.01
    predictor = RoutedPredict("question -> answer", cascading(in_fields)[0], logprobs=True)
    assert (await ask(predictor, way, question="easy")).logprobs.content[0].logprob == -0.01


@WAYS
@CHOICES
async def test_they_decide_on_requests(cascading: Any, ask: Any, way: str, question: str, model: str) -> None:
    """A Request's config is where the plan asks for them; the Response has them only where the user's own asked."""
    lm, traces = cascading(unsure)
    request = dspy.lm15.Request(model=lm.model, messages=(dspy.lm15.Message.user(question),))
    plain = await ask(lm, way, request)
    assert (plain.text, plain.logprobs) == (f"{model} it is", None)
    assert drafted(traces) == {-2.0 if question == "hard" else -0.01}
    wanting = replace(request, config=replace(request.config, logprobs=2))
    assert (await ask(lm, way, wanting)).logprobs[0].logprob == -0.01


def test_objects_of_chats_are_read() -> None:
    """A client's object for a chat, as LiteLLM passes on, is read like what DSPy's own client returns."""
    tops = [{"token": "5", "logprob": -2.5}, {"token": "4", "logprob": -0.1}]
    told = openai.types.chat.chat_completion.ChoiceLogprobs.model_validate(
        {"content": [tops[1] | {"top_logprobs": tops}]}
    )
    response = response_of("small", [{"text": "4", "logprobs": told}], None)
    assert (response.content, response.logprobs, response.top_logprobs) == (None, (-0.1,), ((-0.1, -2.5),))


def test_objects_of_completions_are_read() -> None:
    """Of a completion too it is the tokens' and those of the likeliest; not where one is missing."""
    tops = [{"4": -0.1, "5": -2.5}, {"!": -0.2}]
    told = openai.types.completion_choice.Logprobs(
        tokens=["4", "!"], token_logprobs=[-0.1, -0.2], top_logprobs=tops, text_offset=[0, 1]
    )
    response = response_of("small", [{"text": "4!", "logprobs": told}], None)
    assert (response.text, response.content) == ("4!", None)
    assert (response.logprobs, response.top_logprobs) == ((-0.1, -0.2), ((-0.1, -2.5), (-0.2,)))
    partly = {"tokens": ["4", "!"], "token_logprobs": [None, -0.2], "top_logprobs": None}
    unknown = response_of("small", [{"text": "4!", "logprobs": partly}], None)
    assert (unknown.logprobs, unknown.top_logprobs) == (None, None)
