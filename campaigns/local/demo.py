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

from campaigns import accounts, drafting, given_directly, reporting
from campaigns.db import db
from campaigns.local import (
    demo_bill,
    demo_hand,
    demo_letters,
    demo_listings,
    demo_payments,
    demo_people,
    demo_rounds,
    demo_thanks,
)
from campaigns.local import demo_texts as texts
from campaigns.local.demo_texts import Both
from campaigns.model.campaign import Campaign, CampaignSlug, CampaignState, CampaignText
from campaigns.model.listing import Asking, Listing
from campaigns.model.organisation import Organisation, OrganisationText, QuietDays
from campaigns.model.staff import Role, Staff
from campaigns.money import Money
from campaigns.platforms.base import Reading
from config import settings

FACTS = Path(__file__).with_name("facts.json")
LOGINS = "demo-logins.txt"


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
    script = demo_listings.make(live, now)
    direct = given_directly.listing(live, now, people.treasurer)
    demo_payments.play(direct, now)
    demo_hand.enter(direct, people.treasurer, now)
    demo_rounds.enter(live, people.treasurer, now)
    demo_letters.gather(live, now)
    demo_letters.come_back(live, now)
    demo_thanks.gather(direct, people.treasurer, now)
    demo_letters.write(live, people.editor, people.approver, now)
    demo_people.hand_in(people.editor, now)
    demo_people.select_some(live, people.editor, now)
    demo_people.claim(live, demo_hand.TRANSFER_NUMBER, now)
    demo_people.publish_issue(people.editor, people.approver, now)
    demo_bill.write(direct, now, settings().instance_dir)
    drafting.draft(drafting.due(now), now)
    script.write(settings().instance_dir)
    file = settings().instance_dir / LOGINS
    file.touch(mode=0o600)
    file.write_text(_logins(password), encoding="utf-8")
    return password


def _organisations(facts: dict[str, Any]) -> Organisation:
    """Ours and the partner foundation; returns the partner."""
    # Whoever tries it at night shall see letters go as well.
    always = {"quiet_from": 0, "quiet_until": 0, "quiet_days": QuietDays.NONE}
    ours = Organisation(ours=True, demo=True, contact="hello@facilitators.example", **always)
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
        # The first has only just ended, and owes its closing report.
        ended_at=None if number else now - timedelta(days=5),
        receiving_id=partner.id if fact["platform"] == "foundation" else None,
    )
    listing = Listing(
        campaign_id=campaign.id,
        platform=fact["platform"],
        external_id=f"history-{campaign.slug}",
        url=demo_listings.give_page(f"/history/{campaign.slug}"),
        currency=currency,
        asking=Asking.ENDED,
        created_at=now,
    )
    db.session.add(listing)
    db.session.flush()
    raised = Money.of(str(fact["raised"]), currency)
    reporting.enter(listing, Reading(raised, moment), now, people.treasurer)


def _live(partner: Organisation, now: datetime) -> Campaign:
    ours = db.session.scalars(select(Organisation).where(Organisation.ours)).one()
    return _campaign(
        "after-school",
        texts.LIVE,
        now,
        state=CampaignState.LIVE,
        currency="CNY",
        target_minor=30_000_000,
        starts_on=(now - timedelta(days=demo_listings.DAYS)).date(),
        ends_on=(now + timedelta(days=38)).date(),
        report_every_days=30,
        filing_number="演示 0000000000",
        receiving_id=partner.id,
        executing_id=ours.id,
    )


def _logins(password: str) -> str:
    lines = [f"  {role}@demo.example" for role in Role]
    return "Demo logins, all with the password " + "\n".join([password, *lines]) + "\n"
