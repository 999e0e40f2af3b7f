"""Auditing outcomes before anything is trained."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.selection import Audit, audit
from pointsman.testing.toys import toy


def kinds(n: int, **skill: tuple[float, float]) -> RoutingDataset:
    """Queries of two kinds; each model is right with its probability for either; the dear model costs ten times as much."""
    rng = np.random.default_rng(0)
    easy = np.arange(n) % 2 == 0
    price = {"cheap": 0.001, "dear": 0.01, "alike": 0.01}
    return RoutingDataset.from_arrays(
        [f"{'add the numbers' if e else 'prove the theorem'} {i}" for i, e in enumerate(easy)],
        {name: (rng.random(n) < np.where(easy, *pair)).astype(float) for name, pair in skill.items()},
        {name: np.full(n, price[name]) for name in skill},
    )


def of(found: Audit) -> tuple[str, str]:
    """What to do, and which single model to use otherwise."""
    return found.advice.kind, found.advice.model


def test_complementary_models_need_a_router() -> None:
    """Where either model is good at what the other is bad at, a router that reads the text is shown to gain."""
    found = audit(kinds(600, cheap=(0.9, 0.2), dear=(0.4, 0.9)), draws=300)
    assert of(found) == ("router", "dear")
    assert found.advice.text.startswith(
        "You need a router: a simple one that reads the text is better than always dear: +"
    )
    (trial,) = found.trials
    assert trial.first.difference is not None
    assert found.ceiling is not None
    assert 0.15 < trial.first.difference.low < trial.first.difference.estimate < found.ceiling.headroom.high


def test_a_saving_needs_a_router() -> None:
    """Where the cheap model is as good on half of the queries, a router is shown to save at equal quality."""
    found = audit(kinds(1000, cheap=(1.0, 0.0), dear=(1.0, 1.0)), draws=300)
    assert of(found) == ("router", "dear")
    assert "saves 45 %" in found.advice.text
    assert "at equal quality" in found.advice.text
    assert found.swap is None


def test_a_trivial_saving_is_not_worth_a_router() -> None:
    """The same saving does not count where the user wants more for the trouble of a router."""
    data = kinds(1000, cheap=(1.0, 0.0), dear=(1.0, 1.0))
    assert audit(data, draws=300, worthwhile=0.5).advice.kind == "single"


def test_a_small_gain_is_not_worth_a_router() -> None:
    """A gain that is shown, but below the margin, is no reason for a router."""
    data = kinds(600, cheap=(0.9, 0.2), dear=(0.4, 0.9))
    level = replace(data, cost_usd=np.full_like(data.cost_usd, 0.01))
    assert audit(level, draws=300).advice.kind == "router"
    assert audit(level, draws=300, margin=0.5).advice.kind == "single"


def test_one_model_that_is_better_everywhere() -> None:
    """Where one model is better at everything and the other hardly ever right alone, nothing is gained by choosing."""
    found = audit(kinds(3000, cheap=(0.3, 0.3), dear=(0.97, 0.97)), draws=300)
    assert of(found) == ("single", "dear")
    assert "You don't need a router: always use dear" in found.advice.text


def test_a_cheaper_model_that_is_as_good() -> None:
    """Where a cheaper model answers alike, it takes the place of the best one, and no router is needed to save."""
    found = audit(kinds(800, cheap=(1.0, 0.6), dear=(1.0, 0.6)), draws=300)
    data = kinds(800, cheap=(1.0, 0.6), dear=(1.0, 0.6))
    alike = replace(data, quality=data.quality[:, [0, 0]])
    found = audit(alike, draws=300)
    assert of(found) == ("single", "cheap")
    twin = replace(data, quality=np.column_stack([data.quality[:, 0], data.quality[:, 0]]))
    twin.quality[0, 1] = 1.0
    twin.quality[1, 0] = 0.0
    found = audit(twin, draws=300)
    assert found.best_single == "dear"
    assert found.swap is not None
    assert of(found) == ("single", "cheap")
    assert "it saves 90 %" in found.advice.text


def test_the_best_is_the_cheapest_and_always_right() -> None:
    """With nothing left to gain in quality or money the advice says that even perfect choices would not help."""
    found = audit(kinds(400, cheap=(1.0, 1.0), dear=(0.5, 0.5)), draws=300)
    assert of(found) == ("single", "cheap")
    assert "even perfect choices would gain +0.0 points" in found.advice.text


def test_a_single_model_needs_no_choice() -> None:
    """With one model there is nothing to route."""
    found = audit(kinds(60, cheap=(0.5, 0.5)), draws=100)
    assert found.advice.text == "You don't need a router: always use cheap; there is no other model."
    assert found.needed is None


def test_few_queries_are_too_few() -> None:
    """Ten queries show nothing: the audit says how many more would, and which model to use until then."""
    found = audit(kinds(10, cheap=(0.9, 0.2), dear=(0.5, 0.9)), draws=300)
    assert found.advice.kind == "more data"
    assert found.trials == ()
    assert found.advice.more is not None
    assert found.advice.more >= 40
    assert "10 queries are too few to try any router on" in found.advice.text
    assert f"Until then, use {found.best_single}" in found.advice.text


def test_noise_is_not_sold_as_a_gain() -> None:
    """Models that differ by luck alone have a high oracle, and are still not said to need a router."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        data = RoutingDataset.from_arrays(
            [f"question {rng.integers(10**9)}" for _ in range(300)],
            {name: (rng.random(300) < 0.5).astype(float) for name in "abcdef"},
            {name: np.full(300, 0.01) for name in "abcdef"},
        )
        found = audit(data, draws=200)
        assert found.ceiling is not None
        assert found.ceiling.headroom.low > 0.3
        assert found.advice.kind != "router"


