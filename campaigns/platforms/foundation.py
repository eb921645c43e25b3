"""A partner foundation's feed: one small JSON file per listing (docs/foundation-feed.md)."""

from collections.abc import Mapping

from campaigns.platforms import addresses, answers
from campaigns.platforms.base import LONGEST_ID, N_, Answer, Ask, Reading, Recognised
from campaigns.platforms.fields import MISSING, Fields
from campaigns.platforms.platform import Way

LABEL = N_("Partner foundation")
ORIGIN = None  # every partner has a server of its own
CURRENCY = None  # the feed says
DATED = True
WAYS = (Way("feed", N_("Its feed")),)


def recognise(url: str) -> Recognised | None:
    """The feed's own address, whose path ends in `.json`; it is the listing's id as well.

    The page that donors open is not known before the feed says it (`page`).
    """
    address = addresses.split(url)
    if not address or not address.path.lower().endswith(".json"):
        return None
    feed = address.origin + address.target
    return Recognised(feed, feed) if len(feed) <= LONGEST_ID else None


def ask(
    external_id: str, url: str, origin: str | None = None, way: str | None = None,
    how: Mapping[str, object] | None = None,
) -> Ask:  # fmt: skip
    """The listing's id is where to ask; a stand-in's `origin` takes the place of its server."""
    address = addresses.split(external_id)
    feed = origin + address.target if origin and address else external_id
    return Ask(url=feed, headers={"Accept": "application/json"})


def read(
    answer: Answer, way: str | None = None, how: Mapping[str, object] | None = None
) -> Reading:
    """A feed always says its currency and when its figure was true, else it is `Unreadable`."""
    feed = answers.json_of(answer)
    currency = feed.needed(feed.currency, "currency")
    if "raised" not in feed:
        feed.refuse("raised", MISSING)
    return Reading(
        raised=feed.figure("raised", currency),
        moment=answers.moment_of(feed.needed(feed.moment, "as_of"), answer),
        target=feed.figure("target", currency),
        matched=feed.figure("matched", currency),
        donations=feed.count("donations"),
        donors=feed.count("donors"),
        title=feed.words("title", 200),
        page=_page(feed),
    )


def _page(feed: Fields) -> str | None:
    page = feed.line("page", addresses.LONGEST)
    if page is not None and ("://" not in page or addresses.split(page) is None):
        feed.refuse("page", N_("A field must be an http or https address"))
    return page
