"""The demo: an organisation with a history, one invented campaign, donors, letters on their way."""

import json
import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from campaigns import accounts, byhand, donors, endpoints, ledger, mailings, reporting, suppression
from campaigns.bookings import Booking
from campaigns.db import db
from campaigns.local import demo_hand, demo_payments, demo_waiting
from campaigns.local import demo_texts as texts
from campaigns.local.demo_texts import Both
from campaigns.local.environment import beside
from campaigns.local.script import Directions, Script
from campaigns.mail.address import Address
from campaigns.model.campaign import Campaign, CampaignSlug, CampaignState, CampaignText
from campaigns.model.consent import ConsentSource, Purpose
from campaigns.model.entry import Door, EntryKind, MatchStage
from campaigns.model.gift import Gift, Moderation
from campaigns.model.listing import Asking, Listing, Rule
from campaigns.model.organisation import Organisation, OrganisationText
from campaigns.model.report import Origin, Report, ReportState
from campaigns.model.staff import Role, Staff
from campaigns.model.update import Update, UpdateText
from campaigns.money import Money
from campaigns.platforms import registry
from campaigns.platforms.base import Key
from config import settings

FACTS = Path(__file__).with_name("facts.json")
LOGINS = "demo-logins.txt"
TENCENT_ID, ALIPAY_ID = "224166", "2020111121175295224"
ENDPOINT = "demo-foundation"
DAYS = 30
WORDING = "demo-1"


class NotEmpty(Exception):
    """The demo is loaded into an empty database only."""


class People(NamedTuple):
    fundraiser: Staff
    editor: Staff
    approver: Staff
    treasurer: Staff
    administrator: Staff


@click.command("demo")
@click.option("--if-empty", is_flag=True, help="Do nothing where there is something already.")
@with_appcontext
def command(if_empty: bool) -> None:
    """Load the demo into an empty database."""
    try:
        password = load(datetime.now(UTC))
    except NotEmpty as error:
        if if_empty:
            return
        click.echo(str(error), err=True)
        sys.exit(1)
    db.session.commit()
    click.echo(_logins(password), nl=False)


def load(now: datetime) -> str:
    """Fill an empty database; the logins' password. Raises `NotEmpty`, having changed nothing."""
    if db.session.scalar(select(Organisation.id).limit(1)) is not None:
        raise NotEmpty("There is something in the database already; the demo needs an empty one.")
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    password = secrets.token_urlsafe(9)
    partner = _organisations(facts["organisation"])
    people = _people(password, now)
    for number, fact in enumerate(facts["campaigns"]):
        _history(number, fact, partner, people, now)
    live = _live(partner, now)
    script = _listings(live, people, now)
    direct = byhand.offline_listing(live, now, people.treasurer)
    demo_payments.play(direct, now)
    demo_hand.enter(direct, people.treasurer, now)
    _givers(live, now)
    _letters(live, people, now)
    script.write(settings().instance_dir)
    file = settings().instance_dir / LOGINS
    file.touch(mode=0o600)
    file.write_text(_logins(password), encoding="utf-8")
    return password


def _organisations(facts: dict[str, Any]) -> Organisation:
    """Ours and the partner foundation; returns the partner."""
    ours = Organisation(ours=True, demo=True, contact="hello@facilitators.example")
    ours.texts = [
        OrganisationText(locale=locale, name=name, about=texts.ABOUT[locale])
        for locale, name in facts["name"].items()
    ]
    partner = Organisation(demo=True)
    partner.texts = [
        OrganisationText(locale=locale, name=name) for locale, name in texts.PARTNER.items()
    ]
    db.session.add_all([ours, partner])
    db.session.flush()
    return partner


def _people(password: str, now: datetime) -> People:
    found = []
    for role, name in texts.STAFF.items():
        person = accounts.add(f"{role}@demo.example", [Role(role)], now, name=name)
        accounts.set_password(person, password, now)
        found.append(person)
    return People(*found)


def _campaign(slug: str, words: Both, now: datetime, **more: Any) -> Campaign:
    campaign = Campaign(slug=slug, created_at=now, changed_at=now, **more)
    campaign.texts = [
        CampaignText(locale=locale, title=text.title, summary=text.summary, story=text.story)
        for locale, text in words.items()
    ]
    db.session.add(campaign)
    db.session.flush()
    db.session.add(CampaignSlug(slug=slug, campaign_id=campaign.id))
    return campaign


