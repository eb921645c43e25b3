"""Donors in the browser: found, merged after a preview, and what of a gift the public sees."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import bookings, ledger
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign
from campaigns.model.donor import Donor
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.gift import Gift, Moderation
from campaigns.model.listing import Listing
from campaigns.model.merge import Merge
from campaigns.model.staff import Role
from campaigns.money import Money
from tests import make
from tests.make import NOON
from tests.web.staff.conftest import Desk


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign("spring")


@pytest.fixture
def listing(campaign: Campaign) -> Listing:
    return make.listing(campaign)


@pytest.fixture
def ada(app: Flask) -> Donor:
    return make.donor("ada@example.org", name="Ada Lovelace")


def gift(listing: Listing, of: Donor | None = None, yuan: int = 10, **wish: object) -> Gift:
    booking = bookings.Booking(
        listing=listing,
        kind=EntryKind.DONATION,
        amount=Money(yuan * 100, "CNY"),
        occurred_at=NOON,
        source="hand",
        keys=(),
        door=Door.HAND,
    )
    booked = ledger.book(booking, NOON)
    row = Gift(entry_id=booked.entry_id, donor_id=of.id if of else None, **wish)
    db.session.add(row)
    db.session.commit()
    return row


def person(donor: Donor) -> int:
    """The row that a donor's row stands for now."""
    return donor.merged_into or donor.id


def test_a_donor_is_found_by_the_whole_address_or_a_part_of_the_name(
    treasurer: Desk, ada: Donor
) -> None:
    make.donor("bo@example.org", name="Bo")
    for text in ("Ada@Example.org", "love", "LOVELACE"):
        page = treasurer.post("/staff/donors", q=text).text
        assert "ada@example.org" in page
        assert "bo@example.org" not in page
    for text in ("ada@", "ada@example", "example.org", "%", "nobody@example.org"):
        assert "ada@example.org" not in treasurer.post("/staff/donors", q=text).text


def test_a_donor_stands_with_what_they_gave(treasurer: Desk, ada: Donor, listing: Listing) -> None:
    gift(listing, ada, 10)
    back = gift(listing, ada, 500)
    ledger.reverse(db.session.get_one(Entry, back.entry_id), "bounced", NOON)
    assert "¥10.00" in treasurer.get("/staff/donors").text
    page = treasurer.get(f"/staff/donors/{ada.id}").text
    assert "¥10.00 · one gift" in page
    assert "reversed" in page


def test_merging_shows_first_what_moves_and_can_be_undone(
    treasurer: Desk, ada: Donor, listing: Listing
) -> None:
    old = make.donor("ada@old.example", name="ada lovelace")
    gift(listing, old, 30)
    address = f"/staff/donors/merges/{old.id}/{ada.id}"
    assert (
        address.replace(f"{old.id}/{ada.id}", f"{ada.id}/{old.id}")
        in treasurer.get("/staff/donors/merges").text
    )
    assert "One gift is shown with the row that stays." in treasurer.get(address).text
    assert person(old) == old.id
    treasurer.post(address)
    assert person(old) == ada.id
    page = treasurer.get(f"/staff/donors/{ada.id}").text
    assert "¥30.00 · one gift" in page
    assert "ada@old.example" in treasurer.post("/staff/donors", q="lovelace").text
    made = db.session.scalars(select(Merge)).one()
    treasurer.post(f"/staff/donors/merges/{made.id}/undo")
    assert person(old) == old.id
    assert "¥30.00" not in treasurer.get(f"/staff/donors/{ada.id}").text


def test_two_people_are_told_apart_and_that_can_be_undone(treasurer: Desk, ada: Donor) -> None:
    old = make.donor("ada@old.example", name="ada lovelace")
    pair, look = f"/staff/donors/merges/{ada.id}/{old.id}", "Look at merging"
    assert look in treasurer.get("/staff/donors/merges").text
    answer = treasurer.post(f"{pair}/apart")
    assert answer.location == "/staff/donors/merges"
    page = treasurer.get("/staff/donors/merges").text
    assert look not in page
    assert "Two people, as you said" in page
    assert "said that they are two people" in treasurer.get(pair).text
    for _time in range(2):
        treasurer.post(f"/staff/donors/merges/{old.id}/{ada.id}/again")
    assert look in treasurer.get("/staff/donors/merges").text
    treasurer.post(f"/staff/donors/merges/{ada.id}/{ada.id}/apart")
    assert "This is the same row." in treasurer.get(f"/staff/donors/{ada.id}").text


def test_one_looks_at_merging_by_typing_the_other_address(treasurer: Desk, ada: Donor) -> None:
    old = make.donor("ada@old.example")
    path = f"/staff/donors/merges/with/{old.id}"
    answer = treasurer.post(path, address="ADA@example.org")
    assert answer.location == f"/staff/donors/merges/{old.id}/{ada.id}"
    for nobody in ("", "nonsense", "nobody@example.org"):
        assert treasurer.post(path, address=nobody).location == f"/staff/donors/{old.id}"


def test_what_cannot_be_merged_says_why(treasurer: Desk, ada: Donor) -> None:
    treasurer.post(f"/staff/donors/merges/{ada.id}/{ada.id}")
    assert "This is the same row." in treasurer.get(f"/staff/donors/{ada.id}").text


