"""Embeddings: deterministic unit vectors that know similar texts from different ones."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pointsman.testing.replay_server import ReplayServer
from pointsman.testing.replay_server.vectors import embed


def embeddings(reply: Any) -> NDArray[np.float64]:
    """Return the (texts, dimensions) vectors of a reply."""
    return np.array([item["embedding"] for item in reply.body["data"]])


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    """Serve embeddings at two dollars a million tokens."""
    with ReplayServer({}, prices={"e": (2, 0)}) as running:
        yield running


@pytest.fixture
def request_embeddings(send: Callable[..., Any]) -> Callable[..., Any]:
    """Ask for embeddings over plain HTTP."""

    def request(server: ReplayServer, **fields: Any) -> Any:
        return send(server, "POST", "/v1/embeddings", {"model": "e", **fields})

    return request


def test_vectors_are_unit_and_repeatable(server: ReplayServer, request_embeddings: Callable[..., Any]) -> None:
    """One for each text, in order; the same text has the same vector, alone or among others."""
    vectors = embeddings(request_embeddings(server, input=["red wine", "", "white wine"]))
    assert vectors.shape == (3, 64)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)
    assert (embeddings(request_embeddings(server, input="white wine"))[0] == vectors[2]).all()
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1]


def test_vector_of_a_text_never_changes() -> None:
    """Hashing does not depend on the process: these figures hold everywhere."""
    assert embed("abc", 4) == pytest.approx([-(3**-0.5), -(3**-0.5), 0, -(3**-0.5)], abs=1e-6)


def test_length_is_the_requests_or_the_servers(server: ReplayServer, request_embeddings: Callable[..., Any]) -> None:
    """`dimensions` in the request goes before the server's own."""
    assert embeddings(request_embeddings(server, input="a", dimensions=5)).shape == (1, 5)
    with ReplayServer({}, dimensions=12) as other:
        assert embeddings(request_embeddings(other, input="a")).shape == (1, 12)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_vectors_are_unit_in_few_dimensions(dimensions: int) -> None:
    """Also where trigrams cancel out."""
    for number in range(200):
        assert np.linalg.norm(embed(f"text {number}", dimensions)) == pytest.approx(1, abs=1e-6)


def test_base64_holds_the_same_numbers(server: ReplayServer, request_embeddings: Callable[..., Any]) -> None:
    """Little-endian float32, as OpenAI's client asks for by default."""
    coded = request_embeddings(server, input="a b c", encoding_format="base64").body["data"][0]["embedding"]
    plain = embeddings(request_embeddings(server, input="a b c"))[0]
    assert np.frombuffer(base64.b64decode(coded), "<f4") == pytest.approx(plain, abs=1e-7)


def test_token_ids_are_texts_too(server: ReplayServer, request_embeddings: Callable[..., Any]) -> None:
    """A list of ids is one text, a list of lists several; their number is what is counted."""
    one = request_embeddings(server, input=[5, 6, 7])
    two = request_embeddings(server, input=[[5, 6, 7], [8]])
    assert (embeddings(one)[0] == embeddings(two)[0]).all()
    assert [reply.body["usage"]["prompt_tokens"] for reply in (one, two)] == [3, 4]


def test_embeddings_are_booked(request_embeddings: Callable[..., Any]) -> None:
    """Their tokens are estimated and charged as input."""
    with ReplayServer({}, prices={"e": (2, 0)}) as server:
        request_embeddings(server, input=["12345", "1"])
    [entry] = server.ledger
    assert (entry.path, entry.input_tokens, entry.output_tokens, entry.completed) == ("/v1/embeddings", 3, 0, True)
    assert server.cost_usd() == pytest.approx(6e-6)


def test_openai_client_reads_embeddings(server: ReplayServer) -> None:
    """The real client decodes them to floats."""
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=server.url, api_key="none") as client:
        reply = client.embeddings.create(model="e", input=["hello"], dimensions=8)
    assert reply.data[0].embedding == pytest.approx(embed("hello", 8).tolist(), abs=1e-7)


def test_server_needs_a_length() -> None:
    """A vector has at least one dimension."""
    with pytest.raises(ValueError, match="dimensions must be 1 or more, got 0"):
        ReplayServer({}, dimensions=0)
