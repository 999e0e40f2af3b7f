"""Saboteurs of hygiene: they phone home, chatter, warn, use other people's dice, and import the world to say hello."""

from __future__ import annotations

import socket
import warnings
from contextlib import suppress
from importlib import import_module
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pointsman.data.queries import Queries
from pointsman.testing.saboteurs.honest import HonestFeatures

__all__ = ["DrawsFromTheSharedGenerator", "ImportsForFun", "PhonesHome", "Prints", "Warns"]

_DISCARD_PORT = 9


class PhonesHome(HonestFeatures):
    """Tries to report, and says nothing when it cannot."""

    breaks: ClassVar = ("check_no_network_is_used",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return the features after a call to nobody."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", _DISCARD_PORT), timeout=0.1):
            pass
        return super().transform(queries)


class Prints(HonestFeatures):
    """Tells what it does."""

    breaks: ClassVar = ("check_nothing_is_printed",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return the features, with a word about it."""
        print(f"{len(queries)} queries")  # noqa: T201 - this is what it is here to do wrong
        return super().transform(queries)


class Warns(HonestFeatures):
    """Warns every time."""

    breaks: ClassVar = ("check_nothing_warns",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return the features under protest."""
        warnings.warn("this may take a while", stacklevel=2)
        return super().transform(queries)


class DrawsFromTheSharedGenerator(HonestFeatures):
    """Throws NumPy's shared dice, to no effect of its own."""

    breaks: ClassVar = ("check_global_randomness_is_untouched",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return the features after one draw."""
        np.random.rand()  # noqa: NPY002 - this is what it is here to do wrong
        return super().transform(queries)


class ImportsForFun(HonestFeatures):
    """Imports scikit-learn to transform three numbers."""

    breaks: ClassVar = ("check_use_needs_no_scikit_learn",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return the features, whether the import works or not."""
        with suppress(ImportError):
            import_module("sklearn.preprocessing")
        return super().transform(queries)
