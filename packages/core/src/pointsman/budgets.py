"""Budgets: a running ledger that reserves before a call and settles after it, exact and safe across threads."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from threading import Lock
from typing import Literal

from pointsman.errors import BudgetExceededError, ConfigError, PointsmanError, UnknownCostError
from pointsman.types import Query

__all__ = ["Budget", "Budgets", "Reservation", "exact"]

OnUnknown = Literal["error", "ignore"]


@dataclass(slots=True, eq=False)
class Reservation:
    """Money that a budget has set aside for one call; `usd` None means that its cost cannot be foreseen.

    Only its budget changes `state`: "open" while the call is under way, "unknown" when it ended without a known cost,
    "closed" once it is settled or released.
    """

    usd: float | None
    budget: Budget
    state: Literal["open", "unknown", "closed"] = "open"

    @property
    def held(self) -> Fraction:
        """The exact amount set aside."""
        return Fraction() if self.usd is None else exact(self.usd, "a reservation")


class Budget:
    """A limit in US dollars, and what has been spent and set aside under it.

    A reservation is granted only while everything spent and set aside, itself included, stays within the limit; so spending
    can pass the limit only by what calls cost beyond their reservations. Sums are exact: an amount counts as the decimal
    number it is written as, and the order in which calls are settled never matters.

    Parameters:
        limit_usd: The most to spend, at least 0.
        on_unknown: What a call of unforeseeable cost meets: "error" refuses it; "ignore" lets it pass with nothing set
            aside, as long as there is money left.

    >>> budget = Budget(0.3)
    >>> first, second = budget.reserve(0.1), budget.reserve(0.2)
    >>> budget.settle(first, 0.05)
    >>> budget.spent_usd, budget.reserved_usd, budget.left_usd
    (0.05, 0.2, 0.05)
    """

    def __init__(self, limit_usd: float, *, on_unknown: OnUnknown = "error") -> None:
        if on_unknown not in {"error", "ignore"}:
            raise ConfigError(f"Budget.on_unknown must be 'error' or 'ignore', got {on_unknown!r}.")
        self._limit = exact(limit_usd, "limit_usd")
        self.limit_usd = limit_usd
        self.on_unknown = on_unknown
        self._spent = Fraction()
        self._reserved = Fraction()
        self._unknown = 0
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Budget({self.limit_usd}, spent_usd={self.spent_usd}, reserved_usd={self.reserved_usd})"

    def reserve(self, usd: float | None, *, model: str = "the next call") -> Reservation:
        """Set money aside for a call; raise BudgetExceededError where there is no room for it.

        With `usd` None the cost is unknown: UnknownCostError, unless `on_unknown` is "ignore".
        """
        if usd is None and self.on_unknown == "error":
            raise UnknownCostError([model], f"the budget of ${self.limit_usd:g}")
        reservation = Reservation(usd, self)
        with self._lock:
            left = self._limit - self._spent - self._reserved
            if reservation.held > left or (usd is None and left <= 0):
                amount = "of unknown cost" if usd is None else f"for ${usd:.6g}"
                raise BudgetExceededError(
                    f"No room for {model} {amount}: of the budget of ${self.limit_usd:g}"
                    f" ${float(self._spent):.6g} are spent and ${float(self._reserved):.6g} reserved."
                )
            self._reserved += reservation.held
        return reservation

    def settle(self, reservation: Reservation, actual_usd: float | None) -> None:
        """Replace a reservation by what its call cost; None keeps it, as of a call whose cost has not arrived.

        What was kept may be settled once more, when the cost arrives after all.
        """
        actual = None if actual_usd is None else exact(actual_usd, "a settlement")
        with self._lock:
            self._close(reservation)
            if actual is None:
                reservation.state = "unknown"
                self._unknown += 1
                self._reserved += reservation.held
            else:
                self._spent += actual

    def release(self, reservation: Reservation) -> None:
        """Give a reservation back: its call was never billed."""
        with self._lock:
            self._close(reservation)

    def _close(self, reservation: Reservation) -> None:
        if reservation.budget is not self or reservation.state == "closed":
            raise PointsmanError(f"A reservation of ${reservation.usd} is not open here: closed, or another budget's.")
        self._unknown -= reservation.state == "unknown"
        self._reserved -= reservation.held
        reservation.state = "closed"

    @property
    def spent_usd(self) -> float:
        """What settled calls cost."""
        with self._lock:
            return float(self._spent)

    @property
    def reserved_usd(self) -> float:
        """What is set aside: for calls in flight, and for calls whose cost never arrived."""
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
            return self._unknown


class Budgets:
    """One budget for each session, user, day or whatever `scope` makes of a query; each is made when first asked for.

    >>> per_user = Budgets(1.0, scope=lambda query: query.tags["user"])
    >>> ada = per_user.of(Query(text="Hi", tags={"user": "ada"}))
    >>> ada is per_user.of(Query(text="Ho", tags={"user": "ada"})), ada is per_user.of(Query(text="Hi", tags={"user": "bob"}))
    (True, False)
    """

    def __init__(
        self, limit_usd: float, *, scope: Callable[[Query], Hashable], on_unknown: OnUnknown = "error"
    ) -> None:
        Budget(limit_usd, on_unknown=on_unknown)
        self.limit_usd = limit_usd
        self.on_unknown = on_unknown
        self._scope = scope
        self._ledgers: dict[Hashable, Budget] = {}
        self._lock = Lock()

    def of(self, query: Query) -> Budget:
        """Return the budget that this query draws on."""
        scope = self._scope(query)
        with self._lock:
            if scope not in self._ledgers:
                self._ledgers[scope] = Budget(self.limit_usd, on_unknown=self.on_unknown)
            return self._ledgers[scope]

    def forget(self, scope: Hashable) -> None:
        """Drop the budget of a scope that is over, such as a session that was closed."""
        with self._lock:
            self._ledgers.pop(scope, None)


def exact(usd: float, what: str) -> Fraction:
    """Return an amount as the decimal number it is written as; what is no amount of money raises ConfigError."""
    if not (isfinite(usd) and usd >= 0):
        raise ConfigError(f"Budget: {what} must be a finite number of dollars, at least 0; got {usd!r}.")
    return Fraction(repr(float(usd)))
