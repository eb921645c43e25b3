"""Letters written for tests: of a claim, as its reader takes it apart."""

from email import message_from_bytes, policy
from email.message import EmailMessage

from campaigns.composition import Desk
from campaigns.mail.address import Address, Mailbox
from campaigns.model.delivery import Claim, LetterKind
from campaigns.model.entry import Entry
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


def letter(of: Claim) -> EmailMessage:
    return message_from_bytes(Desk().write(of, NOON).message, policy=policy.default)


def bodies(of: EmailMessage) -> tuple[str, str]:
    found = [of.get_body((kind,)) for kind in ("plain", "html")]
    return tuple(body.get_content() for body in found if body)
