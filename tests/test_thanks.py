"""Thanks: at once, once a day, or none; each gift once or not at all."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import correcting, gifts, ledger, rates, standstill, thanks
from campaigns.bookings import Booking
from campaigns.composition import Desk
from campaigns.db import db
from campaigns.model.delivery import Claim, Delivery
from campaigns.model.donor import Donor
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.gift import Gift, Moderation
from campaigns.model.listing import Listing, Rule
from campaigns.model.organisation import Organisation, ThanksRule
from campaigns.model.timeline import TimelineCause
from campaigns.money import Money
from campaigns.platforms.base import Giver, Key, Kind, Movement
from tests import make
from tests.claiming import LATER, attempts, end, take
from tests.composed import bodies
from tests.make import NOON

EVENING = NOON + timedelta(hours=6)  # six in Shanghai
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOURCE = "shop"


@pytest.fixture(autouse=True)
def ours(app: Flask) -> Organisation:
    return make.organisation(thanks=ThanksRule.GATHERED)


@pytest.fixture
def listing(ours: Organisation) -> Listing:
    return make.listing(rule=Rule.ITEMISED)


def give(
    of: Listing, number: str, amount: str = "10.50 CNY", now: datetime = NOON, **giver: Any
) -> Entry:
    """As a webhook does, the second time too."""
    given = Giver(**{"name": "Ada", "email": "ada@example.org", "locale": "en"} | giver)
    money = Money.parse(amount)
    keys = (Key("trade", number),)
    booking = Booking(
        listing=of, kind=EntryKind.DONATION, amount=money, occurred_at=now, source=SOURCE,
        keys=keys, door=Door.WEBHOOK,
    )  # fmt: skip
    entry_id = ledger.book(booking, now).entry_id
    movement = Movement(Kind.DONATION, money, now, keys, donor=given)
    gifts.keep(entry_id, of.campaign_id, movement, make.endpoint(listing=of), now)
    db.session.commit()
    return db.session.get_one(Entry, entry_id)


def refund(of: Listing, number: str, amount: str, now: datetime = NOON) -> None:
    booking = Booking(
        listing=of, kind=EntryKind.REFUND, amount=Money.parse(amount), occurred_at=now,
        source=SOURCE, keys=(Key("refund", f"{number}-r"),), door=Door.WEBHOOK,
        regards=f"trade:{number}",
    )  # fmt: skip
    ledger.book(booking, now)
    db.session.commit()


def taken(now: datetime = EVENING) -> list[Claim]:
    claims = take(now=now)
    db.session.commit()
    return claims


def letters() -> list[tuple[str, str]]:
    rows = db.session.execute(select(Delivery.occasion, Delivery.state).order_by(Delivery.id))
    return [(occasion.partition(":")[0], str(state)) for occasion, state in rows]


def due() -> datetime:
    return db.session.scalars(select(Delivery.due_at)).one()


def told(claim: Claim, now: datetime = EVENING) -> tuple[str, str, str]:
    found = message_from_bytes(Desk().write(claim, now).message, policy=policy.default)
    return str(found["Subject"]), *bodies(found)


def test_one_letter_in_the_evening_names_each_gift_of_the_day(listing: Listing) -> None:
    give(listing, "1", "10.50 CNY")
    give(listing, "2", "200.00 CNY", NOON + HOUR)
    assert (letters(), taken(EVENING - HOUR)) == ([("gifts", "queued")], [])
    (claim,) = taken()
    subject, *both = told(claim)
    assert subject == "Your 2 gifts have arrived"
    for body in both:
        assert "¥10.50 to “After school”" in body
        assert "¥200.00 to “After school”" in body


def test_a_day_with_one_gift_names_its_campaign_in_the_subject(listing: Listing) -> None:
    give(listing, "1")
    assert told(taken()[0])[0] == "Your gift to “After school” has arrived"


def test_letters_of_as_many_gifts_still_say_each_their_own(listing: Listing) -> None:
    give(listing, "1", "1.00 CNY")
    give(listing, "2", "2.00 CNY", name="Lin", email="lin@example.org", locale="zh-CN")
    give(listing, "3", "3.00 CNY", name="Bo", email="bo@example.org")
    desk = Desk()
    parsed = [
        message_from_bytes(desk.write(claim, EVENING).message, policy=policy.default)
        for claim in sorted(taken(), key=lambda claim: claim.id)
    ]
    assert [one["Subject"] for one in parsed] == [
        "Your gift to “After school” has arrived",
        "你给“放学以后”的捐赠收到了",
        "Your gift to “After school” has arrived",
    ]
    for found, amount in zip(parsed, ("1.00", "2.00", "3.00"), strict=True):
        said = {one for one in ("1.00", "2.00", "3.00") if one in bodies(found)[0]}
        assert said == {amount}


def test_gifts_to_several_campaigns_stand_in_one_letter(listing: Listing) -> None:
    other = make.listing(rule=Rule.ITEMISED)
    give(listing, "1")
    give(other, "2", "5.00 CNY")
    (claim,) = taken()
    assert "All campaigns" in told(claim)[1]


def test_the_evening_is_the_donors_own(listing: Listing) -> None:
    donor = make.donor("ada@example.org")
    donor.timezone = "America/New_York"
    db.session.commit()
    give(listing, "1")
    assert due() == datetime(2026, 11, 22, 23, tzinfo=UTC)


def test_what_is_given_after_the_hour_is_in_the_next_days_letter(listing: Listing) -> None:
    give(listing, "1")
    taken()
    give(listing, "2", now=EVENING)
    assert taken(EVENING + HOUR) == []
    assert len(taken(EVENING + DAY)) == 1


def test_a_letter_that_was_claimed_is_closed_whatever_the_clock_says(listing: Listing) -> None:
    give(listing, "1")
    (claim,) = taken()
    give(listing, "2", now=EVENING - HOUR)
    assert [one.amount_minor for one in thanks.named(claim.id)] == [1050]
    end(claim, LATER, EVENING)
    db.session.commit()
    give(listing, "3", now=EVENING - HOUR)
    (next_day,) = [one for one in taken(EVENING + DAY) if one.id != claim.id]
    assert (len(thanks.named(claim.id)), len(thanks.named(next_day.id))) == (1, 2)


def test_what_was_given_back_before_the_evening_is_not_thanked_for(listing: Listing) -> None:
    first = give(listing, "1", "10.50 CNY")
    give(listing, "2", "20.00 CNY")
    give(listing, "3", "30.00 CNY")
    correcting.take_back(first, "wrong", NOON, make.staff())
    refund(listing, "2", "20.00 CNY")
    refund(listing, "3", "1.00 CNY")
    (claim,) = taken()
    assert [one.amount_minor for one in thanks.named(claim.id)] == [3000]


def test_where_nothing_is_left_no_letter_goes_and_it_says_why(listing: Listing) -> None:
    correcting.take_back(give(listing, "1"), "wrong", NOON, make.staff())
    db.session.commit()
    assert (taken(), letters()) == ([], [("gifts", "cancelled")])
    assert attempts(db.session.scalars(select(Delivery)).one()) == [("cancelled", None)]


def test_after_all_was_given_back_a_new_gift_of_the_day_is_thanked_for(listing: Listing) -> None:
    correcting.take_back(give(listing, "1"), "wrong", NOON, make.staff())
    give(listing, "2", "20.00 CNY")
    (claim,) = taken()
    assert [one.amount_minor for one in thanks.named(claim.id)] == [2000]


def test_a_gift_refunded_before_its_letter_of_once_is_not_thanked_for(
    ours: Organisation, listing: Listing
) -> None:
    ours.thanks = ThanksRule.AT_ONCE
    give(listing, "1")
    refund(listing, "1", "10.50 CNY")
    assert (taken(NOON), letters()) == ([], [("entry", "cancelled")])


def test_a_gift_booked_anew_is_thanked_for_once_as_it_is_now(listing: Listing) -> None:
    wrong = give(listing, "1")
    booking = Booking(
        listing=listing, kind=EntryKind.DONATION, amount=Money(1000, "CNY"), occurred_at=NOON,
        source=SOURCE, keys=(Key("trade", "1"),), door=Door.HAND,
    )  # fmt: skip
    correcting.anew(wrong, booking, "typed wrongly", NOON, make.staff())
    give(listing, "1", "10.00 CNY")
    (claim,) = taken()
    assert [one.amount_minor for one in thanks.named(claim.id)] == [1000]


@pytest.mark.parametrize("rule", [ThanksRule.AT_ONCE, ThanksRule.NONE])
def test_a_change_of_the_rule_thanks_nobody_twice(
    ours: Organisation, listing: Listing, rule: ThanksRule
) -> None:
    give(listing, "1")
    ours.thanks = rule
    give(listing, "1")
    assert letters() == [("gifts", "queued")]
    assert len(taken()) == 1


def test_gifts_below_the_amount_get_none_unless_somebody_asks(
    ours: Organisation, listing: Listing
) -> None:
    ours.thanks_from_minor = 1000
    give(listing, "1", "9.99 CNY")
    assert letters() == []
    give(listing, "2", "10.00 CNY")
    entry = give(listing, "3", "1.00 CNY", email=None, name=None)
    told = gifts.Told(Giver(email="lin@example.org"), None, Moderation.WAITING, thank=True)
    gifts.record(entry.id, listing.campaign_id, told, NOON)
    assert letters() == [("gifts", "queued")] * 2


def test_other_currencies_are_compared_at_the_rate_of_the_day(
    ours: Organisation, listing: Listing
) -> None:
    ours.thanks_from_minor = 1000
    quote = rates.Quote(date(2026, 11, 22), "USD", "CNY", Decimal(7), "the bank")
    rates.enter(quote, NOON, make.staff())
    dollars = make.listing(make.campaign(currency="USD"), rule=Rule.ITEMISED)
    give(dollars, "1", "1.40 USD")
    assert letters() == []
    give(dollars, "2", "1.50 USD")
    give(dollars, "3", "0.10 USD", NOON - DAY)  # no rate is known of that day
    assert [gift.thanks_id is not None for gift in _gifts()] == [False, True, True]


def test_who_declined_in_between_gets_no_letter(listing: Listing) -> None:
    give(listing, "1")
    donor = db.session.scalars(select(Donor)).one()
    make.consent(donor, None, purpose="receipts", given=False)
    assert (taken(), letters()) == ([], [("gifts", "suppressed")])


def test_a_database_set_back_thanks_nobody_by_itself(listing: Listing) -> None:
    give(listing, "1")
    back = NOON + HOUR
    standstill.stop(db.session.connection(), TimelineCause.RESTORED, NOON, back)
    db.session.commit()
    give(listing, "2", now=NOON + HOUR / 2)
    assert taken() == []
    assert letters() == [("gifts", "unknown"), ("entry", "unknown")]
    give(listing, "3", now=back + HOUR)
    assert taken() == []
    (claim,) = taken(EVENING + DAY)
    assert len(thanks.named(claim.id)) == 1


def _gifts() -> list[Gift]:
    return list(db.session.scalars(select(Gift).order_by(Gift.entry_id)))
