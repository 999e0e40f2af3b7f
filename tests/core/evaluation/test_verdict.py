"""The words of a verdict."""

from __future__ import annotations

import pytest

from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.verdict import judge, verdict_of
from pointsman.metrics import Interval


def between(low: float, high: float) -> Interval:
    """An interval around its middle."""
    return Interval(estimate=(low + high) / 2, low=low, high=high, level=0.95)


def setting(difference: Interval | None, cost: Interval | None, point: float | None = None) -> Comparison:
    """A comparison of which only difference and relative cost matter."""
    return Comparison(operating_point=point, quality=0.5, cost_usd=1.0, difference=difference, relative_cost=cost)


CHEAP, SAME, DEAR = between(0.5, 0.6), between(0.95, 1.05), between(2.4, 2.6)

CASES = [
    (
        between(0.01, 0.03),
        CHEAP,
        "better",
        "is better than always X: +2.0 points (95 % interval +1.0 to +3.0) at 55 % of",
    ),
    (between(0.01, 0.03), DEAR, "better", "at 2.5 times its cost"),
    (between(0.01, 0.03), None, "better", "at an unknown cost"),
    (between(-0.005, 0.005), CHEAP, "saves", "saves 45 % (95 % interval 40 % to 50 %) of what always X costs"),
    (between(-0.005, 0.005), SAME, "equal", "is as good as always X but not cheaper"),
    (between(-0.005, 0.005), None, "equal", "is as good as always X but not cheaper"),
    (between(-0.03, -0.01), CHEAP, "trades", "is worse than always X and cheaper: −2.0 points"),
    (between(-0.03, -0.01), SAME, "worse", "is worse than always X: −2.0 points"),
    (between(-0.02, 0.04), CHEAP, "undecided", "is not better than always X within noise: +1.0 points"),
    (None, CHEAP, "unknown", "cannot be compared with always X"),
]


@pytest.mark.parametrize(("difference", "cost", "kind", "words"), CASES)
def test_each_kind(difference: Interval | None, cost: Interval | None, kind: str, words: str) -> None:
    """The interval of the difference decides, the cost tells a saving from none."""
    found, text = judge(setting(difference, cost), best_single="X", margin=0.01)
    assert found == kind
    assert words in text


def test_the_better_of_two_settings_counts() -> None:
    """A saving at the setting chosen on validation counts, although the router's own setting shows nothing."""
    own, other = setting(between(-0.02, 0.04), SAME), setting(between(-0.005, 0.005), CHEAP, point=3.0)
    found = verdict_of(own, other, best_single="X", margin=0.01, needed=between(1000, 3000))
    assert found.kind == "saves"
    assert "about 2,000 test queries would tell a difference of 1 point" in found.text
    assert "At the cheapest setting that was as good as X on validation data, it saves 45 %" in found.text


def test_the_own_setting_is_not_told_twice() -> None:
    """Where validation picks the router's own setting there is one sentence."""
    own = setting(between(0.01, 0.03), CHEAP)
    found = verdict_of(own, own, best_single="X", margin=0.01, needed=None)
    assert found.text.count("better than always X") == 1
    assert str(found) == found.text
