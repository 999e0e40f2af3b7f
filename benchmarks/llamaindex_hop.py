"""What one routed LlamaIndex call costs on top of the model's own: CPU time per call, as a share of the model's own call.

The model is the in-process fake of LlamaIndex, so that only the hop is measured; bare and routed calls take turns. Run it with

    python benchmarks/llamaindex_hop.py [rounds]
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Mapping
from statistics import median

import numpy as np
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

CALLS = 50
QUESTION = [ChatMessage(role="user", content="What is the capital of France?")]
PROMPT = PromptTemplate("Context: France is a country.\nAnswer briefly: {query_str}")


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
    return {
        "the model itself": model,
        "RouterLLM, constant policy": RouterLLM(
            models=models, router=RulesRouter(pool=ModelPool(models), default="small")
        ),
        "RouterLLM, estimates and utility": RouterLLM(
            models=models, router=EstimatedRouter(estimator=Constant()).fit(outcomes)
        ),
    }


def chat(llm: LLM) -> None:
    """Ask by messages."""
    for _ in range(CALLS):
        llm.chat(QUESTION)


def predict(llm: LLM) -> None:
    """Ask by a template, as engines do."""
    for _ in range(CALLS):
        llm.predict(PROMPT, query_str="What is its capital?")


def achat(llm: LLM) -> None:
    """Ask by messages, awaiting."""

    async def asking() -> None:
        for _ in range(CALLS):
            await llm.achat(QUESTION)

    asyncio.run(asking())


def microseconds(way: Callable[[LLM], None], llm: LLM) -> float:
    """Return the CPU time of one call, averaged over a batch of them."""
    begun = time.process_time()
    way(llm)
    return (time.process_time() - begun) / CALLS * 1e6


def measure(way: Callable[[LLM], None], rounds: int) -> Mapping[str, tuple[float, float]]:
    """Return, by subject, the median CPU time of a call in microseconds, and of its hop over the bare call beside it."""
    llms = subjects()
    bare = next(iter(llms))
    for llm in llms.values():
        microseconds(way, llm)
    gc.collect()
    times = [{name: microseconds(way, llm) for name, llm in llms.items()} for _ in range(rounds)]
    return {
        name: (median(one[name] for one in times), median(one[name] / one[bare] - 1 for one in times)) for name in llms
    }


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    for way in (chat, achat, predict):
        print(f"{way.__name__:34}{'µs per call':>12}{'hop / bare':>12}")
        for name, (spent, share) in measure(way, rounds).items():
            print(f"  {name:32}{spent:12.1f}{share:12.2f}")


if __name__ == "__main__":
    main()
