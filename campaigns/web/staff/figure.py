"""Figures as staff pages show them: a bar split by listing, a line for each, a row of a table."""

from typing import Any

from flask_babel import gettext as _

from campaigns.freshness import Freshness
from campaigns.model.listing import Listing
from campaigns.platforms import registry
from campaigns.progress import Figure, Progress
from campaigns.web import bars, language, standing
from campaigns.web.bars import Bar

_SERIES = 4
# From most to least in need of a look: a campaign shows its worst listing.
_WORST = (
    Freshness.REFUSED,
    Freshness.BROKEN,
    Freshness.STALE,
    Freshness.LATE,
    Freshness.NONE_YET,
    Freshness.BY_HAND,
    Freshness.FRESH,
    Freshness.FINAL,
)


def platform(of: Listing | str) -> str:
    """A platform's name in the reader's language; its plain name where we know it no more."""
    if isinstance(of, str):
        return str(_(registry.label(of)))
    return of.called or platform(of.platform)


def series(place: int) -> int:
    """The colour of the listing at this place (from 0) of its campaign."""
    return place % _SERIES + 1


def bar(progress: Progress) -> Bar | None:
    """The bar of a campaign; the matched part of a listing is hatched."""
    parts = []
    for place, one in enumerate(progress.listings):
        if one.converted is None:
            continue
        name = platform(one.listing)
        parts.append(bars.Part(name, one.converted - one.matched, series(place)))
        if one.matched:
            label = _("%(platform)s, matched", platform=name)
            parts.append(bars.Part(label, one.matched, series(place), matched=True))
    return bars.split(parts, progress.target)


def part(place: int, one: Figure) -> dict[str, Any]:
    """One listing's line."""
    return {
        "listing": one.listing,
        "series": series(place),
        "name": platform(one.listing),
        "raised": one.raised,
        "matched": one.matched,
        "donations": one.donations,
        "as_of": one.as_of,
        "rule": one.rule,
        "freshness": standing.state(one),
        "every": one.every,
        "held": one.held,
    }


def row(progress: Progress) -> dict[str, Any]:
    """A campaign's row in a table."""
    states = [one.freshness for one in progress.listings]
    worst = min(states, key=_WORST.index, default=None)
    return {
        "campaign": progress.campaign,
        "title": progress.campaign.text(language.current()).title,
        "listings": [platform(one.listing) for one in progress.listings],
        "raised": progress.raised,
        "target": progress.target,
        "bar": bar(progress),
        "as_of": progress.as_of,
        "held": sum(1 for one in progress.listings if one.held),
        "freshness": worst or Freshness.NONE_YET,
    }
