"""RouteOptimizer: routes are learnt from the program's metric, kept where they help, and nothing is paid twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("dspy", reason="dspy is not installed")

import dspy
from adapters.dspy.toy_program import POOL, PRICES, Pair, answer, examples, right

from dspy_router import RoutedPredict, RouteOptimizer, route_of, routed
from pointsman.errors import ConfigError, UnknownCostError
from pointsman.estimators.nearest import Nearest
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.models import ModelPool
from pointsman.policies.budget import MeanBudget
from pointsman.policies.equal_quality import EqualQuality
from pointsman.policies.threshold import Threshold
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.testing.replay_server import Fault, Recorded, ReplayServer

LEARNER = EstimatedRouter(estimator=Nearest(features=Lexical(bits=10, components=8), k=5), policy=Utility())
TOLERANT = EqualQuality(tolerance=0.08)


@pytest.fixture
def pair_server() -> Iterator[ReplayServer]:
    """Serve the toy's models."""
    with ReplayServer({}, default=answer, prices=PRICES) as running:
        yield running


@pytest.fixture
def optimizer(client: Any, pair_server: ReplayServer) -> Callable[..., Any]:
    """Return a maker of optimizers over the toy's models."""

    def make(metric: Any = right, **settings: Any) -> Any:
        lms = {name: client(name, api_base=pair_server.url) for name in PRICES}
        given = {"pool": POOL, "router": LEARNER, "objective": TOLERANT, "num_threads": 4, "settings": 8, **settings}
        return RouteOptimizer(lms, metric, **given)

    return make


def asked(server: ReplayServer) -> Counter[tuple[str, str]]:
    """Return how often each model was asked each thing."""
    return Counter((entry.model, json.dumps(entry.request["messages"])) for entry in server.ledger)


def test_each_predictor_gets_a_route(optimizer: Any, pair_server: ReplayServer) -> None:
    """Easy questions go to the small model and hard ones to the large one, on the fields that were chosen, at its score."""
    program = optimizer(on={"second.predict": "question"}).compile(Pair(), trainset=examples(60))
    report = program.route_report
    assert report.routes
    assert report.reference == "always large"
    chosen = next(row for row in report.rows if row.name == report.chosen)
    assert chosen.score == 1.0
    assert chosen.relative_cost.estimate < 0.7
    before = len(pair_server.ledger)
    prediction = program(one="prove the theorem about case 900", two="add the numbers case 901")
    assert (prediction.first, prediction.second) == ("right", "right")
    assert [entry.model for entry in pair_server.ledger[before:]] == ["small", "large"]
    assert [entry["router"]["model"] for entry in program.history] == ["small", "large"]
    assert "the cheapest setting that is as good as the best single model" in str(report)
    assert all(type(one) is RoutedPredict for one in program.predictors())
    assert dspy.settings.lm is None


def test_every_call_is_made_once(optimizer: Any, pair_server: ReplayServer) -> None:
    """What two programs of a compilation ask alike is asked once, and its dollars are the server's."""
    program = optimizer().compile(Pair(), trainset=examples(30), valset=examples(60)[30:])
    assert max(asked(pair_server).values()) == 1
    assert program.route_report.calls == len(pair_server.ledger) == 60 * 2 * 2
    assert program.route_report.spent_usd == pytest.approx(pair_server.cost_usd())


@pytest.mark.parametrize("threads", [1, 4])
def test_what_was_stopped_goes_on(optimizer: Any, pair_server: ReplayServer, tmp_path: Path, threads: int) -> None:
    """A compilation that is interrupted goes on where it was: no call is made, and nothing measured, again."""
    measured: list[Any] = []

    def interrupting(example: Any, prediction: Any, trace: Any = None) -> float:
        measured.append(example)
        if len(measured) == 47:
            raise KeyboardInterrupt
        return right(example, prediction, trace)

    make = {"cache_dir": tmp_path, "num_threads": threads, "metric": interrupting}
    with pytest.raises(KeyboardInterrupt):
        optimizer(**make).compile(Pair(), trainset=examples(40))
    program = optimizer(**make).compile(Pair(), trainset=examples(40))
    assert max(asked(pair_server).values()) == 1
    before, paid = len(measured), len(pair_server.ledger)
    again = optimizer(**make).compile(Pair(), trainset=examples(40))
    assert (len(measured), len(pair_server.ledger)) == (before, paid)
    assert again.route_report.rows == program.route_report.rows
    assert (again.route_report.calls, again.route_report.spent_usd) == (0, 0.0)
    assert "secret-key" not in (tmp_path / "journal.jsonl").read_text(encoding="utf-8")


