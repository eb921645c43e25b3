"""What is personal: read, downloaded and erased with a fresh letter only."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from campaigns import bookings, donors, ledger, suppression, tagging
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.audit import AuditRecord
from campaigns.model.consent import Consent, Purpose
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.gift import Gift, Moderation
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.imported import ImportGiver
from campaigns.model.notice import NoticeBody, Verdict
from campaigns.money import Money
from tests import make
from tests.make import NOON
from tests.reading import OURS, fresh_link, link, post

ADA = "ada@example.org"


@pytest.fixture
def letter(app: Flask) -> Delivery:
    make.organisation()
    return make.delivery(ADA, of=make.mailing(make.update(make.campaign("after-school"))))


@pytest.fixture
def gift(letter: Delivery) -> Gift:
    """Ada's gift, which a webhook and a file told of, with a message that is public."""
    listing = make.listing()
    notice = make.notice(make.endpoint(listing=listing), "1", verdict=Verdict.BOOKED)
    file = make.importing("feed", counted_at=NOON)
    booking = bookings.Booking(
        listing=listing,
        kind=EntryKind.DONATION,
        amount=Money(1050, "CNY"),
        occurred_at=NOON,
        source="feed",
        keys=(),
        door=Door.HAND,
        notice_id=notice.id,
        import_id=file.id,
        import_row=3,
    )
    row = Gift(
        entry_id=ledger.book(booking, NOON).entry_id,
        donor_id=letter.donor_id,
        public_name="Ada L.",
        show_name=True,
        message="For the desks",
        moderation=Moderation.SHOWN,
    )
    db.session.add(row)
    db.session.commit()
    return row


def test_a_forwarded_letter_shows_and_erases_nothing_personal(
    client: FlaskClient, letter: Delivery, gift: Gift
) -> None:
    at = link(letter)
    page = client.get(at).text
    assert "Ada L." not in page
    assert "10.50" not in page
    for path in ("/data", "/data.json"):
        assert client.get(at + path).status_code == 403
    for path in ("/names", "/erase"):
        assert post(client, at + path, sure="y").status_code == 403
    assert db.session.get_one(Donor, letter.donor_id).address == ADA


def test_a_fresh_link_works_for_a_day(client: FlaskClient, letter: Delivery, gift: Gift) -> None:
    at = fresh_link(client, letter, ago=timedelta(days=1, minutes=1))
    assert client.get(at + "/data").status_code == 403
    assert post(client, at + "/erase", sure="y").status_code == 403
    assert "Write me a fresh link" in client.get(at).text


def test_one_reads_what_is_known(client: FlaskClient, letter: Delivery, gift: Gift) -> None:
    page = client.get(fresh_link(client, letter) + "/data")
    assert page.headers["Cache-Control"] == "no-store"
    for said in (ADA, "10.50", "For the desks", "Ada L.", "After school", "updates of a campaign"):
        assert said in page.text


