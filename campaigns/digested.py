"""Digested: what waits for a donor's monthly letter, and what that letter says.

docs/decisions/0061-the-monthly-digest.md tells who reads what in which letter.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import cast

from babel.dates import format_date
from flask import current_app
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, Table, literal, select
from sqlalchemy.orm import aliased, selectinload
from sqlalchemy.sql.elements import SQLCoreOperations

from campaigns import slots, suppression, text
from campaigns.db import db, insert
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import OPEN, Claim, Delivery, DeliveryState
from campaigns.model.digest import DigestFigure, DigestItem
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.organisation import first_language
from campaigns.model.update import Update

ITEMS = cast(Table, DigestItem.__table__)
OCCASION = "digest:"
# Of an update as much as tells whether one wishes to read all of it.
EXCERPT = 300
_GOT = (*OPEN, DeliveryState.SENT, DeliveryState.COMPLAINED, DeliveryState.UNKNOWN)

# The address of a campaign's public page in a language, or of the newsletter's.
Page = Callable[[Campaign | None, str], str]


@dataclass(frozen=True, slots=True)
class Words:
    """What one digest says in one language; `markdown` has nothing of its reader's own."""

    subject: str
    markdown: str


def set_aside(mailing: Mailing, members: Select[int]) -> None:
    """Keep for their next digest what a mailing does not write to those who chose digests.

    Appeals are not kept. The same update again, by another mailing, has the newer words, unless
    it was read before; whoever got it as a letter does not read it again.
    """
    told = mailing.update
    if not told.archived:
        return
    why = suppression.passed_over(mailing.purpose, told.campaign_id)
    waiting = (
        select(
            Donor.id,
            literal(told.id, ITEMS.c.update_id.type),
            literal(mailing.id, ITEMS.c.mailing_id.type),
        )
        .where(Donor.id.in_(members), why == suppression.DIGEST)
        .where(~_as_letter(literal(told.id, ITEMS.c.update_id.type)))
    )
    kept = insert(ITEMS).from_select(["donor_id", "update_id", "mailing_id"], waiting)
    db.session.execute(
        kept.on_conflict_do_update(
            index_elements=["donor_id", "update_id"],
            set_={"mailing_id": kept.excluded.mailing_id},
            where=ITEMS.c.delivery_id.is_(None),
        )
    )


def worth_telling() -> ColumnElement[bool]:
    """Whether the statement's donor may still read its item's mailing in a digest.

    They agree still, did not get it as a letter, and we neither cancelled it nor took it down.
    """
    agrees = suppression.standing(Donor.id, Mailing.purpose, Update.campaign_id)
    return (
        (Mailing.state != MailingState.CANCELLED)
        & Update.published_at.is_not(None)
        & agrees
        & ~_as_letter(Update.id)
    )


def still_agreed() -> ColumnElement[bool]:
    """Whether the statement's donor agrees to anything that its delivery, a digest, would tell."""
    agrees = suppression.standing(Donor.id, Mailing.purpose, Update.campaign_id)
    told = (
        select(literal(1))
        .select_from(DigestItem)
        .join(Mailing, Mailing.id == DigestItem.mailing_id)
        .join(Update, Update.id == DigestItem.update_id)
        .where(DigestItem.delivery_id == Delivery.id, agrees)
        .correlate(Delivery, Donor)
    )
    return told.exists()


def contents(claim: Claim) -> tuple[int, ...]:
    """The mailings that a digest tells its reader, who may have left some of them meanwhile."""
    agrees = suppression.standing(Donor.id, Mailing.purpose, Update.campaign_id)
    told = (
        select(DigestItem.mailing_id)
        .join(Delivery, Delivery.id == DigestItem.delivery_id)
        .join(Donor, Donor.id == Delivery.donor_id)
        .join(Mailing, Mailing.id == DigestItem.mailing_id)
        .join(Update, Update.id == DigestItem.update_id)
        .where(DigestItem.delivery_id == claim.id, agrees)
        .distinct()
        .order_by(DigestItem.mailing_id)
    )
    return tuple(db.session.scalars(told))


def shape(claim: Claim) -> str:
    """The same for all whose digest says the same, so that it is written once for them."""
    return f"{claim.occasion}:{contents(claim)}"


def words(claim: Claim, locale: str, page: Page) -> Words:
    """A digest in `locale`, which is also the language at hand: campaigns first, then issues.

    Raises `LookupError` where its reader agrees to none of it any more.
    """
    month = claim.occasion.removeprefix(OCCASION)
    mailings = _mailings(contents(claim))
    if not mailings:
        raise LookupError("A digest that would tell nothing is not written.")
    parts: list[str] = []
    for campaign_id, told in groupby(mailings, lambda one: one.update.campaign_id):
        campaign = db.session.get(Campaign, campaign_id) if campaign_id else None
        parts += _of(campaign, list(told), locale, page(campaign, locale))
        parts += _figures(month, campaign_id, locale) if campaign_id else ()
    return Words(_subject(month), "\n\n".join(parts))


def _as_letter(update_id: SQLCoreOperations[int]) -> ColumnElement[bool]:
    """Whether the statement's donor got an update, or will get it, as a letter of its own."""
    mailed = aliased(Mailing)
    got = (
        select(literal(1))
        .select_from(Delivery)
        .join(mailed, mailed.id == Delivery.mailing_id)
        .where(mailed.update_id == update_id, Delivery.address_hash == Donor.address_hash)
        .where(Delivery.state.in_(_GOT))
    )
    return got.correlate_except(Delivery, mailed).exists()


def _mailings(ids: Sequence[int]) -> list[Mailing]:
    """In the order that they are told: by campaign, what has none last; and as they went."""
    found = db.session.scalars(
        select(Mailing)
        .join(Update, Update.id == Mailing.update_id)
        .options(selectinload(Mailing.texts))
        .where(Mailing.id.in_(ids))
        .order_by(Update.campaign_id.is_(None), Update.campaign_id, Mailing.started_at, Mailing.id)
    )
    return list(found)


def _of(
    campaign: Campaign | None, told: Sequence[Mailing], locale: str, page: str
) -> Iterator[str]:
    """What a campaign's mailings said, or those of the newsletter, whose `page` this is."""
    name = campaign.text(locale).title if campaign else _("Our newsletter")
    yield f"# [{slots.inert(name)}]({page})"
    for mailing in told:
        title, body = _frozen(mailing, locale)
        yield f"## {slots.inert(title)}"
        yield _day(mailing) + _(": ") + slots.inert(text.excerpt(body, EXCERPT))
        if mailing.update.published_at is not None:
            more, at = _("Read all of it"), mailing.update
            yield f"[{more}]({page}/{f'updates/{at.id}' if campaign else at.number})"


def _figures(month: str, campaign_id: int, locale: str) -> Iterator[str]:
    kept = db.session.get(DigestFigure, (month, campaign_id, locale))
    if kept is not None:
        yield "## " + _("Where the campaign stands")
        yield kept.body


def _frozen(mailing: Mailing, locale: str) -> tuple[str, str]:
    """Title and Markdown as they were approved, to nobody in particular."""
    frozen = mailing.text(locale, first_language())
    return slots.impersonal(frozen.subject), slots.impersonal(frozen.body, slots.inert)


def _day(mailing: Mailing) -> str:
    return str(current_app.jinja_env.filters["day"](mailing.started_at))


def _subject(month: str) -> str:
    first = date.fromisoformat(f"{month}-01")
    named = format_date(first, _("MMMM y"), get_locale())
    return _("%(month)s: what came of it", month=named)
