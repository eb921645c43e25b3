"""A database set back: nothing goes on by itself, and each letter in doubt is listed (row 15)."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import addressing, mailings, standstill
from campaigns.db import db
from campaigns.mail.way import way_out
from campaigns.model.audit import AuditRecord
from campaigns.model.delivery import Attempt, Delivery, DeliveryState
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.timeline import Timeline, TimelineCause
from tests import laid_back, mailing, make
from tests.claiming import thank_you
from tests.laid_back import another, restore
from tests.make import NOON
from tests.sink import Sink
from workers import post
from workers.office import Office

HOUR = timedelta(hours=1)


def stop(now: datetime = NOON) -> standstill.Stopped:
    db.session.flush()
    done = standstill.stop(db.session.connection(), TimelineCause.RESTORED, NOON, now)
    db.session.commit()
    db.session.expire_all()
    return done


def test_a_mailing_that_is_being_sent_is_paused_and_says_why(app: Flask) -> None:
    sending = make.mailing()
    assert stop().mailings == 1
    assert sending.state is MailingState.PAUSED
    assert sending.paused_from == MailingState.SENDING
    assert sending.note


def test_one_whose_hour_is_to_come_is_paused_and_can_go_on(app: Flask) -> None:
    later = mailing.scheduled()
    stop(NOON)
    assert later.state is MailingState.PAUSED
    mailings.resume(later, None, NOON)
    assert mailing.state(later) == "scheduled"


def test_one_whose_hour_has_passed_waits_for_another(app: Flask) -> None:
    past = mailing.scheduled()
    stop(NOON + HOUR)
    assert past.state is MailingState.MISSED
    assert addressing.due(NOON + HOUR) == []
    mailings.schedule(past, NOON + 2 * HOUR, None, NOON + HOUR)
    assert mailing.state(past) == "scheduled"


@pytest.mark.parametrize("state", ["draft", "in_review", "approved"])
def test_one_that_waits_for_people_anyway_goes_on_waiting(app: Flask, state: str) -> None:
    one = mailing.approved()
    one.state = MailingState(state)
    assert stop().mailings == 0
    assert one.state == state


def test_every_open_letter_is_unknown_and_says_why(app: Flask) -> None:
    sent = make.delivery(state=DeliveryState.SENT)
    open_ones = [
        make.delivery(state=DeliveryState.SENDING, claimed_by="post:1"),
        make.delivery(state=DeliveryState.DEFERRED),
        make.delivery(),
        thank_you(),
    ]
    assert stop().letters == 4
    assert {one.state for one in open_ones} == {DeliveryState.UNKNOWN}
    assert sent.state is DeliveryState.SENT
    attempts = db.session.scalars(select(Attempt)).all()
    assert [one.delivery_id for one in attempts] == sorted(one.id for one in open_ones)
    assert all("set back" in one.answer for one in attempts)


def test_it_is_written_down(app: Flask) -> None:
    make.mailing()
    stop()
    actions = set(db.session.scalars(select(AuditRecord.action)))
    assert {"paused mailing", "restored database"} <= actions
    timeline = standstill.unconfirmed()[0]
    assert (timeline.mailings, timeline.as_of) == (1, NOON)


def test_each_time_begins_another_timeline(app: Flask) -> None:
    stop()
    again = stop()
    assert again == standstill.Stopped(0, 0)
    assert len(set(db.session.scalars(select(Timeline.name)))) == 2


def test_yesterdays_backup_writes_to_nobody_twice(app: Flask, dialect: str, tmp_path: Path) -> None:
    """Kept with one letter sent, one scheduled mailing; then all are sent; then it is laid back."""
    make.our_organisation()
    now = datetime.now(UTC) - timedelta(seconds=3)  # so that both mailings' hours have come
    begun, waits = make.mailing(), mailing.scheduled()
    begun_id = begun.id
    waits.scheduled_at = now + timedelta(seconds=1)
    for number in range(6):
        make.delivery(f"donor-{number}@example.org", of=begun)
        mailing.follower(waits.update, f"donor-{number}@example.net")
    db.session.commit()
    with Sink() as sink:
        transport = way_out(sink.url, tmp_path)
        Office(transport, connections=1).work(0.01)
        laid_back.make(tmp_path / "yesterday")
        mailing.begin(now + timedelta(seconds=2))
        Office(transport).work()
        assert recipients(sink) == 12
        with another(dialect, tmp_path):
            restore(tmp_path / "yesterday")
            post.due_mailings()
            Office(transport).work()
            assert len(sink.letters) == recipients(sink) == 12
            stands = dict(db.session.execute(select(Mailing.id, Mailing.state)).all())
            assert set(stands.values()) <= {MailingState.PAUSED, MailingState.MISSED}
            states = set(db.session.scalars(select(Delivery.state)))
            assert states <= {DeliveryState.SENT, DeliveryState.UNKNOWN}
            mailings.resume(db.session.get_one(Mailing, begun_id), None, now)
            db.session.commit()
            Office(transport).work()
            assert len(sink.letters) == 12


def recipients(sink: Sink) -> int:
    subjects = [
        (letter.to, message_from_bytes(letter.message)["Subject"]) for letter in sink.letters
    ]
    assert len(subjects) == len(set(subjects))
    return len(subjects)
