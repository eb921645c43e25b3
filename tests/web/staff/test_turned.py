"""Rows that the ledger contradicted while their file was booked: a person empties the queue."""

from campaigns.db import db
from campaigns.model.imported import ImportRow
from campaigns.model.listing import Listing
from tests import bill
from tests.test_import_turned import overtaken, waiting
from tests.web.staff.conftest import Desk

QUEUE = "/staff/settle"


def path(row: ImportRow, verb: str = "") -> str:
    return f"{QUEUE}/turned/{row.import_id}/{row.position}{verb and '/' + verb}"


def test_the_queue_shows_them_with_their_reasons(treasurer: Desk, listing: Listing) -> None:
    assert "Rows that came otherwise" not in treasurer.get(QUEUE).text
    overtaken(listing)
    page = treasurer.get(QUEUE).text
    assert all(path(row) in page for row in waiting())
    assert "with another amount or as another kind of money" in page
    assert "by a number of another sort" in page
    assert "¥100.00" in treasurer.get(path(waiting()[0])).text


def test_one_is_booked_as_the_file_says(treasurer: Desk, listing: Listing) -> None:
    overtaken(listing)
    row = waiting()[0]
    refused = treasurer.post(path(row, "insist"), listing=listing.id)
    assert refused.status_code == 400
    assert 'id="reason-error"' in refused.text
    done = treasurer.post(path(row, "insist"), listing=listing.id, reason="the fee was taken off")
    assert done.location == QUEUE
    db.session.expire_all()
    assert row.position not in [other.position for other in waiting()]
    assert bill.raised(listing) == 10000 + 5000 - 2 * 2000


def test_one_is_left_and_nobody_decides_twice(treasurer: Desk, listing: Listing) -> None:
    overtaken(listing)
    first, second = waiting()
    assert treasurer.post(path(first, "leave"), why_left=" ").status_code == 400
    for row in (first, second):
        treasurer.post(path(row, "leave"), why_left="the webhook is right")
    db.session.expire_all()
    assert waiting() == []
    assert "Nothing waits" in treasurer.get(QUEUE).text
    for verb, fields in (("leave", {"why_left": "x"}), ("insist", {"reason": "x"})):
        assert treasurer.post(path(first, verb), **fields).location == QUEUE
    assert treasurer.get(f"{QUEUE}/turned/999/0").status_code == 404
