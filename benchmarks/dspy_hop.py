"""What one routed DSPy call costs on top of the model's own: CPU time per call, with an in-process fake model behind it.

The subjects are a bare `dspy.LM` and a RouterLM over it, a bare predictor and a RoutedPredict, called and awaited. Run it with

    python benchmarks/dspy_hop.py [rounds]
"""

from __future__ import annotations

import os
from tempfile import mkdtemp
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("DSPY_CACHEDIR", mkdtemp(prefix="dspy-cache-"))

import dspy
from dspy.lm15 import Message, Response, Usage
from hops import Batch, awaiting, calling, measure, rounds, table

from dspy_router import RoutedPredict, RouterLM
from pointsman.models import ModelPool
from pointsman.routers.rules import RulesRouter

QUESTION = "What is the capital of France?"


class Fake:
    """A model that answers at once."""

    def complete(self, request: Any) -> Response:
        """Answer."""
        said = Message.assistant("[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]")
        used = Usage(input_tokens=5, output_tokens=1, total_tokens=6)
        return Response(id="x", model=request.model, message=said, finish_reason="stop", usage=used)


class AsyncFake:
    """The same, awaited."""

    async def complete(self, request: Any) -> Response:
        """Answer."""
        return Fake().complete(request)


def subjects() -> dict[str, Batch]:
    """Return what is called, by name."""
    lm = dspy.LM("fake/model", engine=Fake(), async_engine=AsyncFake(), cache=False)
    router = RouterLM({"small": lm, "large": lm}, RulesRouter(pool=ModelPool(["large", "small"]), default="small"))
    predictor = dspy.Predict("question -> answer")
    predictor.set_lm(lm)
    routed = RoutedPredict("question -> answer", router)
    return {
        "dspy.LM": calling(lambda: lm(QUESTION)),
        "RouterLM": calling(lambda: router(QUESTION)),
        "dspy.LM.acall": awaiting(lambda: lm.acall(QUESTION)),
        "RouterLM.acall": awaiting(lambda: router.acall(QUESTION)),
        "dspy.Predict": calling(lambda: predictor(question=QUESTION)),
        "RoutedPredict": calling(lambda: routed(question=QUESTION)),
        "dspy.Predict.acall": awaiting(lambda: predictor.acall(question=QUESTION)),
        "RoutedPredict.acall": awaiting(lambda: routed.acall(question=QUESTION)),
    }


def main() -> None:
    """Print the table."""
    batches = subjects()
    names = list(batches)
    table(measure(batches, rounds()), over=dict(zip(names[1::2], names[::2], strict=True)))


if __name__ == "__main__":
    main()
