"""Files, webhooks and hands in any order and repetition: one entry each, and the right sum."""

from itertools import count

import hypothesis
from hypothesis import strategies
from sqlalchemy import func, select

from campaigns import figures, ledger
from campaigns.db import db
from campaigns.model.entry import Door, Entry
from campaigns.model.listing import Listing, Rule
from campaigns.money import Money
from tests import bill, make
from tests.bill import Paid
from tests.books import booking, totals_agree
from tests.make import NOON

PAYMENTS = 3
STEPS = strategies.lists(
    strategies.one_of(
        strategies.tuples(
            strategies.just("file"), strategies.sets(strategies.integers(0, PAYMENTS - 1))
        ),
        strategies.tuples(
            strategies.sampled_from(["webhook", "hand"]), strategies.integers(0, PAYMENTS - 1)
        ),
    ),
    min_size=1,
    max_size=6,
)
_examples = count(1)


@hypothesis.given(STEPS)
@hypothesis.settings(
    max_examples=12,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_by_files_and_other_doors_each_payment_is_booked_once(
    listing: Listing, steps: list[tuple[str, object]]
) -> None:
    # Imports commit, so each example has payments and a listing of its own.
    own = make.listing(rule=Rule.ITEMISED)
    first = next(_examples) * 3 * PAYMENTS
    paid = [Paid(first + number, 100 * 10**number) for number in range(PAYMENTS)]
    told: set[int] = set()
    for door, what in steps:
        numbers = sorted(what) if isinstance(what, set) else [int(str(what))]
        told |= set(numbers)
        if door == "file":
            bill.commit(bill.read(bill.bill([paid[number] for number in numbers]), own))
        else:
            _arrives(own, door, paid[numbers[0]])
    entries = select(func.count()).select_from(Entry).where(Entry.listing_id == own.id)
    assert db.session.scalar(entries) == len(told)
    published = figures.published(own)
    assert (published.minor if published else 0) == sum(paid[number].fen for number in told)
    assert totals_agree()


def _arrives(listing: Listing, door: str, paid: Paid) -> None:
    """By another door, which knows one number of the payment, or both; files know both."""
    both = (("trade", paid.trade), ("order", paid.order))
    known = both[paid.number % PAYMENTS : paid.number % PAYMENTS + 1] or both
    told = booking(
        listing,
        *known,
        source=bill.SOURCE,
        amount=Money(paid.fen, "CNY"),
        door=Door(door),
    )
    ledger.book(told, NOON)
    db.session.commit()
