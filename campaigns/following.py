"""Following: a campaign's updates for whoever asks, once a letter proved the address is theirs."""

from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select

from campaigns import donors, letters, suppression
from campaigns.crypto import new_token
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.suppression import Suppression, SuppressionCause

LINK_LASTS = timedelta(days=2)
# The version of what the form and the page to confirm say; a change of their words is a new one.
WORDING = "follow-1"


class LinkGone(Exception):
    """The link is too old, was no link to confirm, or its reader has left since."""


def ask(campaign: Campaign, address: Address, locale: str, now: datetime) -> None:
    """Write a letter that asks whether `address` wants to follow.

    It is the same whether the address is known, follows already or is new, so that nobody learns
    anything about it. Each call is another letter: doors throttle.
    """
    donor = donors.at_or_new(address, None, locale, now)
    letters.queue(
        LetterKind.CONFIRM,
        to=donor,
        purpose=Purpose.SERVICE,
        occasion=f"follow:{campaign.id}:{new_token()}",
        locale=locale,
        now=now,
        campaign_id=campaign.id,
        expires_at=now + LINK_LASTS,
    )


def campaign_of(delivery: Delivery | None, now: datetime) -> Campaign:
    """The campaign that a letter's link would follow at `now`. Raises `LinkGone`."""
    if delivery is None or delivery.letter is not LetterKind.CONFIRM:
        raise LinkGone
    written = delivery.settled_at or delivery.claimed_at or delivery.created_at
    campaign = db.session.get(Campaign, delivery.campaign_id)
    if campaign is None or campaign.state in (CampaignState.DRAFT, CampaignState.CLOSED):
        raise LinkGone
    if now > written + LINK_LASTS or _left_since(delivery):
        raise LinkGone
    return campaign


def confirm(delivery: Delivery | None, now: datetime) -> Campaign:
    """The reader of the letter follows from now on, and an earlier "leave everything" is lifted.

    The second time changes nothing. Raises `LinkGone`, also for whoever left after the letter was
    written: an old link must not bring them back.
    """
    campaign = campaign_of(delivery, now)
    donor = delivery.donor if delivery else None
    if delivery is None or donor is None or donor.address is None:
        raise LinkGone
    suppression.agree(
        donors.at(Address.known(donor.address)) or donor,
        Purpose.UPDATES,
        campaign.id,
        source=ConsentSource.FORM,
        wording=WORDING,
        locale=delivery.locale,
        now=now,
        delivery_id=delivery.id,
    )
    return campaign


def _left_since(delivery: Delivery) -> bool:
    person = select(Donor.id).where(
        or_(Donor.id == delivery.donor_id, Donor.address_hash == delivery.address_hash)
    )
    withdrawn = exists().where(
        Consent.donor_id.in_(person),
        Consent.campaign_id == delivery.campaign_id,
        Consent.given.is_(False),
        Consent.at >= delivery.created_at,
    )
    left = exists().where(
        Suppression.address_hash == delivery.address_hash,
        Suppression.cause == SuppressionCause.LEFT,
        Suppression.at >= delivery.created_at,
    )
    return bool(db.session.scalar(select(or_(withdrawn, left))))
