"""The parts of the optimizer: metrics of any arity, the journal, kept calls and what they cost, joined outcomes."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import numpy as np
import pytest

pytest.importorskip("dspy", reason="dspy is not installed")

import dspy
from pydantic import BaseModel, create_model

from dspy_router.embedding import embedded
from dspy_router.optimizing.choosing import Candidate, choose
from dspy_router.optimizing.collected import Collected, rectified
from dspy_router.optimizing.crossed import Crossed, parts_of
from dspy_router.optimizing.journal import Journal, digest
from dspy_router.optimizing.kept_lm import KeptLM, spending
from dspy_router.optimizing.outcomes import Priced, dataset_of, joined
from dspy_router.optimizing.running import Measured
from dspy_router.optimizing.scoring import Scorer
from dspy_router.optimizing.settings import Learnt, Setting
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.estimators.nearest import Nearest
from pointsman.features.lexical import Lexical
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.policies.budget import MeanBudget
from pointsman.policies.equal_quality import EqualQuality
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter
from pointsman.testing.replay_server import ReplayServer

LEARNER = EstimatedRouter(estimator=Nearest(features=Lexical(bits=10, components=8), k=5), policy=Utility())

# ruff: noqa: ARG005 - the arguments are what is tested
METRICS: dict[str, Any] = {
    "two": lambda example, prediction: example == prediction,
    "three": lambda example, prediction, trace: example == prediction and trace is None,
    "three, the last optional": lambda example, prediction, trace=0: example == prediction and trace == 0,
    "five": lambda gold, said, trace, name, steps: gold == said and (trace, name, steps) == (None, None, None),
    "five, optional": lambda gold, said, trace=None, name=None, steps=None: float(gold == said),
    "prediction": lambda gold, said, trace=None: dspy.Prediction(score=float(gold == said), feedback="Well."),
    "dictionary": lambda gold, said: {"score": gold == said, "feedback": "Well."},
    "any": lambda *given: given[0] == given[1],
}


@pytest.mark.parametrize("name", METRICS)
def test_every_arity_of_a_metric_is_called(name: str) -> None:
    """A metric gets an example and a prediction, and None for whatever more it asks for; it may return what DSPy knows."""
    scorer = Scorer(METRICS[name])
    assert (scorer(1, 1), scorer(1, 2)) == (1.0, 0.0)


def test_modules_are_metrics() -> None:
    """A dspy.Module that scores is called as it is."""

    class Judge(dspy.Module):
        def forward(self, example: Any, prediction: Any, trace: Any = None) -> Any:
            return dspy.Prediction(score=0.25 if trace is None else 0.0)

    assert Scorer(Judge())(None, None) == 0.25


def test_another_metric_is_another_key() -> None:
    """What was measured by one metric, or on one scale, is not taken for another's."""
    keys = {Scorer(metric).key for metric in METRICS.values()} | {Scorer(METRICS["two"], (0, 2)).key}
    assert len(keys) == len(METRICS) + 1
    assert Scorer(METRICS["two"]).key == Scorer(METRICS["two"]).key


