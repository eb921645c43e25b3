"""The first page: what needs a person now, every campaign, and what is going out."""

from datetime import UTC, datetime

from flask import Blueprint
from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import progress
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.staff import Permission
from campaigns.web import language
from campaigns.web.staff import figure, sendings, waiting
from campaigns.web.staff.page import show
from campaigns.web.staff.session import me, needs

bp = Blueprint("today", __name__)

SHOWN = 12
# Raising first, drafts next, what is over last.
_ORDER = (
    CampaignState.LIVE,
    CampaignState.PAUSED,
    CampaignState.DRAFT,
    CampaignState.ENDED,
    CampaignState.CLOSED,
)


@bp.get("")
@bp.get("/", alias=True)
@needs(Permission.LOOK)
def index() -> str:
    now = datetime.now(UTC)
    every = sorted(db.session.scalars(select(Campaign)), key=_first)[:SHOWN]
    return show(
        "staff/today.html",
        _("What needs you now"),
        needs=waiting.counts().looked_up(me(), now),
        rows=[figure.row(one) for one in progress.many(every, now)],
        going=[sendings.count(one) for one in _going()],
        now=now,
        platform=figure.platform,
        title=lambda row: row.text(language.current()).title,
        subject=sendings.subject,
        named=sendings.named,
    )


def _first(campaign: Campaign) -> tuple[int, int]:
    return _ORDER.index(campaign.state), -campaign.id


def _going() -> list[Mailing]:
    going = (MailingState.SENDING, MailingState.SCHEDULED)
    return list(
        db.session.scalars(
            select(Mailing).where(Mailing.state.in_(going)).order_by(Mailing.scheduled_at)
        )
    )
