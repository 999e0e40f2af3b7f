"""The stand-ins: programs of different skill and price that answer tasks where language models would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pointsman.demo.skills import arithmetic, dates, logic, notation, sequences, stories, strings, units
from pointsman.demo.skills.work import Skill
from pointsman.demo.task import ANSWER
from pointsman.models import ModelPool, ModelSpec, Price, estimate_tokens
from pointsman.pricing import cost_usd
from pointsman.types import Response, Usage

__all__ = ["CLERK", "DISCLAIMER", "PROGRAMS", "SCHOLAR", "SPRINT", "STEADY", "Program", "pool"]

DISCLAIMER = "These are small programs, not language models."
"""Said wherever figures about the programs are shown."""

UNKNOWN = "I do not know."


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One stand-in for a model.

    Parameters:
        name: What it is called in pools and tables.
        about: What it can do, in a few words.
        price: Its list price, made up like that of a model of its rank.
        skills: What it tries, in order; the first that understands the question answers it.
        steps: How many lines of its working it shows at most; they are paid for like any other output.
    """

    name: str
    about: str
    price: Price
    skills: tuple[Skill, ...]
    steps: int = 0

    def answer(self, question: str) -> str:
        """Work out an answer from the question alone."""
        for skill in self.skills:
            work = skill(question)
            if work is not None:
                return "\n".join([*work.steps[: self.steps], f"{ANSWER} {work.answer}"])
        return UNKNOWN

    def __call__(self, prompt: str) -> Response:
        """Answer like a model: with tokens estimated from the lengths, and their cost at the list price."""
        text = self.answer(prompt)
        usage = Usage(input_tokens=estimate_tokens(len(prompt)), output_tokens=estimate_tokens(len(text)))
        return Response(model=self.name, text=text, usage=usage, cost_usd=cost_usd(usage, self.price))


SPRINT = Program(
    name="sprint",
    about="adds two small numbers, handles letters, repeats the last step of a sequence",
    price=Price(input_per_mtok=0.10, output_per_mtok=0.40),
    skills=(arithmetic.two_digits, strings.letters, sequences.last_step),
)

CLERK = Program(
    name="clerk",
    about="a specialist: dates, units and notation exactly, nothing else",
    price=Price(input_per_mtok=0.50, output_per_mtok=2.00),
    skills=(dates.calendar, units.exact, notation.exact),
    steps=1,
)

STEADY = Program(
    name="steady",
    about="tries everything and takes short cuts everywhere",
    price=Price(input_per_mtok=0.80, output_per_mtok=3.20),
    skills=(
        arithmetic.left_to_right,
        notation.adding_letters,
        units.from_memory,
        dates.no_leap_years,
        strings.words,
        sequences.last_step,
        logic.first_sentence,
        stories.multiply_in_pairs,
    ),
    steps=1,
)

SCHOLAR = Program(
    name="scholar",
    about="does nearly everything and shows its work; weak with letters, tires of long puzzles",
    price=Price(input_per_mtok=3.00, output_per_mtok=15.00),
    skills=(
        arithmetic.eight_digits,
        notation.exact,
        units.exact,
        dates.calendar,
        strings.words,
        sequences.one_rule,
        logic.possibilities,
        stories.read_closely,
    ),
    steps=9,
)

PROGRAMS: Mapping[str, Program] = MappingProxyType(
    {program.name: program for program in (SPRINT, CLERK, STEADY, SCHOLAR)}
)
"""Every stand-in by name, the cheapest first."""


def pool() -> ModelPool:
    """Return the programs as models with their list prices, and how to call them."""
    return ModelPool(
        ModelSpec(
            name=name,
            provider="pointsman-demo",
            price=program.price,
            metadata={"about": program.about, "callable": f"{__name__}:{name.upper()}"},
        )
        for name, program in PROGRAMS.items()
    )
