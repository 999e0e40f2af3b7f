"""Tapes: recorded texts, answers and samples answer a plan's calls, and what is not on record is never made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.data.tape import Tape, play
from pointsman.errors import DataError
from pointsman.flow import Plan
from pointsman.testing.toys import toy
from pointsman.types import Call, CallError, Message, Response, Step


def sampled(count: int, model: str = "small") -> Plan[list[str]]:
    """Ask for samples at once and return what comes back."""
    outcomes = yield (Call(model=model, purpose="sample"),) * count
    return [outcome.text if isinstance(outcome, Response) else "failed" for outcome in outcomes]


def test_samples_come_in_order_and_run_out() -> None:
    """Each call gets the next sample at the cell's price; one too many fails for nothing."""
    tape = Tape(toy(), 0)
    texts, steps = play(sampled(4), tape)
    data = toy()
    assert data.samples is not None
    small = data.models.index("small")
    assert texts == [*data.samples[0, small].tolist(), "failed"]
    assert [step.cost_usd for step in steps] == [data.cost_usd[0, small]] * 3 + [0.0]
    assert [tape.quality(step) for step in steps[:3]] == toy().sample_quality[0, small].tolist()  # type: ignore[index]


def test_samples_go_on_from_round_to_round() -> None:
    """A second batch does not get the first one's samples again."""

    def twice() -> Plan[list[str]]:
        first = yield from sampled(2)
        return first + (yield from sampled(1))

    texts, _ = play(twice(), Tape(toy(), 5))
    assert texts == toy().samples[5, toy().models.index("small")].tolist()  # type: ignore[index]


def test_a_run_without_an_answer_is_a_run() -> None:
    """A sample that was scored but says nothing is an empty answer, one that nobody ran a failed call."""
    data = toy(4)
    assert data.samples is not None
    assert data.sample_quality is not None
    samples, scores = data.samples.copy(), data.sample_quality.copy()
    small = data.models.index("small")
    samples[0, small, :2], scores[0, small, 1] = None, np.nan
    texts, _ = play(sampled(3), Tape(replace(data, samples=samples, sample_quality=scores), 0))
    assert texts[:2] == ["", "failed"]
    assert texts[2] == data.samples[0, small, 2]


def test_what_no_outcome_can_tell_is_refused() -> None:
    """Samples that nobody kept, and other prompts, raise DataError."""
    with pytest.raises(DataError, match="keeps none"):
        play(sampled(1), Tape(replace(toy(), samples=None, sample_quality=None), 0))
    prompt = Call(model="small", messages=(Message(role="user", content="Sure?"),), purpose="judge")
    with pytest.raises(DataError, match="another prompt"):
        Tape(toy(), 0).perform(prompt, (0, 0))


def test_whole_texts_go_before_answers() -> None:
    """A response's text is all that the model wrote, with the final answer beside it."""
    data = replace(toy(2), responses=np.full((2, 3), "It is 4.", dtype=object))
    response = Tape(data, 0).response("small")
    assert (response.text, response.answer) == ("It is 4.", data.answers[0, data.models.index("small")])  # type: ignore[index]
    assert isinstance(Tape(data, 0).perform(Call(model="nobody", purpose="sample"), (0, 0)), CallError)
    step = Step(path=(0, 0, 0), effect=Call(model="small"), outcome=response)
    assert Tape(data, 0).quality(step) == data.quality[0, data.models.index("small")]


def test_texts_and_samples_survive_a_folder(tmp_path: Path) -> None:
    """What is written to a folder is read back: responses, samples and their scores."""
    pytest.importorskip("pyarrow", reason="parquet needs the extra 'data'")
    responses = np.array([[f"{name} on {i}" for name in toy().models] for i in range(8)], dtype=object)
    responses[3, 1] = None
    data = replace(toy(8), responses=responses)
    again = RoutingDataset.read(data.write(tmp_path / "outcomes"))
    for name in ("responses", "samples", "sample_quality", "answers"):
        assert np.array_equal(getattr(again, name), getattr(data, name)), name


def test_arms_are_named_by_family_and_strategy(outcome_data: Path) -> None:
    """Samples of real arms belong to the arms of the outcomes, and their mean score is the arm's."""
    data = RoutingDataset.read(outcome_data / "mot_samples")
    assert data.sample_quality is not None
    scored = np.isfinite(data.sample_quality).any(axis=2) & np.isfinite(data.quality)
    assert scored.mean() > 0.6
    means = np.nanmean(data.sample_quality[scored], axis=1)
    assert np.abs(means - data.quality[scored]).max() < 1e-6


def test_shapes_are_checked() -> None:
    """Samples have a third dimension, their scores the same one, in [0, 1]."""
    data = toy(4)
    with pytest.raises(DataError, match="samples has shape"):
        replace(data, samples=data.answers)
    with pytest.raises(DataError, match="sample_quality"):
        replace(data, sample_quality=np.zeros((4, 3, 2)))
    with pytest.raises(DataError, match="sample_quality must be in"):
        replace(data, sample_quality=np.full((4, 3, 3), 2.0))
