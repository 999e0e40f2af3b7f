"""The collector: every cell once, nothing paid twice, everything on the books."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.dispatch import Retry
from pointsman.errors import ConfigError, DataError, UnknownCostError
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.probing import Attempt, Cell, Collection, Collector, Progress, Prompt, Scored, collect, read_log
from pointsman.types import CallError, Response

if TYPE_CHECKING:
    from conftest import Candidates

PROMPTS = (
    Prompt(id="a", text="2+2?", references=("4",), domain="maths"),
    Prompt(id="b", text="3+3?", references=("6",), group="g"),
)
QUICK = Retry(attempts=3, base_s=0.001)


@pytest.fixture
def gather(candidates: Candidates, pool: ModelPool, tmp_path: Path) -> Any:
    """Return a function that runs a collection over both prompts with some parameters changed."""
    candidates.answers = {"large": lambda text: "4" if "2" in text else "6", "small": lambda _: "4"}

    async def gathering(prompts: tuple[Prompt, ...] = PROMPTS, **changes: Any) -> Collection:
        models = changes.get("pool", pool)
        parameters: dict[str, Any] = {
            "pool": models,
            "scorer": "exact",
            "log": tmp_path / "log.jsonl",
            "callers": candidates.all_for(models),
            "retry": QUICK,
        }
        return await Collector(**(parameters | changes)).run(prompts)

    return gathering


async def test_every_candidate_answers_every_prompt(gather: Any, candidates: Candidates) -> None:
    """Scores, costs, tokens and answers land in a dataset; each cell was called once."""
    collection = await gather()
    assert sorted(candidates.calls) == [("large", "a"), ("large", "b"), ("small", "a"), ("small", "b")]
    assert collection.complete
    assert collection.failures == collection.given_up == {}
    assert collection.stopped is None
    data = collection.dataset()
    assert (data.models, data.queries.ids) == (("large", "small"), ("a", "b"))
    assert data.quality.tolist() == [[1, 1], [1, 0]]
    assert (data.cost_usd == 1).all()
    assert data.output_tokens is not None
    assert (data.output_tokens == 2).all()
    assert data.latency_s is not None
    assert (data.latency_s > 0).all()
    assert data.answers is not None
    assert data.answers.tolist() == [["4", "4"], ["6", "4"]]
    assert data.queries.domains == ("maths", None)
    assert data.pool is not None
    assert data.pool["large"].price == Price(input_per_mtok=0, output_per_mtok=0, per_call_usd=1)


async def test_its_outcomes_are_readable_by_the_readers(gather: Any, tmp_path: Path) -> None:
    """What is written is the dataset again."""
    data = (await gather()).dataset()
    again = RoutingDataset.read(data.write(tmp_path / "outcomes.csv"))
    np.testing.assert_array_equal(again.quality, data.quality)
    np.testing.assert_array_equal(again.latency_s, data.latency_s)


async def test_a_second_run_calls_only_what_is_missing(gather: Any, candidates: Candidates) -> None:
    """Finished cells are skipped, new prompts are asked, and all money counts."""
    await gather(PROMPTS[:1])
    candidates.calls.clear()
    collection = await gather()
    assert sorted(candidates.calls) == [("large", "b"), ("small", "b")]
    assert collection.progress.spent_usd == 4
    assert len(collection.dataset()) == 2
    candidates.calls.clear()
    assert (await gather()).complete
    assert candidates.calls == []


async def test_another_scorer_scores_the_answers_at_hand(gather: Any, candidates: Candidates) -> None:
    """Changing one's mind about the score costs no call, and the old scores come back for nothing too."""
    exact = (await gather()).dataset()
    candidates.calls.clear()
    other = (await gather(scorer={"type": "regex", "pattern": "6"})).dataset()
    assert other.quality.tolist() == [[0, 0], [1, 0]]
    assert (await gather()).dataset().quality.tolist() == exact.quality.tolist()
    assert candidates.calls == []


async def test_repeats_become_runs(gather: Any, candidates: Candidates) -> None:
    """Each cell is run so often, and the dataset knows mean, count and variance."""
    turns = iter(["4", "5", "5"])
    candidates.answers["small"] = lambda _: next(turns)
    data = (await gather(PROMPTS[:1], models=["small"], runs=3)).dataset()
    assert data.quality[0, 0] == pytest.approx(1 / 3)
    assert data.runs is not None
    assert data.run_variance is not None
    assert data.runs[0, 0] == 3
    assert data.run_variance[0, 0] == pytest.approx(1 / 3)


