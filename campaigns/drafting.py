"""Drafting: the system begins what is due to be written, once, and reminds whose work it is.

What it drafts is an update like any other: people finish it, approve it and send it, or set it
aside. Nothing leaves by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from babel import Locale
from flask_babel import force_locale
from sqlalchemy import Table, exists, func, or_, select, update

from campaigns import (
    audit,
    blocks,
    drafted_words,
    duties,
    figures,
    letters,
    progress,
    standstill,
    writing,
)
from campaigns.db import db, insert
from campaigns.duties import Duty
from campaigns.model.campaign import RAISING, Campaign
from campaigns.model.consent import Purpose
from campaigns.model.delivery import LetterKind
from campaigns.model.drafted import Drafted, Occasion
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.staff import Permission, Role, Staff
from campaigns.model.update import Update, UpdateKind
from campaigns.writing import Words

# So many days before a report is due whoever writes it is reminded; the last one also after it.
REMINDERS = (2, 7)
# A reminder that could not leave by then is none any more.
_REMINDS_FOR = timedelta(days=1)
_ON_ITS_WAY = (MailingState.SCHEDULED, MailingState.SENDING)
DRAFTED = cast(Table, Drafted.__table__)


@dataclass(frozen=True)
class Due:
    """What is to be done now: milestones by campaign, the lowest first, reports to draft, and
    reports to remind of, each with the days of the reminder."""

    milestones: dict[int, list[int]]
    reports: list[Duty]
    reminders: list[tuple[Duty, int]]

    def __bool__(self) -> bool:
        return bool(self.milestones or self.reports or self.reminders)


def due(now: datetime) -> Due:
    """What is to be drafted and reminded of. Only reads.

    Nothing is, while nobody has looked after a database that was set back: what it does not know of
    may have been sent.
    """
    if standstill.unconfirmed():
        return Due({}, [], [])
    zone = figures.zone()
    today = now.astimezone(zone).date()
    owed = duties.owed(zone, now)
    begin = [one for one in owed if not one.drafted and (one.due - today).days <= _begins(one)]
    remind = [(one, days) for one in owed if (days := _reminder(one, (one.due - today).days))]
    return Due(_milestones(now), begin, remind)


def draft(found: Due, now: datetime) -> None:
    """Do what `due` found. Of two ticks at once one does; the second time does nothing."""
    for campaign_id, reached in found.milestones.items():
        _draft_milestones(campaign_id, reached, now)
    for duty in found.reports:
        _draft_report(duty, now)
    for duty, days in found.reminders:
        _remind(duty, days, now)


def set_aside(drafted: Drafted, by: Staff, now: datetime) -> None:
    """It is not needed: nobody is told of it any more. The second time does nothing."""
    if drafted.set_aside_at is not None:
        return
    drafted.set_aside_at, drafted.set_aside_by = now, by.id
    audit.record("set aside draft", drafted, now, by=by)
    db.session.flush()


def _milestones(now: datetime) -> dict[int, list[int]]:
    """By campaign those that its public figure reaches, and that were never noted."""
    noted = select(func.count()).where(
        Drafted.campaign_id == Campaign.id, Drafted.occasion == Occasion.MILESTONE
    )
    open_ = noted.correlate(Campaign).scalar_subquery() < len(blocks.MILESTONES)
    campaigns = db.session.scalars(
        select(Campaign)
        .where(Campaign.state.in_(RAISING), Campaign.target_minor.is_not(None), open_)
        .order_by(Campaign.id)
    ).all()
    known = _noted([campaign.id for campaign in campaigns])
    found = {}
    for one in progress.many(campaigns, now):
        reached = [mark for mark in blocks.MILESTONES if (one.percent or 0) >= mark]
        new = [mark for mark in reached if (one.campaign.id, mark) not in known]
        if new:
            found[one.campaign.id] = new
    return found


def _noted(campaign_ids: Sequence[int]) -> set[tuple[int, int]]:
    rows = db.session.execute(
        select(Drafted.campaign_id, Drafted.number).where(
            Drafted.campaign_id.in_(campaign_ids), Drafted.occasion == Occasion.MILESTONE
        )
    )
    return {(campaign_id, number) for campaign_id, number in rows}


def _begins(duty: Duty) -> int:
    """How many days before it is due it is drafted; a closing report as soon as there is one."""
    return duty.lead if duty.occasion is Occasion.REPORT else (duty.due - duty.since).days


def _reminder(duty: Duty, left: int) -> int | None:
    """The reminder that is due, in days before the report is; None where none is."""
    days = next((one for one in REMINDERS if left <= one), None)
    drafted = duty.drafted
    if days is None or days > duty.lead or drafted is None or duty.draft is None:
        return None
    told = drafted.reminded is not None and drafted.reminded <= days
    return None if told or _is_on_its_way(duty.campaign) else days


def _is_on_its_way(campaign: Campaign) -> bool:
    """Whether an update of the campaign has its hour."""
    going = exists().where(
        Mailing.update_id == Update.id,
        Mailing.state.in_(_ON_ITS_WAY),
        Update.campaign_id == campaign.id,
        Update.kind == UpdateKind.UPDATE,
    )
    return bool(db.session.scalar(select(going)))


def _draft_milestones(campaign_id: int, reached: Sequence[int], now: datetime) -> None:
    """All of them are noted, and one text is about the highest: of the others it is no news."""
    rows = [_note(campaign_id, Occasion.MILESTONE, mark, now) for mark in reached]
    new = [row for row in rows if row is not None]
    if new:
        campaign = db.session.get_one(Campaign, campaign_id)
        _attach(new, _begin(campaign, Occasion.MILESTONE, max(reached), now))


def _draft_report(duty: Duty, now: datetime) -> None:
    row = _note(duty.campaign.id, duty.occasion, duty.number, now)
    if row is None:
        return
    there = _begun_by_hand(duty) if duty.occasion is Occasion.REPORT else None
    _attach([row], there or _begin(duty.campaign, duty.occasion, duty.number, now))


def _note(campaign_id: int, occasion: Occasion, number: int, now: datetime) -> int | None:
    """The row of an occasion; None where it was there before."""
    values = {"campaign_id": campaign_id, "occasion": occasion, "number": number}
    note = insert(DRAFTED).values(**values, drafted_at=now).on_conflict_do_nothing()
    return cast("int | None", db.session.scalar(note.returning(DRAFTED.c.id)))


def _attach(rows: Sequence[int], to: Update) -> None:
    db.session.execute(update(DRAFTED).where(DRAFTED.c.id.in_(rows)).values(update_id=to.id))


def _begun_by_hand(duty: Duty) -> Update | None:
    """A text that can be the report: one begun since the last, or drafted for a period before."""
    of_update = Drafted.update_id == Update.id
    elsewhere = exists().where(of_update, Drafted.occasion != Occasion.REPORT)
    unneeded = exists().where(of_update, Drafted.set_aside_at.is_not(None))
    earlier = exists().where(of_update, Drafted.occasion == Occasion.REPORT)
    mailed = exists().where(Mailing.update_id == Update.id, Mailing.started_at.is_not(None))
    return db.session.scalars(
        select(Update)
        .where(Update.campaign_id == duty.campaign.id, Update.kind == UpdateKind.UPDATE)
        .where(Update.published_at.is_(None), ~elsewhere, ~unneeded, ~mailed)
        .where(or_(Update.id > duty.number, earlier))
        .order_by(Update.id.desc())
        .limit(1)
    ).first()


def _begin(campaign: Campaign, occasion: Occasion, number: int, now: datetime) -> Update:
    """An update in each language of the campaign."""
    texts = {}
    for locale in sorted(text.locale for text in campaign.texts):
        with force_locale(str(Locale.parse(locale, sep="-"))):
            words = drafted_words.of(campaign, occasion, number, locale)
        texts[locale] = Words(words.title, words.body)
    return writing.begin(campaign, UpdateKind.UPDATE, texts, now)


def _remind(duty: Duty, days: int, now: datetime) -> None:
    """Two ticks at once, and another one later, find the row reminded already."""
    row = cast(Drafted, duty.drafted)
    later = or_(DRAFTED.c.reminded.is_(None), DRAFTED.c.reminded > days)
    one = update(DRAFTED).where(DRAFTED.c.id == row.id, DRAFTED.c.set_aside_at.is_(None), later)
    if db.session.scalar(one.values(reminded=days).returning(DRAFTED.c.id)) is None:
        return
    for person in _responsible():
        letters.queue(
            LetterKind.ALERT,
            to=person,
            purpose=Purpose.SERVICE,
            occasion=f"alert:{duty.occasion}:{row.id}:{days}",
            locale=person.locale,
            now=now,
            expires_at=now + _REMINDS_FOR,
        )


def _responsible() -> list[Staff]:
    """The fundraisers; where nobody is one, all who may write updates."""
    staff = list(db.session.scalars(select(Staff).where(Staff.active).order_by(Staff.id)))
    fundraisers = [one for one in staff if any(held.role is Role.FUNDRAISER for held in one.roles)]
    return fundraisers or [one for one in staff if one.may(Permission.WRITE)]
