"""Advice: whether a router is worth it, in a sentence that the figures bear out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.verdict import judge, size_of
from pointsman.evaluation.wording import gain, percent, rounded, span
from pointsman.metrics import Interval
from pointsman.selection.auditing.ceiling import Ceiling
from pointsman.selection.auditing.standings import Standing
from pointsman.selection.auditing.swap import Swap
from pointsman.selection.auditing.trial import FEWEST, Trial

__all__ = ["Advice", "Evidence", "advise"]

_ENOUGH = 0.8
"""Share of the queries needed for a power of 80 % that ends the search; it has a power of 70 %.

The number is an estimate, and comes out somewhat higher or lower when so many have been labelled.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to do.

    `kind` is "router" (a gain or a saving is shown), "single" (one model does as well as anything that was tried, or could
    be), or "more data". `model` is the single model to use otherwise, or meanwhile; `more` is about how many further labelled
    queries would settle it, None where that is not the question, or nobody can say.
    """

    kind: Literal["router", "single", "more data"]
    text: str
    model: str
    more: int | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the advice rests on; see `Audit` for each."""

    queries: int
    standings: tuple[Standing, ...]
    ceiling: Ceiling | None
    swap: Swap | None
    trials: tuple[Trial, ...]
    needed: Interval | None
    margin: float
    worthwhile: float

    @property
    def best(self) -> str:
        """The best single model."""
        return self.standings[0].model

    @property
    def use(self) -> str:
        """The single model to use: the best, or a cheaper one that is as good."""
        return self.best if self.swap is None else self.swap.model


def advise(found: Evidence) -> Advice:
    """Weigh the ceiling, then what a trial or another single model shows, then what neither can show."""
    if len(found.standings) == 1:
        return _single(found, "there is no other model")
    if found.ceiling is not None and _nothing_to_gain(found):
        return _single(found, f"even perfect choices would gain {gain(found.ceiling.headroom)}, and it is the cheapest")
    for trial in found.trials:
        if shown := ", or ".join(_shown(trial, found)):
            return _router(found, trial, shown)
    if found.swap is not None:
        return _single(found, f"it {judge(found.swap.beside, best_single=found.best, margin=found.margin)[1]}")
    return _untold(found)


def _untold(found: Evidence) -> Advice:
    """Tell whether nothing is shown because there is nothing, or because there are too few queries."""
    if not found.trials:
        return _more(found, found.needed, f"{found.queries} queries are too few to try any router on")
    settings = [s for trial in found.trials for s in (trial.first, trial.frugal) if s is not None]
    needed = [trial.needed for trial in found.trials if trial.needed is not None]
    most = max(needed, key=lambda interval: interval.estimate, default=None)
    said = (
        f"{gain(change)}{_saved(found.trials[0].first)}"
        if (change := found.trials[0].first.difference)
        else "an unknown amount"
    )
    enough = most is not None and found.queries >= _ENOUGH * most.estimate
    for trial in found.trials if enough else ():
        if shown := _somewhat(trial, found):
            return _router(found, trial, shown)
    if enough or all(_hopeless(setting, found) for setting in settings):
        return _single(
            found, f"a simple one that reads the text changes quality by {said}{_unsettled(settings, found)}"
        )
    return _more(found, most or found.needed, f"so far a simple router changes quality by {said}")


def _shown(trial: Trial, found: Evidence) -> Iterator[str]:
    """Yield what the trial shows to be worth having: a better quality, or a saving that no single model gives."""
    best, margin = found.best, found.margin
    kind, phrase = judge(trial.first, best_single=best, margin=margin)
    if kind == "better" and all(_gains(setting, margin) for setting in (trial.first, trial.first_in_hindsight)):
        yield phrase
    if trial.frugal is None or trial.frugal.saving is None:
        return
    kind, phrase = judge(trial.frugal, best_single=best, margin=margin)
    saving = trial.frugal.saving
    swapped = None if found.swap is None else found.swap.beside.saving
    beats_swap = swapped is None or saving.estimate > swapped.estimate
    saves = saving.low >= found.worthwhile and _saves(trial.frugal_in_hindsight, found)
    if kind in ("better", "saves") and saves and beats_swap:
        yield phrase


