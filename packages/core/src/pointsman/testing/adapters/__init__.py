"""Adapters under test: what a driver must provide, the world it is tried in, and the checks that every adapter satisfies."""

from pointsman.testing.adapters.checks import ADAPTER_CHECKS, AdapterCheck
from pointsman.testing.adapters.driver import AdapterDriver, Watched
from pointsman.testing.adapters.worlds import AdapterCase, World

__all__ = ["ADAPTER_CHECKS", "AdapterCase", "AdapterCheck", "AdapterDriver", "Watched", "World"]