async def test_failures_that_may_pass_are_tried_again(gather: Any, candidates: Candidates, tmp_path: Path) -> None:
    """Every attempt is on record; the cell has the answer that came in the end, at its own cost."""
    candidates.failures["small"] = [
        CallError("small", "busy", retryable=True, status=429, retry_after=0.001),
        CallError("small", "cut off", retryable=True, cost_usd=0.25),
    ]
    collection = await gather(PROMPTS[:1], models=["small"])
    attempts = [entry for entry in read_log(tmp_path / "log.jsonl") if isinstance(entry, Attempt)]
    assert [(entry.error, entry.answer, entry.cost_usd) for entry in attempts] == [
        ("busy", None, 0),
        ("cut off", None, 0.25),
        (None, "4", 1),
    ]
    assert collection.progress.spent_usd == 1.25
    assert collection.dataset().cost_usd[0, 0] == 1


async def test_a_failed_cell_is_told_and_tried_in_the_next_run(gather: Any, candidates: Candidates) -> None:
    """One refusal costs no other cell its answer."""
    candidates.failures["small"] = [CallError("small", "refused", status=400)]
    collection = await gather(concurrency=1)
    assert collection.failures == {Cell("a", "small", 0): "small: refused"}
    assert not collection.complete
    assert np.isnan(collection.dataset().quality).sum() == 1
    assert (await gather()).complete


async def test_a_model_that_keeps_failing_is_left_alone(gather: Any, candidates: Candidates) -> None:
    """After so many failures in a row it is called no more; the others go on."""
    prompts = tuple(Prompt(id=str(i), text=f"{i}?", references=("x",)) for i in range(10))
    candidates.failures["small"] = [CallError("small", "no such model", status=404) for _ in range(99)]
    collection = await gather(prompts, concurrency=1, give_up_after=3)
    assert collection.given_up == {"small": "small: no such model"}
    assert sum(model == "small" for model, _ in candidates.calls) == 3
    assert len(collection.failures) == 10
    assert collection.failures[Cell("9", "small", 0)] == "given up: small: no such model"
    assert collection.dataset().models == ("large",)


async def test_failures_between_successes_are_not_in_a_row(gather: Any, candidates: Candidates) -> None:
    """An answer wipes the slate."""
    prompts = tuple(Prompt(id=str(i), text=f"{i}?", references=("x",)) for i in range(9))
    tries = iter(range(99))

    def answer(_: str) -> str:
        if next(tries) % 2:
            raise CallError("small", "refused")
        return "x"

    candidates.answers["small"] = answer
    collection = await gather(prompts, models=["small"], concurrency=1, give_up_after=2)
    assert collection.given_up == {}
    assert len(collection.failures) == 4


async def test_no_more_calls_at_once_than_allowed(gather: Any, candidates: Candidates) -> None:
    """The limit is reached and never passed."""
    candidates.pause_s = 0.002
    prompts = tuple(Prompt(id=str(i), text=f"{i}?", references=("x",)) for i in range(20))
    await gather(prompts, concurrency=5)
    assert candidates.most_at_once == 5


async def test_the_pace_comes_from_the_models_or_from_the_user(gather: Any, pool: ModelPool) -> None:
    """Two calls of a model that may be called 1200 times a minute take at least 50 ms."""
    limited = ModelPool([pool["large"], ModelSpec(name="small", metadata={"requests_per_minute": 1200})])
    for number, changes in enumerate(({"pool": limited}, {"per_minute": {"small": 1200}})):
        begun = asyncio.get_running_loop().time()
        prompts = tuple(Prompt(id=f"{number}{i}", text=f"{i}?", references=("x",)) for i in range(2))
        await gather(prompts, **changes)
        assert asyncio.get_running_loop().time() - begun >= 0.05
    odd = ModelPool([ModelSpec(name="small", metadata={"requests_per_minute": "many"})])
    with pytest.raises(ConfigError, match=r"models\.small\.metadata\.requests_per_minute must be a number, got 'many'"):
        await gather(pool=odd)


