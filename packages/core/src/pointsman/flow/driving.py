"""Drivers: they perform what a plan wants, blocking or awaiting, until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from pointsman.flow.grammar import AsyncPerform, Effect, Outcome, Perform, Plan, Run
from pointsman.types import CallError, Path

__all__ = ["adrive", "aperform_batch", "drive", "perform_batch"]

T = TypeVar("T")


def drive(plan: Plan[T], perform: Perform) -> T:
    """Perform a plan with a blocking performer; a batch runs in threads that see the caller's context variables."""
    with Run(plan) as run:
        while not run.done:
            run.send(perform_batch(run.requests(), perform))
        return run.result


async def adrive(plan: Plan[T], perform: AsyncPerform) -> T:
    """Perform a plan with an awaitable performer; a batch runs concurrently."""
    with Run(plan) as run:
        while not run.done:
            run.send(await aperform_batch(run.requests(), perform))
        return run.result


def perform_batch(requests: list[tuple[Effect, Path]], perform: Perform) -> tuple[Outcome, ...]:
    """Perform effects at once; all finish before an unexpected error of one of them is raised."""
    if len(requests) == 1:
        return (_outcome(perform, *requests[0]),)
    with ThreadPoolExecutor(max_workers=len(requests) or 1) as threads:
        started = [threads.submit(copy_context().run, partial(_outcome, perform, *request)) for request in requests]
    return tuple(future.result() for future in started)


def _outcome(perform: Perform, effect: Effect, path: Path) -> Outcome:
    try:
        return perform(effect, path)
    except CallError as error:
        return error


async def aperform_batch(requests: list[tuple[Effect, Path]], perform: AsyncPerform) -> tuple[Outcome, ...]:
    """Perform effects at once; all finish before an unexpected error of one of them is raised."""
    if len(requests) == 1:
        return (await _aoutcome(perform(*requests[0])),)
    settled = await asyncio.gather(*(_aoutcome(perform(*r)) for r in requests), return_exceptions=True)
    return tuple(map(_expected, settled))


def _expected(outcome: Outcome | BaseException) -> Outcome:
    if isinstance(outcome, BaseException) and not isinstance(outcome, CallError):
        raise outcome
    return outcome


async def _aoutcome(performing: Awaitable[Outcome]) -> Outcome:
    try:
        return await performing
    except CallError as error:
        return error
