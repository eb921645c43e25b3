"""Preferences: what a person gets and in which language, as they choose by a link in a letter.

docs/decisions/0060-links-of-letters.md tells what such a link may do, and for how long.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select

from campaigns import hours, letters, persons, suppression, wordings
from campaigns.crypto import new_token
from campaigns.db import db
from campaigns.model.campaign import RAISING, Campaign, CampaignState
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.suppression import Suppression, SuppressionCause
from config import LOCALES

LINK_LASTS = timedelta(days=90)
FRESH_LASTS = timedelta(days=1)
_FRESH = "preferences"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who holds a letter of `person` in their hands, by the link of `delivery`.

    `chooses`: they may say yes and no. `fresh`: the letter was written just now because its reader
    wished to see and erase what is personal.
    """

    person: Donor
    delivery: Delivery
    chooses: bool
    fresh: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person gets. `campaigns` are those whose updates they may choose, each with whether
    they get them. `blocked`: letters to the address came back, or it was suppressed by staff or
    a complaint, so that nothing comes whatever they choose."""

    locale: str
    campaigns: tuple[tuple[Campaign, bool], ...]
    newsletter: bool
    receipts: bool
    monthly: bool
    blocked: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wishes to get. Of campaigns that are not `shown` nothing is said.

    `timezone` is where letters shall come by day; empty takes back what was said, None is silent.
    `monthly`: updates and issues come as one letter a month, or each by itself; None is silent.
    """

    locale: str
    campaigns: frozenset[int]
    shown: frozenset[int]
    newsletter: bool
    receipts: bool
    timezone: str | None = None
    monthly: bool | None = None


def reader(delivery: Delivery | None, now: datetime) -> Reader | None:
    """Who opened the link of a letter, however old; None where it leads to no preferences.

    It leads there from every letter that one can leave, and from one that `write` wrote. Nothing
    can be chosen with a link that is too old, or older than its reader's leaving everything.
    """
    if delivery is None or delivery.donor is None:
        return None
    asked = delivery.letter is LetterKind.CONFIRM and delivery.occasion.startswith(f"{_FRESH}:")
    if delivery.purpose is Purpose.SERVICE and not asked:
        return None
    age = now - (delivery.settled_at or delivery.claimed_at or delivery.created_at)
    person = db.session.get_one(Donor, persons.behind(delivery.donor_id))
    known = person.address is not None
    lasts = FRESH_LASTS if asked else LINK_LASTS
    chooses = known and age <= lasts and not _left_since(person, delivery)
    return Reader(person, delivery, chooses, fresh=asked and known and age <= FRESH_LASTS)


def write(reader: Reader, now: datetime) -> None:
    """Write the person a letter with a fresh link. Each call is another one: doors throttle."""
    letters.queue(
        LetterKind.CONFIRM,
        to=reader.person,
        purpose=Purpose.SERVICE,
        occasion=f"{_FRESH}:{new_token()}",
        locale=reader.person.locale or reader.delivery.locale,
        now=now,
        expires_at=now + FRESH_LASTS,
    )


def of(reader: Reader) -> Choices:
    """What the reader gets now."""
    id = reader.person.id
    campaigns = (
        (campaign, suppression.consents(id, Purpose.UPDATES, campaign.id))
        for campaign in _campaigns(reader.person)
    )
    return Choices(
        locale=reader.person.locale or reader.delivery.locale,
        campaigns=tuple(campaigns),
        newsletter=suppression.consents(id, Purpose.NEWSLETTER, None),
        receipts=suppression.consents(id, Purpose.RECEIPTS, None),
        monthly=reader.person.monthly,
        blocked=_blocked(reader.person),
    )


def choose(reader: Reader, wish: Wish, now: datetime) -> None:
    """Keep what the reader wishes, where it differs; the second time changes nothing.

    Who had left everything and says yes to one thing gets that one thing. A reader who may not
    choose changes nothing.
    """
    if not reader.chooses:
        return
    before = of(reader)
    if wish.locale in LOCALES:
        reader.person.locale = wish.locale
    if wish.timezone is not None and (not wish.timezone or hours.known(wish.timezone)):
        reader.person.timezone = wish.timezone or None
    if wish.monthly is not None:
        reader.person.monthly = wish.monthly
    answers: list[tuple[Purpose, int | None, bool, bool]] = [
        (Purpose.NEWSLETTER, None, before.newsletter, wish.newsletter),
        (Purpose.RECEIPTS, None, before.receipts, wish.receipts),
    ]
    answers += [
        (Purpose.UPDATES, campaign.id, got, campaign.id in wish.campaigns)
        for campaign, got in before.campaigns
        if campaign.id in wish.shown
    ]
    for purpose, campaign_id, got, wished in answers:
        if not wished:
            # Also where only a row that was merged into theirs still says yes.
            suppression.decline(reader.delivery, purpose, campaign_id, now)
        elif not got:
            _agree(reader, purpose, campaign_id, before.locale, now)
    db.session.flush()


def _agree(
    reader: Reader, purpose: Purpose, campaign_id: int | None, locale: str, now: datetime
) -> None:
    suppression.agree(
        reader.person,
        purpose,
        campaign_id,
        source=ConsentSource.LETTER,
        wording=wordings.PREFERENCES,
        locale=locale,
        now=now,
        delivery_id=reader.delivery.id,
    )


def _campaigns(person: Donor) -> list[Campaign]:
    """Those that raise money, and those that the person ever said something about."""
    said = select(Consent.campaign_id).where(
        Consent.donor_id.in_(persons.rows_of(person.id)), Consent.purpose == Purpose.UPDATES
    )
    public = select(Campaign).where(
        Campaign.state != CampaignState.DRAFT,
        or_(Campaign.state.in_(RAISING), Campaign.id.in_(said)),
    )
    return list(db.session.scalars(public.order_by(Campaign.created_at.desc(), Campaign.id)))


def _left_since(person: Donor, delivery: Delivery) -> bool:
    left = db.session.get(Suppression, (person.address_hash, SuppressionCause.LEFT))
    return left is not None and left.at >= delivery.created_at


def _blocked(person: Donor) -> bool:
    others = exists().where(
        Suppression.address_hash == person.address_hash, Suppression.cause != SuppressionCause.LEFT
    )
    return bool(db.session.scalar(select(others)))
