"""What a step of cascade routing takes on MMLU-Pro's 28 models: whom to ask first, and what to do after each answer.

python benchmarks/step_speed.py

CPU time of the plans of 300 queries, driven on recorded answers that are compared only, and on texts that are read as well.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from answers import with_answers
from speed import line

from pointsman.confidence.learned import LearnedConfidence
from pointsman.data.tape import Tape, play
from pointsman.flow import Plan
from pointsman.routers.cascade_router import CascadeRouter
from pointsman.types import Answer

LEARNT, ASKED, WARMING = 3000, 300, 20
STEP_S = 0.005


def main() -> int:
    """Print medians and 95th percentiles of first and of later steps; return the number of bounds missed."""
    data = with_answers("mmlu_pro")
    order = np.random.default_rng(0).permutation(len(data))
    held = []
    for name, confidence in (("answers compared", None), ("texts read", LearnedConfidence())):
        router = CascadeRouter(confidence=confidence).fit(data.take(order[:LEARNT]))
        steps: list[tuple[bool, float]] = []
        for i, row in enumerate(order[LEARNT : LEARNT + WARMING + ASKED].tolist()):
            if i == WARMING:
                steps.clear()
            tape = Tape(data, row)
            play(_timed(router.plan(tape.query), steps), tape)
        for which, first in (("first", True), ("later", False)):
            took = [seconds for at_first, seconds in steps if at_first is first]
            p50, p95 = np.quantile(took, (0.5, 0.95)).tolist()
            held.append(line(f"{name}: {which} step, {len(took)} of them, p50", p50, STEP_S))
            held.append(line("... p95", p95, STEP_S))
    return held.count(False)


def _timed(plan: Plan[Answer], steps: list[tuple[bool, float]]) -> Iterator[Any]:
    """Go through a plan, and take down of each step whether it is the first, and the seconds of CPU it took."""
    sent, first = None, True
    while True:
        started = time.process_time()
        try:
            effect = plan.send(sent)
        except StopIteration as ended:
            return ended.value
        finally:
            steps.append((first, time.process_time() - started))
            first = False
        sent = yield effect


if __name__ == "__main__":
    raise SystemExit(main())