def test_one_downloads_what_is_known(client: FlaskClient, letter: Delivery, gift: Gift) -> None:
    assert letter.donor is not None
    tagging.add([letter.donor.id], ["press"])
    make.consent(letter.donor, wording="newsletter-1")
    answer = client.get(fresh_link(client, letter) + "/data.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    facts = answer.get_json()
    assert (facts["format"], facts["person"]["addresses"]) == ("huiyin-person-1", [ADA])
    assert facts["person"]["tags"] == ["press"]
    [given] = facts["gifts"]
    assert given["amount"] == {"amount": "10.50", "currency": "CNY"}
    assert (given["at"], given["name_is_public"], given["message"]) == (
        "2026-11-22T04:00:00Z",
        True,
        "For the desks",
    )
    newest = facts["consents"][0]
    assert (newest["purpose"], newest["agreed"]) == ("newsletter", True)
    assert newest["words"].startswith("Some times a year")
    assert {one["kind"] for one in facts["letters"]} == {"mailing", "confirm"}


def test_who_claimed_a_gift_learns_no_words_that_came_with_it(
    client: FlaskClient, letter: Delivery, gift: Gift
) -> None:
    gift.show_name, gift.moderation = False, Moderation.WAITING
    claim = claimed(letter, gift)
    at = fresh_link(client, letter)
    [given] = client.get(at + "/data.json").get_json()["gifts"]
    assert (given["name"], given["message"]) == (None, None)
    claim.worded_at = NOON
    db.session.commit()
    [given] = client.get(at + "/data.json").get_json()["gifts"]
    assert (given["name"], given["message"]) == ("Ada L.", "For the desks")


def test_erasing_ends_claims(client: FlaskClient, letter: Delivery, gift: Gift) -> None:
    claim = claimed(letter, gift)
    claimed(letter, None)
    post(client, fresh_link(client, letter) + "/erase", sure="y")
    db.session.expire_all()
    assert not claim.stands
    assert db.session.scalars(select(GiftClaim)).all() == [claim]


def claimed(letter: Delivery, gift: Gift | None) -> GiftClaim:
    """Ada's claim of a gift, or one that she never confirmed."""
    row = GiftClaim(
        campaign_id=letter.campaign_id,
        donor_id=letter.donor_id,
        number="42",
        locale="en",
        asked_at=NOON,
        entry_id=gift.entry_id if gift else None,
        confirmed_at=NOON if gift else None,
    )
    db.session.add(row)
    db.session.commit()
    return row


def test_one_sees_nothing_of_others(client: FlaskClient, letter: Delivery, gift: Gift) -> None:
    other = make.donor("bo@example.org", name="Bo")
    db.session.add(Gift(entry_id=gift.entry_id + 1, donor_id=other.id, public_name="Bo"))
    db.session.commit()
    text = client.get(fresh_link(client, letter) + "/data.json").text
    assert "Bo" not in text


def test_a_name_is_shown_or_hidden_gift_by_gift(
    client: FlaskClient, letter: Delivery, gift: Gift
) -> None:
    at, id = fresh_link(client, letter), gift.entry_id
    assert post(client, at + "/names", offered=id, gift=id, name=" 林  小雨 ").status_code == 200
    assert (gift.show_name, gift.public_name) == (True, "林 小雨")
    post(client, at + "/names", offered=id, name="林 小雨")
    assert not gift.show_name


@pytest.mark.parametrize("name", ["", "x" * 41, "see www.example.org", "加微信 123456", "a@b.org"])
def test_what_is_no_name_is_not_shown(
    client: FlaskClient, letter: Delivery, gift: Gift, name: str
) -> None:
    at, id = fresh_link(client, letter), gift.entry_id
    answer = post(client, at + "/names", offered=id, gift=id, name=name)
    assert answer.status_code == 422
    assert "at most 40 characters" in answer.text
    assert gift.public_name == "Ada L."


def test_names_of_others_gifts_cannot_be_changed(client: FlaskClient, letter: Delivery) -> None:
    other = Gift(entry_id=77, donor_id=make.donor().id, public_name="Bo", show_name=True)
    db.session.add(other)
    at = fresh_link(client, letter)
    post(client, at + "/names", offered=77, gift=77, name="Mallory")
    assert other.public_name == "Bo"


def test_erasing_wants_a_tick_and_forgets_what_is_personal(
    client: FlaskClient, letter: Delivery, gift: Gift
) -> None:
    assert letter.donor is not None
    donor, at = letter.donor, fresh_link(client, letter)
    tagging.add([donor.id], ["press"])
    assert post(client, at + "/erase").status_code == 422
    assert donor.address == ADA
    assert "We have forgotten you" in post(client, at + "/erase", sure="y").text
    db.session.expire_all()
    assert not any((donor.address, donor.name, donor.place, donor.locale))
    assert (gift.public_name, gift.show_name, gift.message) == (None, False, None)
    assert tagging.of(donor) == ()
    assert db.session.scalars(select(NoticeBody)).all() == []
    assert db.session.get_one(Entry, gift.entry_id).amount == Money(1050, "CNY")
    [record] = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "erased donor"))
    assert record.subject_id == donor.id
    assert ADA not in str(record.changes)


def test_an_erased_address_gets_nothing_and_no_file_brings_it_back(
    client: FlaskClient, letter: Delivery, gift: Gift
) -> None:
    assert letter.donor is not None
    donor = letter.donor
    post(client, fresh_link(client, letter) + "/erase", sure="y")
    digest = donors.hashed(Address.parse(ADA))
    donors.at_or_new_many({digest: (ADA, "Ada")}, datetime.now(UTC))
    db.session.expire_all()
    assert (donor.address, donor.name) == (None, None)
    assert suppression.forbids(digest, Purpose.NEWSLETTER)
    standing = select(Consent).where(Consent.donor_id == donor.id).order_by(Consent.id.desc())
    assert not db.session.scalars(standing).all()[0].given


def test_who_gave_by_a_file_is_forgotten_there_too(
    client: FlaskClient, letter: Delivery, gift: Gift
) -> None:
    digest = donors.hashed(Address.parse(ADA))
    mine = db.session.get_one(Entry, gift.entry_id).import_id or 0
    rows = (
        (mine, 3, "Ada", None),
        (mine, 4, "Bo", "0" * 64),
        (99, 3, "Ada L.", digest),
        (99, 4, "Cy", None),
    )
    for file, position, name, hashed in rows:
        db.session.add(
            ImportGiver(import_id=file, position=position, name=name, address_hash=hashed)
        )
    post(client, fresh_link(client, letter) + "/erase", sure="y")
    assert set(db.session.scalars(select(ImportGiver.name))) == {"Bo", "Cy"}


def test_erasing_twice_says_the_same_and_changes_nothing(
    client: FlaskClient, letter: Delivery
) -> None:
    at = fresh_link(client, letter)
    first = post(client, at + "/erase", sure="y").text
    records = len(db.session.scalars(select(AuditRecord)).all())
    assert post(client, at + "/erase", sure="y").text == first
    assert client.get(at).text == first
    assert len(db.session.scalars(select(AuditRecord)).all()) == records
    assert client.get(at + "/data", headers=OURS).status_code == 403
