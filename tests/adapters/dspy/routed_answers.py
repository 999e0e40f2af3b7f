"""The program that `test_saving` runs in a process of its own: it loads a routed program and answers questions.

It reads one JSON object (state or program, url, questions) and writes the answers and the routes.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

os.environ["OPENAI_API_KEY"] = "another-key"

import dspy

from dspy_router import route_of, routed


def loaded(asked: dict[str, Any]) -> Any:
    """Return the program: as a whole, or its state in an architecture made anew."""
    if "program" in asked:
        return dspy.load(asked["program"], allow_pickle=True)
    program = routed(dspy.ChainOfThought("context, question -> answer"))
    program.load(asked["state"], allow_unsafe_lm_state=True)
    return program


def main(asked: dict[str, Any]) -> list[Any]:
    """Answer the questions."""
    program = loaded(asked)
    predictions = [program(context="a hard context", question=question) for question in asked["questions"]]
    return [[one.answer, route_of(one)["model"]] for one in predictions]


if __name__ == "__main__":
    json.dump(main(json.load(sys.stdin)), sys.stdout)
