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
from dspy_router.optimizing.journal import Journal, digest
from dspy_router.optimizing.kept_lm import KeptLM, spending
from dspy_router.optimizing.outcomes import Priced, dataset_of, joined
from dspy_router.optimizing.running import Measured
from dspy_router.optimizing.scoring import Scorer
from dspy_router.optimizing.settings import Learnt, Setting
from pointsman.errors import ConfigError, DataError
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.policies.budget import MeanBudget
from pointsman.policies.equal_quality import EqualQuality
from pointsman.routers.rules import RulesRouter
from pointsman.testing.replay_server import ReplayServer

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
    """Of equals the cheaper one is taken only if there are examples enough to say that they are equal."""
    for n, chosen in ((20, "always b"), (400, "always a")):
        cheap = Candidate(Setting.uniform("a", ("p",)), np.ones(n), np.full(n, 0.1))
        dear = Candidate(Setting.uniform("b", ("p",)), np.ones(n), np.full(n, 1.0))
        found = choose([cheap, dear], EqualQuality(), {"a": 0.99, "b": 1.0})
        assert found.candidate.setting.name == chosen
        assert found.reference is dear


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
    found = choose([single, highest, dearer, foreign, over, worse], MeanBudget(usd=0.8), {"a": 0.0})
    assert found.candidate is dearer