def test_a_journal_survives_a_crash(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A torn last line is removed with a warning, the rest is read; any other line is an error that names the place."""
    path = tmp_path / "deep" / "journal.jsonl"
    Journal(path).keep("a", {"x": 1})
    with path.open("ab") as file:
        file.write(b'["b", {"x"')
    with caplog.at_level(logging.WARNING):
        journal = Journal(path)
    assert (journal.get("a"), journal.get("b"), len(journal)) == ({"x": 1}, None, 1)
    assert "torn" in caplog.text
    journal.keep("b", [2])
    assert Journal(path).get("b") == [2]
    path.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 1 is no entry of a journal"):
        Journal(path)


def test_one_thread_measures() -> None:
    """Of threads that ask for the same key at once, one measures and all get the result."""
    journal, barrier, measured, found = Journal(), Barrier(4), [], []

    def work() -> None:
        barrier.wait()
        found.append(journal.once("a", lambda: measured.append(1) or {"x": 1}))

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (measured, found) == ([1], [{"x": 1}] * 4)


def test_keys_are_the_content() -> None:
    """Equal data have equal keys in any order, and a class counts by its schema."""

    class Asked(BaseModel):
        one: int

    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})
    assert digest(Asked) != digest(create_model("Other", two=(int, 2)))
    assert digest(Asked(one=1)) == digest({"one": 1})


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_a_kept_call_is_made_once(client: Any, ask: Any, server: ReplayServer, tmp_path: Path, way: str) -> None:
    """The second call, in a process of its own as well, gets the same outputs and tokens; other options are another call."""
    path = tmp_path / "journal.jsonl"
    lm = KeptLM("small", client("small"), Journal(path))
    with spending() as used:
        first = await ask(lm, way, "hello")
        again = await ask(KeptLM("small", client("small", api_base="http://127.0.0.1:9"), Journal(path)), way, "hello")
    assert first == again == ["small heard hello"]
    assert len(server.ledger) == len(lm.made) == 1
    assert [one.usage["prompt_tokens"] for one in used] == [server.ledger[0].input_tokens] * 2
    await ask(lm, way, "hello", temperature=0.7)
    await ask(lm.copy(temperature=0.7), way, "hello")
    assert len(server.ledger) == 2
    assert "secret-key" not in path.read_text(encoding="utf-8")


def test_cached_answers_cost_what_they_take(client: Any, server: ReplayServer) -> None:
    """What DSPy's own cache answers counts with the tokens that it took, and DSPy's estimate stands in for a price."""
    lm = client("gpt-4o-mini", cache=True)
    for _ in range(2):  # the second journal knows nothing, DSPy's cache does
        kept = KeptLM("mini", lm, Journal())
        with spending() as used:
            kept("a question that is cached")
        [one] = used
        assert one.usage["prompt_tokens"] == server.ledger[0].input_tokens
        run = Measured(score=1.0, used=(("p", one.model, one.usage, one.estimate_usd),), texts={})
        cost = Priced(pool=ModelPool(["mini"])).cost(run)
        assert cost == pytest.approx((server.ledger[0].input_tokens * 0.15 + 7 * 0.6) / 1e6)
    assert len(server.ledger) == 1


def run(score: float | None, model: str, text: str = "") -> Measured:
    """Return a run in which a predictor called a model once."""
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    return Measured(score=score, used=(("p", model, usage, None),), texts={"p": text} if text else {})


def test_outcomes_are_the_predictors_own() -> None:
    """Texts are the incumbent's, runs without the predictor are left out, what is unknown is NaN; joined, rows add up."""
    pool = ModelPool(
        [ModelSpec(name=n, price=Price(input_per_mtok=p, output_per_mtok=0)) for n, p in (("a", 1.0), ("b", 5.0))]
    )
    runs = {
        "a": [run(0.5, "a"), run(None, "a"), run(1.0, "a")],
        "b": [run(1.0, "b", "x"), run(1.0, "b", "y"), run(0.0, "b")],
    }
    data = dataset_of("p", runs, "b", Priced(pool=pool), None)
    assert data is not None
    assert data.queries.texts == ("x", "y")
    np.testing.assert_array_equal(data.quality, [[0.5, 1.0], [np.nan, 1.0]])
    np.testing.assert_allclose(data.cost_usd, [[1e-4, 5e-4], [np.nan, 5e-4]])
    assert dataset_of("q", runs, "b", Priced(pool=pool), None) is None
    both = joined([data, data])
    assert (len(both), len(set(both.queries.ids)), both.models) == (4, 4, data.models)


def test_the_evidence_decides() -> None:
    """Of models that are nearly equal the cheaper one is taken only if there are examples enough to say so."""
    for n, chosen in ((40, "always b"), (4000, "always a")):
        score = np.ones(n)
        score[0] = 0
        cheap = Candidate(Setting.uniform("a", ("p",)), score, np.full(n, 0.1))
        dear = Candidate(Setting.uniform("b", ("p",)), np.ones(n), np.full(n, 1.0))
        found = choose([cheap, dear], EqualQuality())
        assert found.candidate.setting.name == chosen
        assert found.reference is dear


def collected(scores: dict[str, list[float]]) -> Collected:
    """Return runs of a program of predictors p and q over models a and b, of which b is the incumbent."""
    pool = ModelPool([ModelSpec(name=n, price=Price(input_per_mtok=1.0, output_per_mtok=0)) for n in "ab"])
    runs = {name: [run(score, name[0], "x") for score in found] for name, found in scores.items()}
    alone = {"p": {"a": runs["a as p"], "b": runs["b"]}, "q": {"a": runs["a as q"], "b": runs["b"]}}
    return Collected(incumbent="b", uniform={"b": runs["b"]}, alone=alone, priced=Priced(pool=pool))


def test_changes_add_up() -> None:
    """What a mixture is expected to score is the incumbent's score and what each predictor's model changes of it."""
    found = collected({"b": [1.0, 0.5, 0.5], "a as p": [0.5, 0.5, 1.0], "a as q": [1.0, 0.0, 0.5]})
    score, cost = found.expected({"p": "a", "q": np.array(["a", "a", "b"], dtype=object)})
    np.testing.assert_allclose(score, [0.5, 0.0, 1.0])
    np.testing.assert_allclose(cost, 1e-4)
    np.testing.assert_array_equal(found.expected({})[0], [1.0, 0.5, 0.5])


@pytest.mark.parametrize("foretold", [1.0, 0.5, 0.0])
def test_expectations_count_as_far_as_they_hold(foretold: float) -> None:
    """The mean is unbiased whatever was expected; the better it foretold what was measured the smaller is the error."""
    rng, n, base = np.random.default_rng(0), 2000, np.zeros(2000)
    errors, claimed = [], []
    for _ in range(600):
        real = rng.normal(size=n)
        expected = foretold * real + np.sqrt(1 - foretold**2) * rng.normal(size=n) + 0.3
        rows = rng.permutation(n)[:400]
        values = rectified(expected, base, real[rows], rows)
        errors.append(values.mean())
        claimed.append(values.std() / np.sqrt(n))
    assert abs(np.mean(errors)) < 4 * np.std(errors) / np.sqrt(600)
    best, alone = 1 / np.sqrt(2000), 1 / np.sqrt(400)
    variance = foretold**2 * best**2 + (1 - foretold**2) * alone**2
    np.testing.assert_allclose([np.std(errors), np.mean(claimed)], np.sqrt(variance), rtol=0.1)


def test_what_was_not_measured_is_not_known() -> None:
    """Where no run at a setting came to an end there are no figures; an unknown outcome is left out."""
    base = np.zeros(4)
    assert np.isnan(rectified(base, base, np.full(2, np.nan), np.array([0, 1]))).all()
    found = rectified(np.array([1.0, np.nan, 1.0, 1.0]), base, np.array([1.0, 1.0]), np.array([0, 1]))
    np.testing.assert_array_equal(found, [1.0, np.nan, 1.0, 1.0])


def test_parts_are_the_examples() -> None:
    """Equal examples are in one part, parts are of like sizes, and the order of the examples changes nothing."""
    found = [dspy.Example(question=f"{i % 100}").with_inputs("question") for i in range(200)]
    part = parts_of(found)
    np.testing.assert_array_equal(part[:100], part[100:])
    np.testing.assert_array_equal(np.bincount(part), [40] * 5)
    np.testing.assert_array_equal(parts_of(found[::-1]), part[::-1])


def outcomes(n: int) -> RoutingDataset:
    """Return outcomes of two models: the cheap one fails at what is to be proved."""
    hard = np.random.default_rng(0).random(n) < 0.4
    texts = [f"{'prove' if one else 'add'} {i}" for i, one in enumerate(hard)]
    scores, costs = {"a": (~hard).astype(float), "b": np.ones(n)}, {"a": [0.1] * n, "b": [1.0] * n}
    return RoutingDataset.from_arrays(texts, scores, costs)


def test_nobody_is_asked_what_it_has_seen() -> None:
    """Each row's choice is that of a router which learnt without it, at every weight of cost."""
    data = outcomes(100)
    part = np.arange(100) % 5
    crossed = Crossed.fit(LEARNER, data, part)
    found = crossed.unseen([0.0, 0.3, 5.0])
    for k in range(5):
        rows = np.flatnonzero(part == k)
        own = LEARNER.clone().fit(data.take(np.flatnonzero(part != k)))
        for names, decisions in zip(found, own.sweep(data.queries.take(rows), [0.0, 0.3, 5.0]), strict=True):
            assert names[rows].tolist() == decisions.names
    assert set(found[2].tolist()) == {"a"}
    assert crossed.unseen([]).shape == (0, 100)


def test_more_knowledge_spends_as_much() -> None:
    """The final router gets the weight at which it spends, on what it has seen, what those of the parts spend on theirs."""
    rng = np.random.default_rng(1)
    quality, costs = {"a": rng.random(200), "b": rng.random(200)}, {"a": [0.1] * 200, "b": rng.random(200)}
    data = RoutingDataset.from_arrays([f"word{i % 40} case" for i in range(200)], quality, costs)
    crossed = Crossed.fit(LEARNER, data, np.arange(200) % 40 % 5)

    def spent(router: Any, rows: Any, weight: float) -> float:
        [decisions] = router.sweep(data.queries.take(rows), [weight])
        return float(data.cost_usd[rows, decisions.model].mean())

    there = np.mean([spent(one, np.flatnonzero(crossed.part != k), 0.4) for k, one in enumerate(crossed.parts)])
    [first, found] = crossed.matched([0.0, 0.4])
    assert spent(crossed.router, np.arange(200), found) == pytest.approx(there, abs=0.02)
    assert first == 0.0
    assert crossed.matched([]) == []


def test_vectors_are_a_row_a_text() -> None:
    """An embedder that returns anything else is an error."""
    with pytest.raises(ConfigError, match=r"an array of shape \(3,\) of 2 texts"):
        embedded(lambda _: np.zeros(3), ["a", "b"])


def test_a_budget_is_spent() -> None:
    """Of one family of routers the dearest setting within the budget is taken, unless it is surely worse than the highest."""
    rng, n = np.random.default_rng(0), 400
    own, others = (RulesRouter(pool=ModelPool(["a", "b"]), default="a") for _ in range(2))

    def candidate(router: RulesRouter, point: float, score: float, cost: float) -> Candidate:
        right = (np.arange(n) < round(score * n)).astype(float)
        return Candidate(Setting(f"{point}", {"p": Learnt(router, point)}), rng.permutation(right), np.full(n, cost))

    single = Candidate(Setting.uniform("a", ("p",)), np.zeros(n), np.full(n, 0.1))
    highest, dearer = candidate(own, 3.0, 0.75, 0.4), candidate(own, 2.0, 0.74, 0.6)
    foreign, over = candidate(others, 1.0, 0.74, 0.7), candidate(own, 1.0, 0.9, 0.9)
    worse = candidate(own, 1.5, 0.5, 0.65)
    found = choose([single, highest, dearer, foreign, over, worse], MeanBudget(usd=0.8))
    assert found.candidate is dearer
