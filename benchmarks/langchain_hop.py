"""What one routed LangChain call costs on top of the model's own: CPU time per call, beside that of LangChain's fallbacks.

The model is an in-process fake, so that nothing but the hop is measured. Run it with

    python benchmarks/langchain_hop.py [rounds]
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from hops import calling, hop, measure, rounds, table
from langchain_core.language_models import FakeListChatModel

from langchain_router import RouterLLM
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.constant import Constant
from pointsman.models import ModelPool
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter

BARE = "the model itself"
FALLBACKS = "with_fallbacks"
QUESTION = "What is the capital of France?"


def subjects() -> dict[str, Any]:
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
        BARE: model,
        FALLBACKS: model.with_fallbacks([model]),
        "RouterLLM, constant policy": RouterLLM(models=models, router=constant),
        "RouterLLM, estimates and utility": RouterLLM(models=models, router=estimated),
    }


def main() -> None:
    """Print the table, and the routers' hops beside that of the fallbacks."""
    called = subjects()
    times = measure({name: calling(partial(one.invoke, QUESTION)) for name, one in called.items()}, rounds())
    routed = [name for name in called if name != BARE]
    table(times, over=dict.fromkeys(routed, BARE))
    fallbacks, least = (
        hop(times, FALLBACKS, BARE),
        {name: min(spent) - min(times[BARE]) for name, spent in times.items()},
    )
    for name in routed:
        ratios = hop(times, name, BARE) / fallbacks, least[name] / least[FALLBACKS]
        print(f"{name:36}{'of with_fallbacks':>40}{ratios[0]:8.2f} ×{ratios[1]:6.2f} ×")


if __name__ == "__main__":
    main()
