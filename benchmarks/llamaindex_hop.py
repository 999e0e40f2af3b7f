"""What one routed LlamaIndex call costs on top of the model's own: CPU time per call, as a share of the model's own call.

The model is the in-process fake of LlamaIndex, so that only the hop is measured; bare and routed calls take turns. Run it with

    python benchmarks/llamaindex_hop.py [rounds]
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Mapping
from statistics import median

import numpy as np
from llama_index.core.llms import ChatMessage
from llama_index.core.llms.mock import MockLLM

from llamaindex_router import RouterLLM
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.constant import Constant
from pointsman.models import ModelPool
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter

CALLS = 50
BARE = "the model itself"
QUESTION = [ChatMessage(role="user", content="What is the capital of France?")]


def subjects() -> dict[str, Callable[[], object]]:
    """Return what is called, by name: the model itself, and the model behind routers."""
    model = MockLLM()
    outcomes = RoutingDataset(
        queries=Queries.from_texts(["a", "b"]),
        models=("large", "small"),
        quality=np.array([[1.0, 1.0], [1.0, 0.0]]),
        cost_usd=np.array([[0.02, 0.001], [0.02, 0.001]]),
    )
    models = {"small": model, "large": model}
    constant = RouterLLM(models=models, router=RulesRouter(pool=ModelPool(models), default="small"))
    estimated = RouterLLM(models=models, router=EstimatedRouter(estimator=Constant()).fit(outcomes))
    return {
        BARE: lambda: model.chat(QUESTION),
        "RouterLLM, constant policy": lambda: constant.chat(QUESTION),
        "RouterLLM, estimates and utility": lambda: estimated.chat(QUESTION),
    }


def microseconds(call: Callable[[], object]) -> float:
    """Return the CPU time of one call, averaged over a batch of them."""
    begun = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - begun) / CALLS * 1e6


def measure(rounds: int) -> Mapping[str, tuple[float, float]]:
    """Return, by subject, the median CPU time of a call in microseconds, and of its hop over the bare call beside it."""
    calls = subjects()
    for call in calls.values():
        microseconds(call)
    gc.collect()
    times = [{name: microseconds(call) for name, call in calls.items()} for _ in range(rounds)]
    return {
        name: (median(one[name] for one in times), median(one[name] / one[BARE] - 1 for one in times)) for name in calls
    }


def main() -> None:
    """Print the table."""
    print(f"{'':34}{'µs per call':>12}{'hop / bare':>12}")
    for name, (spent, share) in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 60).items():
        print(f"{name:34}{spent:12.1f}{share:12.2f}")


if __name__ == "__main__":
    main()
