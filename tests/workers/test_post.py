"""The post: claim, send, record; with a memory transport, and a real relay that misbehaves."""

import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Event, Thread

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import claims, leases, letters, suppression
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.mail.transport import MemoryTransport, Outcome, State
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Attempt, Delivery
from campaigns.model.donor import Donor
from tests import make
from tests.workers.posting import queue, states
from workers import office as post_office
from workers import post
from workers.office import Office

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def memory() -> MemoryTransport:
    return MemoryTransport()


def to(address: str, answer: Outcome) -> MemoryTransport:
    """A transport that answers so for one address, and takes everybody else's letters."""
    kept = Outcome(State.SENT, 250, "kept")
    return MemoryTransport(lambda to: answer if to.text == address else kept)


def read(octets: bytes) -> EmailMessage:
    return message_from_bytes(octets, policy=policy.default)


def test_every_letter_of_a_mailing_arrives_once(memory: MemoryTransport) -> None:
    mailing = queue(50)
    Office(memory).work()
    Office(memory).work()
    assert states(mailing) == ["sent"] * 50
    assert len({letter.to for letter in memory.kept}) == len(memory.kept) == 50


def test_a_letter_carries_what_mail_providers_ask_of_an_update(memory: MemoryTransport) -> None:
    make.organisation()
    queue(1)
    Office(memory).work()
    [kept] = memory.kept
    letter = read(kept.message)
    assert letter["To"] == "Ada <donor-0@example.org>"
    assert letter["Subject"] == "The first desks have arrived"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert ".example.org>" in letter["List-Id"]
    assert kept.sender.startswith("bounce+")
    for kind in ("plain", "html"):
        body = letter.get_body((kind,))
        assert body
        assert "Sixteen desks." in body.get_content()


def test_the_link_in_a_letter_leads_back_to_it_and_leaving_works(memory: MemoryTransport) -> None:
    mailing = queue(1)
    Office(memory).work()
    link = read(memory.kept[0].message)["List-Unsubscribe"].strip("<>")
    behind = letters.behind(link.rpartition("/")[2])
    assert behind
    assert behind.mailing_id == mailing.id
    suppression.withdraw(behind, make.NOON)
    assert behind.donor_id
    assert not suppression.consents(behind.donor_id, mailing.purpose, behind.campaign_id)


def test_each_donor_reads_their_language(memory: MemoryTransport) -> None:
    make.our_organisation()
    mailing = make.mailing()
    make.delivery(of=mailing, locale="zh-Hans")
    make.delivery(of=mailing, locale="en")
    Office(memory).work()
    subjects = {read(kept.message)["Subject"] for kept in memory.kept}
    assert subjects == {"第一批书桌到了", "The first desks have arrived"}


def test_a_claim_stands_in_the_database_before_a_relay_hears_of_the_letter(app: Flask) -> None:
    mailing = queue(3)
    seen: list[str] = []

    def look(to: Address) -> Outcome:
        with app.app_context():
            row = select(Delivery).join(Donor).where(Donor.address == to.text)
            seen.extend(str(delivery.state) for delivery in db.session.scalars(row))
        return Outcome(State.SENT, 250, "kept")

    Office(MemoryTransport(look)).work()
    assert seen == ["sending"] * 3
    assert states(mailing) == ["sent"] * 3


def test_no_more_letters_are_claimed_than_there_are_connections(app: Flask) -> None:
    queue(30)
    most = [0]

    def look(to: Address) -> Outcome:
        with app.app_context():
            claimed = select(Delivery.id).where(Delivery.state == "sending")
            most[0] = max(most[0], len(db.session.scalars(claimed).all()))
        return Outcome(State.SENT, 250, "kept")

    Office(MemoryTransport(look), connections=4).work()
    assert 1 < most[0] <= 4


def test_while_the_relay_is_away_nothing_is_claimed_and_no_try_is_spent(
    memory: MemoryTransport,
) -> None:
    mailing = queue(3)
    memory.refusing = True
    Office(memory).work()
    assert states(mailing) == ["queued"] * 3
    assert db.session.scalars(select(Attempt)).all() == []
    memory.refusing = False
    Office(memory).work()
    assert states(mailing) == ["sent"] * 3


def test_a_relay_that_is_away_is_rested(memory: MemoryTransport) -> None:
    mailing = queue(1)
    memory.refusing = True
    office = Office(memory)
    office.work()
    memory.refusing = False
    office.work()
    assert states(mailing) == ["queued"]


def test_a_silent_relay_holds_up_no_other_letter_nor_the_tick() -> None:
    mailing = queue(12)
    silence = Event()

    def answer(to: Address) -> Outcome:
        if to.local == "donor-3":
            silence.wait(30)
        return Outcome(State.SENT, 250, "kept")

    office = Office(MemoryTransport(answer))
    began = time.monotonic()
    office.work(seconds=3)
    assert time.monotonic() - began < 12
    assert sorted(states(mailing)) == ["sending", *["sent"] * 11]
    silence.set()
    time.sleep(0.1)
    office.work()
    assert states(mailing) == ["sent"] * 12


