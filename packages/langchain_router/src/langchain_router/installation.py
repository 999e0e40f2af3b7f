"""Whose `langchain_router` this is: an unrelated distribution on PyPI installs the same import name."""

from __future__ import annotations

from importlib.metadata import packages_distributions

from pointsman.errors import choices

__all__ = ["DISTRIBUTION", "check_installation"]

DISTRIBUTION = "pointsman"
"""The distribution this package belongs to; another package of the same name does not have this attribute."""


def check_installation() -> None:
    """Raise ImportError if another distribution has written into this package.

    Two distributions that share an import name overwrite each other's files, and whichever was installed last wins.
    """
    others = set(packages_distributions().get("langchain_router", ())) - {DISTRIBUTION}
    if others:
        raise ImportError(
            f"The import name langchain_router is shared with {choices(others)}; uninstall it and install {DISTRIBUTION} again."
        )
