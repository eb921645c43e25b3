"""A mailing's letters go at decent hours: when they are addressed, and again when claimed."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from campaigns import mailings
from campaigns.db import db
from campaigns.model.consent import Purpose
from campaigns.model.delivery import LetterKind
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing
from campaigns.model.organisation import QuietDays
from campaigns.model.update import Update
from tests import make
from tests.claiming import LATER, attempts, end, state, take, thank_you
from tests.mailing import HOUR, approved, begin, deliveries, follower, scheduled
from tests.make import NOON

NIGHT = datetime(2026, 11, 22, 14, tzinfo=UTC)  # ten in the evening in Shanghai, three in London
MORNING = datetime(2026, 11, 23, 0, tzinfo=UTC)  # eight in Shanghai


@pytest.fixture(autouse=True)
def organisation(app: Flask) -> None:
    make.organisation(quiet_from=21 * 60, quiet_until=8 * 60, quiet_days=QuietDays.HOLIDAYS)


def living(zone: str | None, of: Update, to: str | None = None) -> Donor:
    donor = follower(of, to)
    donor.timezone = zone
    db.session.commit()
    return donor


def due(of: Mailing) -> list[datetime]:
    return [delivery.due_at for delivery in deliveries(of)]


def test_at_its_hour_a_letter_waits_where_it_is_night() -> None:
    update = make.update()
    living(None, update)
    living("Europe/London", update)
    mailing = scheduled(update, NIGHT)
    begin(NIGHT)
    assert due(mailing) == [MORNING, NIGHT]
    assert len(take(now=NIGHT)) == 1
    assert len(take(now=MORNING)) == 1


def test_a_letter_deferred_until_the_night_waits_for_the_morning() -> None:
    letter = make.delivery()
    end(take(now=NIGHT - HOUR * 2)[0], LATER, NIGHT - HOUR * 2)
    assert take(now=NIGHT) == []
    assert state(letter) == "deferred"
    assert letter.due_at == MORNING
    assert attempts(letter) == [("deferred", 451)]
    assert len(take(now=MORNING)) == 1


def test_a_mailing_resumed_at_night_wakes_nobody() -> None:
    update = make.update()
    living(None, update)
    living("Europe/London", update)
    mailing = scheduled(update, NOON + 5 * HOUR)
    begin(NOON + 5 * HOUR)
    mailings.pause(mailing, None, NOON + 5 * HOUR)
    mailings.resume(mailing, None, NIGHT)
    db.session.commit()
    assert len(take(now=NIGHT)) == 1
    assert due(mailing) == [MORNING, NOON + 5 * HOUR]


def test_letters_that_wait_hold_up_no_others() -> None:
    for number in range(30):
        make.delivery(f"asleep-{number}@example.org", due_at=NOON)
    awake = make.delivery("awake@example.org", due_at=NOON + HOUR)
    donor = db.session.get_one(Donor, awake.donor_id)
    donor.timezone = "Europe/London"
    db.session.commit()
    assert [claim.id for claim in take(limit=2, now=NIGHT)] == [awake.id]


def test_a_letter_whose_hours_begin_after_its_expiry_expires() -> None:
    update = make.update()
    living(None, update)
    living("Europe/London", update)
    mailing = approved(update)
    mailings.schedule(mailing, NIGHT, None, NOON, expires_at=MORNING)
    begin(NIGHT)
    asleep, awake = deliveries(mailing)
    assert (state(asleep), asleep.settled_at) == ("expired", NIGHT)
    assert state(awake) == "queued"


def test_so_it_does_at_the_claim() -> None:
    letter = make.delivery(expires_at=MORNING)
    assert take(now=NIGHT) == []
    assert state(letter) == "expired"
    assert attempts(letter) == [("expired", None)]


def test_one_that_waited_through_a_long_holiday_is_still_tried() -> None:
    eve = datetime(2027, 2, 4, 14, tzinfo=UTC)  # Spring Festival: 5 to 10 February
    letter = make.delivery(created_at=eve, due_at=eve)
    assert take(now=eve) == []
    after = letter.due_at
    assert after == datetime(2027, 2, 11, tzinfo=UTC)
    end(take(now=after)[0], LATER, after)
    assert state(letter) == "deferred"


def test_thanks_wait_for_the_morning_and_service_letters_do_not() -> None:
    thanks = thank_you()
    service = make.delivery()
    service.letter, service.mailing_id, service.occasion = LetterKind.CONFIRM, None, "follow:1"
    service.purpose = Purpose.SERVICE
    db.session.commit()
    assert [claim.id for claim in take(now=NIGHT)] == [service.id]
    assert (state(thanks), thanks.due_at) == ("queued", MORNING)


def test_who_left_before_the_morning_gets_nothing() -> None:
    letter = make.delivery()
    assert take(now=NIGHT) == []
    donor = db.session.get_one(Donor, letter.donor_id)
    make.consent(donor, given=False, purpose=letter.purpose, campaign_id=letter.campaign_id)
    assert take(now=MORNING + timedelta(minutes=1)) == []
    assert state(letter) == "suppressed"
