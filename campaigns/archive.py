"""The archive: updates and issues that anybody may read, in the words that were sent.

What was mailed stands as it was approved for the newest letter about it, whatever was changed
since; what was never mailed stands as it is written. Greetings and links that are a reader's own
are no part of either: letters get them when they are filled in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import selectinload

from campaigns.blocks import Live
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.organisation import first_language
from campaigns.model.staff import Staff
from campaigns.model.update import Update, UpdateKind

# As many stand on one page of the archive, and in one document of a feed.
PAGE = 20


@dataclass(frozen=True, slots=True)
class Told:
    """An update as the public reads it, or an issue, which has a `number` in place of a campaign.

    `body` is Markdown. `locale` is the language it is in, which is another than the one asked for
    where nobody wrote that. `at` is since when it is public, `worded_at` since when in these words.
    """

    id: int
    campaign: Campaign | None
    number: int | None
    title: str
    body: str
    locale: str
    author: str | None
    at: datetime
    worded_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """One page of many, the newest first; `number` counts from 1."""

    told: list[Told]
    number: int
    total: int

    @property
    def last(self) -> int:
        """The number of the last page; one that is empty is there too."""
        return max(1, -(-self.total // PAGE))

    @property
    def first_place(self) -> int:
        """Which of all the first on this page is, counted from 1; 0 where there is none."""
        return (self.number - 1) * PAGE + 1 if self.told else 0


def published(now: datetime, campaign: Campaign | None = None) -> Select[Update]:
    """What anybody may read, newest first: a campaign's updates, or all campaigns' and issues."""
    public = _public(now)
    if campaign is not None:
        return public.where(Update.campaign_id == campaign.id)
    shown = select(Campaign.id).where(Campaign.state != CampaignState.DRAFT)
    return public.where(or_(Update.campaign_id.in_(shown), Update.kind == UpdateKind.ISSUE))


def issues(now: datetime) -> Select[Update]:
    """The issues of the newsletter that anybody may read, newest first."""
    return _public(now).where(Update.kind == UpdateKind.ISSUE)


def told(updates: Sequence[Update], locale: str, now: datetime) -> list[Told]:
    """These published updates in `locale`, else in their campaign's language, else in any.

    Issues are in the organisation's language where they are not in `locale`. What is live in one
    that was never mailed stands as of `now`.
    """
    live = {one.id: Live(one, now) for one in _campaigns(updates)}
    of_none = Live(None, now)
    mailings, authors = sent(updates), _authors(updates)
    return [
        _told(
            update,
            live[update.campaign_id] if update.campaign_id else of_none,
            mailings.get(update.id),
            authors.get(update.author_id or 0),
            locale,
        )
        for update in updates
    ]


def page(updates: Select[Update], number: int, locale: str, now: datetime) -> Page | None:
    """Page `number` of them, or None where there are not so many; the first is always there."""
    counted = select(func.count()).select_from(updates.order_by(None).subquery())
    total = db.session.scalar(counted) or 0
    found = db.session.scalars(updates.limit(PAGE).offset((number - 1) * PAGE)).all()
    return Page(told(found, locale, now), number, total) if found or number == 1 else None


def sent(updates: Iterable[Update]) -> dict[int, Mailing]:
    """By update the newest mailing whose letters went out, and whose words are public therefore.

    One that was cancelled meanwhile is no word of ours any more.
    """
    begun = (
        select(Mailing)
        .options(selectinload(Mailing.texts))
        .where(Mailing.update_id.in_({update.id for update in updates}))
        .where(Mailing.started_at.is_not(None), Mailing.state != MailingState.CANCELLED)
        .order_by(Mailing.started_at, Mailing.id)
    )
    return {mailing.update_id: mailing for mailing in db.session.scalars(begun)}


def was_sent(*which: ColumnElement[bool]) -> bool:
    """Whether letters about this update or issue went out, even if it is public no more."""
    begun = Mailing.update_id == Update.id, Mailing.started_at.is_not(None)
    return bool(db.session.scalar(select(exists().where(*begun, *which))))


def _public(now: datetime) -> Select[Update]:
    newest = Update.published_at.desc(), Update.id.desc()
    return select(Update).where(Update.published_at <= now).order_by(*newest)


def _told(
    update: Update, live: Live, mailing: Mailing | None, author: str | None, locale: str
) -> Told:
    at, campaign = update.published_at or update.created_at, live.campaign
    default = campaign.default_locale if campaign else first_language()
    if mailing is not None:
        frozen = mailing.text(locale, default)
        title, body, locale = frozen.subject, frozen.body, frozen.locale
        worded_at = max(at, mailing.started_at or at)
    else:
        text = update.text(locale, default)
        title, body, locale = text.title, text.body, text.locale
        worded_at = max(at, update.changed_at)
    title, body = live.for_anybody(title, body, locale)
    number = update.number if campaign is None else None
    return Told(update.id, campaign, number, title, body, locale, author, at, worded_at)


def _campaigns(updates: Iterable[Update]) -> Iterable[Campaign]:
    ids = {update.campaign_id for update in updates if update.campaign_id}
    return db.session.scalars(select(Campaign).where(Campaign.id.in_(ids))).all()


def _authors(updates: Iterable[Update]) -> dict[int, str]:
    ids = {update.author_id for update in updates}
    named = select(Staff.id, Staff.name).where(Staff.id.in_(ids))
    return {id: name for id, name in db.session.execute(named)}  # noqa: C416 - rows are typed pairs
