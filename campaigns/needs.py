"""Needs: what waits for a person, and for whom of them."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select

from campaigns import cadence, duties, figures, freshness, reconciliation, rounds, standstill
from campaigns.batches import LONGEST_STILL, WORK
from campaigns.claimed_gifts import contested
from campaigns.db import db
from campaigns.duties import Waiting
from campaigns.freshness import BROKEN_AFTER
from campaigns.mail.status import Meaning
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.gift import Gift, Moderation
from campaigns.model.imported import Import, ImportRow, ImportState, turned, waits
from campaigns.model.listing import Asking, Listing, Told
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.notice import UNSETTLED, Notice, Verdict
from campaigns.model.report import Origin, Report, ReportState
from campaigns.model.returned import Return
from campaigns.model.staff import Permission, Staff
from campaigns.model.timeline import Timeline
from campaigns.money import Money
from campaigns.silences import Silence

# No more rows and messages are counted than this: the first page is loaded often.
MOST_ROWS = 1000
# What relays refused because of us is told for so long.
RECENT = timedelta(days=7)
_S = CampaignState


class What(StrEnum):
    SET_BACK = "set_back"
    HELD = "held"
    TO_APPROVE = "to_approve"
    SENT_BACK = "sent_back"
    TO_FINISH = "to_finish"
    MISSED = "missed"
    PAUSED = "paused"
    UNKNOWN = "unknown"
    UNWANTED = "unwanted"
    NOTICES = "notices"
    TO_REVIEW = "to_review"
    UNREADABLE = "unreadable"
    STUCK = "stuck"
    ROWS = "rows"
    GAP = "gap"
    UNHEARD = "unheard"
    NO_FILE = "no_file"
    CONTESTED = "contested"
    MESSAGES = "messages"
    STALE = "stale"
    BROKEN = "broken"
    REFUSED = "refused"
    DUE = "due"


@dataclass(frozen=True)
class Need:
    """One thing that waits. Of the fields those are set that its kind is about.

    `last` is the figure that stays public while `report` is held; `count` how many letters,
    notices, files, rows, claims, messages or figures wait, for how many days a `gap` has been open,
    and how many listings an `endpoint` or the files of a platform say nothing of, `listing` among
    them, since when it does. `imported` is there where only one file waits, as `listing` is where
    only one figure is due.
    """

    what: What
    campaign: Campaign | None = None
    listing: Listing | None = None
    report: Report | None = None
    last: Money | None = None
    gap: Money | None = None
    mailing: Mailing | None = None
    verdict: Verdict | None = None
    imported: Import | None = None
    timeline: Timeline | None = None
    count: int = 0
    endpoint: WebhookEndpoint | None = None
    since: datetime | None = None
    draft: Waiting | None = None


def of(staff: Staff, now: datetime) -> list[Need]:
    """What waits for this person, by their permissions; the most pressing first."""
    looks: tuple[tuple[Permission, Callable[[], Iterator[Need]]], ...] = (
        (Permission.SEND, _set_back),
        (Permission.JUDGE_REPORTS, _held),
        (Permission.SEND, _stopped),
        (Permission.APPROVE, lambda: _to_approve(staff)),
        (Permission.WRITE, lambda: _sent_back(staff)),
        (Permission.WRITE, lambda: _to_finish(now)),
        (Permission.SEND, _unknown),
        (Permission.SEND, lambda: _unwanted(now)),
        (Permission.BOOK, _notices),
        (Permission.BOOK, lambda: _files(now)),
        (Permission.BOOK, _rows),
        (Permission.BOOK, lambda: _gaps(now)),
        (Permission.SEE_DONORS, _of_gifts),
        (Permission.ENTER_REPORTS, lambda: _to_enter(now)),
        (Permission.ENTER_REPORTS, lambda: _silent(now)),
    )
    return [need for permission, look in looks if staff.may(permission) for need in look()]


def _set_back() -> Iterator[Need]:
    for timeline in standstill.unconfirmed():
        yield Need(What.SET_BACK, timeline=timeline)


def _held() -> Iterator[Need]:
    rows = db.session.execute(
        select(Report, Listing, Campaign)
        .join(Listing, Listing.id == Report.listing_id)
        .join(Campaign, Campaign.id == Listing.campaign_id)
        .where(Report.state == ReportState.QUARANTINED)
        .order_by(Report.received_at.desc())
    ).all()
    standing = figures.of([listing for _, listing, _ in rows])
    for report, listing, campaign in rows:
        found = standing[listing.id]
        last = found.raised(listing.currency) if found.report else None
        yield Need(What.HELD, campaign=campaign, listing=listing, report=report, last=last)


def _to_approve(staff: Staff) -> Iterator[Need]:
    alone = (db.session.scalar(select(func.count(Staff.id)).where(Staff.active)) or 0) < 2
    for mailing in _mailings(MailingState.IN_REVIEW):
        if alone or not mailing.is_by(staff.id):
            yield Need(What.TO_APPROVE, mailing=mailing)


def _sent_back(staff: Staff) -> Iterator[Need]:
    """To whoever wrote it: what somebody who approves asked to be changed."""
    for mailing in _mailings(MailingState.DRAFT):
        if mailing.note and mailing.is_by(staff.id):
            yield Need(What.SENT_BACK, mailing=mailing)


def _to_finish(now: datetime) -> Iterator[Need]:
    """What the system drafted and nobody has asked approval for yet."""
    for draft in duties.waiting(figures.zone(), now):
        yield Need(What.TO_FINISH, campaign=draft.campaign, draft=draft)


def _stopped() -> Iterator[Need]:
    for mailing in _mailings(MailingState.MISSED):
        yield Need(What.MISSED, mailing=mailing)
    for mailing in _mailings(MailingState.PAUSED):
        yield Need(What.PAUSED, mailing=mailing)


def _unknown() -> Iterator[Need]:
    counts = db.session.execute(
        select(Delivery.mailing_id, func.count())
        .where(Delivery.state == DeliveryState.UNKNOWN)
        .group_by(Delivery.mailing_id)
        .order_by(Delivery.mailing_id)
    ).all()
    for mailing_id, count in counts:
        mailing = db.session.get(Mailing, mailing_id) if mailing_id else None
        yield Need(What.UNKNOWN, mailing=mailing, count=count)


def _unwanted(now: datetime) -> Iterator[Need]:
    """Letters that relays refused lately because of us, which only we can mend."""
    refused = Return.meaning == Meaning.POLICY, Return.at > now - RECENT
    some = select(Return.delivery_id).where(*refused).distinct().limit(MOST_ROWS).subquery()
    count = db.session.scalar(select(func.count()).select_from(some)) or 0
    if count:
        yield Need(What.UNWANTED, count=count)


def _notices() -> Iterator[Need]:
    counts = db.session.execute(
        select(Notice.verdict, func.count())
        .where(Notice.verdict.in_(UNSETTLED))
        .group_by(Notice.verdict)
        .order_by(Notice.verdict)
    ).all()
    for verdict, count in counts:
        yield Need(What.NOTICES, verdict=verdict, count=count)


def _files(now: datetime) -> Iterator[Need]:
    """Imports that wait for a person, and those that a worker should have brought further."""
    still = Import.state.in_(WORK), Import.moved_at < now - LONGEST_STILL
    for what, which in (
        (What.STUCK, still),
        (What.TO_REVIEW, (Import.state == ImportState.REVIEW,)),
        (What.UNREADABLE, (Import.state == ImportState.FAILED,)),
    ):
        count = db.session.scalar(select(func.count(Import.id)).where(*which)) or 0
        if count:
            only = db.session.scalars(select(Import).where(*which).limit(1)).first()
            yield Need(what, imported=only if count == 1 else None, count=count)


def _rows() -> Iterator[Need]:
    count = 0
    for which in (waits(), turned()):
        some = select(ImportRow.position).where(which).limit(MOST_ROWS).subquery()
        count += db.session.scalar(select(func.count()).select_from(some)) or 0
    if count:
        yield Need(What.ROWS, count=count)


def _gaps(now: datetime) -> Iterator[Need]:
    """What platforms reported and nobody booked or explained, or the other way round.

    Where entries stopped coming, that is said instead, once for all listings that it concerns.
    """
    listings = {one.id: one for one in reconciliation.open_listings()}
    silent = reconciliation.silent(listings.values(), now)
    causes = defaultdict(list)
    for one in sorted(silent.values(), key=lambda one: (one.since, one.listing_id)):
        causes[one.endpoint_id or listings[one.listing_id].platform].append(one)
    for some in causes.values():
        yield _silence(some, listings[some[0].listing_id])
    today = figures.day_of(now)
    for gap in reconciliation.overdue(now):
        if gap.listing.id not in silent:
            campaign = db.session.get_one(Campaign, gap.listing.campaign_id)
            age = gap.age(today) or 0
            yield Need(What.GAP, campaign, gap.listing, gap=gap.last.gap, count=age)


def _silence(some: Sequence[Silence], listing: Listing) -> Need:
    first = some[0]
    endpoint = db.session.get(WebhookEndpoint, first.endpoint_id) if first.endpoint_id else None
    return Need(
        What.NO_FILE if first.by_file else What.UNHEARD,
        campaign=db.session.get_one(Campaign, listing.campaign_id),
        listing=listing,
        gap=first.grown,
        endpoint=endpoint,
        since=first.since,
        count=len(some),
    )


def _of_gifts() -> Iterator[Need]:
    """Gifts that are claimed while they are somebody else's, and messages that nobody has read."""
    if count := len(contested()):
        yield Need(What.CONTESTED, count=count)
    waiting = Gift.message != "", Gift.moderation == Moderation.WAITING
    some = select(Gift.entry_id).where(*waiting).limit(MOST_ROWS).subquery()
    count = db.session.scalar(select(func.count()).select_from(some)) or 0
    if count:
        yield Need(What.MESSAGES, count=count)


