"""A match goes from its announcement to its arrival, counted from when it is certain."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import byhand, correcting, figures, ledger, matching, progress
from campaigns.bookings import Booking
from campaigns.byhand import Movement
from campaigns.composition import Desk
from campaigns.db import db
from campaigns.mail.address import Address, Mailbox
from campaigns.matching import BadAmount, Further, NotLater, NotOpen, NotYet, Unexplained
from campaigns.model.campaign import Campaign
from campaigns.model.correction import Correction
from campaigns.model.delivery import Claim, Delivery
from campaigns.model.entry import Door, Entry, EntryKind, MatchStage
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing, Rule
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import Giver, Key
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
AMOUNT = Money.parse("8800.00 CNY")
_S = MatchStage


@pytest.fixture
def by(app: Flask) -> Staff:
    return make.staff()


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing(rule=Rule.ITEMISED)


def announce(listing: Listing, by: Staff, stage: MatchStage = _S.ANNOUNCED) -> Entry:
    movement = Movement(
        listing=listing,
        kind=EntryKind.MATCH,
        amount=AMOUNT,
        occurred_at=NOON - timedelta(days=9),
        way=None,
        stage=stage,
        source="foundation",
        reference="M-1",
        giver=Giver(name="A company", email="company@example.org", public_name=True),
        thank=True,
    )
    booked = byhand.book(movement, f"a-form-for-{stage}", NOON, by)
    return db.session.get_one(Entry, booked.entry_id)


def further(stage: MatchStage, amount: Money = AMOUNT, reason: str | None = None) -> Further:
    return Further(stage, amount, NOON - timedelta(days=1), reason)


def shown(listing: Listing) -> tuple[str, str]:
    """What the campaign's page says is raised, and how much of it matched."""
    found = progress.of(db.session.get_one(Campaign, listing.campaign_id), NOON)
    return found.raised.amount, found.matched.amount


def test_only_what_is_certain_counts_and_stands_apart(listing: Listing, by: Staff) -> None:
    entry = announce(listing, by)
    assert shown(listing) == ("0.00", "0.00")
    entry = matching.advance(entry, further(_S.CONFIRMED), NOON, by)
    assert shown(listing) == ("8800.00", "8800.00")
    entry = matching.advance(entry, further(_S.RECEIVED), NOON, by)
    assert shown(listing) == ("8800.00", "8800.00")
    correcting.take_back(entry, "withdrawn", NOON, by)
    assert shown(listing) == ("0.00", "0.00")


def test_numbers_and_who_matches_go_with_it(listing: Listing, by: Staff) -> None:
    entry = announce(listing, by)
    made = matching.advance(entry, further(_S.RECEIVED), NOON, by)
    assert (made.replaces, made.stage) == (entry.id, _S.RECEIVED)
    assert ("match", "M-1") in {(key.scheme, key.value) for key in made.keys}
    gift = db.session.scalars(select(Gift)).one()
    assert (gift.entry_id, gift.public_name) == (made.id, "A company")


def test_a_notice_takes_further_what_was_announced_by_hand(listing: Listing, by: Staff) -> None:
    entry = announce(listing, by)
    told = Booking(
        listing=listing,
        kind=EntryKind.MATCH,
        amount=AMOUNT,
        occurred_at=NOON,
        source="foundation",
        keys=(Key("match", "M-1"),),
        door=Door.WEBHOOK,
        stage=_S.CONFIRMED,
    )
    booked = ledger.book(told, NOON)
    assert db.session.get_one(Entry, booked.entry_id).replaces == entry.id
    assert db.session.scalars(select(Gift)).one().entry_id == booked.entry_id
    with pytest.raises(NotOpen):
        matching.advance(entry, further(_S.CONFIRMED), NOON, by)


@pytest.mark.parametrize(
    ("step", "refusal"),
    [
        (further(_S.CONFIRMED), NotLater),
        (further(_S.ANNOUNCED), NotLater),
        (Further(_S.RECEIVED, AMOUNT, NOON + timedelta(minutes=1)), NotYet),
        (further(_S.RECEIVED, Money(0, "CNY"), "none"), BadAmount),
        (further(_S.RECEIVED, Money.parse("8000.00 CNY")), Unexplained),
    ],
)
def test_what_cannot_be_is_refused(
    listing: Listing, by: Staff, step: Further, refusal: type[Exception]
) -> None:
    entry = announce(listing, by, _S.CONFIRMED)
    with pytest.raises(refusal):
        matching.advance(entry, step, NOON, by)
    assert [entry.stage for entry in matching.standing()] == [_S.CONFIRMED]


def test_where_less_arrives_the_page_says_why(listing: Listing, by: Staff) -> None:
    entry = announce(listing, by, _S.CONFIRMED)
    less = further(_S.RECEIVED, Money.parse("8000.00 CNY"), "the fund was used up")
    matching.advance(entry, less, NOON, by)
    correction = db.session.scalars(select(Correction)).one()
    assert (correction.before.amount, correction.after.amount) == ("8800.00", "8000.00")
    assert correction.reason == "the fund was used up"


def test_of_many_who_take_it_further_or_back_at_once_one_does(
    app: Flask, listing: Listing, by: Staff
) -> None:
    entry_id, by_id = announce(listing, by, _S.CONFIRMED).id, by.id
    db.session.commit()

    def act(turn: int) -> str:
        with app.app_context():
            entry, who = db.session.get_one(Entry, entry_id), db.session.get_one(Staff, by_id)
            try:
                if turn % 2:
                    matching.advance(entry, further(_S.RECEIVED), NOON, who)
                else:
                    now = NOON + timedelta(seconds=turn)
                    correcting.take_back(entry, "withdrawn", now, who)
            except (NotOpen, correcting.TakenBack):
                db.session.rollback()
                return "too late"
            db.session.commit()
            return "done"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(act, range(8))) == ["done"] + ["too late"] * 7
    assert figures.published(listing) in (AMOUNT, Money.zero("CNY"))


def test_nobody_is_thanked_for_matched_money(listing: Listing, by: Staff) -> None:
    entry = announce(listing, by, _S.CONFIRMED)
    matching.advance(entry, further(_S.RECEIVED), NOON, by)
    assert list(db.session.scalars(select(Delivery))) == []


def test_a_letter_of_thanks_names_the_gift_and_never_what_was_matched(
    listing: Listing, by: Staff
) -> None:
    announce(listing, by, _S.RECEIVED)
    given = Movement(
        listing=listing,
        kind=EntryKind.DONATION,
        amount=Money.parse("100.00 CNY"),
        occurred_at=NOON,
        way=None,
        giver=Giver(name="Ada", email="ada@example.org"),
        thank=True,
    )
    booked = byhand.book(given, "a-form-for-a-gift", NOON, by)
    letter = db.session.scalars(select(Delivery)).one()
    assert letter.entry_id == booked.entry_id
    text = Desk().write(claim(letter), NOON).message.decode("utf-8", "replace")
    assert "100.00" in text
    for amount in ("8800", "8,800", "8900", "8,900"):
        assert amount not in text


def claim(letter: Delivery) -> Claim:
    return Claim(
        id=letter.id,
        by="test",
        token="t" * 32,
        letter=letter.letter,
        occasion=letter.occasion,
        mailing_id=None,
        campaign_id=letter.campaign_id,
        entry_id=letter.entry_id,
        locale="en",
        to=Mailbox("Ada", Address.parse("ada@example.org")),
        attempts=0,
        expires_at=NOON + timedelta(days=5),
    )
