"""A person says that a notice is right: refunds told of as a sum become just that sum."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from campaigns import ledger
from campaigns.db import db
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from tests import make, payers
from tests.books import totals_agree
from tests.make import NOON
from tests.payers import Alipay
from tests.web.staff.conftest import Desk

WHY = "They told us by telephone."


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing(make.campaign("spring"))


@pytest.fixture
def alipay(listing: Listing) -> Alipay:
    return payers.alipay(listing)


def refunded(alipay: Alipay, client: FlaskClient, yuan: str, **changes: str) -> Notice:
    """The notice of a trade of which so much was refunded by now."""
    told = {"refund_fee": yuan, "gmt_refund": "2026-11-22 12:00:00.100", **changes}
    alipay.post(client, payers.form(payers.trade("000001", **told)))
    newest = select(Notice).order_by(Notice.id.desc()).limit(1)
    return db.session.scalars(newest).one()


def refunds() -> list[Entry]:
    assert totals_agree()
    rows = select(Entry).where(Entry.kind == EntryKind.REFUND).order_by(Entry.id)
    return list(db.session.scalars(rows))


def amounts() -> list[int]:
    return [entry.amount_minor for entry in refunds()]


def insist(treasurer: Desk, listing: Listing, notice: Notice) -> Verdict:
    page = f"/staff/settle/notices/{notice.id}"
    assert "Book as the notice says" in treasurer.get(page).text
    treasurer.post(f"{page}/insist", listing=listing.id, reason=WHY)
    return db.session.get_one(Notice, notice.id, populate_existing=True).verdict


def test_a_smaller_sum_under_the_same_event_takes_the_rest_back(
    treasurer: Desk, client: FlaskClient, alipay: Alipay, listing: Listing
) -> None:
    refunded(alipay, client, "30.00", notify_id="n-1", out_biz_no="RF-1")
    wrong = refunded(alipay, client, "20.00", notify_id="n-1", out_biz_no="RF-1")
    assert (wrong.verdict, amounts()) == (Verdict.CONFLICT, [-3000])
    assert insist(treasurer, listing, wrong) is Verdict.BOOKED
    assert amounts() == [-3000, 3000, -2000]
    first, _, instead = refunds()
    assert (instead.replaces, instead.notice_id, instead.reason) == (first.id, wrong.id, WHY)
    assert {key.value for key in instead.keys} == {"RF-1"}


def test_of_several_refunds_the_newest_are_taken_back(
    treasurer: Desk, client: FlaskClient, alipay: Alipay, listing: Listing
) -> None:
    for number, yuan in enumerate(("10.00", "30.00", "35.00")):
        refunded(alipay, client, yuan, notify_id=f"n-{number}", out_biz_no=f"RF-{number}")
    assert amounts() == [-1000, -2000, -500]
    wrong = refunded(alipay, client, "15.00", notify_id="n-1", out_biz_no="RF-1")
    page = treasurer.get(f"/staff/settle/notices/{wrong.id}").text
    assert all(f"Entry {entry.id}<" in page for entry in refunds())
    assert insist(treasurer, listing, wrong) is Verdict.BOOKED
    assert amounts() == [-1000, -2000, -500, 500, 2000, -500]
    page = treasurer.get(f"/staff/ledger/{refunds()[-1].id}").text
    assert WHY in page


def test_what_was_reversed_is_booked_again_as_often_as_a_person_says_so(
    treasurer: Desk, client: FlaskClient, alipay: Alipay, listing: Listing
) -> None:
    refunded(alipay, client, "30.00", notify_id="n-1", out_biz_no="RF-1")
    for number in range(2):
        ledger.reverse(refunds()[-1], "never paid out", NOON)
        db.session.commit()
        again = refunded(alipay, client, "30.00", notify_id=f"m-{number}", out_biz_no="RF-1")
        assert again.verdict is Verdict.RETURNED
        assert insist(treasurer, listing, again) is Verdict.BOOKED
    assert amounts() == [-3000, 3000, -3000, 3000, -3000]
    more = refunded(alipay, client, "40.00", notify_id="n-9", out_biz_no="RF-1")
    assert (more.verdict, amounts()[-1]) == (Verdict.BOOKED, -1000)


def test_several_that_were_reversed_are_booked_again_each_in_its_place(
    treasurer: Desk, client: FlaskClient, alipay: Alipay, listing: Listing
) -> None:
    for number, yuan in enumerate(("10.00", "30.00")):
        refunded(alipay, client, yuan, notify_id=f"n-{number}", out_biz_no=f"RF-{number}")
    first, second = refunds()
    for entry in (first, second):
        ledger.reverse(entry, "never paid out", NOON)
    db.session.commit()
    again = refunded(alipay, client, "45.00", notify_id="n-9", out_biz_no="RF-9")
    assert insist(treasurer, listing, again) is Verdict.BOOKED
    assert amounts()[4:] == [-1000, -3500]
    assert [entry.replaces for entry in refunds()[4:]] == [first.id, second.id]


def test_what_agrees_by_now_is_settled_and_nothing_is_booked(
    treasurer: Desk, client: FlaskClient, alipay: Alipay, listing: Listing
) -> None:
    refunded(alipay, client, "30.00", notify_id="n-1", out_biz_no="RF-1")
    wrong = refunded(alipay, client, "40.00", notify_id="n-1", out_biz_no="RF-1")
    refunded(alipay, client, "40.00", notify_id="n-2", out_biz_no="RF-2")
    assert insist(treasurer, listing, wrong) is Verdict.BOOKED
    assert amounts() == [-3000, -1000]
