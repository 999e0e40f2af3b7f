"""A DSPy program with one hard-coded model, and the two lines that change when a router chooses it."""

from __future__ import annotations

import os
import re
from typing import Any

import dspy

from dspy_router import RouterLM  # changed line 1: new
from pointsman import ModelPool, Rule, RulesRouter
from pointsman.testing.replay_server import Recorded, ReplayServer

# Rules by hand, or pointsman.load("router.pointsman") for what was learnt from your own outcomes.
ROUTER = RulesRouter(
    pool=ModelPool(["gpt-4o", "gpt-4o-mini"]), default="gpt-4o-mini", rules=(Rule(model="gpt-4o", contains=("prove",)),)
)


def answer(model: str, request: dict[str, Any]) -> Recorded:
    """Stand in for the provider."""
    fields = re.findall(r"\[\[ ## (\w+) ## \]\]", request["messages"][-1]["content"].partition("Respond with")[2])
    return Recorded(text="".join(f"[[ ## {field} ## ]]\nsaid by {model}\n\n" for field in fields))


def main() -> None:
    """Ask two questions."""
    program = dspy.ChainOfThought("question -> answer")
    # Before: the language model was dspy.LM("openai/gpt-4o").
    lm = RouterLM({name: dspy.LM(f"openai/{name}") for name in ROUTER.models}, ROUTER)  # changed line 2
    with dspy.context(lm=lm):
        for question in ("What is 2 + 2?", "Please prove that 2 + 2 = 4."):
            print(f"{question} {program(question=question).answer}")
    print([entry["router"]["model"] for entry in lm.history])


if __name__ == "__main__":
    with ReplayServer({}, default=answer) as server:
        os.environ |= {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": "unused"}
        main()
