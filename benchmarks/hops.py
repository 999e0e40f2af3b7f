"""How hops are measured: the CPU time that one call of each subject takes, in small batches that take turns.

Every round stands at another depth of the stack. CPython keeps the frames of a thread in chunks of 16 KB, and a call that
crosses into a new one maps and unmaps memory: at some depths that costs as much as a hop.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from typing import Any, TypeAlias

CALLS = 10
STRIDE, DEPTHS = 37, 160  # without a common factor, so that the rounds come to every depth

Batch: TypeAlias = Callable[[], float]
"""Calls a subject `CALLS` times and returns the CPU time of that in seconds."""

Times: TypeAlias = Mapping[str, list[float]]
"""Microseconds of CPU time per call, one for each round, by subject."""


def rounds(usual: int = 2 * DEPTHS) -> int:
    """Return how many rounds the command line asks for."""
    return int(sys.argv[1]) if len(sys.argv) > 1 else usual


def calling(call: Callable[[], object]) -> Batch:
    """Return the batch of a blocking call."""

    def batch() -> float:
        begun = time.process_time()
        for _ in range(CALLS):
            call()
        return time.process_time() - begun

    return batch


def awaiting(call: Callable[[], Awaitable[Any]]) -> Batch:
    """Return the batch of an awaitable call, on one event loop, whose own making does not count."""

    async def batch() -> float:
        begun = time.process_time()
        for _ in range(CALLS):
            await call()
        return time.process_time() - begun

    return lambda: asyncio.run(batch())


def measure(batches: Mapping[str, Batch], rounds: int) -> Times:
    """Return what each call takes, round by round."""
    for batch in batches.values():
        batch()
    gc.collect()
    times: dict[str, list[float]] = {name: [] for name in batches}
    for number in range(rounds):
        for name, batch in batches.items():
            times[name].append(_deep_down(batch, number * STRIDE % DEPTHS) / CALLS * 1e6)
    return times


def _deep_down(batch: Batch, depth: int) -> float:
    """Run a batch below so many more frames."""
    return _deep_down(batch, depth - 1) if depth else batch()


def hop(times: Times, routed: str, bare: str) -> float:
    """Return the median of what a routed call takes more than the bare one of the same round, in microseconds."""
    return median(one - other for one, other in zip(times[routed], times[bare], strict=True))


def table(times: Times, over: Mapping[str, str]) -> None:
    """Print what each call takes, and what a routed one takes more than the bare one that it is `over`."""
    print(f"{'':36}{'µs: median':>12}{'least':>8}{'hop / bare: median':>20}{'least':>8}")
    for name, spent in times.items():
        line = f"{name:36}{median(spent):12.1f}{min(spent):8.1f}"
        if (bare := over.get(name)) is not None:
            ratio = median(one / other - 1 for one, other in zip(spent, times[bare], strict=True))
            line += f"{ratio:20.2f}{min(spent) / min(times[bare]) - 1:8.2f}"
        print(line)
