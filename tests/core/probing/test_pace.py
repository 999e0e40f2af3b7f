"""Pace: calls of one model are spread over the minute."""

from __future__ import annotations

import pytest

from pointsman.errors import ConfigError
from pointsman.probing.pace import Pace


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


async def test_calls_of_a_limited_model_keep_their_distance() -> None:
    """Thirty a minute are one every two seconds; the first goes at once, and a pause earns no burst."""
    clock = Clock()
    pace = Pace({"m": 30}, clock=clock, sleep=clock.sleep)
    times = []
    for _ in range(3):
        await pace.turn("m")
        times.append(clock.now)
    clock.now += 60
    for _ in range(2):
        await pace.turn("m")
        times.append(clock.now)
    assert times == [100, 102, 104, 164, 166]


async def test_models_do_not_wait_for_each_other() -> None:
    """Each has its own pace, and one without a limit never waits."""
    clock = Clock()
    pace = Pace({"m": 1, "n": 60}, clock=clock, sleep=clock.sleep)
    for model in ("m", "n", "free", "free", "n"):
        await pace.turn(model)
    assert clock.now == 101


def test_a_pace_must_be_positive() -> None:
    """None a minute would wait for ever."""
    with pytest.raises(ConfigError, match="must be more than 0; 'm' has 0"):
        Pace({"m": 0})