def test_no_route_without_evidence(optimizer: Any, pair_server: ReplayServer) -> None:
    """Where a few examples cannot show that something else is as good, the best single model stays, and the report says so."""
    program = optimizer(objective=EqualQuality()).compile(Pair(), trainset=examples(24))
    report = program.route_report
    assert report.chosen == report.reference == "always large"
    assert not report.routes
    assert str(report).startswith("Always large: the evidence bears out nothing better, so that model stays.")
    before = len(pair_server.ledger)
    program(one="add one", two="add two")
    assert {entry.model for entry in pair_server.ledger[before:]} == {"large"}


def test_what_is_wanted_is_what_is_chosen(optimizer: Any, tmp_path: Path) -> None:
    """A budget is kept and spent well, a weight of cost moves along the front, and quality alone takes what scores most."""
    found = {}
    for name, objective in {
        "poor": MeanBudget(usd=0.0002),
        "rich": MeanBudget(usd=0.5),
        "thrifty": Utility(cost_weight=5000.0),
        "careless": Utility(),
    }.items():
        program = optimizer(objective=objective, cache_dir=tmp_path).compile(Pair(), trainset=examples(60))
        report = program.route_report
        found[name] = next(row for row in report.rows if row.name == report.chosen)
    assert found["poor"].cost_usd <= 0.0002
    assert found["rich"].score == found["careless"].score == 1.0
    assert found["thrifty"].cost_usd < found["rich"].cost_usd
    report = (
        optimizer(objective=MeanBudget(usd=0.0011), cache_dir=tmp_path)
        .compile(Pair(), trainset=examples(60))
        .route_report
    )
    spent = max(row.cost_usd for row in report.rows if row.cost_usd <= 0.0011)
    chosen = next(row for row in report.rows if row.name == report.chosen)
    assert chosen.cost_usd == spent
    with pytest.raises(ConfigError, match=r"A mean budget of \$1e-06 cannot be met; the cheapest setting costs \$"):
        optimizer(objective=MeanBudget(usd=1e-6), cache_dir=tmp_path).compile(Pair(), trainset=examples(60))


def test_cascades_are_tried_where_there_is_a_check(optimizer: Any, pair_server: ReplayServer, tmp_path: Path) -> None:
    """A check of a predictor's own makes cascades of it; the program keeps the check, a file only the models."""

    def sure(inputs: Any, prediction: Any) -> bool:
        assert set(inputs) == {"question"}
        return bool(prediction.answer == "right")

    made = optimizer(
        checks={"first": sure}, router=LEARNER.clone(estimator=Nearest(features=Lexical(bits=8, components=4), k=40))
    )
    program = made.compile(Pair(), trainset=examples(60))
    front = {one["name"]: one["program"] for one in program.candidate_programs}
    rows = {row.name: row for row in program.route_report.rows}
    assert rows["small, checked, then large"].score == 1.0
    assert rows["small, checked, then large"].cost_usd < rows["always large"].cost_usd
    cascade = front["small, checked, then large"].first
    before = len(pair_server.ledger)
    hard, easy = cascade(question="prove something else"), cascade(question="add something else")
    assert [entry.model for entry in pair_server.ledger[before:]] == ["small", "large", "small"]
    assert route_of(hard)["reason"] == "nobody else is left to ask; after small: its draft was rejected"
    assert route_of(hard)["cost_usd"] == pytest.approx(sum(e.cost_usd for e in pair_server.ledger[before:][:2]))
    assert (hard.answer, route_of(easy)["answered_by"]) == ("right", "small")
    cascade.save(tmp_path / "state.json")
    fresh = routed(dspy.Predict("question -> answer"), lms=made.candidates)
    fresh.load(tmp_path / "state.json")
    with pytest.raises(ConfigError, match="drafts for a check, but the routed module has none"):
        fresh(question="add one")
    fresh.check = sure
    assert fresh(question="add one").answer == "right"
    with pytest.raises(
        ConfigError, match=r"checks names the predictor 'last'; the program has 'first', 'second.predict'"
    ):
        optimizer(checks={"last": sure}).compile(Pair(), trainset=examples(60))


def test_the_front_can_be_picked_from(optimizer: Any, pair_server: ReplayServer) -> None:
    """The programs on the Pareto front come with their scores and costs, the best first, and each runs as measured."""
    program = optimizer().compile(Pair(), trainset=examples(60))
    front = program.candidate_programs
    assert [one["name"] for one in reversed(front)] == [row.name for row in program.route_report.front]
    assert len(front) >= 2
    scores, costs = ([one[key] for one in front] for key in ("score", "cost_usd"))
    assert scores == sorted(scores, reverse=True)
    assert costs == sorted(costs, reverse=True)
    before = len(pair_server.ledger)
    front[-1]["program"](one="prove this", two="prove that")
    assert {entry.model for entry in pair_server.ledger[before:]} == {"small"}


