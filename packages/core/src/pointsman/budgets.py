"""Budgets: a running ledger that reserves before a call and settles after it, exact and safe across threads."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction
from math import isfinite
from threading import Lock
from typing import Literal

from pointsman.errors import BudgetExceededError, ConfigError, PointsmanError, UnknownCostError
from pointsman.types import Query

__all__ = ["Budget", "Budgets", "Reservation"]


class Reservation:
    """Money set aside for one call; `usd` None means that its cost could not be foreseen."""

    __slots__ = ("usd",)

    def __init__(self, usd: float | None) -> None:
        self.usd = usd

    def __repr__(self) -> str:
        return f"Reservation(usd={self.usd})"


class Budget:
    """A limit in US dollars and what has been spent and set aside under it.

    A reservation is granted only while everything spent and set aside, with it, stays within the limit; so spending can pass
    the limit only by what calls in flight cost beyond their reservations. Sums are exact: amounts count as the decimal numbers
    they are written as, and the order in which calls are settled never matters.

    Parameters:
        limit_usd: The most to spend, at least 0.
        on_unknown: What a call of unforeseeable cost meets: "error" refuses it, "ignore" lets it pass unreserved.

    >>> budget = Budget(0.3)
    >>> first = budget.reserve(0.2)
    >>> budget.settle(first, 0.1)
    >>> budget.spent_usd, budget.reserved_usd, budget.left_usd
    (0.1, 0.0, 0.2)
    """

    def __init__(self, limit_usd: float, *, on_unknown: Literal["error", "ignore"] = "error") -> None:
        if on_unknown not in {"error", "ignore"}:
            raise ConfigError(f"Budget.on_unknown must be 'error' or 'ignore', got {on_unknown!r}.")
        self._limit = _exact(limit_usd, "limit_usd")
        self.limit_usd = limit_usd
        self.on_unknown = on_unknown
        self._spent = Fraction()
        self._reserved = Fraction()
        self._open: dict[Reservation, Fraction] = {}
        self._unknown: set[Reservation] = set()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Budget({self.limit_usd}, spent_usd={self.spent_usd}, reserved_usd={self.reserved_usd})"

    def reserve(self, usd: float | None, *, model: str = "the next call") -> Reservation:
        """Set money aside for a call; raise BudgetExceededError when there is no room for it.

        With `usd` None the cost is unknown: UnknownCostError, or an empty reservation under `on_unknown="ignore"`.
        """
        if usd is None and self.on_unknown == "error":
            raise UnknownCostError([model], f"the budget of ${self.limit_usd:g}")
        wanted = Fraction() if usd is None else _exact(usd, "a reservation")
        reservation = Reservation(usd)
        with self._lock:
            if self._spent + self._reserved + wanted > self._limit:
                raise BudgetExceededError(
                    f"{model} may cost ${float(wanted):.6g}, but of the budget of ${self.limit_usd:g}"
                    f" ${float(self._spent):.6g} are spent and ${float(self._reserved):.6g} are reserved."
                )
            self._reserved += wanted
            self._open[reservation] = wanted
        return reservation

    def settle(self, reservation: Reservation, actual_usd: float | None) -> None:
        """Replace a reservation by what the call cost; None keeps it, until the cost arrives if it ever does."""
        actual = None if actual_usd is None else _exact(actual_usd, "a settlement")
        with self._lock:
            if actual is None:
                self._held(reservation)
                self._unknown.add(reservation)
            else:
                self._reserved -= self._taken(reservation)
                self._spent += actual

    def release(self, reservation: Reservation) -> None:
        """Give a reservation back: its call was never billed."""
        with self._lock:
            self._reserved -= self._taken(reservation)

    def _held(self, reservation: Reservation) -> Fraction:
        try:
            return self._open[reservation]
        except KeyError:
            raise PointsmanError(
                f"{reservation} is not open in this budget; it was settled, released or is another's."
            ) from None

    def _taken(self, reservation: Reservation) -> Fraction:
        held = self._held(reservation)
        del self._open[reservation]
        self._unknown.discard(reservation)
        return held

    @property
    def spent_usd(self) -> float:
        """What settled calls cost."""
        with self._lock:
            return float(self._spent)

    @property
    def reserved_usd(self) -> float:
        """What is set aside for calls in flight, and for interrupted calls whose cost never arrived."""
        with self._lock:
            return float(self._reserved)

    @property
    def left_usd(self) -> float:
        """What can still be reserved, at least 0."""
        with self._lock:
            return float(max(Fraction(), self._limit - self._spent - self._reserved))

    @property
    def unknown_calls(self) -> int:
        """How many calls have ended without a known cost; their reservations stand."""
        with self._lock:
            return len(self._unknown)


class Budgets:
    """One budget for each session, user, day or whatever `scope` returns for a query, made when first asked for.

    >>> per_session = Budgets(1.0, scope=lambda query: query.session_id)
    >>> per_session.of(Query(text="Hi", session_id="a")) is per_session.of(Query(text="Ho", session_id="a"))
    True
    """

    def __init__(
        self, limit_usd: float, *, scope: Callable[[Query], Hashable], on_unknown: Literal["error", "ignore"] = "error"
    ) -> None:
        self._new = lambda: Budget(limit_usd, on_unknown=on_unknown)
        self._new()
        self._scope = scope
        self._ledgers: dict[Hashable, Budget] = {}
        self._lock = Lock()

    def of(self, query: Query) -> Budget:
        """Return the budget that this query draws on."""
        key = self._scope(query)
        with self._lock:
            if key not in self._ledgers:
                self._ledgers[key] = self._new()
            return self._ledgers[key]

    def forget(self, scope: Hashable) -> None:
        """Drop the ledger of a scope that is over, such as yesterday's."""
        with self._lock:
            self._ledgers.pop(scope, None)


def _exact(usd: float, what: str) -> Fraction:
    """Return an amount as the decimal number it is written as."""
    if not (isfinite(usd) and usd >= 0):
        raise ConfigError(f"Budget: {what} must be a finite number of dollars, at least 0; got {usd!r}.")
    return Fraction(repr(float(usd)))
