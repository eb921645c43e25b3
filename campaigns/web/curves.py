"""A campaign's curve of raised over time, for its page and as data (docs/public-json.md)."""

from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_name
from flask_babel import get_locale
from flask_babel import gettext as _

from campaigns import curve
from campaigns.curve import Curve, End, Line
from campaigns.model.listing import Listing
from campaigns.progress import Progress
from campaigns.web import chart, format, standing
from campaigns.web.chart import Chart


def of(found: Progress) -> Curve | None:
    """The curve that ends with what `found` shows."""
    ends = [
        End(figure.listing, figure.converted, figure.as_of)
        for figure in found.listings
        if figure.converted is not None and figure.as_of is not None
    ]
    return curve.of(found.campaign, ends)


def drawn(found: Progress) -> Chart | None:
    """As the campaign's page draws it."""
    known = of(found)
    if known is None:
        return None
    names = {
        figure.listing.id: (standing.name_of(figure, found), series)
        for series, figure in standing.numbered(found)
    }
    named = [names[line.listing.id] for line in known.lines]
    return chart.drawn(known, named, _("Together"), found.target, called(known.zone))


def data(found: Progress) -> dict[str, Any] | None:
    """As its data says it: every point, amounts as decimal strings in the campaign's currency."""
    known = of(found)
    if known is None:
        return None
    return {
        "zone": known.zone.key,
        "every_days": known.every,
        "lines": [_line(line) for line in known.lines],
        "total": [
            {"day": day.isoformat(), "raised": raised.amount}
            for day, raised in zip(known.days, known.total, strict=True)
        ],
    }


def called(zone: ZoneInfo) -> str:
    """What people call a zone: "China Time"."""
    name: str = get_timezone_name(zone, locale=get_locale())
    return zone.key if zone.key in name else name


def _line(line: Line) -> dict[str, Any]:
    listing: Listing = line.listing
    return {
        "platform": listing.platform,
        "url": listing.url,
        "points": [
            {
                "day": point.day.isoformat(),
                "as_of": format.iso(point.as_of),
                "raised": point.raised.amount,
                "by_hand": point.by_hand,
            }
            for point in line.points
        ],
    }
