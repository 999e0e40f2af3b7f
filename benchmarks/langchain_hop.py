"""What one routed LangChain call costs on top of the model's own: CPU time per call, beside that of LangChain's fallbacks.

The model is an in-process fake, so that nothing but the hop is measured; all subjects take turns within each round. Run it with

    python benchmarks/langchain_hop.py [rounds]
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Mapping
from statistics import median

import numpy as np
from langchain_core.language_models import FakeListChatModel

from langchain_router import RouterLLM
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.constant import Constant
from pointsman.models import ModelPool
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter

CALLS = 200
BARE = "the model itself"
FALLBACKS = "with_fallbacks"
QUESTION = "What is the capital of France?"


def subjects() -> dict[str, Callable[[str], object]]:
    """Return what is called, by name: the model itself, the model with a fallback, the model behind a router."""
    model = FakeListChatModel(responses=["Paris"])
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
        BARE: model.invoke,
        FALLBACKS: model.with_fallbacks([model]).invoke,
        "RouterLLM, constant policy": RouterLLM(models=models, router=constant).invoke,
        "RouterLLM, estimates and utility": RouterLLM(models=models, router=estimated).invoke,
    }


def microseconds(call: Callable[[str], object]) -> float:
    """Return the CPU time of one call, averaged over a batch of them."""
    begun = time.process_time()
    for _ in range(CALLS):
        call(QUESTION)
    return (time.process_time() - begun) / CALLS * 1e6


def measure(rounds: int) -> Mapping[str, float]:
    """Return the median CPU time of one call in microseconds, by subject."""
    calls = subjects()
    for call in calls.values():
        microseconds(call)
    gc.collect()
    times = [{name: microseconds(call) for name, call in calls.items()} for _ in range(rounds)]
    return {name: median(one[name] for one in times) for name in calls}


def main() -> None:
    """Print the table."""
    times = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
    fallbacks = times[FALLBACKS] - times[BARE]
    print(f"{'':34}{'µs per call':>12}{'hop':>8}{'ratio':>8}")
    for name, spent in times.items():
        hop = spent - times[BARE]
        print(f"{name:34}{spent:12.1f}{hop:8.1f}{hop / fallbacks:8.2f}")


if __name__ == "__main__":
    main()