def test_a_compiled_program_is_saved(optimizer: Any, tmp_path: Path) -> None:
    """Its state loads into a program made anew, and decides alike; so does the whole program, with its report."""
    made = optimizer(on="question")
    program = made.compile(Pair(), trainset=examples(60))
    program.save(tmp_path / "state.json")
    fresh = routed(Pair(), lms=made.candidates)
    fresh.load(tmp_path / "state.json")
    program.save(tmp_path / "program", save_program=True)
    whole = dspy.load(str(tmp_path / "program"), allow_pickle=True)
    assert str(whole.route_report) == str(program.route_report)
    for one in (fresh, whole):
        for mine, theirs in zip(one.predictors(), program.predictors(), strict=True):
            assert mine.lm.router.digest() == theirs.lm.router.digest()
            assert (mine.lm.operating_point, mine.route_on) == (theirs.lm.operating_point, ("question",))
    for file in (tmp_path / "state.json", *(tmp_path / "program").iterdir()):
        assert b"secret-key" not in file.read_bytes()


async def test_a_compiled_program_is_like_any(optimizer: Any) -> None:
    """dspy.Evaluate, dspy.Parallel and streamify take it, and its predictions' routes are there."""
    program = optimizer().compile(Pair(), trainset=examples(60))
    evaluate = dspy.Evaluate(devset=examples(12), metric=right, num_threads=4)
    assert (await asyncio.to_thread(evaluate, program)).score == 100.0
    pairs = [(program, one) for one in examples(8)]
    found = await asyncio.to_thread(dspy.Parallel(num_threads=4, disable_progress_bar=True), pairs)
    assert {one.first for one in found} == {"right"}
    streaming = dspy.streamify(
        program, stream_listeners=[dspy.streaming.StreamListener("answer", predict=program.first)]
    )
    items = [item async for item in streaming(one="prove this", two="add that")]
    assert next(item for item in items if isinstance(item, dspy.Prediction)).first == "right"
    assert route_of(program.first(question="add that"))["model"] == "small"


class Chain(dspy.Module):
    """Drafts, then answers."""

    def __init__(self) -> None:
        super().__init__()
        self.draft = dspy.Predict("question -> draft")
        self.final = dspy.Predict("question, draft -> answer")

    def forward(self, question: str) -> Any:
        """Answer."""
        return self.final(question=question, draft=self.draft(question=question).draft)


def feedback(_gold: Any, prediction: Any, _trace: Any, _name: Any, _steps: Any) -> Any:
    """Return a score with feedback, as GEPA wants it; only what the final predictor says counts."""
    good = prediction.answer.startswith("large")
    return dspy.Prediction(score=100.0 * good, feedback="Well done." if good else "Think harder.")


def test_only_what_counts_is_paid_for(client: Any, server: ReplayServer) -> None:
    """In a chain whose last step decides, the draft goes to the cheap model; GEPA's metrics and scales of their own will do."""
    lms = {name: client(name) for name in PRICES}
    data = [dspy.Example(question=f"question {i} of many").with_inputs("question") for i in range(40)]
    made = RouteOptimizer(lms, feedback, pool=POOL, router=LEARNER, scale=(0, 100), num_threads=4, objective=TOLERANT)
    program = made.compile(Chain(), trainset=data)
    before = len(server.ledger)
    program(question="another question of many")
    assert [entry.model for entry in server.ledger[before:]] == ["small", "large"]
    assert program.route_report.routes


class Both(dspy.Module):
    """Asks two predictors the same."""

    def __init__(self) -> None:
        super().__init__()
        self.first = dspy.Predict("question -> answer")
        self.second = dspy.Predict("question -> reply")

    def forward(self, question: str) -> Any:
        """Ask both."""
        return dspy.Prediction(answer=self.first(question=question).answer, reply=self.second(question=question).reply)


def one_is_large(_example: Any, prediction: Any) -> bool:
    """Tell whether the large model answered at least once."""
    return bool(prediction.answer.startswith("large") or prediction.reply.startswith("large"))


