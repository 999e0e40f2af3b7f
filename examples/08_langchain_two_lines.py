"""Migrate from one hard-coded model to a routed one: two lines change, the chain around them does not."""

from __future__ import annotations

import tempfile
from pathlib import Path

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI

from langchain_router import RouterLLM
from pointsman import ModelPool, Rule, RulesRouter, save
from pointsman.testing.replay_server import Recorded, ReplayServer

PROMPT = ChatPromptTemplate.from_template("{question}")


def before(client: dict[str, str]) -> Runnable[dict[str, str], str]:
    """Return the chain as it was."""
    llm = ChatOpenAI(model="large", **client)
    return PROMPT | llm | StrOutputParser()


def after(client: dict[str, str], artefact: Path) -> Runnable[dict[str, str], str]:
    """Return the chain as it is: the candidates in place of the one, and who chooses among them."""
    models = {name: ChatOpenAI(model=name, **client) for name in ("large", "small")}
    llm = RouterLLM.from_artifact(artefact, models=models)
    return PROMPT | llm | StrOutputParser()


def main(folder: Path) -> None:
    """Ask both chains the same, and count who was called."""
    # A router that was learnt is saved in the same way: save(AutoRouter().fit(dataset), path).
    rules = (Rule(model="large", contains=("prove",)),)
    artefact = save(
        RulesRouter(pool=ModelPool(["large", "small"]), default="small", rules=rules), folder / "r.pointsman"
    )
    questions = [{"question": text} for text in ("What is 2 + 2?", "Prove that 2 + 2 = 4.", "Name a river.")]
    with ReplayServer({}, default=lambda model, _: Recorded(text=f"{model} answers")) as server:
        client = {"base_url": server.url, "api_key": "none"}
        for chain in (before(client), after(client, artefact)):
            seen = len(server.ledger)
            print(chain.batch(questions, {"max_concurrency": 1}))
            print("called:", [entry.model for entry in server.ledger[seen:]])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
