"""The demo's three listings: a month behind them, and the stand-ins that go on from there."""

from datetime import datetime, timedelta

from campaigns import endpoints, ledger
from campaigns.bookings import Booking
from campaigns.db import db
from campaigns.local import demo_texts as texts
from campaigns.local import demo_waiting
from campaigns.local.environment import beside
from campaigns.local.script import Directions, Script
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Door, EntryKind, MatchStage
from campaigns.model.gift import Gift, Moderation
from campaigns.model.listing import Asking, Listing, Rule
from campaigns.model.report import Origin, Report, ReportState
from campaigns.money import Money
from campaigns.platforms import registry
from campaigns.platforms.base import Key
from config import settings

TENCENT_ID, ALIPAY_ID = "224166", "2020111121175295224"
ENDPOINT = "demo-foundation"
DAYS = 30


def make(live: Campaign, now: datetime) -> Script:
    """The three listings with a month behind them, and the stand-ins' directions."""
    tencent = _listing(live, "tencent", TENCENT_ID, f"/succor/detail.htm?id={TENCENT_ID}", 0, now)
    alipay = _listing(live, "alipay", ALIPAY_ID, f"/donate/itemDetail.htm?name={ALIPAY_ID}", 1, now)
    feed = give_page("/feed.json")
    foundation = _listing(live, "foundation", feed, "/give/after-school", 2, now)
    foundation.rule = Rule.ITEMISED
    made = endpoints.create(ENDPOINT, "standard", foundation, now)
    given = _month(foundation, now)
    directions = Directions(
        address=beside(settings().bind),
        title=texts.LIVE["zh-Hans"].title,
        tencent_id=TENCENT_ID,
        alipay_id=ALIPAY_ID,
        endpoint=ENDPOINT,
        secret=made.secret,
        campaign_ref=feed,
        started=now.timestamp(),
        tencent_raised=10_521_000,
        tencent_donations=1_482,
        alipay_raised=4_530_050,
        alipay_donors=512,
        foundation_raised=given.minor,
        foundation_donations=DAYS,
    )
    demo_waiting.play(foundation, now)
    _reports(tencent, directions.tencent_raised, directions.tencent_donations, now)
    _reports(alipay, directions.alipay_raised, directions.alipay_donors, now)
    return Script(directions)


def give_page(path: str) -> str:
    """A page of the stand-ins: the demo never sends anybody to a real platform."""
    return f"http://{beside(settings().bind)}{path}"


def _listing(
    of: Campaign, platform: str, external_id: str, page: str, position: int, now: datetime
) -> Listing:
    """Asked often, so that a visitor sees it grow; outside the one-command run, never."""
    listing = Listing(
        campaign_id=of.id,
        platform=platform,
        external_id=external_id,
        url=give_page(page),
        host=registry.host(platform, external_id, give_page(page)),
        currency="CNY",
        position=position,
        period_seconds=15,
        asking=Asking.ASKED if settings().embedded else Asking.BY_HAND,
        next_poll_at=now,
        created_at=now,
    )
    db.session.add(listing)
    db.session.flush()
    return listing


def _reports(listing: Listing, raised: int, donations: int, now: datetime) -> None:
    """A report a day for a month, growing to where the stand-in begins."""
    for day in range(DAYS):
        share = (day + 1) ** 2
        moment = now - timedelta(days=DAYS - day - 1, minutes=5)
        db.session.add(
            Report(
                listing_id=listing.id,
                moment=moment,
                received_at=moment,
                raised_minor=raised * share // DAYS**2,
                currency=listing.currency,
                donations=donations * share // DAYS**2,
                origin=Origin.ASKED,
                state=ReportState.ACCEPTED,
            )
        )


def _month(foundation: Listing, now: datetime) -> Money:
    """A gift a day through the foundation, and one match; the sum of the gifts."""
    total = Money.zero("CNY")
    for day in range(DAYS):
        name, locale, message, shown = texts.DONORS[day % len(texts.DONORS)]
        amount = Money((day * 7 % 13 + 2) * 10_000, "CNY")
        at = now - timedelta(days=DAYS - day, hours=3)
        booked = ledger.book(
            _gift(foundation, EntryKind.DONATION, amount, at, f"DEMO-H{day:03d}"), at
        )
        db.session.add(
            Gift(
                entry_id=booked.entry_id,
                public_name=name,
                show_name=shown,
                message=message,
                moderation=Moderation.SHOWN,
            )
        )
        total += amount
    match = Money(880_000, "CNY")
    ledger.book(_gift(foundation, EntryKind.MATCH, match, now - timedelta(days=2), "DEMO-M1"), now)
    return total


def _gift(listing: Listing, kind: EntryKind, amount: Money, at: datetime, number: str) -> Booking:
    return Booking(
        listing=listing,
        kind=kind,
        amount=amount,
        occurred_at=at,
        source=ENDPOINT,
        keys=(Key("match" if kind is EntryKind.MATCH else "trade", number),),
        door=Door.WEBHOOK,
        stage=MatchStage.CONFIRMED if kind is EntryKind.MATCH else None,
    )
