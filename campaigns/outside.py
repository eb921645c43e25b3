"""Outside: the doctor's looks at what the service leans on and does not run itself."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import bell, signing, ways
from campaigns.db import db
from campaigns.finding import Finding
from campaigns.mail.mailbox import Place
from campaigns.model.listing import Listing, PollFailure
from campaigns.model.mailbox import MailboxReading
from campaigns.platforms import proxy
from campaigns.platforms.base import Unreachable
from config import settings

BROKER_PATIENCE = 0.3  # The health page asks too, and no page waits longer (design §3).
PROXY_PATIENCE = 2.0
# A listing that fails is asked again within this time.
LATELY = timedelta(hours=7)
# A mailbox that was due for so long is not being read.
LATEST_READING = timedelta(minutes=15)


def mailbox(now: datetime) -> Iterator[Finding]:
    """The mailbox that letters come back to, by what its last reading said."""
    if (url := settings().bounce_mailbox_url) is None:
        return
    row = db.session.get(MailboxReading, Place.parse(url).name)
    seen = _("Nobody has read it yet.")
    if row and row.read_at:
        seen = _("Last read on %(moment)s UTC.", moment=f"{row.read_at:%Y-%m-%d %H:%M}")
    remedy = ""
    if row and (row.failures or row.next_at < now - LATEST_READING):
        seen = f"{seen} {row.failed_for or ''}".strip()
        remedy = _("Correct BOUNCE_MAILBOX_URL, and see that the worker of the queue tidy runs.")
    yield Finding("mailbox", seen, remedy)


def led(now: datetime) -> Iterator[Finding]:
    """Whether it is there, and what it said to those who asked by it."""
    if (url := settings().platform_proxy) is None:
        return
    try:
        proxy.call(proxy.parse(url), PROXY_PATIENCE)
    except Unreachable as error:
        remedy = _("Start it, or correct PLATFORM_PROXY. Until then no platform can be asked.")
        yield Finding("proxy", _told(str(error)), remedy)
        return
    refused = (
        select(PollFailure.reason)
        .join(Listing, Listing.id == PollFailure.listing_id)
        .where(Listing.failures > 0, PollFailure.at > now - LATELY)
        .where(PollFailure.reason.startswith(proxy.REFUSES))
        .order_by(PollFailure.at.desc(), PollFailure.id.desc())
        .limit(1)
    )
    if reason := db.session.scalar(refused):
        remedy = _(
            "See that PLATFORM_PROXY has the right password, and that the proxy lets us connect to "
            "addresses by number, on the ports 80 and 443."
        )
        yield Finding("proxy", _told(reason), remedy)
    else:
        yield Finding("proxy", _("The proxy takes connections."))


def _told(reason: str) -> str:
    """A reason as rows keep it, in the language of whoever asks."""
    sentence, colon, detail = reason.partition(": ")
    return _(sentence) + (_(": ") if colon else "") + detail


def broker() -> Iterator[Finding]:
    url = settings().broker_url
    remedy = _(
        "Start it, or correct REDIS_URL or BROKER_URL. Until then nothing is polled or sent."
    )
    if url is None:
        yield Finding("broker", _("Neither REDIS_URL nor BROKER_URL is set."), remedy)
        return
    try:
        bell.ring(url, BROKER_PATIENCE)
    except bell.Silent as error:
        yield Finding("broker", str(error), remedy)
    else:
        yield Finding("broker", _("It answers."))


def relays() -> Iterator[Finding]:
    found = list(ways.tried())
    if not found:
        remedy = _("Let one go on under Organisation › Mail servers.")
        yield Finding("mail", _("Every mail server is paused or cannot be decrypted."), remedy)
    for name, of_settings, trouble in found:
        remedy = _("Start the relay, or correct it under Organisation › Mail servers.")
        if of_settings:
            remedy = _("Start the relay, or correct SMTP_URL.")
        seen = trouble or _("Letters go out by %(transport)s.", transport=name)
        yield Finding("mail", seen, remedy if trouble else "")


def signatures(now: datetime) -> Iterator[Finding]:
    for domain, started, trouble in signing.looked():
        if trouble:
            yield Finding("signing", trouble, _("Make another key, and remove this one."))
        elif started:
            yield Finding("signing", _("Letters from %(domain)s are signed.", domain=domain))
        else:
            remedy = _("Run start-signing once its DNS record can be looked up.")
            seen = _("A key for %(domain)s signs nothing yet.", domain=domain)
            yield Finding("signing", seen, remedy, warning=True)
