"""One letter a month: who gets it, when, and that nobody reads anything twice or misses it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from campaigns import claims, digested, digests, mailings, segments, suppression
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.digest import DigestItem
from campaigns.model.donor import Donor
from campaigns.model.organisation import Organisation, QuietDays
from campaigns.model.timeline import Timeline, TimelineCause
from campaigns.model.update import Update, UpdateKind
from tests import make
from tests.digesting import JANUARY, MORNING, in_hand, mailed, reader, written
from tests.mailing import deliveries, follower

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _ours(app: object) -> None:
    make.our_organisation()


def tells(digest: Delivery) -> tuple[int, ...]:
    return digested.contents(in_hand(digest))


def nights() -> Organisation:
    ours = make.our_organisation()
    ours.quiet_from, ours.quiet_until = 21 * 60, 8 * 60
    return ours


def test_who_chose_the_digest_is_passed_over_and_counted() -> None:
    update = make.update()
    each, _monthly = follower(update), reader(update)
    mailing = mailed(update)
    assert [one.donor_id for one in deliveries(mailing)] == [each.id]
    assert mailing.skipped == {"digest": 1}


def test_a_preview_counts_them_by_the_same_reason() -> None:
    update = make.update()
    reader(update)
    reach = segments.reach(
        {"campaign": update.campaign_id}, Purpose.UPDATES, update.campaign_id, JANUARY
    )
    assert (reach.people, reach.written_to, reach.skipped) == (1, 0, {"digest": 1})


def test_who_did_not_agree_is_not_counted_as_reading_a_digest() -> None:
    update = make.update()
    ada = reader(update)
    make.consent(ada, db.session.get(Campaign, update.campaign_id), given=False)
    assert mailed(update).skipped == {"no consent": 1}
    assert written() == []


def test_the_digest_comes_on_the_first_working_morning() -> None:
    update = make.update()
    ada, mailing = reader(update), mailed(update)
    assert written(MORNING - timedelta(seconds=1)) == []
    (digest,) = written()
    assert (digest.donor_id, digest.occasion) == (ada.id, "digest:2026-01")
    assert tells(digest) == (mailing.id,)


@pytest.mark.parametrize(
    ("now", "name", "morning"),
    [
        # 1 to 8 October 2025 were public holidays, and so were 1 to 3 January 2026.
        ("2025-10-20", "2025-09", "2025-10-09"),
        ("2026-01-20", "2025-12", "2026-01-04"),
        ("2026-04-20", "2026-03", "2026-04-01"),
    ],
)
def test_a_holiday_is_no_working_morning(now: str, name: str, morning: str) -> None:
    found = digests.month_before(JANUARY.fromisoformat(f"{now}T12:00+00:00"))
    assert (found.name, f"{found.morning:%Y-%m-%d %H}") == (name, f"{morning} 01")


def test_ticks_however_often_write_one_letter_for_a_donor_and_month() -> None:
    update = make.update()
    reader(update)
    mailed(update)
    assert len(written()) == len(written(MORNING + DAY)) == 1


def test_more_than_there_is_room_for_are_written_by_later_ticks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(digests, "ROOM", 2)
    update = make.update()
    for _ in range(3):
        reader(update)
    mailed(update)
    assert len(written()) == 2
    db.session.execute(db.update(Delivery).values(state=DeliveryState.SENT))
    assert len(written()) == 3
    assert db.session.scalar(select(DigestItem).where(DigestItem.delivery_id.is_(None))) is None


def test_what_is_mailed_this_month_waits_for_the_next_digest() -> None:
    update = make.update()
    reader(update)
    first = mailed(update)
    later = mailed(make.update(db.session.get(Campaign, update.campaign_id)), MORNING)
    assert [tells(one) for one in written()] == [(first.id,)]
    assert [tells(one) for one in written(MORNING + 30 * DAY)] == [(first.id,), (later.id,)]


def test_who_has_nothing_to_read_gets_none() -> None:
    reader(make.update())
    assert written() == []


def test_what_came_as_a_letter_is_not_read_again() -> None:
    update = make.update()
    ada = follower(update)
    mailed(update)
    ada.monthly = True
    other = mailed(make.update(db.session.get(Campaign, update.campaign_id)), JANUARY + DAY)
    mailed(update, JANUARY + 2 * DAY)
    (digest,) = written()
    assert tells(digest) == (other.id,)


def test_who_switches_back_reads_what_was_kept_for_them_and_no_more() -> None:
    update = make.update()
    ada = reader(update)
    kept = mailed(update)
    ada.monthly = False
    came = mailed(make.update(db.session.get(Campaign, update.campaign_id)), JANUARY + DAY)
    (digest,) = written()
    assert [one.donor_id for one in deliveries(came)] == [ada.id]
    assert tells(digest) == (kept.id,)


def test_an_update_that_came_as_a_letter_after_switching_back_is_not_told_again() -> None:
    update = make.update()
    ada = reader(update)
    mailed(update)
    ada.monthly = False
    mailed(update, JANUARY + DAY)
    assert written() == []


def test_an_update_mailed_twice_is_told_once_in_the_newer_words() -> None:
    update = make.update()
    reader(update)
    mailed(update)
    newer = mailed(update, JANUARY + DAY)
    (digest,) = written()
    assert tells(digest) == (newer.id,)


def test_what_was_cancelled_or_taken_down_is_not_told() -> None:
    update, other = make.update(), make.update()
    reader(update)
    reader(other)
    mailings.cancel(mailed(update), None, JANUARY)
    mailed(other)
    other.published_at = None
    db.session.commit()
    assert written() == []


def test_an_appeal_reaches_nobody_who_chose_the_digest() -> None:
    appeal = make.update(kind=UpdateKind.APPEAL, campaign_id=None)
    ada = make.donor(monthly=True)
    make.consent(ada)
    assert mailed(appeal).skipped == {"digest": 1}
    assert written() == []


def test_an_issue_is_told_to_who_agreed_to_the_newsletter() -> None:
    issue = make.update(kind=UpdateKind.ISSUE, campaign_id=None, number=1)
    make.donor(monthly=True)
    ada = make.donor(monthly=True)
    make.consent(ada)
    mailed(issue)
    assert [one.donor_id for one in written()] == [ada.id]


def test_merged_rows_are_one_reader() -> None:
    update, other = make.update(), make.update()
    ada, old = reader(update), reader(other)
    told = (mailed(update).id, mailed(other).id)
    make.consent(ada, db.session.get(Campaign, other.campaign_id))
    old.merged_into = ada.id
    db.session.commit()
    (digest,) = written()
    assert (digest.donor_id, tells(digest)) == (ada.id, told)


def test_after_a_set_back_what_may_have_been_sent_waits_for_a_person() -> None:
    update = make.update()
    reader(update)
    mailed(update)
    at = MORNING + timedelta(hours=1)
    set_back = Timeline(name="b", cause=TimelineCause.RESTORED, began_at=at, letters=0, mailings=0)
    db.session.add(set_back)
    (digest,) = written(at)
    assert digest.state is DeliveryState.UNKNOWN


class TestAtTheClaim:
    """Consent, suppression and quiet hours are asked again, as for every letter."""

    @pytest.fixture
    def update(self) -> Update:
        return make.update()

    @pytest.fixture
    def ada(self, update: Update) -> Donor:
        ada = reader(update)
        mailed(update)
        return ada

    def test_a_digest_is_claimed(self, ada: Donor) -> None:
        (digest,) = written()
        assert [one.id for one in claims.claim("me", 9, MORNING)] == [digest.id]

    def test_who_left_the_only_campaign_in_it_gets_none(self, update: Update, ada: Donor) -> None:
        (digest,) = written()
        make.consent(ada, db.session.get(Campaign, update.campaign_id), given=False)
        make.consent(ada, make.campaign())
        assert claims.claim("me", 9, MORNING) == []
        assert digest.state is DeliveryState.SUPPRESSED

    def test_a_suppressed_address_gets_none(self, ada: Donor) -> None:
        (digest,) = written()
        suppression.leave_everything(digest, MORNING)
        assert claims.claim("me", 9, MORNING) == []

    def test_it_waits_for_the_morning_where_its_reader_lives(self, ada: Donor) -> None:
        nights()
        ada.timezone = "Europe/London"
        (digest,) = written()
        assert claims.claim("me", 9, MORNING) == []
        db.session.refresh(digest)
        # It is one at night there, and eight a little later.
        assert digest.due_at == MORNING + timedelta(hours=7)


def test_quiet_days_are_asked_too() -> None:
    nights().quiet_days = QuietDays.DAYS_OFF
    update = make.update()
    reader(update).timezone = "America/New_York"
    mailed(update)
    (digest,) = written()
    assert claims.claim("me", 9, MORNING) == []
    db.session.refresh(digest)
    # It is Sunday evening there still, and eight on Monday later.
    assert digest.due_at == MORNING + timedelta(hours=12)


def test_one_tap_leaves_updates_of_every_campaign_and_the_newsletter_but_not_thanks() -> None:
    update, other = make.update(), make.campaign()
    ada = reader(update)
    make.consent(ada, other)
    make.consent(ada)
    mailed(update)
    (digest,) = written()
    for _ in range(2):
        suppression.withdraw(digest, MORNING)
    about = (update.campaign_id, other.id)
    assert not any(suppression.consents(ada.id, Purpose.UPDATES, one) for one in about)
    assert not suppression.consents(ada.id, Purpose.NEWSLETTER, None)
    assert suppression.consents(ada.id, Purpose.RECEIPTS, None)
    assert digest.letter is LetterKind.DIGEST