async def test_parameters_and_system_message_are_sent(gather: Any, candidates: Candidates) -> None:
    """The call's own parameters go before those of the model's metadata."""
    spec = ModelSpec(name="small", metadata={"params": {"max_tokens": 9, "seed": 1}})
    await gather(PROMPTS[:1], pool=ModelPool([spec]), params={"max_tokens": 5}, system="Be brief.")
    (call,) = candidates.sent
    assert call.params == {"max_tokens": 5, "seed": 1}
    assert call.messages is not None
    assert [(message.role, message.text) for message in call.messages] == [("system", "Be brief."), ("user", "2+2?")]


@pytest.mark.parametrize("changes", [{"system": "Be brief."}, {"params": {"seed": 1}}])
async def test_answers_to_another_request_are_not_mixed_in(gather: Any, changes: dict[str, Any]) -> None:
    """A log belongs to one way of asking; the error names the prompts."""
    await gather()
    with pytest.raises(DataError, match="answers to other requests than these") as caught:
        await gather(**changes)
    assert caught.value.problems == ("a", "b")
    with pytest.raises(DataError, match="another log"):
        await gather((Prompt(id="a", text="5+5?", references=("10",)),))


async def test_progress_is_told_after_every_cell(gather: Any) -> None:
    """From what is there at the start to the end, with the money."""
    told: list[Progress] = []
    await gather(PROMPTS[:1])
    await gather(on_progress=told.append, concurrency=1)
    assert [(p.finished, p.total, p.failed, p.spent_usd) for p in told] == [(2, 4, 0, 2), (3, 4, 0, 3), (4, 4, 0, 4)]
    assert [p.cell for p in told] == [None, Cell("b", "large", 0), Cell("b", "small", 0)]


