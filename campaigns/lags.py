"""Lags: reports that are true and less than the page shows with what was booked.

docs/decisions/0044-reports-that-lag.md has the rule.
"""

from datetime import timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from campaigns import figures
from campaigns.db import db
from campaigns.model.listing import Listing
from campaigns.model.report import Report, ReportState
from campaigns.money import Money

# What a platform has not caught up with after that long, it will not show: a person decides.
PATIENCE = timedelta(days=1)


def behind(report: Report, listing: Listing) -> Money | None:
    """What the page shows, if the report with what was booked after its moment is less."""
    shown = figures.published(listing)
    return shown if shown is not None and figures.by(report, listing) < shown else None


def too_long(report: Report) -> bool:
    """Whether the reports before this one lag for `PATIENCE` already."""
    before = aliased(Report)
    lagging = exists().where(
        before.listing_id == Listing.id,
        before.state == ReportState.ACCEPTED,
        before.lags,
        before.moment > figures.goes_on_from(),
        before.moment <= report.moment - PATIENCE,
    )
    found = select(Listing.id).where(Listing.id == report.listing_id, lagging)
    return db.session.scalar(found) is not None
