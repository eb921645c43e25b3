"""What platforms answered, as staff see it: text, never a page; and by which way they are asked."""

import re
from collections.abc import Callable

import pytest

from campaigns.db import db
from campaigns.model.answer import RawAnswer
from campaigns.model.audit import AuditRecord
from campaigns.model.listing import Listing, PollFailure
from campaigns.model.staff import Role
from tests import make
from tests.make import NOON
from tests.web.staff.conftest import Desk


@pytest.fixture
def listing(app: object) -> Listing:
    return make.listing(host="ssl.gongyi.qq.com", etag='"1"')


def answered(listing: Listing, body: bytes, failure: PollFailure | None = None) -> RawAnswer:
    row = RawAnswer(
        listing_id=listing.id,
        failure_id=failure.id if failure else None,
        at=NOON,
        url="https://ssl.gongyi.qq.com/x",
        status=200,
        headers={"content-type": "text/html; charset=iso-8859-1"},
        body=body,
        size=len(body),
    )
    db.session.add(row)
    db.session.commit()
    return row


def failed(listing: Listing) -> PollFailure:
    failure = PollFailure(
        listing_id=listing.id, at=NOON, condition="Unreadable", reason="The answer is empty."
    )
    db.session.add(failure)
    db.session.flush()
    return failure


def test_the_last_answer_is_shown_as_text(desk: Callable[..., Desk], listing: Listing) -> None:
    row = answered(listing, "<script>alert(1)</script>已募善款".encode("gbk"))
    who, path = desk(Role.EDITOR), f"/staff/listings/{listing.id}/answers/{row.id}"
    assert path in who.get(f"/staff/listings/{listing.id}").text
    page = who.get(path).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;已募善款" in page
    assert "GB18030" in page


def test_every_failure_is_listed_and_its_answer_if_it_is_kept(
    desk: Callable[..., Desk], listing: Listing
) -> None:
    for number in range(120):
        failed(listing).reason = f"No figure, the {number}th time."
    failed(make.listing()).reason = "Another listing's."
    row = answered(listing, b"odd", failed(listing))
    who, path = desk(Role.EDITOR), f"/staff/listings/{listing.id}/failures"
    assert path in who.get(f"/staff/listings/{listing.id}").text
    pages, seen = 0, ""
    while path:
        page = who.get(path).text
        older = re.search(r'rel="next" href="([^"]+)"', page)
        pages, seen, path = pages + 1, seen + page, older[1] if older else ""
    assert pages == 3
    assert all(f"the {number}th time" in seen for number in range(120))
    assert f"/answers/{row.id}" in seen
    assert "Another listing" not in seen


def test_each_failure_leads_to_its_answer(desk: Callable[..., Desk], listing: Listing) -> None:
    row = answered(listing, b"odd", failed(listing))
    who = desk(Role.EDITOR)
    assert f"/answers/{row.id}" in who.get(f"/staff/listings/{listing.id}").text
    page = who.get(f"/staff/listings/{listing.id}/answers/{row.id}").text
    assert "The answer is empty." in page


def test_an_answer_is_found_at_its_own_listing_only(
    desk: Callable[..., Desk], listing: Listing
) -> None:
    row, other = answered(listing, b"odd"), make.listing()
    assert desk(Role.EDITOR).get(f"/staff/listings/{other.id}/answers/{row.id}").status_code == 404


def test_another_way_is_asked_at_once_and_at_its_own_host(
    desk: Callable[..., Desk], listing: Listing
) -> None:
    who = desk(Role.FUNDRAISER)
    assert 'value="detail"' in who.get(f"/staff/listings/{listing.id}").text
    assert who.post(f"/staff/listings/{listing.id}/way", way="detail").status_code == 302
    db.session.refresh(listing)
    assert (listing.way, listing.host, listing.etag) == ("detail", "scdn.gongyi.qq.com", None)
    records = db.session.query(AuditRecord).filter_by(action="change way")
    assert [one.changes for one in records] == [{"way": ["current", "detail"]}]
    who.post(f"/staff/listings/{listing.id}/way", way="detail")
    assert records.count() == 1


@pytest.mark.parametrize("way", ["nobody", ""])
def test_a_way_that_there_is_not_changes_nothing(
    desk: Callable[..., Desk], listing: Listing, way: str
) -> None:
    desk(Role.FUNDRAISER).post(f"/staff/listings/{listing.id}/way", way=way)
    db.session.refresh(listing)
    assert listing.way is None


def test_where_there_is_one_way_there_is_no_choice(desk: Callable[..., Desk]) -> None:
    listing = make.listing(platform="alipay")
    assert 'name="way"' not in desk(Role.FUNDRAISER).get(f"/staff/listings/{listing.id}").text