def test_a_message_is_public_from_when_staff_show_it_until_they_hide_it(
    treasurer: Desk, listing: Listing
) -> None:
    one = gift(listing, None, message="Good luck!", public_name="Bo", show_name=True)
    public = "/en/c/spring"
    assert "Good luck!" not in treasurer.client.get(public).text
    assert "Good luck!" in treasurer.get("/staff/donors/messages").text
    path = f"/staff/donors/gifts/{one.entry_id}/message?from=messages"
    treasurer.post(path, moderation="shown")
    assert "Good luck!" in treasurer.client.get(public).text
    treasurer.post(path, moderation="hidden")
    assert "Good luck!" not in treasurer.client.get(public).text
    assert "Good luck!" in treasurer.get("/staff/donors/messages?state=hidden").text
    records = db.session.scalars(select(AuditRecord).order_by(AuditRecord.id)).all()
    assert [record.changes["moderation"] for record in records] == [
        ["waiting", "shown"],
        ["shown", "hidden"],
    ]


def test_what_is_no_wish_changes_nothing(treasurer: Desk, listing: Listing) -> None:
    one, silent = gift(listing, None, message="Hi"), gift(listing)
    path = "/staff/donors/gifts/{}/message"
    assert treasurer.post(path.format(one.entry_id), moderation="loud").status_code == 400
    assert treasurer.post(path.format(silent.entry_id), moderation="shown").status_code == 404
    assert db.session.get_one(Gift, one.entry_id).moderation is Moderation.WAITING


def test_a_name_is_shown_per_gift_and_only_if_wished(
    treasurer: Desk, ada: Donor, listing: Listing
) -> None:
    named, other = gift(listing, ada, public_name="Ada"), gift(listing, ada, public_name="Ada")
    public = "/en/c/spring"
    path = f"/staff/donors/gifts/{named.entry_id}/name"
    assert "A. Byron" not in treasurer.client.get(public).text
    treasurer.post(path, shown="y", public_name=" A. Byron ")
    assert "A. Byron" in treasurer.client.get(public).text
    assert not db.session.get_one(Gift, other.entry_id).show_name
    treasurer.post(path, shown="y", public_name=" ")
    assert "A. Byron" in treasurer.client.get(public).text
    treasurer.post(path, public_name="A. Byron")
    assert "A. Byron" not in treasurer.client.get(public).text
    record = db.session.scalars(select(AuditRecord).order_by(AuditRecord.id)).first()
    assert record is not None
    assert record.changes["public_name"] == ["changed"]


def test_a_donor_shows_what_they_agreed_to_and_got(
    treasurer: Desk, ada: Donor, campaign: Campaign
) -> None:
    make.consent(ada, campaign, at=NOON - timedelta(days=1))
    make.delivery("other@example.org")
    page = treasurer.get(f"/staff/donors/{ada.id}").text
    assert "updates of a campaign" in page
    assert "After school" in page


def test_messages_that_wait_stand_on_the_first_page(
    treasurer: Desk, desk: Callable[..., Desk], listing: Listing
) -> None:
    gift(listing, None, message="Hi")
    assert "One message of a donor waits" in treasurer.get("/staff").text
    assert "/staff/donors" not in desk(Role.EDITOR).get("/staff").text


@pytest.mark.parametrize("role", [Role.FUNDRAISER, Role.EDITOR, Role.APPROVER])
def test_who_may_not_see_donors_gets_no_hint_whether_an_address_is_known(
    desk: Callable[..., Desk], ada: Donor, role: Role
) -> None:
    sitting = desk(role)
    for path in ("/staff/donors", f"/staff/donors/merges/with/{ada.id}"):
        known = sitting.post(path, q="ada@example.org", address="ada@example.org")
        unknown = sitting.post(path, q="nobody@example.org", address="nobody@example.org")
        assert (known.status_code, known.data) == (403, unknown.data)
    there, not_there = (sitting.get(f"/staff/donors/{id}") for id in (ada.id, 999_999))
    assert (there.status_code, there.data) == (403, not_there.data)


def test_place_and_tags_are_kept_on_a_donors_page(treasurer: Desk, ada: Donor) -> None:
    where = f"/staff/donors/{ada.id}"
    assert (
        treasurer.post(
            f"{where}/about", zone="", place="广东 深圳", tags="Press, 志愿者"
        ).status_code
        == 302
    )
    page = treasurer.get(where).text
    assert "广东 深圳" in page
    assert "press, 志愿者" in page
    refused = treasurer.post(f"{where}/about", zone="", place="", tags="x" * 41)
    assert refused.status_code == 400
    assert "at most 40" in refused.text
    assert "广东 深圳" in treasurer.get(where).text


def test_staff_see_the_words_that_somebody_agreed_to(treasurer: Desk, ada: Donor) -> None:
    make.consent(ada, wording="newsletter-1", locale="zh-Hans")
    make.consent(ada, make.campaign(), wording="webhook:lianquan")
    page = treasurer.get(f"/staff/donors/{ada.id}").text
    assert "一年几次，我们写信说说在做的事" in page
    assert "webhook:lianquan" in page
