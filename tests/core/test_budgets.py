"""Budgets: exact sums, no call beyond the limit, and nothing lost between threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from random import Random
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.budgets import Budget, Budgets, Reservation
from pointsman.errors import BudgetExceededError, ConfigError, PointsmanError, UnknownCostError
from pointsman.types import Query

amounts = st.floats(0, 10, allow_nan=False).map(lambda usd: round(usd, 9))


def written(usd: float) -> Fraction:
    """Return an amount as the decimal number it is written as."""
    return Fraction(repr(usd))


def test_a_reservation_becomes_what_the_call_cost() -> None:
    """Reserving takes from what is left, settling puts the actual cost in its place."""
    budget = Budget(1.0)
    reservation = budget.reserve(0.4)
    assert (budget.spent_usd, budget.reserved_usd, budget.left_usd) == (0.0, 0.4, 0.6)
    budget.settle(reservation, 0.1)
    assert (budget.spent_usd, budget.reserved_usd, budget.left_usd) == (0.1, 0.0, 0.9)


def test_amounts_count_as_they_are_written() -> None:
    """Three calls of 0.1 fit a budget of 0.3, which binary sums would refuse."""
    budget = Budget(0.3)
    for _ in range(3):
        budget.settle(budget.reserve(0.1), 0.1)
    assert (budget.spent_usd, budget.left_usd) == (0.3, 0.0)


def test_a_refusal_names_limit_spent_reserved_and_wanted() -> None:
    """The error says all there is to know, and nothing is reserved."""
    budget = Budget(1.0)
    budget.settle(budget.reserve(0.25), 0.25)
    budget.reserve(0.5)
    with pytest.raises(BudgetExceededError, match=r"large for \$0\.3: .*\$1 \$0\.25 are spent and \$0\.5 reserved"):
        budget.reserve(0.3, model="large")
    assert budget.left_usd == 0.25


def test_a_released_reservation_costs_nothing() -> None:
    """A call that was never billed gives all of its money back."""
    budget = Budget(1.0)
    budget.release(budget.reserve(0.7))
    assert (budget.spent_usd, budget.reserved_usd, budget.left_usd) == (0.0, 0.0, 1.0)


def test_an_interrupted_call_keeps_its_reservation_until_its_cost_arrives() -> None:
    """Settling with None keeps the money aside, and counts the call; the late cost replaces it."""
    budget = Budget(1.0)
    reservation = budget.reserve(0.6)
    budget.settle(reservation, None)
    assert (budget.spent_usd, budget.reserved_usd, budget.unknown_calls) == (0.0, 0.6, 1)
    budget.settle(reservation, None)
    assert (budget.reserved_usd, budget.unknown_calls) == (0.6, 1)
    budget.settle(reservation, 0.2)
    assert (budget.spent_usd, budget.reserved_usd, budget.unknown_calls) == (0.2, 0.0, 0)


def test_a_closed_or_foreign_reservation_is_refused() -> None:
    """Money cannot be settled twice, nor in another ledger."""
    budget, other = Budget(1.0), Budget(1.0)
    reservation = budget.reserve(0.1)
    with pytest.raises(PointsmanError, match="not open here"):
        other.settle(reservation, 0.1)
    budget.settle(reservation, 0.1)
    with pytest.raises(PointsmanError, match="not open here"):
        budget.settle(reservation, 0.1)
    with pytest.raises(PointsmanError, match="not open here"):
        budget.release(reservation)
    assert (budget.spent_usd, other.spent_usd, other.reserved_usd) == (0.1, 0.0, 0.0)


def test_an_unknown_cost_is_an_error_unless_told_otherwise() -> None:
    """By default a call of unknown cost is refused, and the error names it."""
    with pytest.raises(UnknownCostError, match="large"):
        Budget(1.0).reserve(None, model="large")


def test_ignored_unknown_costs_pass_while_money_is_left() -> None:
    """Under "ignore" they reserve nothing and are counted; an exhausted budget refuses them as well."""
    budget = Budget(1.0, on_unknown="ignore")
    budget.settle(budget.reserve(None), None)
    assert (budget.reserved_usd, budget.unknown_calls) == (0.0, 1)
    budget.settle(budget.reserve(None), 1.0)
    with pytest.raises(BudgetExceededError, match="unknown cost"):
        budget.reserve(None)


def test_spending_may_pass_the_limit_only_by_what_a_call_cost_beyond_its_reservation() -> None:
    """An estimate that was too low is paid in full; nothing is left then, and nothing less than nothing."""
    budget = Budget(1.0)
    budget.settle(budget.reserve(0.9), 1.5)
    assert (budget.spent_usd, budget.left_usd) == (1.5, 0.0)
    with pytest.raises(BudgetExceededError):
        budget.reserve(0.0)


@pytest.mark.parametrize("usd", [-0.1, float("nan"), float("inf")])
def test_what_is_no_amount_of_money_is_refused(usd: float) -> None:
    """Limits, reservations and settlements are finite and not negative; a refused settlement leaves its reservation."""
    with pytest.raises(ConfigError, match=r"limit_usd.*at least 0"):
        Budget(usd)
    budget = Budget(1.0)
    with pytest.raises(ConfigError, match="a reservation"):
        budget.reserve(usd)
    reservation = budget.reserve(0.5)
    with pytest.raises(ConfigError, match="a settlement"):
        budget.settle(reservation, usd)
    assert (budget.reserved_usd, reservation.state) == (0.5, "open")


def test_an_unknown_way_with_unknown_costs_is_refused() -> None:
    """`on_unknown` has two values."""
    with pytest.raises(ConfigError, match="'error' or 'ignore'"):
        Budget(1.0, on_unknown="warn")  # type: ignore[arg-type]


@given(st.lists(st.tuples(amounts, amounts | st.none()), max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_settlements_never_matters(calls: list[tuple[float, float | None]], random: Random) -> None:
    """However settlements are shuffled, the ledger is the same to the last digit, and it is the exact sum."""
    ledgers = []
    for _ in range(2):
        budget = Budget(1_000.0)
        opened = [(budget.reserve(wanted), actual) for wanted, actual in calls]
        random.shuffle(opened)
        for reservation, actual in opened:
            budget.settle(reservation, actual)
        ledgers.append((budget.spent_usd, budget.reserved_usd, budget.left_usd, budget.unknown_calls))
    spent = sum((written(actual) for _, actual in calls if actual is not None), Fraction())
    kept = sum((written(wanted) for wanted, actual in calls if actual is None), Fraction())
    unknown = sum(actual is None for _, actual in calls)
    left = max(Fraction(), 1_000 - spent - kept)
    assert ledgers == [(float(spent), float(kept), float(left), unknown)] * 2


@given(
    st.floats(0, 20).map(lambda usd: round(usd, 6)),
    st.lists(st.tuples(st.sampled_from(["reserve", "settle", "interrupt", "release"]), amounts, amounts), max_size=40),
)
def test_no_reservation_is_granted_beyond_the_limit(limit: float, moves: list[tuple[str, float, float]]) -> None:
    """Through any moves, what is spent and reserved exceeds the limit by no more than costs exceeded their reservations."""
    budget = Budget(limit)
    opened: list[Reservation] = []
    beyond = Fraction()
    for move, wanted, actual in moves:
        if move == "reserve":
            fits = written(budget.spent_usd) + written(budget.reserved_usd) + written(wanted) <= written(limit)
            try:
                opened.append(budget.reserve(wanted))
            except BudgetExceededError:
                assert not fits
            else:
                assert fits
        elif opened and move == "settle":
            reservation = opened.pop()
            beyond += max(Fraction(), written(actual) - reservation.held)
            budget.settle(reservation, actual)
        elif opened and move == "interrupt":
            budget.settle(opened.pop(), None)
        elif opened:
            budget.release(opened.pop())
        assert written(budget.spent_usd) + written(budget.reserved_usd) <= written(limit) + beyond


def test_sixty_four_threads_never_overshoot() -> None:
    """Of 64 threads that spend as fast as they can, together exactly as much as fits gets through."""
    budget, start = Budget(10.0), Barrier(64)

    def spend(seed: int) -> int:
        random, granted = Random(seed), 0  # noqa: S311 - nothing secret
        start.wait(timeout=30)
        for _ in range(50):
            try:
                reservation = budget.reserve(0.01)
            except BudgetExceededError:
                continue
            assert budget.spent_usd + budget.reserved_usd <= 10.0 + 1e-12
            granted += 1
            if random.random() < 0.1:
                budget.settle(reservation, None)
            else:
                budget.settle(reservation, 0.01)
        return granted

    with ThreadPoolExecutor(max_workers=64) as threads:
        granted = sum(threads.map(spend, range(64)))
    assert granted == 1_000
    assert written(budget.spent_usd) + written(budget.reserved_usd) == 10
    assert budget.left_usd == 0.0


def test_each_scope_has_a_budget_of_its_own() -> None:
    """What one session spends leaves the others theirs; a forgotten scope begins anew."""
    budgets = Budgets(1.0, scope=lambda query: query.session_id)
    ada, bob = Query(text="Hi", session_id="ada"), Query(text="Hi", session_id="bob")
    budgets.of(ada).settle(budgets.of(ada).reserve(1.0), 1.0)
    assert (budgets.of(ada).left_usd, budgets.of(bob).left_usd) == (0.0, 1.0)
    budgets.forget("ada")
    budgets.forget("nobody")
    assert budgets.of(ada).left_usd == 1.0


def test_a_wrong_limit_of_scopes_is_refused_at_once() -> None:
    """Budgets check their parameters when they are made, not at the first query."""
    with pytest.raises(ConfigError, match="limit_usd"):
        Budgets(-1.0, scope=lambda query: query.session_id)
    with pytest.raises(ConfigError, match="on_unknown"):
        Budgets(1.0, scope=lambda query: query.session_id, on_unknown="warn")  # type: ignore[arg-type]


def test_it_shows_what_it_holds() -> None:
    """A budget's representation gives its three numbers."""
    budget = Budget(1.0)
    budget.reserve(0.25)
    assert repr(budget) == "Budget(1.0, spent_usd=0.0, reserved_usd=0.25)"
