"""Dates: a real calendar, and one in which no year is a leap year."""

from __future__ import annotations

import re
from calendar import day_name, month_name
from datetime import date, timedelta

from pointsman.demo.skills.work import Work

__all__ = ["calendar", "no_leap_years"]

_MONTHS = {name: number for number, name in enumerate(month_name) if name}
_DATE = r"(\d+) (\w+) (\d{4})"
_LENGTH = re.compile(r"How many days does (\w+) (\d{4}) have")
_LATER = re.compile(r"Today is (\w+)\. Which weekday is it in (\d+) days")
_WEEKDAY = re.compile(rf"(?:day of the week is|weekday does) {_DATE}")
_AFTER = re.compile(rf"(\d+) days after {_DATE}")
_BETWEEN = re.compile(rf"from {_DATE} to {_DATE}")
_NTH = re.compile(r"the (first|second|third|fourth) (\w+) of (\w+) (\d{4})")
_ORDINALS = ("first", "second", "third", "fourth")
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _day(day: str, month: str, year: str) -> date:
    return date(int(year), _MONTHS[month], int(day))


def _written(day: date) -> str:
    return f"{day.day} {month_name[day.month]} {day.year}"


def calendar(text: str) -> Work | None:
    """Answer any question about dates by the Gregorian calendar."""
    if asked := _LENGTH.search(text):
        first = _day("1", asked[1], asked[2])
        following = (first + timedelta(days=31)).replace(day=1)
        return Work(str((following - first).days), (f"The next month begins on {_written(following)}.",))
    if asked := _AFTER.search(text):
        return Work(_written(_day(*asked.group(2, 3, 4)) + timedelta(days=int(asked[1]))))
    if asked := _BETWEEN.search(text):
        first, last = _day(*asked.group(1, 2, 3)), _day(*asked.group(4, 5, 6))
        return Work(str((last - first).days))
    if asked := _NTH.search(text):
        return _nth_weekday(*asked.groups())
    if asked := _WEEKDAY.search(text):
        day = _day(*asked.groups())
        return Work(day_name[day.weekday()], (f"It is day {day.timetuple().tm_yday} of {day.year}.",))
    return _later(text)


def _nth_weekday(ordinal: str, weekday: str, month: str, year: str) -> Work:
    day = _day("1", month, year)
    while day_name[day.weekday()] != weekday:
        day += timedelta(days=1)
    found = day + timedelta(weeks=_ORDINALS.index(ordinal))
    return Work(_written(found), (f"The first {weekday} is {_written(day)}.",))


def _later(text: str) -> Work | None:
    asked = _LATER.search(text)
    if asked is None:
        return None
    names, days = list(day_name), int(asked[2])
    return Work(names[(names.index(asked[1]) + days) % 7], (f"{days} days are {days // 7} weeks and {days % 7} days.",))


def no_leap_years(text: str) -> Work | None:
    """Count days as if every February had 28; give no weekday of a date."""
    if asked := _LENGTH.search(text):
        return Work(str(_LENGTHS[_MONTHS[asked[1]] - 1]))
    if asked := _AFTER.search(text):
        year, of_year = divmod(_count(*asked.group(2, 3, 4)) + int(asked[1]), 365)
        month = 0
        while of_year >= _LENGTHS[month]:
            of_year, month = of_year - _LENGTHS[month], month + 1
        return Work(f"{of_year + 1} {month_name[month + 1]} {year}")
    if asked := _BETWEEN.search(text):
        return Work(str(_count(*asked.group(4, 5, 6)) - _count(*asked.group(1, 2, 3))))
    return _later(text)


def _count(day: str, month: str, year: str) -> int:
    """Number the days from the year 0, every year with 365 of them."""
    return 365 * int(year) + sum(_LENGTHS[: _MONTHS[month] - 1]) + int(day) - 1
