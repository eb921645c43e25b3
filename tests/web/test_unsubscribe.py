"""Leaving with one tap or one click, and what does not count as one."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from campaigns import accounts, bookings, ledger, letters, suppression, trying
from campaigns.crypto import new_token, token_hash
from campaigns.db import Base, db
from campaigns.mail.transport import MemoryTransport
from campaigns.model.consent import Consent, Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.entry import Door, EntryKind
from campaigns.model.suppression import Suppression, SuppressionCause
from campaigns.model.update import UpdateText
from campaigns.money import Money
from tests import make
from tests.digesting import mailed, reader, written
from workers.office import Office

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
ADA = "ada@example.org"


def link(letter: Delivery) -> str:
    """The address to leave at, as the letter carries it."""
    token = new_token()
    letter.token_hash = token_hash(token)
    letter.state = DeliveryState.SENT
    letter.settled_at = make.NOON
    db.session.commit()
    return f"/unsubscribe/{token}"


@pytest.fixture
def update(app: Flask) -> Delivery:
    """A letter with an update that Ada agreed to."""
    make.organisation()
    return make.delivery(ADA, of=make.mailing(make.update(make.campaign("after-school"))))


def still(letter: Delivery) -> bool:
    assert letter.donor_id is not None
    return suppression.consents(letter.donor_id, letter.purpose, letter.campaign_id)


def test_opening_the_link_asks_and_changes_nothing(client: FlaskClient, update: Delivery) -> None:
    page = client.get(link(update))
    assert page.status_code == 200
    assert "Leave updates about “After school”?" in page.text
    assert "a***@example.org" in page.text
    assert ADA not in page.text
    assert still(update)


def test_the_button_leaves_at_once(client: FlaskClient, update: Delivery) -> None:
    answer = client.post(link(update))
    assert answer.status_code == 200
    assert "You get no more updates about “After school”." in answer.text
    assert not still(update)


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_one_click_of_a_mail_provider_leaves_at_once(
    client: FlaskClient, update: Delivery, content_type: str
) -> None:
    """RFC 8058 §3.1: no cookies, no other authorisation, no redirect; from anywhere."""
    headers = {"Origin": "https://mail.example.org", "Sec-Fetch-Site": "cross-site"}
    at = link(update)
    answer = client.post(at, data=ONE_CLICK, content_type=content_type, headers=headers)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert not still(update)


def test_leaving_twice_is_leaving_once(client: FlaskClient, update: Delivery) -> None:
    at = link(update)
    assert client.post(at, data=ONE_CLICK).text == client.post(at, data=ONE_CLICK).text
    withdrawn = select(Consent).where(Consent.given.is_(False))
    assert len(db.session.scalars(withdrawn).all()) == 1


def test_leaving_updates_leaves_nothing_else(client: FlaskClient, update: Delivery) -> None:
    assert update.donor is not None
    make.consent(update.donor)
    client.post(link(update))
    assert suppression.consents(update.donor.id, Purpose.NEWSLETTER, None)
    assert not suppression.forbids(update.address_hash, Purpose.NEWSLETTER)


def test_everything_is_left_where_that_was_asked(client: FlaskClient, update: Delivery) -> None:
    answer = client.post(link(update), data={"everything": "1"})
    assert "We will not write to you any more" in answer.text
    assert suppression.forbids(update.address_hash, Purpose.NEWSLETTER)
    [suppressed] = db.session.scalars(select(Suppression))
    assert suppressed.cause is SuppressionCause.LEFT


def test_letters_of_thanks_can_be_left(client: FlaskClient) -> None:
    thanks = service(LetterKind.THANKS, Purpose.RECEIPTS)
    at = link(thanks)
    assert "Leave letters of thanks for gifts?" in client.get(at).text
    client.post(at)
    assert not still(thanks)


@pytest.mark.parametrize("token", ["unknown", "x" * 4000, "%E4%BD%A0", "a%2Fb"])
def test_an_unknown_link_says_how_to_reach_us(client: FlaskClient, token: str) -> None:
    make.organisation()
    for answer in (
        client.get(f"/unsubscribe/{token}"),
        client.post(f"/unsubscribe/{token}", data=ONE_CLICK),
    ):
        assert answer.status_code == 404
    assert "hi@example.org" in client.get("/unsubscribe/unknown").text


def test_letters_that_somebody_needs_cannot_be_left(client: FlaskClient) -> None:
    confirm = service(LetterKind.CONFIRM, Purpose.SERVICE)
    at = link(confirm)
    assert client.get(at).status_code == 404
    assert client.post(at).status_code == 404
    assert db.session.scalars(select(Consent)).all() == []


def test_the_page_speaks_the_letter_s_language(client: FlaskClient, update: Delivery) -> None:
    update.locale = "zh-Hans"
    page = client.get(link(update)).text
    assert '<html lang="zh-Hans">' in page
    assert "“放学以后”的进展" in page


def test_a_form_as_large_as_a_book_is_refused(client: FlaskClient, update: Delivery) -> None:
    answer = client.post(link(update), data={"everything": "x" * 20_000})
    assert answer.status_code == 413
    assert still(update)


@pytest.mark.parametrize("kind", LetterKind)
def test_a_scanner_that_opens_every_address_in_a_letter_changes_nothing(
    client: FlaskClient, update: Delivery, kind: LetterKind
) -> None:
    """Fault row 14, with each kind of letter as it arrives in a mailbox."""
    if kind is not LetterKind.MAILING:
        db.session.delete(update)
        queue(kind, client)
    found = addresses(posted(kind))
    assert found
    before = everything()
    for address in found:
        for method in ("GET", "HEAD"):
            page = client.open(address, method=method)
            assert page.status_code < 400
            for further in re.findall(r'href="(/(?!static)[^"#]*)"', page.text):
                assert client.open(further, method=method).status_code < 500
    assert everything() == before


def queue(kind: LetterKind, client: FlaskClient) -> None:
    """Queue a letter of a kind that belongs to no mailing, for the reason it really has."""
    now = datetime.now(UTC)
    if kind is LetterKind.CONFIRM:
        client.post("/en/c/after-school/follow", data={"email": "new@example.org"})
    elif kind is LetterKind.RESET:
        accounts.ask_reset(make.staff().email, now)
    elif kind is LetterKind.ALERT:
        to, purpose = make.staff(), Purpose.SERVICE
        letters.queue(
            kind, to=to, purpose=purpose, occasion="alert:refused:1", locale=None, now=now
        )
    elif kind is LetterKind.TEST:
        text = UpdateText(locale="en", title="Desks", body="Sixteen desks.")
        trying.send(make.update(texts=[text]), make.staff(), now)
    elif kind is LetterKind.DIGEST:
        told = make.update(make.campaign("night-bus"))
        reader(told)
        mailed(told)
        written()
    else:
        gift(now)
    db.session.commit()


def gift(now: datetime) -> None:
    listing = make.listing()
    booking = bookings.Booking(
        listing=listing,
        kind=EntryKind.DONATION,
        amount=Money.of("10.00", "CNY"),
        occurred_at=now,
        source="feed",
        keys=(),
        door=Door.HAND,
    )
    entry_id = ledger.book(booking, now).entry_id
    letters.queue(
        LetterKind.THANKS,
        to=make.donor(),
        purpose=Purpose.RECEIPTS,
        occasion=f"entry:{entry_id}",
        locale="en",
        now=now,
        campaign_id=listing.campaign_id,
        entry_id=entry_id,
    )


def posted(kind: LetterKind) -> EmailMessage:
    """The one letter that is due, as a relay got it."""
    transport = MemoryTransport()
    Office(transport).work()
    [letter] = transport.kept
    assert db.session.scalars(select(Delivery.letter)).all() == [kind]
    return message_from_bytes(letter.message, policy=policy.default)


def addresses(letter: EmailMessage) -> set[str]:
    """Every web address in a letter: header, text and HTML; without our own origin."""
    bodies = [part.get_content() for part in letter.walk() if not part.is_multipart()]
    whole = "\n".join([str(letter["List-Unsubscribe"]), *bodies])
    return set(re.findall(r"http://localhost(/[^\s\"<>)]*)", unescape(whole)))


def service(kind: LetterKind, purpose: Purpose) -> Delivery:
    """A letter to a donor that belongs to no mailing."""
    donor = make.donor()
    letter = Delivery(
        letter=kind,
        occasion=f"{kind}:1",
        donor_id=donor.id,
        address_hash=donor.address_hash or "",
        campaign_id=make.campaign().id,
        purpose=purpose,
        locale="en",
        state=DeliveryState.QUEUED,
        due_at=make.NOON,
        created_at=make.NOON,
    )
    db.session.add(letter)
    db.session.commit()
    return letter


def everything() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    db.session.commit()
    return {
        table.name: sorted((tuple(row) for row in db.session.execute(table.select())), key=repr)
        for table in Base.metadata.sorted_tables
    }


def test_the_link_of_a_digest_says_what_it_leaves(client: FlaskClient, update: Delivery) -> None:
    update.letter, update.mailing_id, update.campaign_id = LetterKind.DIGEST, None, None
    update.occasion = "digest:2026-10"
    about = db.session.scalars(select(Consent.campaign_id)).one()
    at = link(update)
    assert "Leave the monthly letter: updates about any campaign" in client.get(at).text
    assert client.post(at, data=ONE_CLICK).status_code == 200
    assert update.donor_id is not None
    assert not suppression.consents(update.donor_id, Purpose.UPDATES, about)
