"""What is set aside for a call depends on the longest answer that was asked for."""

from __future__ import annotations

import pytest

from pointsman.dispatch.reserving import OUTPUT_TOKENS, worst_case_usd
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.types import Call, Message, Query

POOL = ModelPool([ModelSpec(name="m", price=Price(input_per_mtok=0.0, output_per_mtok=1e6))])
"""A model that charges a dollar a token of output."""


@pytest.mark.parametrize(
    ("call", "query", "tokens"),
    [
        (Call(model="m"), Query(text="?"), OUTPUT_TOKENS),
        (Call(model="m"), Query(text="?", max_output_tokens=100_000), 100_000),
        (Call(model="m", params={"max_tokens": 7}), Query(text="?", max_output_tokens=100), 7),
        (
            Call(model="m", messages=(Message(role="user", content="judge"),)),
            Query(text="?", max_output_tokens=9),
            OUTPUT_TOKENS,
        ),
    ],
)
def test_the_limit_on_the_answer_counts(call: Call, query: Query, tokens: int) -> None:
    """The call's own limit counts first, then the query's for the user's own answer, then a usual length."""
    assert worst_case_usd(call, query, POOL) == tokens
