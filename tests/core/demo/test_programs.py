"""The stand-in programs: they work answers out of the question's text, each within its own limits."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

import pointsman.demo
from pointsman.callers import FunctionCaller, callers_of
from pointsman.demo import PROGRAMS, final_answer, generate, pool
from pointsman.demo.programs import UNKNOWN
from pointsman.demo.skills import arithmetic, dates, logic, notation, sequences, stories, strings, units
from pointsman.demo.skills.work import Skill

TASKS = generate(800, seed=1)


@pytest.mark.parametrize(
    ("skill", "question", "answer"),
    [
        (arithmetic.eight_digits, "What is 3 + 4 × (10 - 2)?", "35"),
        (arithmetic.eight_digits, "Compute 99999 × 99999.", "9999800000"),
        (arithmetic.eight_digits, "What is the remainder when 100 is divided by 7?", "2"),
        (arithmetic.left_to_right, "What is 3 + 4 × (10 - 2)?", "68"),
        (arithmetic.two_digits, "What is 7 times 8?", "56"),
        (notation.exact, "Write 1994 as a Roman numeral.", "MCMXCIV"),
        (notation.exact, "Which number does the Roman numeral MCMXCIV stand for?", "1994"),
        (notation.exact, "Write 10 in binary.", "1010"),
        (notation.exact, "Add the hexadecimal numbers FF and 1. Give the sum in hexadecimal.", "100"),
        (notation.adding_letters, "Which number does the Roman numeral IV stand for?", "6"),
        (units.exact, "Convert 10 miles to kilometres. Round to two decimals.", "16.09"),
        (units.exact, "Convert 212 degrees Fahrenheit to degrees Celsius.", "100"),
        (units.from_memory, "Convert 10 miles to kilometres. Round to two decimals.", "16"),
        (units.from_memory, "Convert 212 degrees Fahrenheit to degrees Celsius.", "91"),
        (dates.calendar, "Which date is 1 days after 28 February 2024?", "29 February 2024"),
        (dates.no_leap_years, "Which date is 1 days after 28 February 2024?", "1 March 2024"),
        (dates.calendar, "On which weekday does 20 July 1969 fall?", "Sunday"),
        (dates.calendar, "What date is the second Tuesday of May 2026?", "12 May 2026"),
        (strings.letters, "Reverse the word 'lever'.", "revel"),
        (strings.letters, "Shift every letter of 'xyz abc' by 3 places along the alphabet.", "abc def"),
        (strings.words, "How many times does the letter 'e' occur in 'lever pepper'?", "2"),
        (sequences.one_rule, "Which number follows 1, 4, 9, 16, 25?", "36"),
        (sequences.one_rule, "Which number follows 1, 1, 2, 3, 5, 8?", "13"),
        (sequences.last_step, "Which number follows 1, 4, 9, 16, 25?", "34"),
        (logic.possibilities, "Ben is shorter than Ada. Ben is taller than Dan. Who is the second tallest?", "Ben"),
        (logic.first_sentence, "Ben is shorter than Ada. Ben is taller than Dan. Who is the second tallest?", "Ada"),
        (logic.possibilities, "Is the expression not (true and not (false or true)) true or false?", "true"),
        (stories.read_closely, "Mia buys 2 pens at $5 each. The shop takes 10% off and then adds $3 for delivery.", "12"),
        (stories.multiply_in_pairs, "A train travels at 50 km/h for 2 hours and then at 60 km/h for 1 hours.", "160"),
    ],
)  # fmt: skip
def test_a_skill_works_out_what_its_docstring_says(skill: Skill, question: str, answer: str) -> None:
    """Exact skills are right and short cuts are wrong in the way they confess to, on questions no generator wrote."""
    work = skill(question)
    assert work is not None
    assert work.answer == answer


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_what_is_not_understood_is_not_answered(program: pointsman.demo.Program) -> None:
    """A question of no kind gets the plain admission."""
    assert program.answer("Why is the sky blue?") == UNKNOWN


def test_no_skill_can_see_a_reference_answer() -> None:
    """The modules of the skills import neither the tasks nor their generators."""
    folder = Path(pointsman.demo.__file__).parent / "skills"
    assert not [path for path in folder.glob("*.py") if ".kinds" in path.read_text() or "demo.task" in path.read_text()]


def test_no_program_dominates_and_none_is_useless() -> None:
    """Each program is the only right one somewhere, or right more cheaply; the dearest is best on average, not everywhere."""
    right = {name: [final_answer(p.answer(t.text)) == t.answer for t in TASKS] for name, p in PROGRAMS.items()}
    mean = {name: sum(scores) / len(TASKS) for name, scores in right.items()}
    assert max(mean, key=mean.__getitem__) == "scholar"
    assert 0.8 < mean["scholar"] < 0.95
    assert min(mean.values()) > 0.1
    oracle = sum(map(max, zip(*right.values(), strict=True))) / len(TASKS)
    assert mean["scholar"] + 0.03 < oracle < 0.99


def test_dearer_programs_charge_more() -> None:
    """List prices rise in the order in which the programs stand."""
    prices = [(p.price.input_per_mtok, p.price.output_per_mtok) for p in PROGRAMS.values()]
    assert all(a < b for a, b in pairwise(prices))


def test_a_call_is_priced_by_the_length_of_what_is_read_and_written() -> None:
    """Tokens are a quarter of the characters, rounded up, and the cost is theirs at the list price."""
    response = PROGRAMS["sprint"]("What is 7 times 8?")
    assert response.text == "Answer: 56"
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (5, 3)
    assert response.cost_usd == pytest.approx((5 * 0.10 + 3 * 0.40) / 1e6)


def test_the_pool_carries_the_list_prices() -> None:
    """Every program is a model of the pool, at its price."""
    assert {name: spec.price for name, spec in pool().items()} == {name: p.price for name, p in PROGRAMS.items()}


def test_the_pool_says_how_to_call_each_program() -> None:
    """The callers that the pool's metadata name are the programs themselves."""
    callers = callers_of(pool())
    assert {name: caller.function for name, caller in callers.items() if isinstance(caller, FunctionCaller)} == PROGRAMS
