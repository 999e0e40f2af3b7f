"""The folder's public face."""

from __future__ import annotations

import importlib
import pkgutil

from pointsman import metrics

# Checked arrays and resampling units serve the metrics; they are no metrics.
INTERNAL = {"arrays", "clusters"}


def test_every_public_name_of_a_module_is_exported_once_and_sorted() -> None:
    """`metrics.__all__` is the sorted union of its modules' `__all__`, and every name resolves and is documented."""
    modules = [module.name for module in pkgutil.iter_modules(metrics.__path__) if module.name not in INTERNAL]
    names = [name for module in modules for name in importlib.import_module(f"pointsman.metrics.{module}").__all__]
    assert sorted(names) == sorted(set(names)) == sorted(metrics.__all__)
    for name in names:
        assert getattr(metrics, name).__doc__