@pytest.mark.parametrize("objective", [TOLERANT, MeanBudget(usd=0.5), Utility(cost_weight=200.0)])
def test_the_program_itself_decides(client: Any, server: ReplayServer, objective: Any) -> None:
    """Where the small model does no harm in either place, but does in both, what the changes add up to misleads nobody."""
    lms = {name: client(name) for name in PRICES}
    data = [dspy.Example(question=f"question {i} of many").with_inputs("question") for i in range(60)]
    made = RouteOptimizer(lms, one_is_large, pool=POOL, router=LEARNER, num_threads=4, objective=objective)
    program = made.compile(Both(), trainset=data)
    rows = {row.name: row for row in program.route_report.rows}
    assert rows["always small"].score == pytest.approx(0)
    assert next(row for name, row in rows.items() if name == program.route_report.chosen).score == pytest.approx(1)
    before = len(server.ledger)
    program(question="another question of many")
    assert "large" in {entry.model for entry in server.ledger[before:]}


def test_prompts_come_first(optimizer: Any) -> None:
    """A bootstrapped program keeps its demonstrations; one that has its routes is not bootstrapped any more."""
    data = examples(60)
    with dspy.context(lm=optimizer().candidates["large"]):
        bootstrap = dspy.BootstrapFewShot(metric=right, max_bootstrapped_demos=2, max_labeled_demos=0)
        tuned = bootstrap.compile(Pair(), trainset=data)
    program = optimizer().compile(tuned, trainset=data)
    assert program.route_report.routes
    assert [len(one.demos) for one in program.predictors()] == [2, 2]
    assert [one.demos for one in tuned.predictors()] == [one.demos for one in program.predictors()]
    with pytest.raises(AssertionError, match="Student must be uncompiled"):
        bootstrap.compile(program, trainset=data)


def test_routes_are_learnt_after_gepa(optimizer: Any) -> None:
    """A program whose instructions GEPA rewrote, with a metric of five arguments, is routed as it is."""

    def told(gold: Any, prediction: Any, _trace: Any = None, _name: Any = None, _steps: Any = None) -> Any:
        return dspy.Prediction(score=right(gold, prediction), feedback="Be right.")

    made = optimizer(told)
    with dspy.context(lm=made.candidates["small"]):
        gepa = dspy.GEPA(metric=told, max_metric_calls=30, reflection_lm=made.candidates["large"], num_threads=2)
        tuned = gepa.compile(Pair(), trainset=examples(6), valset=examples(12)[6:])
    program = made.compile(tuned, trainset=examples(60))
    assert program.route_report.routes
    instructions = [one.signature.instructions for one in tuned.predictors()]
    assert [one.signature.instructions for one in program.predictors()] == instructions


def test_routes_are_learnt_after_mipro(optimizer: Any) -> None:
    """A program that MIPROv2 made is routed as it is."""
    pytest.importorskip("optuna", reason="MIPROv2 needs optuna")
    made = optimizer()
    with dspy.context(lm=made.candidates["large"]):
        mipro = dspy.MIPROv2(
            metric=right, prompt_model=made.candidates["large"], task_model=made.candidates["large"],
            auto=None, num_candidates=2, num_threads=2, max_bootstrapped_demos=1, max_labeled_demos=1,
        )  # fmt: skip
        tuned = mipro.compile(Pair(), trainset=examples(8), valset=examples(16)[8:], num_trials=2, minibatch=False)
    program = made.compile(tuned, trainset=examples(60))
    assert program.route_report.routes
    assert [one.demos for one in program.predictors()] == [one.demos for one in tuned.predictors()]


def test_vectors_are_learnt_from(optimizer: Any) -> None:
    """A router that asks for vectors learns from the embedder that it names, and asks it again for each question."""
    embedder = dspy.Embedder(lambda texts: np.array([[float("prove" in text), 1.0] for text in texts]))
    learner = EstimatedRouter(estimator=Nearest(features=Embedding(), k=5), policy=Utility(), embedder="mine")
    made = optimizer(router=learner, embedders={"mine": embedder}, on="question")
    program = made.compile(Pair(), trainset=examples(60))
    assert program.route_report.routes
    routes = [route_of(program.first(question=text))["model"] for text in ("please prove it", "please add it")]
    assert routes == ["large", "small"]


def test_unreadable_replies_score_nothing(client: Any) -> None:
    """A model whose replies cannot be read scores 0 and is not chosen; it is paid for all the same."""

    def garbled(model: str, request: dict[str, Any]) -> Recorded:
        return answer(model, request) if model == "large" else Recorded(text="no", input_tokens=5, output_tokens=1)

    with ReplayServer({}, default=garbled, prices=PRICES) as server:
        made = RouteOptimizer(
            {name: client(name, api_base=server.url) for name in PRICES},
            right,
            pool=POOL,
            router=LEARNER,
            num_threads=2,
        )
        report = made.compile(Pair(), trainset=examples(20)).route_report
    rows = {row.name: row for row in report.rows}
    assert report.chosen == "always large"
    assert rows["always small"].cost_usd > 0


