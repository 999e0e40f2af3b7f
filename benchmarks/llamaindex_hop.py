"""What one routed LlamaIndex call costs on top of the model's own: CPU time per call, as a share of the model's own call.

The model is the in-process fake of LlamaIndex, so that only the hop is measured. Run it with

    python benchmarks/llamaindex_hop.py [rounds]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hops import Batch, awaiting, calling, measure, rounds, table
from llama_index.core.llms import LLM, ChatMessage
from llama_index.core.llms.mock import MockLLM
from llama_index.core.prompts import PromptTemplate

from llamaindex_router import RouterLLM
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.constant import Constant
from pointsman.models import ModelPool
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter

TEXT = "What is the capital of France?"
MESSAGES = [ChatMessage(role="user", content=TEXT)]
PROMPT = PromptTemplate("Context: France is a country.\nAnswer briefly: {query_str}")
BARE, CONSTANT, ESTIMATED = "the model itself", "RouterLLM, constant policy", "RouterLLM, estimates and utility"


async def _exhausted(stream: Any) -> None:
    async for _ in await stream:
        pass


WAYS: dict[str, Callable[[LLM], Batch]] = {
    "chat": lambda llm: calling(lambda: llm.chat(MESSAGES)),
    "achat": lambda llm: awaiting(lambda: llm.achat(MESSAGES)),
    "stream_chat": lambda llm: calling(lambda: list(llm.stream_chat(MESSAGES))),
    "astream_chat": lambda llm: awaiting(lambda: _exhausted(llm.astream_chat(MESSAGES))),
    "complete": lambda llm: calling(lambda: llm.complete(TEXT)),
    "acomplete": lambda llm: awaiting(lambda: llm.acomplete(TEXT)),
    "stream_complete": lambda llm: calling(lambda: list(llm.stream_complete(TEXT))),
    "predict, as engines do": lambda llm: calling(lambda: llm.predict(PROMPT, query_str=TEXT)),
}


def subjects() -> dict[str, LLM]:
    """Return whom is asked, by name: the model itself, and the model behind routers."""
    model = MockLLM()
    outcomes = RoutingDataset(
        queries=Queries.from_texts(["a", "b"]),
        models=("large", "small"),
        quality=np.array([[1.0, 1.0], [1.0, 0.0]]),
        cost_usd=np.array([[0.02, 0.001], [0.02, 0.001]]),
    )
    models = {"small": model, "large": model}
    constant = RulesRouter(pool=ModelPool(models), default="small")
    estimated = EstimatedRouter(estimator=Constant()).fit(outcomes)
    return {
        BARE: model,
        CONSTANT: RouterLLM(models=models, router=constant),
        ESTIMATED: RouterLLM(models=models, router=estimated),
    }


def main() -> None:
    """Print a table for each way of asking."""
    llms = subjects()
    for way, batch in WAYS.items():
        print(way)
        times = measure({name: batch(llm) for name, llm in llms.items()}, rounds())
        table(times, over=dict.fromkeys((CONSTANT, ESTIMATED), BARE))


if __name__ == "__main__":
    main()
