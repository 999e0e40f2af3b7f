"""Recorded scores: what every confidence says of records is what assessing them one by one says, money and holes included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.confidence.agreement import Agreement
from pointsman.confidence.base import Confidence, by_cost, prefixes
from pointsman.confidence.calibrated import Calibrated
from pointsman.confidence.consistency import SelfConsistency
from pointsman.confidence.held_out import held_out_scores
from pointsman.confidence.learned import LearnedConfidence
from pointsman.confidence.likelihood import TokenLikelihood
from pointsman.confidence.matches import ChoiceMatch, NumericMatch
from pointsman.confidence.pattern import PatternVerifier
from pointsman.confidence.semantic_entropy import SemanticEntropy
from pointsman.confidence.verbalised import Verbalised
from pointsman.data import RoutingDataset
from pointsman.data.tape import Tape, play
from pointsman.errors import DataError
from pointsman.features.lexical import Lexical
from pointsman.flow import ask
from pointsman.types import Call, CallError, Embed, Query, Response

TEXTS = st.none() | st.sampled_from(["4", "4.0", "(A)", "a", "", "so it is 4", "b"])
MODELS = ("m", "n", "o")


@st.composite
def records(draw: st.DrawFn) -> RoutingDataset:
    """Draw a few queries with answers, responses, samples, costs and scores of three models, all with holes."""
    n, k = draw(st.integers(1, 3)), draw(st.integers(1, 3))

    def objects(*shape: int) -> np.ndarray:
        flat = np.empty(int(np.prod(shape)), dtype=object)
        flat[:] = draw(st.lists(TEXTS, min_size=len(flat), max_size=len(flat)))
        return flat.reshape(shape)

    numbers = st.sampled_from([0.0, 0.5, 1.0, np.nan])
    cells = draw(st.lists(numbers, min_size=3 * n, max_size=3 * n))
    costs = draw(st.lists(numbers, min_size=3 * n, max_size=3 * n))
    scores = draw(st.lists(numbers, min_size=3 * n * k, max_size=3 * n * k))
    data = RoutingDataset.from_arrays(
        [f"q{i}" for i in range(n)],
        {name: cells[i * n : (i + 1) * n] for i, name in enumerate(MODELS)},
        {name: costs[i * n : (i + 1) * n] for i, name in enumerate(MODELS)},
    )
    return replace(
        data,
        answers=draw(st.sampled_from([objects(n, 3), None])),
        responses=draw(st.sampled_from([objects(n, 3), None])),
        samples=objects(n, 3, k),
        sample_quality=draw(st.sampled_from([np.array(scores).reshape(n, 3, k), None])),
    )


@given(records(), st.permutations(MODELS), st.integers(1, 3))
def test_recorded_is_assessed(data: RoutingDataset, order: list[str], count: int) -> None:
    """Scores, dollars and calls are the same all at once as one by one, whatever is missing on record."""
    for confidence in (
        Agreement(),
        Agreement(equivalence=NumericMatch()),
        SelfConsistency(samples=2),
        SelfConsistency(samples=3, equivalence=ChoiceMatch()),
        SemanticEntropy(samples=2),
        SemanticEntropy(samples=3, equivalence=NumericMatch()),
    ):
        at_once = confidence.recorded(data, order[:count])
        one_by_one = Confidence.recorded(confidence, data, order[:count])
        for name in ("score", "cost_usd", "calls"):
            np.testing.assert_array_equal(getattr(at_once, name), getattr(one_by_one, name), f"{confidence} {name}")


def outcomes() -> RoutingDataset:
    """Return two queries of two models, one of which drew samples."""
    data = RoutingDataset.from_arrays(
        ["a", "b"], {"m": [1.0, 0.0], "n": [1.0, 1.0]}, {"m": [0.1, 0.2], "n": [1.0, np.nan]}
    )
    samples = np.full((2, 2, 2), None, dtype=object)
    samples[:, 0] = [["4", "5"], ["7", None]]
    return replace(
        data,
        answers=np.array([["4", "4"], ["7", None]], dtype=object),
        responses=np.array([["It is 4", None], [None, None]], dtype=object),
        samples=samples,
    )


def test_samples_are_paid() -> None:
    """Each sample on record costs what a call of the model costs; those that are not on record fail for nothing."""
    found = SelfConsistency(samples=3).recorded(outcomes(), ("m",))
    assert found.score.tolist() == [0.5, 1.0]
    assert found.cost_usd.tolist() == [0.2, 0.2]
    assert found.calls.tolist() == [3, 3]


def test_what_was_not_kept_is_unknown() -> None:
    """A verifier, too, has no score of a text that nobody kept."""
    found = PatternVerifier(pattern="").recorded(outcomes(), ("m", "n"))
    np.testing.assert_array_equal(found.score, [1.0, np.nan])
    assert found.calls.tolist() == [0, 0]
    assert np.isnan(TokenLikelihood().recorded(outcomes(), ("m",)).score).all()


def test_what_records_cannot_tell() -> None:
    """Models without outcomes, no models, samples that nobody drew, and prompts of one's own are errors that say so."""
    data = outcomes()
    for confidence in (Agreement(), SelfConsistency(), SemanticEntropy(), PatternVerifier(pattern="")):
        with pytest.raises(DataError, match="no outcomes of 'z'"):
            confidence.recorded(data, ("m", "z"))
        with pytest.raises(DataError, match="no outcomes of no model"):
            confidence.recorded(data, ())
    with pytest.raises(DataError, match="needs samples"):
        SelfConsistency().recorded(replace(data, samples=None), ("m",))
    with pytest.raises(DataError, match="another prompt"):
        Verbalised().recorded(data, ("m",))


