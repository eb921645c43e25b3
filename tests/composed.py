"""Letters written for tests: of a claim, as its reader takes it apart."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

from campaigns.composition import Desk
from campaigns.db import db
from campaigns.mail.address import Address, Mailbox
from campaigns.model.delivery import Claim, LetterKind
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.mailing import Mailing
from tests import make
from tests.make import NOON


def claim(
    kind: LetterKind = LetterKind.MAILING,
    *,
    locale: str = "en",
    name: str = "Ada",
    mailing: Mailing | None = None,
    entry: Entry | None = None,
) -> Claim:
    about = mailing.update.campaign_id if mailing else make.campaign().id
    return Claim(
        id=7,
        by="me",
        token="tok",
        letter=kind,
        occasion="" if mailing else "alert:paused:3",
        mailing_id=mailing.id if mailing else None,
        campaign_id=entry.campaign_id if entry else about,
        entry_id=entry.id if entry else None,
        locale=locale,
        to=Mailbox(name, Address.parse("ada@example.org")),
        attempts=0,
        expires_at=NOON,
    )


def gift(minor: int = 1050) -> Entry:
    listing = make.listing()
    entry = Entry(
        kind=EntryKind.DONATION,
        amount_minor=minor,
        currency="CNY",
        campaign_id=listing.campaign_id,
        listing_id=listing.id,
        source="hand",
        occurred_at=NOON,
        day=NOON.date(),
        booked_at=NOON,
        door=Door.HAND,
    )
    db.session.add(entry)
    db.session.commit()
    return entry


def letter(of: Claim) -> EmailMessage:
    return message_from_bytes(Desk().write(of, NOON).message, policy=policy.default)


def bodies(of: EmailMessage) -> tuple[str, str]:
    found = [of.get_body((kind,)) for kind in ("plain", "html")]
    return tuple(body.get_content() for body in found if body)


def missing(plain: str, rich: str) -> list[str]:
    """What the HTML says, or leads to, that the text does not."""
    seen, words = _Words(), " ".join(plain.split())
    seen.feed(rich)
    unsaid = [one for one in seen.pieces if one not in words and one != "•))"]
    return unsaid + [link for link in seen.links if link.removeprefix("mailto:") not in plain]


class _Words(HTMLParser):
    """The words of each paragraph, heading, item and cell, and where links lead."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.links: set[str] = set()
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # What a list of letters shows of the first words stands in the text anyway.
        self._open = (self._open or tag == "body") and ("class", "before") not in attrs
        self._open = self._open or tag == "table"
        self.links |= {value for name, value in attrs if name == "href" and value}

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.pieces.append(" ".join(data.split()))
