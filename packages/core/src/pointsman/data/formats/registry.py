"""The formats by name, and the module of each, imported when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from pointsman.errors import ConfigError, choices

if TYPE_CHECKING:
    from pointsman.data.formats.layout import Format

__all__ = ["FORMATS", "format_named"]

FORMATS: Mapping[str, str] = {
    "arena": "Chatbot Arena's battles: two models, two answers, who won",
    "dspy": "dspy.Evaluate: save_as_json, save_as_csv, or its results in memory; one model each",
    "langsmith": "LangSmith: exported runs and experiments with feedback, tokens and cost",
    "llamaindex": "LlamaIndex evaluators: lists of EvaluationResult, BatchEvalRunner's results; one model each",
    "llmrouterbench": "LLMRouterBench: a JSON file of records per data set, split and model",
    "ragas": "ragas: an EvaluationResult, its data frame or that frame's CSV; one model each",
    "routellm": "RouteLLM's evaluations: a row per prompt, a column of true or false per model",
    "routerarena": "RouterArena: graded cached results and predictions; for evaluation only",
    "routerbench": "RouterBench: a row per prompt; score, answer and cost of every model in columns",
    "sprout": "SPROUT (CARROT): a row per prompt; answer, score and tokens of every model in a structure",
}
"""What can be read besides the long form, and what it is."""


def format_named(name: str) -> Format:
    """Return a format; an unknown name raises ConfigError with the choices.

    >>> format_named("ragas").suffixes
    ('.csv', '.jsonl', '.json', '.parquet')
    """
    if name not in FORMATS:
        raise ConfigError(f"There is no format {name!r}; known are {choices(FORMATS)}, and None for the long form.")
    found: Format = import_module(f"pointsman.data.formats.{name}").FORMAT
    return found
