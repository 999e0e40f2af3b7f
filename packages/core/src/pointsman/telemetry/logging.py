"""LogTraces: one line of Python logging for each query."""

from __future__ import annotations

import logging

from pointsman.types import Call, CallError, Trace

__all__ = ["LogTraces", "line"]

logger = logging.getLogger("pointsman")
logger.addHandler(logging.NullHandler())


class LogTraces:
    """An observer that logs every trace: answered ones at `level`, failed and cancelled ones as warnings.

    A line names the models, the money and the reason, and holds nothing of the query's or the answer's text.

    Parameters:
        level: The level of answered traces.
        to: The logger to write to.
    """

    def __init__(self, level: int = logging.INFO, to: logging.Logger = logger) -> None:
        self.level = level
        self.to = to

    def __call__(self, trace: Trace) -> None:
        """Log one trace."""
        level = self.level if trace.ended == "answered" else logging.WARNING
        if self.to.isEnabledFor(level):
            self.to.log(level, "%s", line(trace))


def line(trace: Trace) -> str:
    """Return a trace in one line."""
    cost = "unknown cost" if trace.cost_usd is None else f"${trace.cost_usd:.6f}"
    tried = [_outcome(step.effect.model, step.outcome) for step in trace.steps if isinstance(step.effect, Call)]
    by = f" by {trace.answer.model}" if trace.answer is not None and trace.answer.model else ""
    return f"{trace.id} {trace.ended}{by} for {cost}, calls: {', '.join(tried) or 'none'}"


def _outcome(model: str, outcome: object) -> str:
    if not isinstance(outcome, CallError):
        return f"{model} ok"
    if outcome.interrupted:
        return f"{model} interrupted"
    return f"{model} failed" + (f" ({outcome.status})" if outcome.status else "")
