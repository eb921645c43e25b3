"""An import that nobody wants is put away: rows and bytes go, that it was stays."""

from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import func, select

from campaigns import imports, staging, stored
from campaigns.batches import Overtaken, Pace
from campaigns.db import Base, db
from campaigns.model.audit import AuditRecord
from campaigns.model.file import File, FileChunk
from campaigns.model.imported import Import, ImportGiver, ImportRow, ImportState
from campaigns.model.listing import Listing
from campaigns.steps import NotOpen
from tests import bill, make
from tests.bill import Paid
from tests.make import NOON
from workers.imports import WORK, work_on

BILL = bill.bill([Paid(1, party="张三 (zs@example.org)"), Paid(2)])


def discard(one: Import) -> None:
    imports.discard(one, "the wrong month", NOON, make.staff())
    db.session.commit()
    work_on(one.id)
    db.session.refresh(one)


def count(table: type[Base]) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_discarded_its_rows_givers_and_bytes_are_gone(listing: Listing) -> None:
    one = bill.read(BILL, listing)
    assert count(ImportRow) == 2
    assert count(ImportGiver) == 1
    discard(one)
    assert one.state is ImportState.DISCARDED
    assert one.discard_reason == "the wrong month"
    assert (count(ImportRow), count(ImportGiver), count(FileChunk)) == (0, 0, 0)
    assert db.session.get_one(File, one.file_id).size == len(BILL)


def test_who_discarded_it_and_why_is_on_record(listing: Listing) -> None:
    one = bill.read(BILL, listing)
    discard(one)
    of_it = select(AuditRecord).where(AuditRecord.subject == "import")
    last = db.session.scalars(of_it.order_by(AuditRecord.id.desc()).limit(1)).one()
    assert (last.action, last.staff_id) == ("discarded import", one.discarded_by)
    assert last.changes == {"reason": [None, "the wrong month"]}


def test_the_file_may_be_handed_in_again(listing: Listing) -> None:
    first = bill.read(BILL, listing)
    discard(first)
    again = bill.commit(bill.read(BILL, listing))
    assert again.file_id == first.file_id
    assert bill.raised(listing) == 2100
    assert [one.id for one in imports.of_file(db.session.get_one(File, first.file_id))] == [
        again.id,
        first.id,
    ]


def test_bytes_stay_while_another_import_has_them(listing: Listing) -> None:
    booked, twice = bill.commit(bill.read(BILL, listing)), bill.read(BILL, listing)
    discard(twice)
    with stored.opened(booked.file_id) as file:
        assert file.read() == BILL
    assert count(ImportRow) == 2


def test_of_two_that_are_discarded_the_last_drops_the_bytes(listing: Listing) -> None:
    for one in (bill.read(BILL, listing), bill.read(BILL, listing)):
        assert count(FileChunk) == 1
        discard(one)
    assert count(FileChunk) == 0


def test_one_that_cannot_be_read_is_put_away(listing: Listing) -> None:
    one = bill.read(b"a,b\n1,2\n", listing)
    discard(one)
    assert one.state is ImportState.DISCARDED


def test_discarded_while_it_is_read_it_stays_so(listing: Listing) -> None:
    one = bill.add(BILL, listing)
    reading = staging.stage(one.id, Pace(rows=1), lambda: NOON)
    next(reading)
    db.session.commit()
    imports.discard(one, "the wrong file", NOON, None)
    db.session.commit()
    with pytest.raises(Overtaken):
        next(reading)
    db.session.rollback()
    work_on(one.id)
    db.session.refresh(one)
    assert (one.state, count(ImportRow)) == (ImportState.DISCARDED, 0)


def test_killed_between_two_batches_it_goes_on(listing: Listing) -> None:
    one = bill.read(BILL, listing)
    imports.discard(one, "the wrong month", NOON, None)
    db.session.commit()
    next(WORK[one.state](one.id, Pace(), lambda: NOON))
    db.session.commit()
    db.session.refresh(one)
    assert one.state is ImportState.DISCARDING
    work_on(one.id)
    db.session.refresh(one)
    assert (one.state, count(ImportRow)) == (ImportState.DISCARDED, 0)


def test_what_is_booked_is_undone_and_never_discarded(listing: Listing) -> None:
    one = bill.read(BILL, listing)
    imports.commit(one, NOON, None)
    with pytest.raises(NotOpen):
        imports.discard(one, "too late", NOON, None)
    db.session.commit()
    work_on(one.id)
    db.session.refresh(one)
    with pytest.raises(NotOpen):
        imports.discard(one, "too late", NOON, None)
    assert bill.raised(listing) == 2100


def test_what_is_discarded_is_neither_booked_nor_read(listing: Listing) -> None:
    one = bill.read(BILL, listing)
    discard(one)
    for again in (
        lambda: imports.commit(one, NOON, None),
        lambda: imports.read_again(one, imports.Reading("generic"), NOON, None),
        lambda: imports.discard(one, "once more", NOON, None),
    ):
        with pytest.raises(NotOpen):
            again()


def test_without_a_reason_nothing_is_discarded(listing: Listing) -> None:
    one = bill.read(BILL, listing)
    with pytest.raises(ValueError, match="reason"):
        imports.discard(one, " ", NOON, None)
    assert one.state is ImportState.REVIEW


def test_dropped_bytes_are_kept_anew(app: Flask) -> None:
    kept = stored.keep(BytesIO(BILL), NOON)
    stored.drop(kept.id)
    stored.drop(kept.id)
    assert stored.keep(BytesIO(BILL), NOON).id == kept.id
    db.session.commit()
    with stored.opened(kept.id) as file:
        assert file.read() == BILL
