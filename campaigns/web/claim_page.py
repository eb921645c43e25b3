"""What the page of a claimed gift shows: the gift, its words, and what became of the money."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from flask import url_for
from flask_babel import gettext as _

from campaigns import archive, claimed_gifts, claiming_gifts, progress, showing, spending
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.gift import Gift, Moderation
from campaigns.model.gift_claim import GiftClaim
from campaigns.web import entries, language, site, standing

LONGEST_MESSAGE = 500
MOST_UPDATES = 5


@dataclass(frozen=True)
class Words:
    """The name and message that a form gives; no name is "anonymous"."""

    name: str | None
    message: str | None
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def typed(cls, form: Mapping[str, str]) -> Self:
        name, public = form.get("name", "")[: showing.LONGEST_NAME], None
        message = form.get("message", "").replace("\r\n", "\n").strip()
        wrong = {}
        if form.get("shown") == "name":
            try:
                public = showing.readable_name(form.get("name", ""))
            except showing.BadName:
                wrong["name"] = _("A name of at most %(max)d characters, please, without address, "
                                  "link or number.", max=showing.LONGEST_NAME)  # fmt: skip
        if len(message) > LONGEST_MESSAGE:
            wrong["message"] = _("At most %(max)d characters.", max=LONGEST_MESSAGE)
        return cls(name if wrong else public, message or None, wrong)


def of(claim: GiftClaim, token: str, now: datetime, typed: Words | None = None) -> dict[str, Any]:
    """Everything that `public/gift.html` asks of `page`; `typed` is what has to be put right."""
    found = claimed_gifts.behind(claim)
    if found.entry is None:
        raise LookupError("A claim that stands has lost its gift.")
    campaign = db.session.get_one(Campaign, found.entry.campaign_id)
    stand = progress.of(campaign, now)
    title = campaign.text(language.current()).title
    newest = db.session.scalars(archive.published(now, campaign).limit(MOST_UPDATES)).all()
    return {
        "title": _("Your gift to “%(title)s”", title=title),
        "campaign": {"title": title, "url": site.address("public.campaign", slug=campaign.slug)},
        "gift": _gift(found.entry, stand),
        "words": _words(claim, found.entry, typed or Words(None, None)),
        "action": url_for("claim.word", token=token),
        **standing.summary(stand),
        "spent": _spent(campaign),
        "updates": [entries.line(told) for told in archive.told(newest, language.current(), now)],
        "updates_url": site.address("public.updates", slug=campaign.slug),
    }


def _gift(entry: Entry, stand: progress.Progress) -> dict[str, Any]:
    of = {figure.listing.id: standing.name_of(figure, stand) for figure in stand.listings}
    return {
        "amount": entry.amount,
        "at": entry.occurred_at,
        "where": of.get(entry.listing_id or 0),
        "paid_back": spending.paid_back(entry),
        "taken_back": spending.taken_back(entry),
    }


def _words(claim: GiftClaim, entry: Entry, typed: Words) -> dict[str, Any]:
    """The gift's name and message as its form shows them, or as they were typed wrongly."""
    gift = db.session.get_one(Gift, entry.id)
    seen = gift.message if claiming_gifts.is_seen(claim, gift) else None
    return {
        "name": typed.name or (gift.public_name if gift.show_name else None),
        "shown": gift.show_name or bool(typed.errors.get("name")),
        "message": typed.message or seen,
        "state": gift.moderation.value if seen else None,
        "hidden": gift.moderation is Moderation.HIDDEN,
        "kept": claim.worded_at is not None,
        "errors": typed.errors,
        "longest_name": showing.LONGEST_NAME,
        "longest_message": LONGEST_MESSAGE,
    }


def _spent(campaign: Campaign) -> dict[str, Any]:
    spent = spending.of(campaign)
    return {
        "sums": spent.sums,
        "newest": [
            {
                "at": entry.occurred_at,
                "what": _("spent") if entry.kind is EntryKind.EXPENSE else _("handed over"),
                "amount": -entry.amount,
            }
            for entry in spent.newest
        ],
    }
