"""A DSPy program of two predictors whose routes are learnt from its own metric: the same score, for a part of the cost."""

from __future__ import annotations

import re
from typing import Any

import dspy

from dspy_router import RouteOptimizer
from pointsman import EqualQuality, ModelPool, ModelSpec, Price
from pointsman.testing.replay_server import Recorded, ReplayServer

PRICES = {"large": (10.0, 40.0), "small": (0.5, 1.5)}
POOL = ModelPool([ModelSpec(name=n, price=Price(input_per_mtok=i, output_per_mtok=o)) for n, (i, o) in PRICES.items()])


class Ticket(dspy.Module):
    """Sorts a customer's message, then answers it."""

    def __init__(self) -> None:
        super().__init__()
        self.sort = dspy.Predict("message -> kind")
        self.reply = dspy.ChainOfThought("policy, message, kind -> reply")

    def forward(self, message: str) -> Any:
        """Sort and answer."""
        kind = self.sort(message=message).kind
        return self.reply(policy="Refunds are subject to review. " * 40, message=message, kind=kind)


def answer(model: str, request: dict[str, Any]) -> Recorded:
    """Stand in for the providers: the small model sorts as well as the large one, but does not answer disputes well."""
    asked, _, wanted = request["messages"][-1]["content"].partition("Respond with")
    hard = "dispute" in asked.rpartition("[[ ## message ## ]]")[2]
    text = "I do not know." if model == "small" and hard and "reply" in wanted else "dispute" if hard else "all good"
    fields = re.findall(r"\[\[ ## (\w+) ## \]\]", wanted)
    said = "".join(f"[[ ## {field} ## ]]\n{text}\n\n" for field in fields)
    return Recorded(text=said, input_tokens=len(asked) // 4, output_tokens=len(said) // 4)


def metric(example: Any, prediction: Any, trace: Any = None) -> bool:
    """Return whether the reply is the right one."""
    del trace
    return bool(prediction.reply == example.reply)


def examples(n: int, start: int = 0) -> list[Any]:
    """Return n messages with their right replies; every third one is a dispute."""
    made = []
    for i in range(start, start + n):
        text, reply = (f"I dispute invoice {i}", "dispute") if i % 3 == 0 else (f"Thanks for parcel {i}", "all good")
        made.append(dspy.Example(message=text, reply=reply).with_inputs("message"))
    return made


def main() -> None:
    """Compile over a local server, and compare the bills."""
    with ReplayServer({}, default=answer, prices=PRICES) as server:
        lms = {
            n: dspy.LM(f"openai/{n}", api_base=server.url, api_key="none", cache=False, num_retries=0) for n in PRICES
        }
        optimizer = RouteOptimizer(lms, metric, pool=POOL, on="message", objective=EqualQuality(tolerance=0.05))
        routed = optimizer.compile(Ticket(), trainset=examples(120))
        print(routed.route_report)
        single = Ticket()
        single.set_lm(lms["large"])
        for name, program in (("always large", single), ("routed", routed)):
            before = server.cost_usd()
            score = dspy.Evaluate(devset=examples(60, start=600), metric=metric, num_threads=4)(program).score
            print(f"{name}: {score:g} % for ${server.cost_usd() - before:.4f}")


if __name__ == "__main__":
    main()
