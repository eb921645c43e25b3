"""Disclosure: everything that is kept about a person, for that person (PIPL art. 45)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from campaigns import givers, wordings
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Consent
from campaigns.model.contact_import import CONTACTS, ContactImport
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry
from campaigns.model.gift import Gift, Moderation
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.imported import stands
from campaigns.model.listing import Listing
from campaigns.model.mailing import Mailing
from campaigns.model.suppression import Suppression
from campaigns.model.tag import DonorTag

FORMAT = "huiyin-person-1"
Facts = dict[str, Any]


def of(person: Donor, locale: str, now: datetime) -> Facts:
    """What is known of a person and of rows merged into theirs, as plain values.

    Moments are aware, amounts `Money`; titles are in `locale`. docs/consent.md names the members.
    """
    rows = givers.rows_of(person)
    titles = {one.id: one.text(locale).title for one in db.session.scalars(select(Campaign))}
    return {
        "format": FORMAT,
        "made_at": now,
        "person": _person(person, rows),
        "gifts": _gifts(rows, titles),
        "claims": _claims(rows),
        "consents": _consents(rows, titles),
        "letters": _letters(rows, titles, locale),
        "suppressions": _suppressions(rows),
    }


def _person(person: Donor, rows: list[int]) -> Facts:
    known = db.session.scalars(select(Donor).where(Donor.id.in_(rows)).order_by(Donor.id)).all()
    tags = select(DonorTag.tag).where(DonorTag.donor_id.in_(rows)).distinct()
    return {
        "addresses": [one.address for one in known if one.address],
        "names": sorted({one.name for one in known if one.name}),
        "language": person.locale,
        "time_zone": person.timezone,
        "letters": "monthly" if person.monthly else "each",
        "places": sorted({one.place for one in known if one.place}),
        "tags": list(db.session.scalars(tags.order_by(DonorTag.tag))),
        "known_since": min(one.created_at for one in known),
    }


def _gifts(rows: list[int], titles: Mapping[int, str]) -> list[Facts]:
    # Who claimed a gift learns no words that came with it (docs/consent.md).
    unworded = GiftClaim.worded_at.is_(None) & GiftClaim.released_at.is_(None)
    claimed = select(GiftClaim.id).where(GiftClaim.entry_id == Gift.entry_id, unworded).exists()
    found = db.session.execute(
        select(Gift, Entry, Listing.platform, ~givers.stood(), claimed)
        .join(Entry, Entry.id == Gift.entry_id)
        .outerjoin(Listing, Listing.id == Entry.listing_id)
        .where(Gift.donor_id.in_(rows), stands())
        .order_by(Entry.occurred_at.desc(), Entry.id.desc())
    )
    return [
        {
            "at": entry.occurred_at,
            "amount": entry.amount,
            "campaign": titles[entry.campaign_id],
            "platform": platform,
            "taken_back": back,
        }
        | _words(gift, by_others)
        for gift, entry, platform, back, by_others in found
    ]


def _words(gift: Gift, by_others: bool) -> Facts:
    message_is_public = bool(gift.message) and gift.moderation is Moderation.SHOWN
    return {
        "name": gift.public_name if gift.show_name or not by_others else None,
        "name_is_public": gift.show_name,
        "message": gift.message if message_is_public or not by_others else None,
        "message_is_public": message_is_public,
    }


def _claims(rows: list[int]) -> list[Facts]:
    made = select(GiftClaim).where(GiftClaim.donor_id.in_(rows)).order_by(GiftClaim.id.desc())
    return [
        {"number": one.number, "asked_at": one.asked_at, "confirmed_at": one.confirmed_at}
        for one in db.session.scalars(made)
    ]


def _consents(rows: list[int], titles: Mapping[int, str]) -> list[Facts]:
    said = select(Consent).where(Consent.donor_id.in_(rows)).order_by(Consent.id.desc())
    return [
        {
            "at": one.at,
            "purpose": one.purpose,
            "campaign": titles.get(one.campaign_id or 0),
            "agreed": one.given,
            "source": one.source,
            "wording": one.wording,
            "words": _words_of(one),
            "language": one.locale,
        }
        for one in db.session.scalars(said)
    ]


def _words_of(said: Consent) -> str | None:
    """The words that were agreed to, as far as they are ours or came with a file of contacts."""
    ours = wordings.of(said.wording, said.locale)
    if ours is not None:
        return ours.text
    of_file, _, number = said.wording.partition(":")
    if of_file != CONTACTS or not number.isdecimal():
        return None
    basis = db.session.get(ContactImport, int(number))
    return basis.words if basis else None


def _letters(rows: list[int], titles: Mapping[int, str], locale: str) -> list[Facts]:
    hashes = select(Donor.address_hash).where(Donor.id.in_(rows))
    got = select(Delivery).where(
        or_(Delivery.donor_id.in_(rows), Delivery.address_hash.in_(hashes))
    )
    letters = db.session.scalars(got.order_by(Delivery.id.desc())).all()
    ids = {one.mailing_id for one in letters}
    mailings = {
        one.id: one for one in db.session.scalars(select(Mailing).where(Mailing.id.in_(ids)))
    }
    return [
        {
            "written_at": one.created_at,
            "kind": one.letter,
            "subject": _subject(mailings.get(one.mailing_id or 0), one.locale, locale),
            "campaign": titles.get(one.campaign_id or 0),
            "language": one.locale,
            "state": one.state,
            "state_since": one.settled_at,
        }
        for one in letters
    ]


def _subject(mailing: Mailing | None, locale: str, default: str) -> str | None:
    return mailing.text(locale, default).subject if mailing and mailing.texts else None


def _suppressions(rows: list[int]) -> list[Facts]:
    hashes = select(Donor.address_hash).where(Donor.id.in_(rows))
    found = select(Suppression).where(Suppression.address_hash.in_(hashes)).order_by(Suppression.at)
    return [{"cause": one.cause, "since": one.at} for one in db.session.scalars(found)]
