"""DSPy programs whose language models pointsman chooses: RouterLM, routed predictors and modules, RouteOptimizer."""

from pointsman.errors import MissingExtraError

try:
    from dspy_router.checking import CheckedRouter
    from dspy_router.optimizer import RouteOptimizer
    from dspy_router.record import route_of
    from dspy_router.routed import Routed, routed
    from dspy_router.routed_predict import RoutedPredict
    from dspy_router.router_lm import RouterLM
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "dspy":
        raise
    raise MissingExtraError("dspy, which dspy_router is for,", "dspy") from error

__all__ = ["CheckedRouter", "RouteOptimizer", "Routed", "RoutedPredict", "RouterLM", "route_of", "routed"]