def test_what_no_router_can_save_is_not_promised() -> None:
    """Where models are alike but for their price, no router is said to be better or cheaper than the cheapest of them."""
    rng = np.random.default_rng(3)
    for _ in range(12):
        data = RoutingDataset.from_arrays(
            [f"question {rng.integers(10**9)}" for _ in range(300)],
            {name: (rng.random(300) < 0.6).astype(float) for name in "abcd"},
            {name: np.full(300, price) for name, price in zip("abcd", (0.001, 0.002, 0.004, 0.01), strict=True)},
        )
        found = audit(data, draws=200)
        if found.best_single == "a":
            assert found.advice.kind != "router", found.advice.text


def test_undecided_says_how_many_more() -> None:
    """Where the data cannot tell, the number of further queries follows from the spread of the differences."""
    found = audit(kinds(200, cheap=(0.68, 0.6), dear=(0.62, 0.72)), draws=300)
    assert found.advice.kind == "more data"
    (trial,) = found.trials
    assert trial.needed is not None
    assert found.advice.more == round(trial.needed.estimate) - 200
    assert "more labelled queries" in found.advice.text


def test_given_domains_are_tried_too() -> None:
    """Where domains are given, a table of them is tried beside the text, with both intervals widened."""
    data = kinds(600, cheap=(0.9, 0.2), dear=(0.4, 0.9))
    domains = tuple("sums" if i % 2 == 0 else "proofs" for i in range(600))
    labelled = replace(data, queries=replace(data.queries, domains=domains, texts=tuple(f"q{i}" for i in range(600))))
    found = audit(labelled, draws=300)
    assert [trial.name for trial in found.trials] == ["text", "domain"]
    domain = found.trials[1].first.difference
    assert domain is not None
    assert domain.level == pytest.approx(0.975)
    assert domain.low > 0.15
    assert found.advice.kind == "router"
    assert "by the given domains" in found.advice.text


def test_unknown_costs_leave_quality() -> None:
    """Without prices no saving is judged, and it is said; gains in quality still are."""
    data = kinds(600, cheap=(0.9, 0.2), dear=(0.4, 0.9))
    found = audit(replace(data, cost_usd=np.full_like(data.cost_usd, np.nan)), draws=300)
    assert found.advice.kind == "router"
    assert found.trials[0].frugal is None
    assert found.swap is None
    assert found.dominated == {}
    assert any("The cost of cheap, dear is unknown" in note for note in found.notes)


def test_missing_cells_are_noted() -> None:
    """A log of one policy's choices cannot compare models, and the audit says what it would take."""
    data = kinds(300, cheap=(0.9, 0.2), dear=(0.4, 0.9))
    data.quality[::2, 0] = np.nan
    data.quality[1::2, 1] = np.nan
    found = audit(data, draws=200)
    assert found.missing == pytest.approx(0.5)
    assert found.ceiling is None
    assert found.noise is None
    assert any("at random" in note for note in found.notes)
    assert any("Under 30 queries in common with" in note for note in found.notes)
    assert "Oracle" not in str(found)


def test_repeated_texts_count_once() -> None:
    """Copying every query four times does not make the audit surer."""
    data = kinds(150, cheap=(0.9, 0.5), dear=(0.6, 0.9))
    copies = data.take([i for i in range(150) for _ in range(4)])
    once, fourfold = audit(data, draws=500), audit(copies, draws=500)
    assert fourfold.groups == 150
    assert once.ceiling is not None
    assert fourfold.ceiling is not None
    width = once.ceiling.headroom.high - once.ceiling.headroom.low
    assert fourfold.ceiling.headroom.high - fourfold.ceiling.headroom.low == pytest.approx(width, rel=0.15)


