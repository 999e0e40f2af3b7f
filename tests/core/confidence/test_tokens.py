"""Confidences of log-probabilities: the numbers of the formulas, and what broken ones come to."""

from __future__ import annotations

from math import exp, inf, log, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.confidence.entropy import TokenEntropy
from pointsman.confidence.likelihood import TokenLikelihood
from pointsman.confidence.margin import FirstTokenMargin
from pointsman.testing.assessments import assess
from pointsman.types import Query, Response

Places = tuple[tuple[float, ...], ...]


def wrote(logprobs: tuple[float, ...] | None = None, top: Places | None = None) -> Response:
    """Return a response with these log-probabilities."""
    return Response(model="small", text="4", logprobs=logprobs, top_logprobs=top)


@pytest.mark.parametrize(
    ("statistic", "quantile", "expected"),
    [
        ("mean", 0.1, (0.5 * 0.25 * 0.125 * 0.5) ** 0.25),
        ("sum", 0.1, 0.5 * 0.25 * 0.125 * 0.5),
        ("quantile", 0.0, 0.125),
        ("quantile", 1.0, 0.5),
        ("quantile", 0.5, exp((log(0.25) + log(0.5)) / 2)),
        ("quantile", 0.1, exp(0.7 * log(0.125) + 0.3 * log(0.25))),
    ],
)
def test_likelihood(score: Any, statistic: Any, quantile: float, expected: float) -> None:
    """The mean is the geometric mean, the sum the product, and a quantile lies between two tokens, in logarithms."""
    response = wrote(tuple(log(p) for p in (0.5, 0.25, 0.125, 0.5)))
    assert score(TokenLikelihood(statistic=statistic, quantile=quantile), response) == pytest.approx(expected)


@pytest.mark.parametrize("statistic", ["mean", "sum", "quantile"])
@pytest.mark.parametrize("quantile", [0.0, 0.1, 0.5])
def test_impossible_tokens(score: Any, statistic: Any, quantile: float) -> None:
    """A token of probability 0 makes nothing surer: half of two tokens is as unlikely, the third of four is what it is."""
    confidence = TokenLikelihood(statistic=statistic, quantile=quantile)
    assert score(confidence, wrote((-inf, -0.1))) == 0.0
    assert score(confidence, wrote((-inf,))) == 0.0


def test_quantile_above_impossible_tokens(score: Any) -> None:
    """A quantile that lies among possible tokens does not see the impossible one."""
    assert score(TokenLikelihood(statistic="quantile", quantile=0.5), wrote((-inf, -0.5, -0.2))) == pytest.approx(
        exp(-0.5)
    )


@pytest.mark.parametrize("logprobs", [None, (), (nan,), (-0.1, nan)])
@pytest.mark.parametrize("statistic", ["mean", "sum", "quantile"])
def test_unknown_likelihood(score: Any, logprobs: Any, statistic: Any) -> None:
    """Without numbers it cannot tell."""
    assert score(TokenLikelihood(statistic=statistic), wrote(logprobs)) is None


def test_rounded_up_likelihood(score: Any) -> None:
    """A probability that a provider rounded to above 1 is 1."""
    assert score(TokenLikelihood(), wrote((1e-7, 0.0))) == 1.0


@pytest.mark.parametrize(
    ("place", "expected"),
    [(0, 0.6 - 0.3), (1, 0.0), (2, None), (3, None), (9, None)],
)
def test_margin(score: Any, place: int, expected: float | None) -> None:
    """The margin is of the two likeliest tokens at the place; of fewer, or beyond the end, there is none."""
    top = ((log(0.6), log(0.3), log(0.1)), (log(0.4), log(0.4)), (log(0.9),), ())
    found = score(FirstTokenMargin(place=place), wrote(top=top))
    assert found == (None if expected is None else pytest.approx(expected))


def test_margin_asks_for_what_it_needs() -> None:
    """It asks for two alternatives, the entropy for more."""
    assert FirstTokenMargin().asks == {"logprobs": True, "top_logprobs": 2}
    assert TokenEntropy().asks["top_logprobs"] > 2
    assert TokenLikelihood().asks == {"logprobs": True}


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        (((log(0.5), log(0.5)),), 1 - log(2) / log(3)),
        (((0.0, -inf),), 1.0),
        (((log(1 / 3), log(1 / 3)),), 0.0),  # the rest is one further token, as likely
        (((log(0.5),), (0.0,)), (0.0 + 1.0) / 2),
        (((), (0.0, -inf), ()), 1.0),
    ],
)
def test_entropy(score: Any, top: Places, expected: float) -> None:
    """It is the mean over places of the entropy of the known tokens and the rest, as a share of its maximum."""
    assert score(TokenEntropy(), wrote(top=top)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("top", [None, (), ((),), ((), ()), ((nan, -1.0),), ((-0.1, -3.0), (nan,))])
def test_unknown_entropy(score: Any, top: Any) -> None:
    """Without alternatives, or without numbers, it cannot tell."""
    assert score(TokenEntropy(), wrote(top=top)) is None


places = st.lists(st.floats(-40, 0) | st.just(-inf), max_size=4).map(tuple)


@given(st.lists(places, max_size=4).map(tuple), st.lists(st.floats(-1e6, 1e-6) | st.just(-inf), max_size=6).map(tuple))
def test_always_a_score(top: Places, logprobs: tuple[float, ...]) -> None:
    """Whatever the numbers, also those that add up to more than 1, scores are in [0, 1], or None."""
    response = wrote(logprobs, top)
    kinds = [TokenLikelihood(statistic=kind) for kind in ("mean", "sum", "quantile")]
    for confidence in (*kinds, FirstTokenMargin(), TokenEntropy()):
        found, steps = assess(confidence, Query(text="q"), [response])
        assert found is None or 0 <= found <= 1
        assert not steps