def test_an_outage_is_not_learnt_from(optimizer: Any, pair_server: ReplayServer, tmp_path: Path) -> None:
    """What a provider refused is unknown, and asked again the next time; too much of it ends the compilation."""
    pair_server.fail(Fault(model="small", status=503))
    optimizer(cache_dir=tmp_path, max_errors=5).compile(Pair(), trainset=examples(40))
    refused = sum(entry.status == 503 for entry in pair_server.ledger)
    assert refused == 1
    again = optimizer(cache_dir=tmp_path).compile(Pair(), trainset=examples(40))
    assert again.route_report.calls <= 2
    pair_server.fail(*[Fault(status=503)] * 30)
    with pytest.raises(dspy.utils.exceptions.LMServerError):
        optimizer(max_errors=3).compile(Pair(), trainset=examples(40))


def test_the_providers_error_is_told_however_early_dspy_gives_up(
    optimizer: Any, pair_server: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DSPy may stop before it has noted the error that made it stop; what is raised is that error all the same."""
    monkeypatch.setattr(dspy.utils.parallelizer.ParallelExecutor, "_process_outcome", lambda *_: None)
    pair_server.fail(*[Fault(status=503)] * 30)
    with pytest.raises(dspy.utils.exceptions.LMServerError):
        optimizer(max_errors=3).compile(Pair(), trainset=examples(40))


def test_what_is_frozen_stays(optimizer: Any) -> None:
    """A part that was compiled before keeps its language model; without any other part there is nothing to route."""
    program = Pair()
    program.second.set_lm(optimizer().candidates["large"])
    program.second._compiled = True
    compiled = optimizer().compile(program, trainset=examples(40))
    assert [name for name, _ in compiled.named_predictors()] == ["first"]
    assert type(compiled.second.predict) is dspy.Predict
    with pytest.raises(ConfigError, match="no predictor that is free to be routed"):
        optimizer().compile(dspy.Module(), trainset=examples(40))


def test_costs_are_needed_where_they_count(optimizer: Any) -> None:
    """Without prices, an objective that weighs costs is an error that names the models; quality alone is not."""
    unpriced = {"pool": ModelPool(PRICES)}
    with pytest.raises(UnknownCostError, match="The cost of large, small is unknown"):
        optimizer(**unpriced).compile(Pair(), trainset=examples(20))
    report = optimizer(**unpriced, objective=Utility()).compile(Pair(), trainset=examples(20)).route_report
    assert report.chosen == "always large"
    assert report.spent_usd is None


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "objective": ({"objective": "cheap"}, "objective must be an EqualQuality, a MeanBudget or a Utility, got 'cheap'"),
    "router": ({"router": LEARNER.clone(policy=Threshold())}, "router's policy must be a Utility"),
    "embedder": ({"router": LEARNER.clone(embedder="x")}, "asks for the embedder 'x'; embedders has none"),
    "share": ({"held_out": 1.0}, "held_out must be a share between 0 and 1, got 1.0"),
    "settings": ({"settings": 1}, "settings must be at least 2, got 1"),
    "metric": ({"metric": lambda _: 1.0}, "A metric takes an example and a prediction"),
    "scale": ({"scale": (1, 1)}, "scale must be the lowest and the highest score"),
    "pool": ({"pool": ModelPool(["large"])}, "Unknown model 'small'; the pool has 'large'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_part_of_an_optimizer_is_named(optimizer: Any, case: str) -> None:
    """A part that does not fit is an error that names it, its value and the choices."""
    settings, message = WRONG[case]
    with pytest.raises(ConfigError, match=message):
        optimizer(**settings)


def test_too_few_examples_are_named(optimizer: Any) -> None:
    """So are examples too few to learn from or to choose by, and a score off its scale."""
    with pytest.raises(ConfigError, match="1 examples to learn from and 0 to choose by are too few"):
        optimizer().compile(Pair(), trainset=examples(1))
    with pytest.raises(ConfigError, match="returned 7, which is off its scale of 0 to 1"):
        optimizer(lambda _example, _prediction: 7).compile(Pair(), trainset=examples(20))
    with pytest.raises(ConfigError, match="two candidates or more; got 'small'"):
        RouteOptimizer({"small": dspy.LM("openai/small")}, right)