def _to_enter(now: datetime) -> Iterator[Need]:
    """Figures that are due by hand, and refusals since which nobody has entered one."""
    stops = rounds.of(now)
    due = [stop for stop in stops if stop.is_entered and stop.is_due(now)]
    if due:
        only = due[0] if len(due) == 1 else None
        campaign, listing = (only.campaign, only.listing) if only else (None, None)
        yield Need(What.DUE, campaign=campaign, listing=listing, count=len(due))
    for stop in stops:
        refused = stop.listing.asking is Asking.REFUSED and not stop.is_due(now)
        if refused and (stop.last is None or stop.last.origin is Origin.ASKED):
            yield Need(What.REFUSED, campaign=stop.campaign, listing=stop.listing)


def _silent(now: datetime) -> Iterator[Need]:
    """Listings that platforms are asked about and give no figure of, until they are final."""
    rows = db.session.execute(
        select(Listing, Campaign)
        .join(Campaign, Campaign.id == Listing.campaign_id)
        .where(Campaign.state.in_((_S.LIVE, _S.PAUSED, _S.ENDED)))
        .where(
            Listing.asking == Asking.ASKED,
            (Listing.failures >= BROKEN_AFTER) | (Listing.told == Told.STALE),
        )
        .order_by(Listing.id)
    ).all()
    for listing, campaign in rows:
        when = cadence.of(listing, campaign, (), figures.zone())
        if freshness.is_over(when, campaign.state, now):
            continue
        what = What.BROKEN if freshness.failing(listing) else What.STALE
        yield Need(what, campaign=campaign, listing=listing)


def _mailings(state: MailingState) -> list[Mailing]:
    return list(
        db.session.scalars(select(Mailing).where(Mailing.state == state).order_by(Mailing.id))
    )