def test_held_out_scores_do_not_know_their_row() -> None:
    """A confidence that learns scores each row by what it learnt of others; one that does not scores all at once."""
    rng = np.random.default_rng(0)
    names = {"m": rng.random(30) < 0.5, "n": rng.random(30) < 0.5}
    data = RoutingDataset.from_arrays([f"word{i}" for i in range(30)], names, {"m": [1.0] * 30, "n": [2.0] * 30})
    data = replace(data, answers=np.full((30, 2), "a", dtype=object))
    learner = LearnedConfidence(features=Lexical(bits=8, components=2), penalty=1.0)
    one = held_out_scores(learner, data, ("m", "n"), folds=5)
    for row in (0, 17):
        flipped = np.array(data.quality)
        flipped[row] = 1 - flipped[row]
        two = held_out_scores(learner, replace(data, quality=flipped), ("m", "n"), folds=5)
        for before, after in zip(one, two, strict=True):
            assert before.score[row] == after.score[row]
            assert not np.array_equal(before.score, after.score)
    assert learner.state_ is None
    plain = held_out_scores(Agreement(), data, ("m", "n"), ran=[("m",)])
    assert len(plain) == 1
    with pytest.raises(DataError, match="31 folds"):
        held_out_scores(Calibrated(confidence=Agreement()), data, ("m", "n"), folds=31)


def test_tapes() -> None:
    """A tape plays answers, the samples one after the other, and the query's own embedding; nothing else is on it."""
    data = replace(outcomes(), input_tokens=np.array([[3.0, np.nan]] * 2), output_tokens=np.full((2, 2), np.nan))
    tape = Tape(data, 0)
    first = tape.response("m")
    assert (first.text, first.answer, first.cost_usd) == ("It is 4", "4", 0.1)
    assert first.usage is not None
    assert (first.usage.input_tokens, first.usage.output_tokens) == (3, None)
    assert tape.response("n").usage is None
    sample = Call(model="m", purpose="sample")
    drawn = [tape.perform(sample, (i, 0)) for i in range(3)]
    assert [one.text for one in drawn if isinstance(one, Response)] == ["4", "5"]
    assert isinstance(drawn[2], CallError)
    assert isinstance(tape.perform(Call(model="z", purpose="sample"), (5, 0)), CallError)
    with pytest.raises(DataError, match="embedding"):
        tape.perform(Embed(embedder="e", texts=("a",)), (4, 0))


def test_playing_keeps_the_steps() -> None:
    """What a plan asks of a tape is on record with its money, and is scored where the sample was."""
    data = replace(outcomes(), sample_quality=np.full((2, 2, 2), 0.25))
    tape = Tape(data, 0)

    def plan():  # type: ignore[no-untyped-def] # noqa: ANN202 - a plan of two calls
        answer = yield from ask(Call(model="m"))
        yield from ask(Call(model="m", purpose="sample"))
        return answer.text

    text, steps = play(plan(), tape)
    assert text == "It is 4"
    assert [step.cost_usd for step in steps] == [0.1, 0.1]
    assert [tape.quality(step) for step in steps] == [1.0, 0.25]


def test_orders() -> None:
    """Models run from the cheapest to the dearest; of unknown cost last, and ties by name."""
    data = RoutingDataset.from_arrays(["a"], {"z": [1], "y": [1], "x": [1]}, {"z": [1.0], "y": [1.0], "x": [np.nan]})
    assert by_cost(data) == ("y", "z", "x")
    assert prefixes(()) == []
    assert prefixes(("a", "b")) == [("a",), ("a", "b")]
    assert by_cost(data.only(("z", "x", "y"))) == ("y", "z", "x")
    assert Query(text="a").text == data.queries[0].text
