"""Longer plans: drafts stay out of sight, judges get their own messages, votes make one answer, and all of it is paid."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("llama_index.llms.openai_like", reason="llama-index is not installed")

from drafting import BY_LIKELIHOOD, Drafting, unsure
from llama_index.core import MockEmbedding
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate

from llamaindex_router import RouterLLM
from pointsman.errors import ConfigError
from pointsman.flow import Plan
from pointsman.flow import ask as asking
from pointsman.models import ModelPool
from pointsman.testing.replay_server import Recorded, ReplayServer
from pointsman.types import Answer, Call, Context, Embed, Query, Response

WAYS = ("sync", "async", "stream", "astream")


class Vote(Drafting):
    """Ask all three at once, warmly, and take what most of them say."""

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Call all, count, and answer with the most frequent text."""
        outcomes = yield tuple(Call(model=name, purpose="sample", params={"temperature": 0.9}) for name in self.pool)
        said = [outcome for outcome in outcomes if isinstance(outcome, Response)]
        text = max({one.text for one in said}, key=lambda each: sum(one.text == each for one in said))
        return Answer(content=text, support=tuple(one.step for one in said if one.text == text), model="vote")


class Composed(Drafting):
    """Make an answer of its own out of two."""

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Join what two models say."""
        outcomes = yield (Call(model="small"), Call(model="large"))
        said = [outcome for outcome in outcomes if isinstance(outcome, Response)]
        return Answer(content=" & ".join(one.text for one in said), support=tuple(one.step for one in said))


class Embedding(Drafting):
    """Ask for the vector of the question, then answer with the large model."""

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Embed and answer."""
        (vectors,) = yield (Embed(embedder="mini", texts=(query.text,)),)
        final = yield from asking(Call(model="large", stream=True))
        return Answer.of(final, reason=f"{len(vectors)} vector of {len(vectors[0])}")  # type: ignore[arg-type,index]


def replies(model: str, request: dict[str, Any]) -> Recorded:
    """Let the judge reject drafts about hard things; two of three models agree."""
    asked = request["messages"][-1]["content"]
    if asked.startswith("Is this right?"):
        return Recorded(text="no" if "hard" in asked else "yes", input_tokens=5, output_tokens=1)
    text = "two" if model == "small" and "vote" in asked else f"{model}: {asked}" if "vote" not in asked else "three"
    return Recorded(text=text, input_tokens=10, output_tokens=4)


@pytest.fixture
def cascade(client: Any, pool: ModelPool) -> Any:
    """Return a maker of routed LLMs over those replies."""
    with ReplayServer({}, default=replies, prices={"large": (10, 40), "medium": (2, 8), "small": (0.5, 1.5)}) as server:

        def make(kind: type[Drafting] = Drafting, **settings: Any) -> tuple[RouterLLM, ReplayServer]:
            models = {name: client(name, api_base=server.url) for name in pool}
            return RouterLLM(models=models, router=kind(pool=pool), **settings), server

        yield make


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("question", "model", "calls"), [("easy", "small", 2), ("hard", "large", 3)])
async def test_a_cascade_gives_one_answer(
    cascade: Any, ask: Any, way: str, question: str, model: str, calls: int
) -> None:
    """Whichever draft or final answer wins comes out whole, with the cost of all calls and its own usage; nothing else does."""
    llm, server = cascade()
    counter = TokenCountingHandler(tokenizer=str.split)
    llm.callback_manager = CallbackManager([counter])
    seen: list[Any] = []
    response = await ask(llm, way, [ChatMessage(role="user", content=question)], seen=seen)
    record = response.additional_kwargs["router"]
    assert response.message.content == f"{model}: {question}"
    assert record["model"] == model
    assert record["tried"] == (["small"] if calls == 2 else ["small", "large"])
    assert len(server.ledger) == len(counter.llm_token_counts) == calls
    assert record["cost_usd"] == pytest.approx(server.cost_usd())
    assert record["total_usage"]["total_tokens"] == counter.total_llm_token_count == 14 * (calls - 1) + 6
    assert response.additional_kwargs["total_tokens"] == 14
    if way.endswith("stream"):
        assert "".join(piece.delta or "" for piece in seen) == f"{model}: {question}"
        assert [entry.streamed for entry in server.ledger] == [False, False, True][:calls]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("question", "model"), [("easy", "small"), ("hard", "large")])