def test_a_letter_held_by_a_silent_relay_is_not_given_up_for_dead() -> None:
    mailing, silence = queue(1), Event()

    def answer(to: Address) -> Outcome:
        silence.wait(30)
        return Outcome(State.SENT, 250, "kept")

    office = Office(MemoryTransport(answer))
    office.work(seconds=0.1)
    Office(MemoryTransport()).work(seconds=0.1)
    assert states(mailing) == ["sending"]
    silence.set()


def test_claims_of_a_dead_process_become_unknown_and_are_not_sent(memory: MemoryTransport) -> None:
    mailing = queue(2)
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    leases.beat("dead", long_ago)
    claims.claim("dead", 1, long_ago)
    db.session.commit()
    Office(memory).work()
    assert sorted(states(mailing)) == ["sent", "unknown"]
    assert len(memory.kept) == 1


def test_a_mailing_of_which_too_many_letters_fail_pauses_itself() -> None:
    mailing = queue(60)
    gone = Outcome(State.FAILED, 550, "5.7.1 content denied")
    Office(MemoryTransport(lambda to: gone), connections=2).work()
    db.session.refresh(mailing)
    assert str(mailing.state) == "paused"
    assert "20" in (mailing.note or "")
    assert "550 5.7.1 content denied" in (mailing.note or "")
    assert states(mailing).count("failed") < 30
    assert "sending" not in states(mailing)


def test_a_few_failures_pause_nothing() -> None:
    mailing = queue(40)
    bad = Outcome(State.FAILED, 550, "5.7.1 no")
    Office(to("donor-7@example.org", bad)).work()
    db.session.refresh(mailing)
    assert str(mailing.state) == "sending"
    assert states(mailing).count("failed") == 1


def test_a_letter_that_cannot_be_composed_fails_alone(memory: MemoryTransport) -> None:
    good, bad = queue(1), make.mailing(texts=[])
    make.delivery(of=bad)
    Office(memory).work()
    assert (states(good), states(bad)) == (["sent"], ["failed"])


def test_an_orderly_stop_leaves_nothing_in_hand(memory: MemoryTransport) -> None:
    mailing = queue(5)
    office = Office(memory)
    office.closing.set()
    office.work()
    assert states(mailing) == ["queued"] * 5


def test_two_ticks_of_one_process_do_not_meet(app: Flask) -> None:
    queue(1)
    inside, leave = Event(), Event()

    def answer(to: Address) -> Outcome:
        inside.set()
        leave.wait(10)
        return Outcome(State.SENT, 250, "kept")

    office = Office(MemoryTransport(answer))

    def tick() -> None:
        with app.app_context():
            office.work()

    first = Thread(target=tick)
    first.start()
    assert inside.wait(10)
    began = time.monotonic()
    office.work()
    assert time.monotonic() - began < 10
    leave.set()
    first.join()


def test_two_processes_share_a_mailing_and_send_each_letter_once(app: Flask) -> None:
    mailing = queue(80)
    both = [MemoryTransport(), MemoryTransport()]

    def process(transport: MemoryTransport) -> None:
        with app.app_context():
            Office(transport, connections=3).work()

    threads = [Thread(target=process, args=(transport,)) for transport in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recipients = [letter.to for transport in both for letter in transport.kept]
    assert len(recipients) == len(set(recipients)) == 80
    assert states(mailing) == ["sent"] * 80


def test_the_tick_writes_letters_as_files_where_there_is_no_relay(app: Flask) -> None:
    mailing = queue(2)
    post.letters()
    outbox = app.extensions["settings"].instance_dir / "outbox"
    assert states(mailing) == ["sent"] * 2
    assert len(list(outbox.glob("*.eml"))) >= 2


def test_the_clock_takes_a_mailing_from_its_hour_to_sent(memory: MemoryTransport) -> None:
    make.our_organisation()
    update = make.update()
    campaign = db.session.get_one(Campaign, update.campaign_id)
    for _ in range(3):
        make.consent(make.donor(), campaign)
    hour = datetime.now(UTC) - timedelta(minutes=1)
    mailing = make.mailing(update, state="scheduled", scheduled_at=hour, started_at=None)
    post.due_mailings()
    post.due_mailings()
    assert states(mailing) == ["queued"] * 3
    Office(memory).work()
    post.due_mailings()
    db.session.refresh(mailing)
    assert str(mailing.state) == "sent"
    assert len(memory.kept) == 3


def test_a_process_that_was_stopped_for_a_while_offers_no_stale_letter(
    memory: MemoryTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing = queue(2)
    monkeypatch.setattr(post_office, "uptime", lambda: time.monotonic() - 3600)
    Office(memory).work(seconds=0.3)
    assert memory.kept == []
    assert states(mailing) == ["queued"] * 2
