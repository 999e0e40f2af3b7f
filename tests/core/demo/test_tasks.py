"""The tasks: reproducible, different, checkable, and right by ways of reckoning other than the generators' own."""

from __future__ import annotations

import re
from ast import Add, BinOp, Constant, Mult, Sub, UnaryOp, parse
from collections import Counter
from datetime import datetime, timedelta
from random import Random

import pytest

from pointsman.demo import Task, final_answer, generate
from pointsman.demo.kinds import KINDS, logic, notation
from pointsman.errors import ConfigError

TASKS = generate(2400, seed=3)


def test_a_seed_gives_the_same_tasks_again() -> None:
    """The same seed gives the same tasks, another seed gives others."""
    assert generate(200, seed=3) == TASKS[:200]
    assert generate(200, seed=4) != TASKS[:200]


def test_no_two_tasks_are_alike() -> None:
    """Neither texts nor ids repeat, so a split cannot leak an answer."""
    assert len({task.text for task in TASKS}) == len({task.id for task in TASKS}) == len(TASKS)


def test_every_kind_and_level_is_met() -> None:
    """Kinds take turns exactly, and each of them comes at each of the three levels."""
    assert set(Counter(task.kind for task in TASKS).values()) == {len(TASKS) // len(KINDS)}
    assert len({(task.kind, task.level) for task in TASKS}) == 3 * len(KINDS)


@pytest.mark.parametrize("n", [0, -3])
def test_a_number_of_tasks_below_one_is_refused(n: int) -> None:
    """The error names the number that was given."""
    with pytest.raises(ConfigError, match=str(n)):
        generate(n)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Answer: 12", "12"),
        ("3 × 4 = 12.\nAnswer: 12", "12"),
        ("Answer: 12\nAnswer: 13", "13"),
        ("twelve", "twelve"),
    ],
)
def test_the_last_answer_of_a_reply_counts(reply: str, answer: str) -> None:
    """What comes before it is working; a reply without the word is all answer."""
    assert final_answer(reply) == answer


def _of(kind: str, pattern: str) -> list[tuple[Task, tuple[str, ...]]]:
    found = [(task, match) for task in TASKS if task.kind == kind and (match := re.search(pattern, task.text))]
    assert len(found) > 20
    return [(task, match.groups()) for task, match in found]


def _value(node: object) -> int:
    """Evaluate what Python's own parser makes of an expression of integers."""
    match node:
        case Constant(value=int(value)):
            return value
        case UnaryOp(operand=operand):
            return -_value(operand)
        case BinOp(left=left, op=Add(), right=right):
            return _value(left) + _value(right)
        case BinOp(left=left, op=Sub(), right=right):
            return _value(left) - _value(right)
        case BinOp(left=left, op=Mult(), right=right):
            return _value(left) * _value(right)
    raise AssertionError(node)


def test_arithmetic_agrees_with_pythons_own_parser() -> None:
    """Every reference answer of an expression is what Python's grammar makes of it."""
    words = {"plus": "+", "minus": "-", "times": "*", "×": "*"}
    for task, (expression,) in _of("arithmetic", r"(?:What is|Compute|Work out|evaluate) ((?:\(|\d).*)[?.]$"):
        code = " ".join(words.get(word, word) for word in expression.split())
        assert _value(parse(code, mode="eval").body) == int(task.answer)


def test_dates_agree_with_another_way_of_counting() -> None:
    """The date some days after another, taken back by as many days, is the date asked about."""
    for task, (days, date) in _of("dates", r"(\d+) days after (.*)\?"):
        later = datetime.strptime(task.answer, "%d %B %Y")  # noqa: DTZ007 - days without a zone
        assert later - timedelta(days=int(days)) == datetime.strptime(date, "%d %B %Y")  # noqa: DTZ007


def test_weekdays_agree_with_strftime() -> None:
    """A weekday is the one the C library prints."""
    for task, (date,) in _of("dates", r"(?:week is|weekday does) (.*?)(?: fall)?\?"):
        assert f"{datetime.strptime(date, '%d %B %Y'):%A}" == task.answer  # noqa: DTZ007


def test_roman_numerals_are_read_back_as_the_number() -> None:
    """Each numeral written is worth its number when smaller letters before larger ones are subtracted."""
    worth = dict(zip("IVXLCDM", (1, 5, 10, 50, 100, 500, 1000), strict=True))
    for task, (number,) in _of("notation", r"Write (\d+) as a Roman"):
        values = [worth[letter] for letter in task.answer]
        signed = [-v if v < max(values[i:]) else v for i, v in enumerate(values)]
        assert sum(signed) == int(number)


def test_islanders_fit_all_that_is_said() -> None:
    """Taking the named islanders for the knights makes a claim true just when a knight makes it."""
    claim = re.compile(
        r"(\w+) says: (\w+)(?: and (\w+))? (?:is|are) (?:a|of) (knight|knave|the same kind|different kinds)\."
    )
    for task, _ in _of("logic", "(On an island)"):
        knights = set(final_answer(task.answer).split(" and "))
        for speaker, a, b, what in claim.findall(task.text):
            holds = {
                "knight": a in knights,
                "knave": a not in knights,
                "the same kind": (a in knights) == (b in knights),
                "different kinds": (a in knights) != (b in knights),
            }[what]
            assert holds == (speaker in knights), task


def test_truth_values_agree_with_pythons_own() -> None:
    """Every expression of truth values is what Python's boolean operators make of it."""
    for task, (expression,) in _of("logic", r"expression (.*) true or false\?"):
        code = expression.replace("true", "True").replace("false", "False")
        assert str(eval(code, {"__builtins__": {}})).lower() == task.answer  # noqa: S307 - our own three words


@pytest.mark.parametrize("maker", [logic.tallest_of_three, notation.to_binary])
def test_a_maker_depends_on_its_dice_only(maker: object) -> None:
    """Two equal generators of random numbers give one puzzle."""
    assert callable(maker)
    assert maker(Random(5)) == maker(Random(5))  # noqa: S311 - exercises, not secrets