async def test_templates_and_texts_cascade_too(cascade: Any, ask: Any, way: str, question: str, model: str) -> None:
    """Completions and predictions of a longer plan show the answer alone, whole and streamed."""
    llm, _ = cascade()
    seen: list[Any] = []
    assert (await ask(llm, way, question, seen=seen)).text == f"{model}: {question}"
    assert all(isinstance(piece.delta, str) for piece in seen)
    template = PromptTemplate("{query_str}")
    if way == "sync":
        text = llm.predict(template, query_str=question)
    elif way == "async":
        text = await llm.apredict(template, query_str=question)
    elif way == "stream":
        text = "".join(llm.stream(template, query_str=question))
    else:
        text = "".join([token async for token in await llm.astream(template, query_str=question)])
    assert text == f"{model}: {question}"


async def test_a_judge_gets_its_own_messages(cascade: Any) -> None:
    """A judge is asked what the plan says, with the plan's parameters, and without the caller's options."""
    llm, server = cascade()
    llm.chat(
        [ChatMessage(role="system", content="Be brief."), ChatMessage(content="easy")], stop=["END"], temperature=0.4
    )
    draft, judge = (entry.request for entry in server.ledger)
    assert (draft["temperature"], draft["stop"], len(draft["messages"])) == (0.4, ["END"], 2)
    assert judge["messages"] == [{"role": "user", "content": "Is this right? small: easy"}]
    assert judge["temperature"] == 0
    assert "stop" not in judge


@pytest.mark.parametrize("way", WAYS)
async def test_a_vote_is_one_answer(cascade: Any, ask: Any, way: str) -> None:
    """Models asked at once make one answer; each of them is paid, and gets the plan's parameters, from templates too."""
    llm, server = cascade(Vote)
    response = await ask(llm, way, [ChatMessage(content="vote")])
    assert response.message.content == "three"
    assert response.additional_kwargs["router"]["tried"] == ["large", "medium", "small"]
    assert response.additional_kwargs["router"]["cost_usd"] == pytest.approx(server.cost_usd())
    assert llm.predict(PromptTemplate("vote on {query_str}"), query_str="it") == "three"
    assert [entry.request["temperature"] for entry in server.ledger] == [0.9] * 6


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_of_the_plans_own(cascade: Any, ask: Any, way: str) -> None:
    """What no model said word for word comes as a response of the kind that was asked for."""
    llm, _ = cascade(Composed)
    chat, completion = await ask(llm, way, [ChatMessage(content="x")]), await ask(llm, way, "x")
    assert chat.message.content == completion.text == "small: x & large: x"
    assert chat.additional_kwargs["router"]["tried"] == ["small", "large"]


@pytest.mark.parametrize("way", WAYS)
async def test_embeddings_are_llamaindexes(cascade: Any, ask: Any, way: str) -> None:
    """A router that asks for vectors gets them from the embedding model of that name; without it the error says so."""
    llm, _ = cascade(Embedding, embedders={"mini": MockEmbedding(embed_dim=4)})
    assert (await ask(llm, way, "hi")).additional_kwargs["router"]["reason"] == "1 vector of 4"
    with pytest.raises(ConfigError, match="asks for the embedder 'mini'; embedders has none"):
        await ask(cascade(Embedding)[0], way, "hi")


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize(("question", "model"), [("easy", "small"), ("hard", "large")])
async def test_log_probabilities_decide(client: Any, ask: Any, way: str, question: str, model: str) -> None:
    """A confidence in tokens asks the models for their log-probabilities and reads those that they send."""
    with ReplayServer({}, default=unsure) as server:
        models = {name: client(name, api_base=server.url) for name in BY_LIKELIHOOD.order}
        asked = [ChatMessage(role="user", content=question)]
        response = await ask(RouterLLM(models=models, router=BY_LIKELIHOOD), way, asked)
    assert response.message.content == f"{model} it is"
