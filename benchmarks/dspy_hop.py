"""What one routed DSPy call costs on top of the model's own: CPU time per call, with an in-process fake model behind it.

The subjects take turns in each round: a bare `dspy.LM` and a RouterLM over it, a bare predictor and a RoutedPredict. Run it:

    python benchmarks/dspy_hop.py [rounds]
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Mapping
from statistics import median
from tempfile import mkdtemp
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("DSPY_CACHEDIR", mkdtemp(prefix="dspy-cache-"))

import dspy
from dspy.lm15 import Message, Response, Usage

from dspy_router import RoutedPredict, RouterLM
from pointsman.models import ModelPool
from pointsman.routers.rules import RulesRouter

CALLS = 100
QUESTION = "What is the capital of France?"
BARE, BARE_PREDICT = "dspy.LM", "dspy.Predict"
OVER = {"RouterLM": BARE, "RoutedPredict": BARE_PREDICT}


class Fake:
    """A model that answers at once."""

    def complete(self, request: Any) -> Response:
        """Answer."""
        said = Message.assistant("[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]")
        used = Usage(input_tokens=5, output_tokens=1, total_tokens=6)
        return Response(id="x", model=request.model, message=said, finish_reason="stop", usage=used)


def subjects() -> dict[str, Callable[[], object]]:
    """Return what is called, by name."""
    lm = dspy.LM("fake/model", engine=Fake(), cache=False)
    router = RouterLM({"small": lm, "large": lm}, RulesRouter(pool=ModelPool(["large", "small"]), default="small"))
    predictor = dspy.Predict("question -> answer")
    predictor.set_lm(lm)
    routed = RoutedPredict("question -> answer", router)
    return {
        BARE: lambda: lm(QUESTION),
        "RouterLM": lambda: router(QUESTION),
        BARE_PREDICT: lambda: predictor(question=QUESTION),
        "RoutedPredict": lambda: routed(question=QUESTION),
    }


def microseconds(call: Callable[[], object]) -> float:
    """Return the CPU time of one call, averaged over a batch of them."""
    begun = time.process_time()
    for _ in range(CALLS):
        call()
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
    print(f"{'':16}{'µs per call':>12}{'hop':>8}{'of the bare call':>18}")
    for name, spent in times.items():
        bare = times[OVER.get(name, name)]
        print(f"{name:16}{spent:12.0f}{spent - bare:8.0f}{(spent - bare) / bare:18.2f}")


if __name__ == "__main__":
    main()
