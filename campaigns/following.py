"""Following: a campaign's updates, or the newsletter, for whoever asks, once a letter proved that
the address is theirs."""

from datetime import datetime, timedelta

from campaigns import donors, letters, suppression, wordings
from campaigns.crypto import new_token
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.consent import ConsentSource, Purpose
from campaigns.model.delivery import Delivery, LetterKind

LINK_LASTS = timedelta(days=2)
# What the occasions of letters begin with that ask about a campaign or the newsletter: others, as
# one about a claimed gift, confirm no following.
_CAMPAIGN, _NEWSLETTER = "follow:", "newsletter"
_UNFOLLOWABLE = (CampaignState.DRAFT, CampaignState.CLOSED)


class LinkGone(Exception):
    """The link is too old, was no link to confirm, or its reader has left since."""


def ask(campaign: Campaign | None, address: Address, locale: str, now: datetime) -> None:
    """Write a letter that asks whether `address` wants to follow; None stands for the newsletter.

    It is the same whether the address is known, follows already or is new, so that nobody learns
    anything about it. Each call is another letter: doors throttle.
    """
    donor = donors.at_or_new(address, None, locale, now)
    about = f"{_CAMPAIGN}{campaign.id}" if campaign else _NEWSLETTER
    letters.queue(
        LetterKind.CONFIRM,
        to=donor,
        purpose=Purpose.SERVICE,
        occasion=f"{about}:{new_token()}",
        locale=locale,
        now=now,
        campaign_id=campaign.id if campaign else None,
        expires_at=now + LINK_LASTS,
    )


def asked_for(delivery: Delivery | None, now: datetime) -> Campaign | None:
    """The campaign that a letter's link would follow at `now`, None for the newsletter.

    Raises `LinkGone`.
    """
    if delivery is None or delivery.letter is not LetterKind.CONFIRM:
        raise LinkGone
    about = delivery.campaign_id
    campaign = db.session.get(Campaign, about) if about is not None else None
    followable = campaign is not None and campaign.state not in _UNFOLLOWABLE
    followable = followable and delivery.occasion.startswith(_CAMPAIGN)
    written = delivery.settled_at or delivery.claimed_at or delivery.created_at
    if not (followable or is_about_newsletter(delivery)):
        raise LinkGone
    if now > written + LINK_LASTS or suppression.left_since(delivery):
        raise LinkGone
    return campaign


def is_about_newsletter(delivery: Delivery) -> bool:
    """Whether a letter asked about the newsletter, however old it is."""
    return delivery.occasion.partition(":")[0] == _NEWSLETTER


def confirm(delivery: Delivery | None, now: datetime) -> Campaign | None:
    """The reader of the letter follows from now on, and an earlier "leave everything" is lifted.

    Returns what `asked_for` does. The second time changes nothing. Raises `LinkGone`, also for
    whoever left after the letter was written: an old link must not bring them back.
    """
    campaign = asked_for(delivery, now)
    donor = delivery.donor if delivery else None
    if delivery is None or donor is None or donor.address is None:
        raise LinkGone
    suppression.agree(
        donors.at(Address.known(donor.address)) or donor,
        Purpose.UPDATES if campaign else Purpose.NEWSLETTER,
        campaign.id if campaign else None,
        source=ConsentSource.FORM,
        wording=wordings.FOLLOW if campaign else wordings.NEWSLETTER,
        locale=delivery.locale,
        now=now,
        delivery_id=delivery.id,
    )
    return campaign
