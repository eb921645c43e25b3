"""Alerts: what a letter to staff about something that needs them says, by its occasion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import duties, figures
from campaigns.db import db
from campaigns.figures import Figures
from campaigns.model.campaign import Campaign
from campaigns.model.drafted import Drafted
from campaigns.model.listing import Listing, PollFailure
from campaigns.model.report import Report, ReportState
from campaigns.platforms import registry

# Those that are about listings, and about a report that is due; the others are about a mailing.
_OF_LISTINGS = frozenset({"stale", "broken", "refused", "recovered", "due", "quarantined"})
_OF_REPORTS = frozenset({"report", "closing"})
# Those that one can do something about on the page where figures are entered.
_ENTERED = frozenset({"refused", "due"})


@dataclass(frozen=True)
class Subject:
    """A listing that an alert is about, as it stands while the letter is written.

    `as_of` is the moment of its last good report, `zone` the organisation's; `reason` is why the
    last question brought no figure, or why one is held, as rows keep it. `held`: a newer figure
    waits for a verdict.
    """

    platform: str
    campaign: str
    as_of: datetime | None
    zone: ZoneInfo
    reason: str | None
    held: bool


@dataclass(frozen=True)
class Owed:
    """A report that an alert is about; `due` is None once it is not owed any more."""

    campaign: str
    due: date | None
    late: bool


@dataclass(frozen=True)
class Alert:
    """`path` is where on the staff pages one can do something about it, `button` says so.

    `more` is how many listings there are besides the `subjects`.
    """

    what: str
    title: str
    path: str
    button: str
    subjects: tuple[Subject | Owed, ...] = ()
    more: int = 0


def told(occasion: str, locale: str, now: datetime) -> Alert:
    """The alert of an occasion, "alert:<what>:<ids>" and perhaps more, in the language at hand."""
    what, names = occasion.split(":")[1:3]
    if what in _OF_REPORTS:
        return _of_report(what, db.session.get_one(Drafted, int(names)), locale, now)
    ids, _plus, more = names.partition("+")
    listings = _listings([int(id) for id in ids.split(".")]) if what in _OF_LISTINGS else []
    if not listings:
        return Alert(what, _("Something needs you"), "/staff/", _("Open the staff pages"))
    subjects = _subjects(what, listings, locale)
    path, button = _way(what, listings)
    besides = int(more or 0)
    alone = len(subjects) == 1 and not besides
    title = _title(what, subjects[0]) if alone else _titles(what, len(subjects) + besides)
    return Alert(what, title, path, button, subjects, besides)


def _of_report(what: str, drafted: Drafted, locale: str, now: datetime) -> Alert:
    zone = figures.zone()
    owed = [one for one in duties.owed(zone, now) if one.draft and one.drafted is drafted]
    due = owed[0].due if owed else None
    title = db.session.get_one(Campaign, drafted.campaign_id).text(locale).title
    subject = Owed(title, due, due is not None and due < now.astimezone(zone).date())
    if what == "closing":
        said = _("The closing report is due: “%(campaign)s”", campaign=title)
    else:
        said = _("A report is due: “%(campaign)s”", campaign=title)
    path = f"/staff/updates/{drafted.update_id}"
    return Alert(what, said, path, _("Open the draft"), (subject,))


def _listings(ids: Sequence[int]) -> list[Listing]:
    found = {one.id: one for one in db.session.scalars(select(Listing).where(Listing.id.in_(ids)))}
    return [found[id] for id in ids if id in found]


def _way(what: str, listings: Sequence[Listing]) -> tuple[str, str]:
    if what == "due" or (what in _ENTERED and len(listings) > 1):
        return "/staff/figures", _("Enter figures")
    if len(listings) == 1:
        return f"/staff/listings/{listings[0].id}", _("Open the listing")
    return "/staff/", _("Open the staff pages")


def _subjects(what: str, listings: Sequence[Listing], locale: str) -> tuple[Subject, ...]:
    found = figures.of(listings)
    held = figures.latest([one.id for one in listings], ReportState.QUARANTINED)
    return tuple(_subject(what, one, found[one.id], held, locale) for one in listings)


def _subject(
    what: str, listing: Listing, found: Figures, held: Mapping[int, Report], locale: str
) -> Subject:
    campaign = db.session.get_one(Campaign, listing.campaign_id)
    waiting = held.get(listing.id) if what == "quarantined" else found.held
    judged = waiting.reason if waiting else None
    return Subject(
        platform=listing.called or str(_(registry.label(listing.platform))),
        campaign=campaign.text(locale).title,
        as_of=found.as_of,
        zone=figures.zone(),
        reason=judged if what == "quarantined" else _failure(listing.id),
        held=waiting is not None,
    )


def _failure(listing_id: int) -> str | None:
    return db.session.scalar(
        select(PollFailure.reason)
        .where(PollFailure.listing_id == listing_id)
        .order_by(PollFailure.at.desc(), PollFailure.id.desc())
        .limit(1)
    )


def _title(what: str, subject: Subject) -> str:
    names = {"platform": subject.platform, "campaign": subject.campaign}
    if what == "stale":
        return _("No newer figure from %(platform)s: “%(campaign)s”", **names)
    if what == "broken":
        return _("No figure from %(platform)s: “%(campaign)s”", **names)
    if what == "refused":
        return _("%(platform)s refuses to be asked: “%(campaign)s”", **names)
    if what == "due":
        return _("To enter from %(platform)s: “%(campaign)s”", **names)
    if what == "quarantined":
        return _("A figure from %(platform)s is held: “%(campaign)s”", **names)
    return _("Figures from %(platform)s again: “%(campaign)s”", **names)


def _titles(what: str, count: int) -> str:
    """Of an alert about several."""
    if what == "stale":
        return _("No newer figures of %(count)s listings", count=count)
    if what == "broken":
        return _("No figures of %(count)s listings", count=count)
    if what == "refused":
        return _("%(count)s listings refuse to be asked", count=count)
    if what == "due":
        return _("%(count)s figures are to be entered", count=count)
    if what == "quarantined":
        return _("Figures of %(count)s listings are held", count=count)
    return _("Figures of %(count)s listings again", count=count)