async def test_cancelling_puts_the_calls_under_way_on_record(
    gather: Any, candidates: Candidates, tmp_path: Path
) -> None:
    """They may have been billed: their cost is unknown, and the next run makes them again."""
    candidates.pause_s = 60
    run = asyncio.create_task(gather(concurrency=2))
    while candidates.under_way.total() < 2:  # noqa: ASYNC110 - the candidates have no event to wait for
        await asyncio.sleep(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    cut = [entry for entry in read_log(tmp_path / "log.jsonl") if isinstance(entry, Attempt)]
    assert [(entry.cost_usd, entry.held_usd) for entry in cut] == [(None, 1), (None, 1)]
    assert all(entry.error is not None and "interrupted" in entry.error for entry in cut)
    candidates.pause_s = 0
    collection = await gather()
    assert collection.complete
    assert (collection.progress.spent_usd, collection.progress.unknown_calls) == (4, 2)


async def test_a_bug_in_a_caller_ends_the_run_and_keeps_what_was_paid(
    gather: Any, candidates: Candidates, tmp_path: Path
) -> None:
    """The error is the caller's own; the answers before it are on record."""

    def answer(text: str) -> str:
        if "3" in text:
            raise ZeroDivisionError
        return "4"

    candidates.answers["large"] = answer
    with pytest.raises(ZeroDivisionError):
        await gather(concurrency=1)
    assert sum(isinstance(entry, Scored) for entry in read_log(tmp_path / "log.jsonl")) == 2


async def test_a_caller_that_returns_no_response_is_named(gather: Any, pool: ModelPool) -> None:
    """A slip in a user's caller has a clear message."""

    async def wrong(*_: object) -> Any:
        return "4"

    with pytest.raises(TypeError, match="The caller of 'large' must return a Response, not '4'"):
        await gather(callers=dict.fromkeys(pool, wrong), concurrency=1)


JUDGE = {"type": "judge", "model": "judge", "rubric": "Right?"}


@pytest.fixture
def with_judge(pool: ModelPool) -> ModelPool:
    """Return the pool with a third model, which charges as much."""
    return ModelPool([*pool.values(), ModelSpec(name="judge", price=pool["small"].price)])


async def test_a_judges_calls_are_paid_and_recorded(
    gather: Any, candidates: Candidates, with_judge: ModelPool, tmp_path: Path
) -> None:
    """It is no candidate; its money counts, but not as the cost of the answer."""
    candidates.answers["judge"] = lambda _: '{"score": 0.5, "reason": "so so"}'
    collection = await gather(PROMPTS[:1], pool=with_judge, scorer=JUDGE)
    assert collection.progress.spent_usd == 4
    data = collection.dataset()
    assert data.models == ("large", "small")
    assert data.quality.tolist() == [[0.5, 0.5]]
    assert data.cost_usd.tolist() == [[1, 1]]
    entries = list(read_log(tmp_path / "log.jsonl"))
    assert sum(isinstance(entry, Attempt) and entry.purpose == "judge" for entry in entries) == 2
    assert {entry.note for entry in entries if isinstance(entry, Scored)} == {"so so"}


async def test_an_unreadable_judge_leaves_the_cell_open(
    gather: Any, candidates: Candidates, with_judge: ModelPool
) -> None:
    """The answer is kept and not paid again; only the judge is asked in the next run."""
    candidates.answers["judge"] = lambda _: "Hm."
    collection = await gather(PROMPTS[:1], pool=with_judge, scorer=JUDGE, models=["small"])
    assert collection.failures[Cell("a", "small", 0)].startswith("not scored: no grade from 0 to 1")
    assert np.isnan(collection.dataset().quality).all()
    candidates.answers["judge"] = lambda _: '{"score": 1}'
    candidates.calls.clear()
    collection = await gather(PROMPTS[:1], pool=with_judge, scorer=JUDGE, models=["small"])
    assert candidates.calls == [("judge", "a")]
    assert collection.dataset().quality.tolist() == [[1]]


async def test_without_its_judge_a_run_ends(gather: Any, candidates: Candidates, with_judge: ModelPool) -> None:
    """Answers that nobody can score are not bought on."""
    prompts = tuple(Prompt(id=str(i), text=f"{i}?") for i in range(20))
    candidates.failures["judge"] = [CallError("judge", "no such model", status=404) for _ in range(99)]
    collection = await gather(prompts, pool=with_judge, scorer=JUDGE, concurrency=1, give_up_after=2)
    assert collection.stopped == "The judge failed 2 times in a row: judge: no such model"
    assert len(candidates.calls) == 4


async def test_a_budget_stops_before_it_is_exceeded(gather: Any, candidates: Candidates) -> None:
    """The cells that fit are filled, prompt by prompt; a larger budget goes on from there."""
    collection = await gather(budget_usd=3)
    assert collection.progress.spent_usd == 3
    assert collection.progress.finished == 3
    assert collection.stopped is not None
    assert "No room for small for $1" in collection.stopped
    assert (await gather(budget_usd=3)).progress.spent_usd == 3
    assert len(candidates.calls) == 3
    assert (await gather(budget_usd=4)).complete


async def test_a_budget_counts_judges(gather: Any, candidates: Candidates, with_judge: ModelPool) -> None:
    """Three dollars are an answer, its judge, and an answer without one."""
    candidates.answers["judge"] = lambda _: '{"score": 1}'
    collection = await gather(pool=with_judge, scorer=JUDGE, budget_usd=3, concurrency=1)
    assert candidates.calls == [("large", "a"), ("judge", "a"), ("small", "a")]
    assert collection.progress.spent_usd == 3
    assert collection.progress.finished == 1


async def test_a_budget_counts_what_a_cut_off_call_may_have_cost(gather: Any, candidates: Candidates) -> None:
    """A time-out that may have been billed keeps its dollar, in this run and in the next."""
    candidates.failures["large"] = [CallError("large", "timed out", retryable=True, interrupted=True)]
    collection = await gather(budget_usd=2, concurrency=1)
    assert (collection.progress.spent_usd, collection.progress.unknown_calls) == (1, 1)
    assert (await gather(budget_usd=2)).progress.spent_usd == 1
    assert len(candidates.calls) == 2


async def test_money_that_comes_back_is_spent(gather: Any, candidates: Candidates) -> None:
    """Calls that wait for room go on when others turn out cheaper than their worst case."""
    price = Price(input_per_mtok=0, output_per_mtok=1e6)
    candidates.pause_s = 0.001
    collection = await gather(
        pool=ModelPool([ModelSpec(name="small", price=price)]),
        prompts=tuple(Prompt(id=str(i), text=f"{i}?", references=("4",)) for i in range(10)),
        params={"max_tokens": 10},
        budget_usd=29,
        concurrency=10,
    )
    assert collection.progress.spent_usd == 20
    assert collection.complete


async def test_under_a_budget_every_model_needs_a_price(gather: Any, candidates: Candidates, pool: ModelPool) -> None:
    """An unknown price is an error before the first call, unless it is allowed; then it counts as nothing."""
    unpriced = ModelPool([pool["small"], "large"])
    with pytest.raises(UnknownCostError, match=r"The cost of large is unknown, and the budget of \$9 needs it"):
        await gather(pool=unpriced, budget_usd=9)
    assert candidates.calls == []
    collection = await gather(pool=unpriced, budget_usd=9, allow_unknown_cost=True)
    assert collection.complete
    assert (collection.progress.spent_usd, collection.progress.unknown_calls) == (2, 2)
    assert np.isnan(collection.dataset().cost_usd[:, 0]).all()
    assert (await gather(pool=unpriced)).complete


async def test_a_price_table_knows_what_models_do_not_say(gather: Any) -> None:
    """Its prices serve the budget and the outcomes."""

    class Table:
        def cost_usd(self, model: str, provider: str | None, usage: object) -> float | None:
            return {"large": 0.5, "small": 0.25}[model]

    collection = await gather(pool=ModelPool(["large", "small"]), budget_usd=9, prices=Table())
    assert collection.dataset().cost_usd.tolist() == [[0.5, 0.25]] * 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runs": 0}, r"Collector\.runs must be at least 1, got 0"),
        ({"concurrency": 0}, r"Collector\.concurrency must be at least 1, got 0"),
        ({"models": ["tiny"]}, "unknown model 'tiny'; the pool has 'large', 'small'"),
        ({"scorer": JUDGE}, "unknown model 'judge'"),
        ({"per_minute": {"tiny": 1}}, "unknown model 'tiny'"),
        ({"models": []}, "has no candidates"),
        ({"scorer": "exakt"}, "Unknown scorer 'exakt'"),
        ({"pool": ModelPool([ModelSpec(name="m", metadata={"params": 3})])}, r"metadata\.params must be a table"),
        ({"callers": {}}, r"models\.large: metadata must say how to call it"),
    ],
)
async def test_what_cannot_work_is_refused_before_any_call(
    gather: Any, candidates: Candidates, changes: dict[str, Any], message: str
) -> None:
    """The error names the thing, the value and the choices."""
    with pytest.raises(ConfigError, match=message):
        await gather(**changes)
    assert candidates.calls == []


