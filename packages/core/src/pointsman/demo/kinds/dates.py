"""Date tasks: month lengths, weekdays, dates before and after, days between."""

from __future__ import annotations

from calendar import day_name, month_name, monthrange
from datetime import date, timedelta
from random import Random

from pointsman.demo.task import Kind, Puzzle

__all__ = ["DATES"]

_ORDINALS = ("first", "second", "third", "fourth")


def _written(day: date) -> str:
    return f"{day.day} {month_name[day.month]} {day.year}"


def _some_day(rng: Random) -> date:
    return date(1990, 1, 1) + timedelta(days=rng.randint(0, 18_000))


def month_length(rng: Random) -> Puzzle:
    """Ask how many days a month has."""
    day = _some_day(rng)
    text = f"How many days does {month_name[day.month]} {day.year} have?"
    return Puzzle(text, str(monthrange(day.year, day.month)[1]))


def weekday_later(rng: Random) -> Puzzle:
    """Ask which weekday it is some days after a weekday."""
    start, days = rng.randrange(7), rng.randint(2, 99)
    return Puzzle(f"Today is {day_name[start]}. Which weekday is it in {days} days?", day_name[(start + days) % 7])


def weekday(rng: Random) -> Puzzle:
    """Ask for the weekday of a date."""
    day = _some_day(rng)
    asking = rng.choice(("What day of the week is {}?", "On which weekday does {} fall?"))
    return Puzzle(asking.format(_written(day)), day_name[day.weekday()])


def days_after(rng: Random) -> Puzzle:
    """Ask for the date some days after another."""
    day, days = _some_day(rng), rng.randint(10, 400)
    text = f"Which date is {days} days after {_written(day)}?"
    return Puzzle(text, _written(day + timedelta(days=days)))


def days_between(rng: Random) -> Puzzle:
    """Ask how many days lie from one date to another."""
    first = _some_day(rng)
    last = first + timedelta(days=rng.randint(100, 3000))
    return Puzzle(f"How many days is it from {_written(first)} to {_written(last)}?", str((last - first).days))


def nth_weekday(rng: Random) -> Puzzle:
    """Ask for the date of, say, the third Tuesday of a month."""
    month, which, nth = _some_day(rng).replace(day=1), rng.randrange(7), rng.randrange(4)
    found = month + timedelta(days=(which - month.weekday()) % 7 + 7 * nth)
    text = f"What date is the {_ORDINALS[nth]} {day_name[which]} of {month_name[month.month]} {month.year}?"
    return Puzzle(text, _written(found))


DATES = Kind(
    name="dates", easy=(month_length, weekday_later), medium=(weekday, days_after), hard=(days_between, nth_weekday)
)
"""Questions a calendar answers."""
