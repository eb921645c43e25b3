"""The commands: `flask --app wsgi …`. An error is one sentence and exit code 1."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select

from campaigns import accounts, doctor, editing, endpoints, polling, sealing
from campaigns.cli_backup import back_up, restore
from campaigns.cli_command import LARGEST_ID, Command, listing
from campaigns.cli_contacts import import_contacts
from campaigns.cli_figures import report_figures
from campaigns.cli_imports import discard_import, import_file
from campaigns.cli_returns import add_mail_hook, remove_mail_hook, take_return
from campaigns.cli_signing import add_signing_key, remove_signing_key, start_signing
from campaigns.cli_transports import add_transport, remove_transport
from campaigns.crypto import Undecryptable
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignSlug, CampaignState
from campaigns.model.staff import Role
from campaigns.money import BadMoney, Money
from campaigns.platforms.registry import UnknownScheme
from config import settings
from workers import poll

LONGEST_OVERLAP = 90 * 24  # hours
ROLES = [role.value for role in Role]
SET = "A key or setting of the scheme; @file reads it from a file. Repeatable."


def init_app(app: Flask) -> None:
    """Add every command to the app."""
    for command in (
        add_campaign,
        add_listing,
        add_staff,
        add_webhook,
        ask_platforms,
        back_up,
        examine,
        discard_import,
        import_contacts,
        import_file,
        report_figures,
        restore,
        rotate_data_key,
        rotate_webhook,
        take_return,
        add_mail_hook,
        remove_mail_hook,
        add_transport,
        remove_transport,
        add_signing_key,
        start_signing,
        remove_signing_key,
    ):
        app.cli.add_command(command)


@click.command(cls=Command, name="add-staff")
@click.argument("email")
@click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="Repeatable."
)
@click.option("--name", default="", help="As colleagues see it.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_staff(email: str, roles: tuple[str, ...], name: str, password_stdin: bool) -> None:
    """Add a member of staff, and print a password once unless it is given."""
    now = datetime.now(UTC)
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else ""
    password = given if password_stdin else accounts.new_password()
    try:
        staff = accounts.add(email, [Role(role) for role in roles], now, name=name)
        accounts.set_password(staff, password, now)
    except (accounts.AddressTaken, ValueError) as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"{staff.email} can log in at /staff.")
    if not password_stdin:
        click.echo(f"Password (shown this once): {password}")


@click.command(cls=Command, name="add-campaign")
@click.option("--slug", required=True, help="The last part of its page's address.")
@click.option("--title", required=True, help="In the default language.")
@click.option("--currency", required=True, help="Such as CNY.")
@click.option("--target", help="Such as 1000.00; leave it out if there is none.")
@click.option("--live", is_flag=True, help="Show it to everybody at once.")
def add_campaign(slug: str, title: str, currency: str, target: str | None, live: bool) -> None:
    """Create a campaign; a draft unless --live is given."""
    now, locale = datetime.now(UTC), settings().default_locale
    try:
        aim = Money.of(target, currency) if target is not None else None
        Money.zero(currency)
        texts = {locale: editing.Words(title.strip())}
        plan = editing.Plan(slug, currency, texts, aim, default_locale=locale)
        with force_locale("en"):
            campaign = editing.create(plan, now)
            if live:
                editing.move(campaign, CampaignState.LIVE, now)
    except (editing.Refused, BadMoney) as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"Campaign {campaign.slug} is {campaign.state}.")


@click.command(cls=Command, name="add-listing")
@click.argument("campaign")
@click.argument("address")
def add_listing(campaign: str, address: str) -> None:
    """Add a listing to a campaign (its slug) by the address of its page on a platform."""
    try:
        with force_locale("en"):
            listing = editing.add_listing(_campaign(campaign), address, datetime.now(UTC))
    except editing.Refused as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"Listing {listing.id} on {listing.platform}: {listing.external_id}.")


@click.command(cls=Command, name="add-webhook")
@click.argument("name")
@click.option("--scheme", default="standard", show_default=True, help="How its posts are signed.")
@click.option("--campaign", "slug", help="It books to this campaign's listings.")
@click.option(
    "--listing",
    "listing_id",
    type=click.IntRange(1, LARGEST_ID),
    help="It books to this listing alone.",
)
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help=SET)
def add_webhook(
    name: str, scheme: str, slug: str | None, listing_id: int | None, given: tuple[str, ...]
) -> None:
    """Open an endpoint for signed donations, and print its address and secret once."""
    if (slug is None) == (listing_id is None):
        raise click.ClickException("Give either --campaign or --listing.")
    bounds = _campaign(slug) if slug is not None else listing(listing_id or 0)
    try:
        made = endpoints.create(name, scheme, bounds, datetime.now(UTC), given=_given(given))
    except (ValueError, UnknownScheme) as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    db.session.commit()
    _show(made)


@click.command(cls=Command, name="rotate-webhook")
@click.argument("name")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help=SET)
@click.option(
    "--overlap",
    type=click.IntRange(0, LONGEST_OVERLAP),
    default=24,
    show_default=True,
    help="For so many hours the secrets before stay valid.",
)
@click.option("--keep", is_flag=True, help="The secrets before stay valid for good.")
def rotate_webhook(name: str, given: tuple[str, ...], overlap: int, keep: bool) -> None:
    """Give an endpoint a new secret, or the keys and settings that are given."""
    hours = None if keep else timedelta(hours=overlap)
    try:
        made = endpoints.rotate(
            endpoints.named(name), datetime.now(UTC), given=_given(given), overlap=hours
        )
    except (ValueError, endpoints.UnknownEndpoint) as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    db.session.commit()
    _show(made)


@click.command(cls=Command, name="rotate-data-key")
def rotate_data_key() -> None:
    """Encrypt stored secrets again with the newest of DATA_KEYS; the older may go afterwards."""
    try:
        renewed = sealing.renew(datetime.now(UTC))
    except Undecryptable as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"{renewed} secrets encrypted again with the newest key.")


@click.command(cls=Command, name="poll")
@click.option("--now", "every", is_flag=True, help="Also those whose time has not come.")
def ask_platforms(every: bool) -> None:
    """Ask the platforms of the listings that are due, and keep what they say."""
    if every:
        polling.make_due(datetime.now(UTC))
        db.session.commit()
    click.echo(f"{poll.ask_due()} listings asked.")


@click.command(cls=Command, name="doctor")
def examine() -> None:
    """Look at settings, database, broker, mail and clock; say what to do about each failure.

    Exit code 1 if anything failed; warnings alone leave it at 0.
    """
    failed = False
    with force_locale("en"):
        findings = list(doctor.examine(datetime.now(UTC)))
    for finding in findings:
        sign = "FAIL" if finding.failed else "warn" if finding.remedy else "ok"
        click.echo(f"{sign:5}{finding.part}: {finding.seen} {finding.remedy}".rstrip())
        failed = failed or finding.failed
    raise SystemExit(int(failed))


def _show(made: endpoints.Made) -> None:
    click.echo(f"Address: {made.address}")
    if made.secret:
        click.echo(f"Secret (shown this once): {made.secret}")


def _given(pairs: Iterable[str]) -> dict[str, str]:
    """What --set gave, by name. An error names the setting and never its value."""
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.ClickException("Write each --set as name=value, or as name=@file.")
        if name in given:
            raise click.ClickException(f"{name[:40]} is given twice.")
        given[name] = _contents(name, value[1:]) if value.startswith("@") else value
    return given


def _contents(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{name[:40]}: {file} cannot be read.") from error
    except ValueError as error:
        raise click.ClickException(f"{name[:40]}: {file} does not hold text.") from error


def _campaign(slug: str) -> Campaign:
    """The campaign that has or had this slug."""
    of_slug = select(CampaignSlug.campaign_id).where(CampaignSlug.slug == slug)
    found = db.session.scalar(select(Campaign).where(Campaign.id == of_slug.scalar_subquery()))
    if found is None:
        raise click.ClickException(f"There is no campaign {slug}.")
    return found