async def test_prompts_are_checked_before_any_call(gather: Any, candidates: Candidates) -> None:
    """Shared ids, no prompts at all, and references that the scorer needs."""
    with pytest.raises(DataError, match="distinct ids; got 2 with 1 ids"):
        await gather((PROMPTS[0], PROMPTS[0]))
    with pytest.raises(DataError, match="needs prompts"):
        await gather(())
    with pytest.raises(DataError, match="Exact compares with references, which 1 prompts lack: 'c'"):
        await gather((*PROMPTS, Prompt(id="c", text="Why?")))
    assert candidates.calls == []


def test_collecting_from_a_script(candidates: Candidates, pool: ModelPool, tmp_path: Path) -> None:
    """One call, from a file of prompts to a dataset, where no event loop runs."""
    (tmp_path / "prompts.jsonl").write_text(json.dumps({"text": "2+2?", "reference": "4"}), encoding="utf-8")
    candidates.answers["small"] = lambda _: "4"
    collection = collect(
        tmp_path / "prompts.jsonl",
        pool=pool,
        scorer="contains",
        log=tmp_path / "log.jsonl",
        callers=candidates.all_for(pool),
    )
    assert collection.dataset().quality.tolist() == [[0, 1]]


async def test_callers_that_keep_connections_are_entered_once(
    gather: Any, candidates: Candidates, pool: ModelPool
) -> None:
    """They are left again at the end, whatever happens."""
    told: list[str] = []

    class Connected:
        async def __aenter__(self) -> None:
            told.append("in")

        async def __aexit__(self, *_: object) -> None:
            told.append("out")

        async def __call__(self, *arguments: Any) -> Response:
            told.append("call")
            return await candidates(*arguments)

    await gather(callers=dict.fromkeys(pool, candidates) | {"small": Connected()})
    assert told == ["in", "call", "call", "out"]
