"""People for segments: rows written from a seed, and what plainly is true of each person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from campaigns.db import db
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.imported import Import
from campaigns.model.listing import Listing
from campaigns.model.mailing import Mailing
from campaigns.model.segment import Conditions, Definition, Role
from campaigns.model.tag import DonorTag
from tests import make
from tests.make import NOON

TODAY = date(2026, 11, 22)
PLACES, TAGS, LANGUAGES = ("广东 深圳", "北京", "Berlin"), ("press", "志愿者"), ("en", "zh-Hans")
FATES = ("stands", "stands", "stands", "reversed", "uncounted", "partly back", "back")
STATES = (DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.FAILED, DeliveryState.BOUNCED)


@dataclass(frozen=True)
class Given:
    """A gift that stands, less what was paid back."""

    campaign: int
    platform: str
    amount: int
    currency: str
    day: date


@dataclass
class Person:
    """What is true of a person, whichever of their rows it stands in."""

    locale: str
    erased: bool = False
    gifts: list[Given] = field(default_factory=list)
    follows: set[int | None] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    got: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class World:
    """Where money may come in, and what was mailed."""

    listings: tuple[Listing, ...]
    mailings: tuple[Mailing, ...]
    uncounted: Import


def world() -> World:
    make.organisation(default_locale="zh-Hans")
    listings = tuple(make.listing(platform=name) for name in ("tencent", "alipay", "tencent"))
    return World(listings, (make.mailing(), make.mailing()), make.importing("shop"))


def people(random: Random, of: World) -> dict[int, Person]:
    """Rows of donors with all that may be said of them; the persons by their ids."""
    rows = [_donor(random) for _ in range(8)]
    db.session.add_all(rows)
    db.session.flush()
    for row in rows[5:]:
        row.merged_into = random.choice((None, rows[0].id, rows[1].id))
    known = {
        row.id: Person(row.locale or "zh-Hans", erased=row.erased_at is not None)
        for row in rows
        if row.merged_into is None
    }
    for row in rows:
        _say(random, of, row, known[row.merged_into or row.id])
    db.session.flush()
    return known


def plainly(definition: Definition, known: Mapping[int, Person]) -> set[int]:
    """Who is meant, read off one person after the other."""
    return {
        id
        for id, one in known.items()
        if not one.erased
        and all(_asked(one, definition.include))
        and not any(_asked(one, definition.exclude))
    }


def definition(random: Random, of: World) -> Definition:
    return Definition(_conditions(random, of, 3), _conditions(random, of, 1))


def entry(
    of: Listing,
    amount: int,
    currency: str,
    at: datetime,
    keys: tuple[str, str] | None = None,
    **more: Any,
) -> Entry:
    """A row of the ledger of the source "shop", known by a scheme and number."""
    values: dict[str, Any] = {
        "kind": EntryKind.DONATION,
        "amount_minor": amount,
        "currency": currency,
        "campaign_id": of.campaign_id,
        "listing_id": of.id,
        "source": "shop",
        "occurred_at": at,
        "day": at.date(),
        "booked_at": NOON,
        "door": Door.HAND,
    }
    made = Entry(**values | more)
    db.session.add(made)
    db.session.flush()
    if keys is not None:
        scheme, value = keys
        row = EntryKey(source="shop", scheme=scheme, value=value, entry_id=made.id)
        db.session.add(row)
        db.session.flush()
    return made


def _donor(random: Random) -> Donor:
    number = random.getrandbits(60)
    erased = random.random() < 0.2
    return Donor(
        address=None if erased else f"{number}@example.org",
        address_hash=f"{number:064}",
        locale=random.choice((None, *LANGUAGES)),
        place=random.choice((None, *PLACES)),
        created_at=NOON,
        erased_at=NOON if erased else None,
    )


def _say(random: Random, of: World, row: Donor, person: Person) -> None:
    if row.place:
        person.places.add(row.place)
    for tag in random.sample(TAGS, random.randrange(3)):
        db.session.add(DonorTag(donor_id=row.id, tag=tag))
        person.tags.add(tag)
    for about in random.sample([None, of.listings[0].campaign_id], random.randrange(3)):
        given = random.random() < 0.8
        db.session.add(_consent(row, about, given))
        person.follows |= {about} if given else set()
    for mailing in random.sample(of.mailings, random.randrange(3)):
        state = random.choice(STATES)
        db.session.add(_delivery(row, mailing, state))
        person.got |= {mailing.id} if state in STATES[:2] else set()
    for _ in range(random.randrange(4)):
        gift = _gift(random, of, row)
        person.gifts += [gift] if gift else []


def _consent(row: Donor, about: int | None, given: bool) -> Consent:
    return Consent(
        donor_id=row.id,
        purpose=Purpose.UPDATES if about else Purpose.NEWSLETTER,
        campaign_id=about,
        given=given,
        at=NOON,
        source=ConsentSource.FORM,
        wording="1",
        locale="en",
    )


def _delivery(row: Donor, mailing: Mailing, state: DeliveryState) -> Delivery:
    return Delivery(
        letter=LetterKind.MAILING,
        mailing_id=mailing.id,
        donor_id=row.id,
        address_hash=row.address_hash or "",
        purpose=mailing.purpose,
        campaign_id=mailing.update.campaign_id,
        locale="en",
        state=state,
        due_at=NOON,
        created_at=NOON,
    )


def _gift(random: Random, of: World, row: Donor) -> Given | None:
    listing, fate = random.choice(of.listings), random.choice(FATES)
    moment = NOON - timedelta(days=random.choice((0, 10, 100, 200)))
    currency, amount = random.choice(("CNY", "CNY", "USD")), random.choice((500, 1000, 5000))
    more = {"import_id": of.uncounted.id, "import_row": random.getrandbits(30)}
    number = f"{random.getrandbits(60)}:x"
    more = more if fate == "uncounted" else {}
    made = entry(listing, amount, currency, moment, ("trade", number), **more)
    db.session.add(Gift(entry_id=made.id, donor_id=row.id))
    back = {"partly back": 400, "back": amount}.get(fate, 0)
    if fate == "reversed":
        entry(listing, -amount, currency, moment, reverses=made.id)
    if back:
        kind = random.choice((EntryKind.REFUND, EntryKind.CHARGEBACK))
        entry(listing, -back, currency, moment, kind=kind, regards=f"trade:{number}")
    if fate in ("reversed", "uncounted", "back"):
        return None
    return Given(listing.campaign_id, listing.platform, amount - back, currency, moment.date())


def _conditions(random: Random, of: World, most: int) -> Conditions:
    """Some of all that can be asked, each with an answer that somebody may give."""
    early, late = TODAY - timedelta(days=150), TODAY - timedelta(days=5)
    possible: dict[str, Any] = {
        "campaigns": tuple(random.sample([one.campaign_id for one in of.listings], 2)),
        "role": random.choice(list(Role)),
        "platforms": (random.choice(("tencent", "alipay")),),
        "size": random.choice(((600, None), (None, 1000), (600, 4600))),
        "count": random.choice(((2, None), (None, 1), (1, 2))),
        "total": random.choice(((1500, None), (None, 5000))),
        "first": random.choice(((early, None), (None, early), (early, late))),
        "last": random.choice(((early, None), (None, early), (early, TODAY))),
        "lapsed": random.choice((10, 50, 150)),
        "languages": (random.choice(LANGUAGES),),
        "places": (random.choice(("深圳", "berlin", "京")),),
        "tags": (random.choice(TAGS),),
        "mailings": (random.choice(of.mailings).id,),
    }
    names = random.sample(sorted(possible), random.randrange(most + 1))
    chosen = {name: possible[name] for name in names}
    if {"size", "total"} & set(names):
        chosen["currency"] = random.choice(("CNY", "USD"))
    return Conditions(**chosen)


def _asked(one: Person, c: Conditions) -> list[bool]:
    answers = []
    if c.campaigns or c.role or c.about_gifts:
        answers.append(_gave_or_follows(one, c))
    if c.languages:
        answers.append(one.locale in c.languages)
    if c.places:
        answers.append(any(part in place.lower() for place in one.places for part in c.places))
    if c.tags:
        answers.append(bool(one.tags & set(c.tags)))
    if c.mailings:
        answers.append(bool(one.got & set(c.mailings)))
    return answers


def _gave_or_follows(one: Person, c: Conditions) -> bool:
    follows = bool(one.follows & set(c.campaigns)) if c.campaigns else bool(one.follows)
    gave = _gave(one, c)
    if c.role is Role.GAVE or (c.role is None and c.about_gifts):
        return gave
    return follows and not gave if c.role is Role.FOLLOWS else gave or follows


def _gave(one: Person, c: Conditions) -> bool:
    meant = [
        gift
        for gift in one.gifts
        if (not c.campaigns or gift.campaign in c.campaigns)
        and (not c.platforms or gift.platform in c.platforms)
        and (c.currency is None or gift.currency == c.currency)
        and _within(gift.amount, c.size)
    ]
    days = [gift.day for gift in meant]
    return (
        bool(meant)
        and _within(len(meant), c.count)
        and _within(sum(gift.amount for gift in meant), c.total)
        and _within(min(days), c.first)
        and _within(max(days), c.last)
        and (c.lapsed is None or max(days) < TODAY - timedelta(days=c.lapsed))
    )


def _within(value: Any, bounds: tuple[Any, Any]) -> bool:
    start, end = bounds
    return (start is None or value >= start) and (end is None or value <= end)
