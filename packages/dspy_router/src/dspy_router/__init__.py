"""RouterLM: a DSPy language model that lets a pointsman router choose, for every call, which model answers it."""

from pointsman.errors import MissingExtraError

try:
    from dspy_router.router_lm import RouterLM
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "dspy":
        raise
    raise MissingExtraError("dspy, which dspy_router is for,", "dspy") from error

__all__ = ["RouterLM"]
