"""Staff see what a file would change, decide about its rows, book, undo or discard it."""

import pytest
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.entry import Entry
from campaigns.model.imported import ImportState
from campaigns.model.listing import Listing
from campaigns.model.staff import MAY, Permission, Role
from tests import bill
from tests.bill import Paid
from tests.web.staff.conftest import Desk
from tests.web.staff.files import THREE, read, the_import
from workers.imports import work_on


def test_booked_it_is_in_the_ledger(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    assert treasurer.post(f"{where}/commit").status_code == 302
    assert "0 of 4 rows" in treasurer.get(where).text
    work_on(the_import().id)
    db.session.expire_all()
    assert "booked" in treasurer.get(where).text
    entry = db.session.scalars(select(Entry).order_by(Entry.id)).first()
    assert entry is not None
    assert f"{where}/rows/0" in treasurer.get(f"/staff/ledger/{entry.id}").text


def test_pressed_twice_it_is_booked_once(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    treasurer.post(f"{where}/commit")
    again = treasurer.post(f"{where}/commit")
    assert again.status_code == 302
    assert "has moved on meanwhile" in treasurer.get(where).text


def test_undoing_needs_a_reason(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    treasurer.post(f"{where}/commit")
    work_on(the_import().id)
    db.session.expire_all()
    assert treasurer.post(f"{where}/undo", reason=" ").status_code == 400
    assert treasurer.post(f"{where}/undo", reason="wrong month").status_code == 302
    work_on(the_import().id)
    db.session.expire_all()
    assert the_import().state is ImportState.UNDONE
    assert "wrong month" in treasurer.get(where).text


def test_rows_are_shown_by_verdict(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill([Paid(1), Paid(1), Paid(2)]), listing=listing.id)
    page = treasurer.get(f"{where}?verdict=booked").text
    assert "The same movement stands further up in this file: 6" in page
    assert Paid(2).trade not in page


def test_single_rows_are_left_out(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    treasurer.post(f"{where}/rows", row=["0", "2"], decision="leave")
    assert "Book 2 rows" in treasurer.get(where).text
    treasurer.post(f"{where}/rows", row=["0"], decision="")
    assert "Book 3 rows" in treasurer.get(where).text


def test_all_rows_of_a_kind_are_left_out(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    treasurer.post(f"{where}/all", verdict="new", kind="fee", decision="leave")
    assert "Book 3 rows" in treasurer.get(where).text


def test_it_can_be_read_in_another_charset(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    given = {"profile": "alipay_account", "listing": listing.id, "mapping": "", "member": ""}
    treasurer.post(f"{where}/read", charset="utf-8", **given)
    work_on(the_import().id)
    db.session.expire_all()
    assert the_import().state is ImportState.FAILED
    treasurer.post(f"{where}/read", charset="gb18030", **given)
    work_on(the_import().id)
    db.session.expire_all()
    assert the_import().state is ImportState.REVIEW


def test_a_row_stands_as_in_the_file(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    page = treasurer.get(f"{where}/rows/0").text
    assert "业务流水号" in page
    assert "zs@example.org" in page


def test_who_may_not_see_donors_sees_no_names(
    treasurer: Desk, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    monkeypatch.setitem(MAY, Role.TREASURER, MAY[Role.TREASURER] - {Permission.SEE_DONORS})
    for page in (where, f"{where}/rows/0"):
        text = treasurer.get(page).text
        assert "张三" not in text
        assert "zs@example.org" not in text
        assert "张•••" in text


def test_rows_without_a_listing_lead_to_the_queue(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE))
    assert "4 new rows name no listing" in treasurer.get(where).text
    treasurer.post(f"{where}/commit")
    work_on(the_import().id)
    db.session.expire_all()
    assert "4 rows name no listing" in treasurer.get(where).text
    assert 'href="/staff/settle"' in treasurer.get(where).text


def test_an_amount_that_the_footer_does_not_state_is_shown(
    treasurer: Desk, listing: Listing
) -> None:
    changed = bill.bill(THREE).replace(b"100.00,0.00", b"900.00,0.00")
    page = treasurer.get(read(treasurer, changed, listing=listing.id)).text
    assert "Its own sums do not agree with its rows." in page
    assert "¥800.00" in page


def test_an_import_that_nobody_wants_is_discarded(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    assert "Discard the import" in treasurer.get(where).text
    assert treasurer.post(f"{where}/discard", reason=" ").status_code == 400
    assert treasurer.post(f"{where}/discard", reason="the wrong month").status_code == 302
    assert "being discarded" in treasurer.get(where).text
    work_on(the_import().id)
    db.session.expire_all()
    page = treasurer.get(where).text
    assert "the wrong month" in page
    assert "Discard the import" not in page
    assert treasurer.get(f"{where}/rows/0").status_code == 404


def test_what_is_booked_is_not_offered_to_be_discarded(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    treasurer.post(f"{where}/commit")
    assert "Discard the import" not in treasurer.get(where).text
    treasurer.post(f"{where}/discard", reason="too late")
    assert "has moved on meanwhile" in treasurer.get(where).text
    assert the_import().state is ImportState.COMMITTING
