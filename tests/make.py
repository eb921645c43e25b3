"""Plain builders: each fills in whatever a test is not about, and commits."""

import json
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import select

from campaigns.crypto import address_hash
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.campaign import Campaign, CampaignSlug, CampaignState, CampaignText
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.endpoint import WebhookEndpoint, WebhookSecret
from campaigns.model.file import File
from campaigns.model.imported import Import, ImportState
from campaigns.model.listing import Listing
from campaigns.model.mailing import Mailing, MailingState, MailingText
from campaigns.model.notice import Notice, NoticeBody, Verdict
from campaigns.model.organisation import Organisation, OrganisationText, QuietDays
from campaigns.model.placement import PlacedBy, Placement
from campaigns.model.report import Report, ReportState
from campaigns.model.staff import Role, Staff, StaffRole
from campaigns.model.update import Update, UpdateText
from config import settings

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # noon in Shanghai
_numbers = count(1)
T = TypeVar("T")


def organisation(**more: Any) -> Organisation:
    row = Organisation(ours=True, sender="协作者 <updates@example.org>", contact="hi@example.org")
    # Letters may go at any hour, unless a test is about the hours.
    row.quiet_from, row.quiet_until, row.quiet_days = 0, 0, QuietDays.NONE
    row.texts = [
        OrganisationText(locale="zh-Hans", name="协作者"),
        OrganisationText(locale="en", name="Facilitators"),
    ]
    return _kept(row, more)


def our_organisation() -> Organisation:
    """The one there is, else a new one: the real post goes by the real clock, at night too."""
    return db.session.scalar(select(Organisation).where(Organisation.ours)) or organisation()


def campaign(slug: str | None = None, *, currency: str = "CNY", **more: Any) -> Campaign:
    slug = slug or f"campaign-{next(_numbers)}"
    row = Campaign(
        slug=slug,
        state=CampaignState.LIVE,
        currency=currency,
        target_minor=30_000_000,
        created_at=NOON,
        changed_at=NOON,
    )
    row.texts = [
        CampaignText(locale="zh-Hans", title="放学以后", summary="一间自习室。"),
        CampaignText(locale="en", title="After school", summary="A study room."),
    ]
    _kept(row, more)
    _kept(CampaignSlug(slug=slug, campaign_id=row.id), {})
    return row


def listing(of: Campaign | None = None, **more: Any) -> Listing:
    of = of or campaign()
    number = next(_numbers)
    row = Listing(
        campaign_id=of.id,
        platform="tencent",
        external_id=str(224000 + number),
        url=f"https://gongyi.qq.com/succor/detail.htm?id={224000 + number}",
        currency=of.currency,
        host="ssl.gongyi.qq.com",
        created_at=NOON,
        next_poll_at=NOON,
    )
    return _kept(row, more)


def endpoint(
    name: str | None = None,
    *,
    campaign: Campaign | None = None,
    listing: Listing | None = None,
    **more: Any,
) -> WebhookEndpoint:
    name = name or f"endpoint-{next(_numbers)}"
    row = WebhookEndpoint(
        name=name,
        scheme="standard",
        source=name,
        campaign_id=campaign.id if campaign else None,
        listing_id=listing.id if listing else None,
        created_at=NOON,
    )
    return _kept(row, more)


def placement(of: Listing, text: str, **more: Any) -> Placement:
    """A rule: orders of the source "shop" that begin with the text belong to the listing."""
    row = Placement(source="shop", by=PlacedBy.ORDER, text=text, listing_id=of.id, created_at=NOON)
    return _kept(row, more)


def notice(
    of: WebhookEndpoint,
    number: str,
    amount: str = "10.50",
    *,
    body: bytes | None = None,
    verdict: Verdict = Verdict.WAITING,
    **data: str,
) -> Notice:
    """A donation that an endpoint of the scheme "standard" was told of, waiting to be booked."""
    data |= {"external_id": number, "amount": amount, "currency": "CNY"}
    post = {"type": "donation.succeeded", "timestamp": NOON.isoformat(), "data": data}
    row = Notice(
        endpoint_id=of.id,
        event_id=f"evt-{next(_numbers)}",
        body_hash="0" * 64,
        headers={},
        received_at=NOON,
        verdict=verdict,
        body=NoticeBody(content=json.dumps(post).encode() if body is None else body),
    )
    return _kept(row, {})


