"""Of two doors that book what is about one donation at once, the second waits for the first."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from campaigns import imports, ledger, turns
from campaigns.db import db
from campaigns.model.entry import EntryKind
from campaigns.model.listing import Listing
from campaigns.money import Money
from tests import bill
from tests.bill import Paid
from tests.books import booking, numbered
from tests.make import NOON
from workers.imports import work_on


@pytest.mark.parametrize("row", [bill.refund(1, 60, line=2), bill.fee(1, 60, line=2)])
def test_a_batch_of_a_file_waits_for_who_books_the_same(
    app: Flask, listing: Listing, row: Paid
) -> None:
    one = bill.read(bill.bill([row]), listing)
    imports.commit(one, NOON, None)
    db.session.commit()

    def tick(import_id: int) -> None:
        with app.app_context():
            work_on(import_id)

    about = {"source": bill.SOURCE, "regards": f"trade:{row.trade}", "amount": Money(60, "CNY")}
    kind = EntryKind.FEE if row.sort == "收费" else EntryKind.REFUND
    ledger.book(booking(listing, ("request", "Q-1"), kind=kind, **about), NOON)
    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(tick, one.id)
        with pytest.raises(TimeoutError):
            worker.result(0.5)
        db.session.commit()
        worker.result(10)
    assert [amount for amount, _ in numbered()] == [-60]
    assert bill.verdicts(one) == ["booked"]


def test_who_takes_many_turns_takes_them_in_one_order(app: Flask, dialect: str) -> None:
    if dialect != "postgresql":
        pytest.skip("who writes on SQLite is alone")
    donations = [("alipay:1", f"trade:{number}") for number in range(40)]

    def take(order: int) -> None:
        with app.app_context():
            for _ in range(50):
                turns.take_all(donations[::order])
                db.session.rollback()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(take, [1, -1]))