def _history(
    number: int, fact: dict[str, Any], partner: Organisation, people: People, now: datetime
) -> None:
    """One ended campaign, whose figure somebody entered by hand."""
    year = fact.get("year")
    moment = datetime(year, 12, 31, 4, tzinfo=UTC) if year else now
    currency, target = fact["currency"], fact.get("target")
    campaign = _campaign(
        texts.HISTORY_SLUGS[number],
        texts.HISTORY[number],
        now,
        state=CampaignState.ENDED,
        currency=currency,
        target_minor=Money.of(str(target), currency).minor if target else None,
        ends_on=moment.date() if year else None,
        receiving_id=partner.id if fact["platform"] == "foundation" else None,
    )
    listing = Listing(
        campaign_id=campaign.id,
        platform=fact["platform"],
        external_id=f"history-{campaign.slug}",
        url=_give_page(f"/history/{campaign.slug}"),
        currency=currency,
        asking=Asking.ENDED,
        created_at=now,
    )
    db.session.add(listing)
    db.session.flush()
    raised = Money.of(str(fact["raised"]), currency)
    reporting.enter(listing, raised, None, moment, now, people.treasurer)


def _live(partner: Organisation, now: datetime) -> Campaign:
    ours = db.session.scalars(select(Organisation).where(Organisation.ours)).one()
    return _campaign(
        "after-school",
        texts.LIVE,
        now,
        state=CampaignState.LIVE,
        currency="CNY",
        target_minor=30_000_000,
        starts_on=(now - timedelta(days=DAYS)).date(),
        ends_on=(now + timedelta(days=38)).date(),
        report_every_days=30,
        filing_number="演示 0000000000",
        receiving_id=partner.id,
        executing_id=ours.id,
    )


def _listings(live: Campaign, people: People, now: datetime) -> Script:
    """The three listings with a month behind them, and the stand-ins' directions."""
    tencent = _listing(live, "tencent", TENCENT_ID, f"/succor/detail.htm?id={TENCENT_ID}", 0, now)
    alipay = _listing(live, "alipay", ALIPAY_ID, f"/donate/itemDetail.htm?name={ALIPAY_ID}", 1, now)
    feed = _give_page("/feed.json")
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


def _listing(
    of: Campaign, platform: str, external_id: str, page: str, position: int, now: datetime
) -> Listing:
    """Asked often, so that a visitor sees it grow; outside the one-command run, never."""
    listing = Listing(
        campaign_id=of.id,
        platform=platform,
        external_id=external_id,
        url=_give_page(page),
        host=registry.host(platform, external_id, _give_page(page)),
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


def _givers(live: Campaign, now: datetime) -> None:
    """Donors who hear of the campaign."""
    for number, (name, locale, _, _shown) in enumerate(texts.DONORS):
        address = Address.parse(f"donor{number}@example.org")
        donor = donors.at_or_new(address, name, locale, now)
        suppression.agree(
            donor,
            Purpose.UPDATES,
            live.id,
            source=ConsentSource.FORM,
            wording=WORDING,
            locale=locale,
            now=now,
        )


def _letters(live: Campaign, people: People, now: datetime) -> None:
    """Two published updates, a mailing that leaves in two minutes, one that waits for approval."""
    for age, words in zip((timedelta(days=42), timedelta(days=12)), texts.UPDATES, strict=True):
        _update(live, words, people, now - age).published_at = now - age
    soon = _update(live, texts.SCHEDULED, people, now)
    soon.published_at = now
    mailing = mailings.draft(soon, {"campaign": live.id}, people.editor, now)
    mailings.submit(mailing, people.editor, now)
    mailings.approve(mailing, people.approver, now)
    mailings.schedule(mailing, now + timedelta(minutes=2), people.approver, now)
    waiting = _update(live, texts.IN_REVIEW, people, now)
    mailings.submit(
        mailings.draft(waiting, {"campaign": live.id}, people.editor, now), people.editor, now
    )


def _update(live: Campaign, words: Both, people: People, at: datetime) -> Update:
    update = Update(campaign_id=live.id, author_id=people.editor.id, created_at=at, changed_at=at)
    update.texts = [
        UpdateText(locale=locale, title=text.title, body=text.story)
        for locale, text in words.items()
    ]
    db.session.add(update)
    db.session.flush()
    return update


def _give_page(path: str) -> str:
    """A page of the stand-ins: the demo never sends anybody to a real platform."""
    return f"http://{beside(settings().bind)}{path}"


def _logins(password: str) -> str:
    lines = [f"  {role}@demo.example" for role in Role]
    return "Demo logins, all with the password " + "\n".join([password, *lines]) + "\n"
