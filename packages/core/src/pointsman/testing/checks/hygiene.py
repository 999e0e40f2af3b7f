"""Hygiene: no network, no output, no warnings, no randomness but one's own, nothing heavy at decision time."""

from __future__ import annotations

import io
import random
import socket
import warnings
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from typing import Any
from unittest.mock import patch

import numpy as np

from pointsman.testing.cases import Case
from pointsman.testing.toys import toy

__all__ = [
    "check_global_randomness_is_untouched",
    "check_no_network_is_used",
    "check_nothing_is_printed",
    "check_nothing_warns",
    "check_use_needs_no_scikit_learn",
]

_CONNECTING = ("connect", "connect_ex", "sendto")


def _live(case: Case[Any]) -> None:
    """Fit it and use it."""
    case.does_after(toy())


def _shared_generators() -> tuple[Any, ...]:
    numpys = np.random.get_state(legacy=False)["state"]  # noqa: NPY002 - it is what we watch
    return random.getstate(), numpys["pos"], numpys["key"].tobytes()


def check_no_network_is_used(case: Case[Any]) -> None:
    """Neither fitting nor use opens a connection or looks up a name."""
    attempts: list[str] = []

    def refuse(*_: Any, **__: Any) -> None:
        attempts.append("network")
        raise OSError("there is no network")

    with ExitStack() as stack:
        for name in _CONNECTING:
            stack.enter_context(patch.object(socket.socket, name, refuse))
        stack.enter_context(patch.object(socket, "getaddrinfo", refuse))
        _live(case)
    assert not attempts, "it tried to use the network"


def check_nothing_is_printed(case: Case[Any]) -> None:
    """Neither fitting nor use writes to standard output or error."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        _live(case)
    assert not out.getvalue() + err.getvalue(), f"it wrote {out.getvalue() + err.getvalue()!r}"


def check_nothing_warns(case: Case[Any]) -> None:
    """Neither fitting nor use warns."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        _live(case)
    assert not seen, f"it warned: {seen[0].message}"


def check_global_randomness_is_untouched(case: Case[Any]) -> None:
    """Neither fitting nor use draws from, or seeds, a generator that others share."""
    before = _shared_generators()
    _live(case)
    assert _shared_generators() == before, "it used a global random generator"


def check_use_needs_no_scikit_learn(case: Case[Any]) -> None:
    """A fitted component imports nothing of scikit-learn, so that the first decision is as fast as the second."""
    refused = case.process.reply(case)["refused"]
    assert not refused, f"it imports {refused[0]}"
