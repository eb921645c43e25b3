"""How campaigns stand, as templates show it: figure, bar, and each platform's dated part."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext as _

from campaigns.model.listing import Asking
from campaigns.money import Money
from campaigns.platforms import registry
from campaigns.progress import Figure, Progress
from campaigns.web import bars, language, site
from campaigns.web.matched import MOST_NAMES, Match

SERIES = 4


def summary(found: Progress) -> dict[str, Any]:
    """State, figure, target and bar.

    Before the first figure nothing is raised: none is shown undated (design §5 rule 7).
    """
    dated = found.as_of is not None
    return {
        "state": found.campaign.state.value,
        "raised": found.raised if dated else None,
        "target": found.target,
        "bar": bars.split(list(_parts(found)), found.target) if dated else None,
        "as_of": found.as_of,
    }


def card(found: Progress) -> dict[str, Any]:
    """One campaign among others."""
    texts = found.campaign.text(language.current())
    return {
        **summary(found),
        "title": texts.title,
        "summary": texts.summary,
        "url": site.address("public.campaign", slug=found.campaign.slug),
    }


def listings(found: Progress) -> list[dict[str, Any]]:
    """Each platform's figure; matched money stands apart from what donors gave (`matches`)."""
    return [
        {
            "series": series,
            "name": name_of(figure, found),
            "raised": _given(figure),
            "as_of": figure.as_of,
            "rule": figure.rule.value,
            "freshness": state(figure),
            "every": figure.every,
        }
        for series, figure in numbered(found)
    ]


def matches(found: Progress, who: Mapping[int, Match]) -> list[dict[str, Any]]:
    """The matched money by platform: whose it is (`matched.of`), and whether all has come."""
    return [
        {
            "series": series,
            "name": name_of(figure, found),
            "amount": figure.matched,
            "by": who[figure.listing.id].names[:MOST_NAMES],
            "more": who[figure.listing.id].more,
            "received": who[figure.listing.id].received,
        }
        for series, figure in numbered(found)
        if figure.matched.minor
    ]


def ways_to_give(found: Progress) -> list[dict[str, str]]:
    """Where people can give, in the order of the listings; nowhere unless the campaign is live."""
    if found.campaign.state.value != "live":
        return []
    return [
        {"name": name_of(figure, found), "url": figure.listing.url}
        for figure in found.listings
        if figure.listing.url and figure.listing.asking is not Asking.ENDED
    ]


def state(figure: Figure) -> str:
    """A figure's freshness as templates know it; a held report goes before all else."""
    return "checking" if figure.held else figure.freshness.value


def name_of(figure: Figure, found: Progress) -> str:
    """What donors know a listing's platform by; a foundation's feed is the receiving foundation."""
    name = figure.listing.platform
    receiving = found.campaign.receiving
    if name == "foundation" and receiving is not None:
        return receiving.text(language.current()).name
    return figure.listing.called or str(_(registry.label(name)))


def numbered(found: Progress) -> Iterator[tuple[int, Figure]]:
    """Each listing's figure, with the number of its colour."""
    return ((place % SERIES + 1, figure) for place, figure in enumerate(found.listings))


def _parts(found: Progress) -> Iterator[bars.Part]:
    for series, figure in numbered(found):
        if figure.converted is not None:
            name = name_of(figure, found)
            yield bars.Part(name, figure.converted - figure.matched, series)
            if figure.matched.minor:
                yield bars.Part(_("Matched, %(name)s", name=name), figure.matched, series, True)


def _given(figure: Figure) -> Money | None:
    """The listing's figure in its own currency, without what was matched where that can be told."""
    if figure.raised is None or figure.raised.currency != figure.matched.currency:
        return figure.raised
    return figure.raised - figure.matched
