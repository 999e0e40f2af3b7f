"""Running a program over examples: what each run scored, used, and was asked, measured in parallel and kept in the journal."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Condition
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError
from dspy.utils.parallelizer import ParallelExecutor

from dspy_router.failures import call_error
from dspy_router.optimizing.journal import Journal, digest
from dspy_router.optimizing.kept_lm import Used, spending
from dspy_router.optimizing.scoring import Scorer
from pointsman.errors import PointsmanError

__all__ = ["Measured", "Running", "UnderWay", "identity_of"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of a program on one example.

    Parameters:
        score: In [0, 1]; None where a provider failed, so that nobody knows.
        used: Every call of a candidate, with the predictor's name, the model's, its tokens and DSPy's estimate of its cost.
        texts: What each predictor that was called would be routed on.
    """

    score: float | None
    used: tuple[tuple[str, str, Mapping[str, Any], float | None], ...] = ()
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Runs programs of one student over examples, each example once.

    An example whose calls a provider refused stays unknown, and is tried again the next time. A reply that cannot be read, and
    an error that the program itself raises, score 0.

    Parameters:
        identity: What tells the student from others on disk.
        scorer: The metric.
        journal: What was measured before.
        threads: How many runs at once; None is DSPy's own setting.
        max_errors: How many runs may fail before all is given up; None is DSPy's own setting.
        progress: Whether DSPy shows a progress bar.
    """

    identity: str
    scorer: Scorer
    journal: Journal
    threads: int | None = None
    max_errors: int | None = None
    progress: bool = False

    def measure(self, program: dspy.Module, key: str, examples: Sequence[Any]) -> list[Measured]:
        """Return what the program does on each example; `key` tells it from the student's other programs."""
        keys = [digest("run", self.identity, self.scorer.key, key, _plain(example)) for example in examples]
        missing = [i for i, known in enumerate(keys) if self.journal.get(known) is None]
        fresh: dict[int, Any] = {}
        if missing:
            names = {id(one): name for name, one in program.named_predictors()}
            executor = ParallelExecutor(
                num_threads=self.threads,
                max_errors=self.max_errors,
                disable_progress_bar=not self.progress,
                timeout=0,  # a slow run is no reason to pay for it twice
            )

            under_way = UnderWay()

            def one(i: int) -> dict[str, Any]:
                with under_way:
                    return self._run(program, names, examples[i], keys[i])

            found = _executed(executor, one, missing, under_way)
            fresh = dict(zip(missing, found, strict=True))
        return [_measured(fresh.get(i) or self.journal.get(known)) for i, known in enumerate(keys)]

    def _run(self, program: dspy.Module, names: Mapping[int, str], example: Any, key: str) -> dict[str, Any]:
        steps: list[Any] = []
        failed = False
        with spending() as used, dspy.context(trace=steps):
            try:
                prediction = program(**example.inputs())
            except PointsmanError:
                raise
            except AdapterParseError:
                failed = True
            except Exception as error:
                if call_error("", error) is not None:
                    raise  # of the provider: nothing is known about the model's answer
                _log.warning("A run failed and scores 0: %r", error)
                failed = True
        score = 0.0 if failed else self.scorer(example, prediction)
        result = {"score": score, "used": _named(used, names), "texts": _texts(steps, names)}
        self.journal.keep(key, result)
        return result


def identity_of(student: dspy.Module, on: Any = None) -> str:
    """Return what tells a student from others on disk: its class, what each predictor is told and is routed on, no models."""
    parts = [
        (name, one.signature.dump_state(), [_plain(demo) for demo in one.demos], one.config, type(one).__name__)
        for name, one in student.named_predictors()
    ]
    return digest(f"{type(student).__module__}.{type(student).__qualname__}", parts, on)


class UnderWay:
    """Counts the runs under way, so that whoever is interrupted can let them end: what they call is paid for.

    `error` is the first that a run ended with: DSPy, once it gives up, may stop before it has taken note of any.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._changed = Condition()
        self._count = 0

    def __enter__(self) -> None:
        with self._changed:
            self._count += 1

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        with self._changed:
            if self.error is None and isinstance(error, Exception):
                self.error = error
            self._count -= 1
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until none is under way."""
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0)


def _executed(executor: ParallelExecutor, one: Any, items: Sequence[int], under_way: UnderWay) -> list[Any]:
    """Return what was found out about each item, None where nothing was; raise what must not be passed over."""
    try:
        found = executor.execute(one, items)
    except BaseException as error:
        executor.cancel_jobs.set()
        under_way.settle()
        if isinstance(error, Exception) and under_way.error is not None:
            raise under_way.error from None
        raise
    for failed in executor.exceptions_map.values():
        if call_error("", failed) is None:
            raise failed
    return list(found)


def _named(used: Sequence[Used], names: Mapping[int, str]) -> list[Any]:
    return [[names.get(one.predictor, ""), one.model, dict(one.usage), one.estimate_usd] for one in used]


def _texts(steps: Sequence[Any], names: Mapping[int, str]) -> dict[str, str]:
    """Return what each predictor was asked first."""
    texts: dict[str, str] = {}
    for predictor, inputs, _ in steps:
        name = names.get(id(predictor))
        if name is not None and name not in texts:
            texts[name] = predictor.query(inputs).text
    return texts


def _plain(example: Any) -> Any:
    return dict(example.items()) if hasattr(example, "items") else example


def _measured(result: Mapping[str, Any] | None) -> Measured:
    if result is None:
        return Measured(score=None, texts={})
    used = tuple((name, model, usage, estimate) for name, model, usage, estimate in result["used"])
    return Measured(score=result["score"], used=used, texts=result["texts"])