def _somewhat(trial: Trial, found: Evidence) -> str | None:
    """Return the gain that the trial shows, where it may be the margin but came out below it."""
    kind, phrase = judge(trial.first, best_single=found.best, margin=found.margin)
    luck = not _gains(trial.first_in_hindsight, 0.0)
    change = trial.first.difference
    return None if kind != "better" or luck or change is None or change.high < found.margin else phrase


def _gains(setting: Comparison, margin: float) -> bool:
    return setting.difference is not None and setting.difference.estimate >= margin


def _saves(setting: Comparison | None, found: Evidence) -> bool:
    """Return whether a setting, as far as one can see, is as good as what it is compared with, and enough cheaper."""
    if setting is None or setting.difference is None or setting.saving is None:
        return False
    return setting.difference.estimate > -found.margin and setting.saving.estimate >= found.worthwhile


def _nothing_to_gain(found: Evidence) -> bool:
    """Return whether the best model is the cheapest too, and even the oracle is hardly better."""
    costs = [row.cost_usd for row in found.standings]
    known = [cost for cost in costs if cost is not None]
    cheapest = len(known) == len(costs) and known[0] == min(known)
    return cheapest and found.ceiling is not None and found.ceiling.headroom.high < found.margin


def _hopeless(setting: Comparison, found: Evidence) -> bool:
    """Return whether a setting is shown to gain less than the margin, and not to save enough at equal quality."""
    change, saving = setting.difference, setting.saving
    if change is None or change.high >= found.margin:
        return False
    return change.high < 0 or saving is None or saving.high < found.worthwhile


def _router(found: Evidence, trial: Trial, shown: str) -> Advice:
    how = "that reads the text" if trial.name == "text" else "by the given domains"
    return Advice(kind="router", model=found.use, text=f"You need a router: a simple one {how} {shown}.")


def _unsettled(settings: list[Comparison], found: Evidence) -> str:
    """Say that a saving is not ruled out: queries that are enough for the quality may be too few for that."""
    kept = [setting.saving for setting in settings if setting.saving is not None and not _hopeless(setting, found)]
    likeliest = max(kept, key=lambda saving: saving.high, default=None)
    if likeliest is None or likeliest.high < found.worthwhile:
        return ""
    return f"; whether one saves {percent(found.worthwhile)} is not settled ({span(likeliest, share=True)})"


def _single(found: Evidence, why: str) -> Advice:
    return Advice(kind="single", model=found.use, text=f"You don't need a router: always use {found.use}; {why}.")


def _more(found: Evidence, needed: Interval | None, why: str) -> Advice:
    """Say how many more queries would settle it, never fewer than it takes to try a router."""
    floor = max(0, FEWEST - found.queries)
    until = f"{why}. Until then, use {found.use}."
    if needed is None:
        return Advice(kind="more data", model=found.use, more=floor or None, text=f"Not enough data: {until}")
    low, more, high = (max(floor, round(end) - found.queries) for end in (needed.low, needed.estimate, needed.high))
    if not more:
        return Advice(kind="more data", model=found.use, text=f"Not enough data: {until}")
    about = f"about {rounded(more)} more labelled queries ({rounded(low)} to {rounded(high)})"
    text = f"Not enough data: {about} would settle it to {size_of(found.margin)}; {until}"
    return Advice(kind="more data", model=found.use, more=more, text=text)


def _saved(setting: Comparison) -> str:
    saving = setting.saving
    if saving is None:
        return ""
    return f" while {'saving' if saving.estimate >= 0 else 'spending'} {percent(abs(saving.estimate))}" + (
        "" if saving.estimate >= 0 else " more"
    )
