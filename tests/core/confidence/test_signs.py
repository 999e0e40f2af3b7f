"""What a response shows of its worth: arithmetic worked out again, numbers used and unused, how it ends."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.confidence.arithmetic import Calculation, calculations_in, numbers_in
from pointsman.confidence.signs import SIGNS, signs

RIGHT = [
    ("16 eggs - 3 eggs - 4 eggs = 9 eggs", 9.0),
    ("3 sprints * 60 meters/sprint = 180 meters", 180.0),
    ("150/100 * $50,000 = $75,000", 75_000.0),
    ("so 8 x $5 x 60% = $24.", 24.0),
    ("(5 + 3) × (2 + 1) = 24", 24.0),
    ("12/20 = 60%", 0.6),
    ("2/2 * 1/2 = 1/2", 0.5),
    ("5 - 8 = -3", -3.0),
    ("10 / 3 = 3.33", 10 / 3),
    ("In total (3 + 4 = 7) there are", 7.0),
    ("x is 3, 3 is 5 + 4 = 9", 9.0),
    ("she pays $<<007+3=10>>10", 10.0),
]
NOTHING = [
    "",
    "x = 3",
    "12 = 12",
    "2L + 8 = 22",
    "7x + 11x = 162",
    "3 / 0 = 1",
    "a - b = 3",
    "= 4",
    "1 + = 2",
    "1 + 2 =",
    "20 3 = 60",
]


@pytest.mark.parametrize(("text", "value"), RIGHT)
def test_a_right_calculation_is_right(text: str, value: float) -> None:
    """Units, currencies, per cent, fractions and marks do not matter; rounding is forgiven."""
    (found,) = calculations_in(text)
    assert found.value == pytest.approx(value)
    assert found.right


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_calculation_is_left_out(text: str) -> None:
    """Equations with unknowns, single numbers and what cannot be worked out are nobody's mistake."""
    assert calculations_in(text) == []


def test_a_wrong_calculation_is_wrong() -> None:
    """A result that is off counts as wrong, also inside a mark; of a chain of steps the last one is worked out."""
    assert [each.right for each in calculations_in("1500 - 1500 / 4 = <<1500-1500/4=1375>>1375")] == [False, False]
    assert calculations_in("(80/2) + 20 = 40 + 20 = 60") == [Calculation(stated=60.0, value=60.0)]


@given(st.text(alphabet="0123456789+-*/=()<>x%$., ab\n", max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    """Whatever stands in a text, reading it ends in finite numbers."""
    assert all(np.isfinite((each.stated, each.value)).all() for each in calculations_in(text))
    assert np.isfinite(signs([text], [text])).all()


@pytest.mark.parametrize("piece", ["1 a ", "1+", "((((", "1,", "=", "1+1=<<", "a/", "1+1=", "9"])
def test_long_texts_take_no_time(piece: str) -> None:
    """Time grows with the length of a text, not faster."""
    begin = perf_counter()
    calculations_in(piece * 10_000)
    assert perf_counter() - begin < 5


def sign(name: str, response: str, question: str = "Ann has 3 bags of 12 eggs and 7 baskets. How many eggs?") -> float:
    """Return one sign of a response."""
    return float(signs([question], [response])[0, SIGNS.index(name)])


def test_signs_say_what_their_names_say() -> None:
    """Each sign is on where a text shows it, and off where it does not."""
    good, bad = "She has 3 * 12 = 36 eggs.\nThe answer is 36", "However, 3 * 12 = 37 eggs, which is <<3*1"
    assert (sign("share wrong", good), sign("share wrong", bad)) == (0, 1)
    assert (sign("last wrong", good), sign("last wrong", bad)) == (0, 1)
    assert (sign("left open", good), sign("left open", bad)) == (0, 1)
    assert (sign("names its answer", good), sign("names its answer", bad)) == (1, 0)
    assert (sign("ends in a digit", good), sign("ends a sentence", good + ".")) == (1, 1)
    assert sign("hedges", good) < sign("hedges", bad)
    assert sign("last calculated", good) == 1
    assert sign("unused share", good) == pytest.approx(1 / 3)
    assert (sign("in the question", "There are 7"), sign("in the question", good)) == (1, 0)
    assert (sign("whole", "36.5"), sign("zero", "0 eggs")) == (0, 1)
    assert (sign("refuses", "I'm sorry, I cannot say"), sign("refuses", good)) == (1, 0)
    assert sign("lists", "- one\n- two") > sign("lists", good)


def test_nothing_written_shows_nothing() -> None:
    """An empty response to an empty question has signs too, and no responses have none."""
    assert np.isfinite(signs([""], [""])).all()
    assert signs([], []).shape == (0, len(SIGNS))


def test_numbers_are_read_in_order() -> None:
    """Thousands' commas belong to their number, others do not."""
    assert numbers_in("1,200 eggs, 3,4 and 0.5.") == [1200.0, 3.0, 4.0, 0.5]


@pytest.mark.parametrize("digits", [50, 309, 5_000])
def test_endless_numbers_are_finite(digits: int) -> None:
    """However many digits a number has, in the question, in the response or in both, every sign is a number."""
    endless = "9" * digits
    for question, response in ((endless, "4"), ("4", endless), (endless, f"{endless} + {endless} = {endless}")):
        assert np.isfinite(signs([question], [response])).all()
    assert max(numbers_in(endless)) <= 1e100
