"""Duties: which report each campaign owes its donors, by when, and which drafts wait for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import aliased

from campaigns.db import db
from campaigns.model.campaign import RAISING, Campaign, CampaignState
from campaigns.model.drafted import Drafted, Occasion
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.update import Update, UpdateKind

_DAY = timedelta(days=1)
# So long before a report is due there is a draft of it, or half the time between two reports.
LEAD = 10
# A closing report is due as soon as any other would be, or a month after the end.
CLOSING_DAYS = 30
# The shortest three months: the Charity Law of 2016, article 73, has all of it published by then.
LATEST_CLOSING_DAYS = 89
# Of what ended longer ago when the service first looks, nobody waits for a closing report.
LONG_AGO = timedelta(days=LATEST_CLOSING_DAYS)
# The text of a mailing in one of these is still only its author's.
_UNASKED = (MailingState.DRAFT, MailingState.CANCELLED)


@dataclass(frozen=True)
class Duty:
    """A report that a campaign owes on the day `due`, counted from `since`.

    `number` is what its row in `drafted` is told apart by; `drafted` that row, None before there
    is one.
    """

    campaign: Campaign
    occasion: Occasion
    number: int
    since: date
    due: date
    drafted: Drafted | None

    @property
    def lead(self) -> int:
        """How many days before it is due somebody may be bothered with it."""
        return min(LEAD, (self.due - self.since).days // 2)

    @property
    def draft(self) -> Update | None:
        """What was drafted for it, unless a person said that it is not needed."""
        if self.drafted is None or self.drafted.set_aside_at is not None:
            return None
        return self.drafted.update


@dataclass(frozen=True)
class Waiting:
    """A draft that waits for a person. A report is `due` then, and `late` by so many days."""

    campaign: Campaign
    drafted: Drafted
    due: date | None
    late: int


def owed(zone: ZoneInfo, now: datetime) -> list[Duty]:
    """What each campaign that reports owes next; days are those of the organisation's zone.

    A campaign that raises owes a report by what it promised, counted from its last update; one
    whose raising is over owes its closing report until that is public, or set aside.
    """
    rows = db.session.execute(
        select(Campaign, Update)
        .outerjoin(Update, Update.id == _last_report())
        .where(Campaign.state.in_((*RAISING, CampaignState.ENDED)))
        .order_by(Campaign.id)
    ).all()
    known = _known([campaign.id for campaign, _ in rows])
    today = now.astimezone(zone).date()
    found = []
    for campaign, last in rows:
        end = ended_on(campaign, zone, today)
        if end is not None:
            duty = _closing(campaign, end, known.get((campaign.id, Occasion.CLOSING, 0)), today)
        elif campaign.state in RAISING:
            number = last.id if last else 0
            row = known.get((campaign.id, Occasion.REPORT, number))
            duty = _report(campaign, last, row, zone)
        else:
            duty = None
        if duty is not None:
            found.append(duty)
    return found


def ended_on(campaign: Campaign, zone: ZoneInfo, today: date) -> date | None:
    """The last day of raising, if it is over: somebody ended it, or its last day has passed."""
    if campaign.state in RAISING:
        over = campaign.ends_on is not None and campaign.ends_on < today
        return campaign.ends_on if over else None
    return campaign.ended_at.astimezone(zone).date() if campaign.ended_at else None


def waiting(zone: ZoneInfo, now: datetime) -> list[Waiting]:
    """The drafts that wait for a person: reports in the order of their days, then milestones."""
    today = now.astimezone(zone).date()
    duties = sorted(owed(zone, now), key=lambda duty: duty.due)
    ids = [duty.draft.id for duty in duties if duty.draft]
    untouched = set(db.session.scalars(select(Update.id).where(Update.id.in_(ids), waits())))
    reports = [
        Waiting(duty.campaign, duty.drafted, duty.due, max((today - duty.due).days, 0))
        for duty in duties
        if duty.drafted and duty.draft and duty.draft.id in untouched
    ]
    return [*reports, *(Waiting(campaign, row, None, 0) for row, campaign in _milestones())]


def behind(update: Update) -> Drafted | None:
    """What an update was drafted for; of several occasions the last."""
    newest = select(Drafted).where(Drafted.update_id == update.id).order_by(Drafted.id.desc())
    return db.session.scalars(newest.limit(1)).first()


def waits() -> ColumnElement[bool]:
    """Whether nobody has published an `Update` yet, or asked for approval to mail it."""
    asked = exists().where(Mailing.update_id == Update.id, Mailing.state.not_in(_UNASKED))
    begun = exists().where(Mailing.update_id == Update.id, Mailing.started_at.is_not(None))
    return and_(Update.published_at.is_(None), ~asked, ~begun)


def _milestones() -> list[tuple[Drafted, Campaign]]:
    """The last milestone of each campaign, where a draft about it waits."""
    higher = aliased(Drafted)
    passed = exists().where(
        higher.campaign_id == Drafted.campaign_id,
        higher.occasion == Occasion.MILESTONE,
        higher.number > Drafted.number,
    )
    rows = db.session.execute(
        select(Drafted, Campaign)
        .join(Update, Update.id == Drafted.update_id)
        .join(Campaign, Campaign.id == Drafted.campaign_id)
        .where(Drafted.occasion == Occasion.MILESTONE, ~passed, Drafted.set_aside_at.is_(None))
        .where(Campaign.state.in_((*RAISING, CampaignState.ENDED)), waits())
        .order_by(Drafted.id)
    )
    return [(row, campaign) for row, campaign in rows]


def _last_report() -> ColumnElement[int]:
    other = aliased(Update)
    return (
        select(other.id)
        .where(other.campaign_id == Campaign.id, other.kind == UpdateKind.UPDATE)
        .where(other.published_at.is_not(None))
        .order_by(other.published_at.desc(), other.id.desc())
        .limit(1)
        .correlate(Campaign)
        .scalar_subquery()
    )


def _known(campaign_ids: Sequence[int]) -> dict[tuple[int, Occasion, int], Drafted]:
    rows = db.session.scalars(
        select(Drafted).where(
            Drafted.campaign_id.in_(campaign_ids), Drafted.occasion != Occasion.MILESTONE
        )
    )
    return {(row.campaign_id, row.occasion, row.number): row for row in rows}


def _report(
    campaign: Campaign, last: Update | None, row: Drafted | None, zone: ZoneInfo
) -> Duty | None:
    if campaign.report_every_days is None:
        return None
    since = campaign.starts_on or campaign.created_at.astimezone(zone).date()
    if last is not None and last.published_at is not None:
        since = last.published_at.astimezone(zone).date()
    due = since + campaign.report_every_days * _DAY
    return Duty(campaign, Occasion.REPORT, last.id if last else 0, since, due, row)


def _closing(campaign: Campaign, end: date, row: Drafted | None, today: date) -> Duty | None:
    if row is None and today - end > LONG_AGO:
        return None
    if row is not None and (row.set_aside_at or (row.update and row.update.published_at)):
        return None
    wait = min(campaign.report_every_days or CLOSING_DAYS, LATEST_CLOSING_DAYS)
    return Duty(campaign, Occasion.CLOSING, 0, end, end + wait * _DAY, row)