def test_results_are_json_and_text() -> None:
    """The figures are plain JSON without NaN; the text holds advice, ceiling, trials and notes."""
    data = kinds(300, cheap=(0.9, 0.2), dear=(0.4, 0.9))
    data.quality[0, 0] = np.nan
    found = audit(data, draws=200)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["best_single"] == "dear"
    assert plain["advice"]["kind"] == found.advice.kind
    text = str(found)
    assert text.endswith(found.advice.text)
    assert "Oracle of the 299 queries that every model answered" in text
    assert "of queries have no right answer at all" in text
    assert "Assuming (nothing here measures it) that 5 % of outcomes differ" in text
    assert "A router that reads the text, out of fold: quality +" in text
    assert all(f"Note: {note}" in text for note in found.notes)


def test_text_tells_of_swaps_ties_and_repeated_runs() -> None:
    """The text names the models that may be best, a cheaper one that is as good, and what repeated runs showed."""
    data = kinds(800, cheap=(1.0, 0.6), dear=(1.0, 0.6))
    quality = np.column_stack([data.quality[:, 0], data.quality[:, 0]])
    quality[:2] = [[0.5, 1.0], [1.0, 1.0]]
    repeats = {"runs": np.full((800, 2), 2), "run_variance": np.zeros((800, 2))}
    text = str(audit(replace(data, quality=quality, **repeats), draws=200))
    assert "Best single model: one of dear, cheap (95 %)." in text
    assert "Always cheap instead of dear: quality −0.1 points" in text
    assert "of the scale even the best answers miss" in text
    assert "Repeated runs of 800 queries" in text
    assert "(0 % of outcomes differ between two runs)" in text


def test_text_of_spending_more_and_of_unknown_costs() -> None:
    """A trial that spends more says how many times as much; one without costs leaves them out."""
    data = kinds(400, cheap=(0.9, 0.1), dear=(0.1, 0.8))
    assert audit(data, draws=200).best_single == "cheap"
    assert "times its cost" in str(audit(data, draws=200))
    text = str(audit(replace(data, cost_usd=np.full_like(data.cost_usd, np.nan)), draws=200))
    assert "out of fold: quality +" in text
    assert "cost saved" not in text


def test_many_models_are_summarised() -> None:
    """Of many models the text shows those on the frontier and those that may be best, and counts the rest."""
    rng = np.random.default_rng(0)
    names = [f"m{i:02d}" for i in range(20)]
    data = RoutingDataset.from_arrays(
        [f"q{i}" for i in range(200)],
        {name: (rng.random(200) < 0.3 + i * 0.03).astype(float) for i, name in enumerate(names)},
        {name: np.full(200, 0.02 - i * 0.0005) for i, name in enumerate(names)},
    )
    found = audit(data, draws=200)
    assert found.cheapest == "m19"
    assert "dominated ones not shown" in str(found)
    assert "m00" not in str(found)
    assert found.dominated["m00"] == found.best_single


def test_bad_arguments_are_named() -> None:
    """Errors say what was wrong."""
    for name, value in (("level", 0.0), ("margin", 1.0), ("worthwhile", -1.0), ("draws", 5)):
        with pytest.raises(ConfigError, match=f"audit: {name} must be .*got {value}"):
            audit(toy(), **{name: value})  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no outcome"):
        audit(RoutingDataset.from_arrays(["a"], {"x": [np.nan]}))


def test_selection_stands_below_the_command_line_and_testing() -> None:
    """Importing it imports nothing that stands above it, and no framework."""
    code = "import sys, pointsman.selection; print(*sorted(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    loaded = ran.stdout.split()
    above = ("pointsman.cli", "pointsman.testing", "pointsman.demo", "rich", "sklearn", "langchain_core", "openai")
    assert not [name for name in loaded if name.startswith(above)]


@pytest.mark.parametrize(
    ("name", "best", "quality", "top"),
    [
        ("mmlu_pro", "gemini-1.5-pro-002", 0.7025, 0.9445),
        ("llmrouter_nim", "llama-3.1-nemotron-51b-instruct", 0.6197, 0.7984),
    ],
)
def test_known_figures_of_real_data(outcome_data: Path, name: str, best: str, quality: float, top: float) -> None:
    """On real outcomes the best single model and the oracle are the known ones, and a router is advised, in good time."""
    data = RoutingDataset.read(outcome_data / name)
    started = time.process_time()
    found = audit(data, draws=200)
    assert time.process_time() - started < 40
    assert found.best_single == best
    assert found.near_tied == (best,)
    assert found.standings[0].quality is not None
    assert found.standings[0].quality.estimate == pytest.approx(quality, abs=6e-5)
    assert found.ceiling is not None
    assert found.ceiling.oracle.estimate == pytest.approx(top, abs=6e-5)
    assert found.noise is not None
    assert found.noise.basis == "assumption"
    assert 0 < found.noise.headroom < found.ceiling.headroom.estimate
    assert found.advice.kind == "router"
