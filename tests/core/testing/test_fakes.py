"""Fake models: the same call gets the same answer, at a known price, and failures happen as scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pointsman.testing import FakeModels
from pointsman.testing.toys import embed
from pointsman.types import Call, CallError, Delta, Embed, Message, Response

SMALL = Call(model="small")
BUSY = CallError("small", "busy", retryable=True, cost_usd=0.002)


def drained(stream: Iterator[Delta | Response]) -> tuple[list[str], Response]:
    """Return the texts of a stream's pieces, and its response."""
    *pieces, last = stream
    assert isinstance(last, Response)
    return [piece.text for piece in pieces if isinstance(piece, Delta)], last


async def gathered(stream: AsyncIterator[Delta | Response]) -> list[Delta | Response]:
    """Return what an asynchronous stream yields."""
    return [piece async for piece in stream]


def test_the_same_call_gets_the_same_answer() -> None:
    """An answer depends on the call alone, and names its model and purpose."""
    models = FakeModels()
    assert models(SMALL) == models(SMALL)
    assert models(Call(model="large", purpose="judge")).text == "large answers as judge"


def test_prices_are_by_model_and_unknown_for_strangers() -> None:
    """A listed model has its price; a stranger's is unknown, and makes the sum unknown."""
    models = FakeModels(cost_usd={"small": 0.25})
    assert models(SMALL).cost_usd == 0.25
    assert models.paid_usd == 0.25
    assert models(Call(model="stranger")).cost_usd is None
    assert models.paid_usd is None


def test_tokens_follow_the_messages() -> None:
    """Usage counts what was sent and what was answered."""
    sent = FakeModels()(Call(model="small", messages=(Message(role="user", content="x" * 400),)))
    assert sent.usage is not None
    assert sent.usage.input_tokens == 100


def test_a_scripted_failure_happens_in_its_turn() -> None:
    """Calls meet the script entry by entry, None succeeds, after it all is well; failures are billed as they say."""
    models = FakeModels(cost_usd=0.01, failures={"small": [BUSY, None, BUSY]})
    outcomes = []
    for _ in range(4):
        try:
            outcomes.append(models(SMALL).text)
        except CallError as error:
            outcomes.append(error.message)
    assert outcomes == ["busy", "small answers", "busy", "small answers"]
    assert models.paid_usd == pytest.approx(0.024, abs=1e-15)


def test_a_standing_failure_is_made_anew_each_time() -> None:
    """A model may always fail, with another error object each time and the same content."""
    models = FakeModels(failures={"small": BUSY})
    with pytest.raises(CallError) as first:
        models(SMALL)
    with pytest.raises(CallError) as second:
        models(SMALL)
    assert first.value is not second.value
    assert vars(first.value) == vars(second.value) == vars(BUSY)


def test_embeddings_are_vectors_of_the_texts() -> None:
    """An embedding effect gets one vector per text, and costs nothing."""
    models = FakeModels()
    assert models(Embed(embedder="words", texts=("a", "b"))) == (embed("a"), embed("b"))
    assert models.paid_usd == 0


def test_a_stream_is_the_answer_in_pieces() -> None:
    """The pieces add up to the text of the response, which comes last and is what a plain call gets."""
    pieces, response = drained(FakeModels().open_stream(SMALL))
    assert len(pieces) == 3
    assert "".join(pieces) == response.text
    assert response == FakeModels()(SMALL)


def test_a_stream_breaks_where_it_is_told() -> None:
    """An error comes after as many characters as it says were shown."""
    broken = FakeModels(failures={"small": CallError("small", "cut", emitted=4)})
    stream = broken.open_stream(SMALL)
    assert next(stream) == Delta(text="smal")
    with pytest.raises(CallError, match="cut"):
        next(stream)


async def test_the_awaited_faces_agree_with_the_blocking_ones() -> None:
    """Awaited calls and streams give what the blocking ones give."""
    assert await FakeModels().aperform(SMALL) == FakeModels()(SMALL)
    assert await gathered(FakeModels().aopen_stream(SMALL)) == list(FakeModels().open_stream(SMALL))


async def test_a_hanging_model_waits_until_it_is_cancelled() -> None:
    """A hanging call is on the books and ends by cancellation only."""
    models = FakeModels(hanging=frozenset({"small"}))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(models.aperform(SMALL), timeout=0.01)
    assert models.called == ["small"]


def test_the_books_hold_every_call_of_many_threads() -> None:
    """Calls from many threads are all counted and all paid."""
    models = FakeModels(cost_usd=0.5)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(models, [SMALL] * 200))
    assert len(models.performed) == 200
    assert models.paid_usd == 100