def importing(source: str, **more: Any) -> Import:
    """An import that is being committed: its entries stand and do not count yet."""
    file = _kept(
        File(sha256=f"{next(_numbers):064}", size=1, media_type="text/csv"), {"created_at": NOON}
    )
    row = Import(
        file_id=file.id,
        name="bill.csv",
        profile="alipay_account",
        source=source,
        state=ImportState.COMMITTING,
        created_at=NOON,
    )
    return _kept(row, more)


def report(of: Listing, raised: int, moment: datetime, **more: Any) -> Report:
    """An accepted report of `raised` minor units."""
    row = Report(
        listing_id=of.id,
        moment=moment,
        received_at=moment,
        raised_minor=raised,
        currency=of.currency,
        state=ReportState.ACCEPTED,
    )
    return _kept(row, more)


def staff(email: str | None = None, *roles: Role, **more: Any) -> Staff:
    row = Staff(
        email=email or f"staff-{next(_numbers)}@example.org",
        name="Lin",
        session_key=f"session-{next(_numbers)}",
        created_at=NOON,
    )
    row.roles = [StaffRole(role=role) for role in roles or (Role.ADMINISTRATOR,)]
    return _kept(row, more)


def donor(to: str | None = None, **more: Any) -> Donor:
    address = Address.parse(to or f"donor-{next(_numbers)}@example.org")
    row = Donor(
        address=address.text,
        address_hash=address_hash(settings().address_pepper, address.text),
        name="Ada",
        locale="en",
        created_at=NOON,
    )
    return _kept(row, more)


def consent(of: Donor, to: Campaign | None = None, **more: Any) -> Consent:
    row = Consent(
        donor_id=of.id,
        purpose=Purpose.UPDATES if to else Purpose.NEWSLETTER,
        campaign_id=to.id if to else None,
        given=True,
        at=NOON,
        source=ConsentSource.FORM,
        wording="1",
        locale="en",
    )
    return _kept(row, more)


def update(of: Campaign | None = None, **more: Any) -> Update:
    of = of or campaign()
    row = Update(campaign_id=of.id, created_at=NOON, changed_at=NOON)
    row.texts = [
        UpdateText(locale="zh-Hans", title="第一批书桌到了", body="十六张书桌。"),
        UpdateText(locale="en", title="The first desks have arrived", body="Sixteen desks."),
    ]
    return _kept(row, more)


def mailing(of: Update | None = None, **more: Any) -> Mailing:
    """One that was approved and is being sent."""
    of = of or update()
    row = Mailing(
        update_id=of.id,
        purpose=Purpose.UPDATES,
        segment={"campaign": of.campaign_id},
        state=MailingState.SENDING,
        sender="协作者 <updates@example.org>",
        approved_at=NOON,
        scheduled_at=NOON,
        started_at=NOON,
        created_at=NOON,
    )
    row.texts = [
        MailingText(locale=text.locale, subject=text.title, body=text.body) for text in of.texts
    ]
    return _kept(row, more)


def delivery(to: str | None = None, *, of: Mailing | None = None, **more: Any) -> Delivery:
    """A queued letter of a mailing, to a donor who consents to it."""
    of = of or mailing()
    who = donor(to)
    about = of.update.campaign_id
    _kept(
        Consent(
            donor_id=who.id,
            purpose=of.purpose,
            campaign_id=about,
            given=True,
            at=NOON,
            source=ConsentSource.FORM,
            wording="1",
            locale="en",
        ),
        {},
    )
    row = Delivery(
        letter=LetterKind.MAILING,
        mailing_id=of.id,
        donor_id=who.id,
        address_hash=who.address_hash or "",
        campaign_id=about,
        purpose=of.purpose,
        locale="en",
        state=DeliveryState.QUEUED,
        due_at=NOON,
        created_at=NOON,
    )
    return _kept(row, more)


def secret(of: WebhookEndpoint, sealed: str, **more: Any) -> WebhookSecret:
    return _kept(WebhookSecret(endpoint_id=of.id, sealed=sealed, created_at=NOON), more)


def _kept(row: T, more: dict[str, Any]) -> T:
    for name, value in more.items():
        setattr(row, name, value)
    db.session.add(row)
    db.session.commit()
    return row
