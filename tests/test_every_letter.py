"""Every kind of letter parses without a defect and says the same in both parts, to anybody."""

from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from itertools import cycle

import pytest

from campaigns.composition import Desk
from campaigns.db import db
from campaigns.mail.address import Address, Mailbox
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Claim, LetterKind
from campaigns.model.digest import DigestItem
from campaigns.model.drafted import Drafted, Occasion
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.update import Update, UpdateKind
from tests import make
from tests.composed import bodies, claim, gift, letter, missing
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")

# Emoji of several characters, right to left with what turns it round, a header of somebody's own,
# more than a line of SMTP may have (RFC 5321 §4.5.3.1.6), and what means something elsewhere.
NAMES = (
    "",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "\u202eעדה לאבלייס\u202c، محمد",
    "Ada\r\nBcc: eve@example.org\r\n\r\n<p>hi",
    "A" * 1200,
    "小明" * 600,
    '"Ada", \\ <eve@example.org>; (x) =?utf-8?q?=0D=0ABcc?=',
    "{{ donor.name }} \ue0f0token\ue0f1 \x00\x1b[2J\u2028\u2029\ud800",
)
ADDRESSES = ("ada@example.org", "ada@bücher.example", "ada@例子.例え")
BEYOND_ASCII = "用户+é@例子.例え"
WORDS = "".join((
    'Dear {{ donor.name | default("friend") }},\n\n',
    "long" * 300, " 长" * 400, "\n\n. a dot\n\n..\n\nFrom us\n\n🎒 ‮עברית‬ & <b>b</b>",
))  # fmt: skip
TITLE = '🎒 "Desks", ‮עברית‬ <b>&amp; =?utf-8?q?x?= ' + "书桌" * 40


def of_mailing(kind: UpdateKind, about: Campaign | None) -> Claim:
    update = make.update(about, kind=kind, published_at=NOON)
    update.campaign_id = about.id if about else None
    _titled(update)
    mailing = make.mailing(update, reply_to=f"{TITLE[:30].replace('<b>', '')}<ask@bücher.example>")
    return replace(claim(mailing=mailing), campaign_id=update.campaign_id)


def of_test(about: Campaign) -> Claim:
    update = make.update(about)
    _titled(update)
    return replace(claim(LetterKind.TEST), occasion=f"test:{update.id}:en:1")


def of_digest(about: Campaign) -> Claim:
    """Of an update, and of an issue in the same words."""
    digest = make.delivery(letter=LetterKind.DIGEST, mailing_id=None, occasion="digest:2026-10")
    reader = digest.donor
    assert reader is not None
    make.consent(reader, about)
    make.consent(reader)
    db.session.add(DigestItem(donor_id=reader.id, delivery_id=digest.id, **_told(about)))
    issue = _told(None, UpdateKind.ISSUE, Purpose.NEWSLETTER)
    db.session.add(DigestItem(donor_id=reader.id, delivery_id=digest.id, **issue))
    return replace(_about(about, LetterKind.DIGEST, digest.occasion), id=digest.id)


def _told(
    about: Campaign | None,
    kind: UpdateKind = UpdateKind.UPDATE,
    purpose: Purpose = Purpose.UPDATES,
) -> dict[str, int]:
    update = make.update(about, kind=kind, published_at=NOON)
    update.campaign_id = about.id if about else None
    _titled(update)
    return {"update_id": update.id, "mailing_id": make.mailing(update, purpose=purpose).id}


def of_number(about: Campaign) -> Claim:
    """Somebody entered the number of a gift; it leads nowhere."""
    row = GiftClaim(campaign_id=about.id, donor_id=make.donor().id, number="2026#1")
    row.locale, row.asked_at = "en", NOON
    db.session.add(row)
    db.session.flush()
    return _about(about, LetterKind.CONFIRM, f"claim:{row.id}")


def of_listings(about: Campaign, what: str) -> Claim:
    ids = [make.listing(about).id for _ in range(2)]
    return _about(about, LetterKind.ALERT, f"alert:{what}:{ids[0]}.{ids[1]}+3")


def of_listing(about: Campaign, what: str) -> Claim:
    return _about(about, LetterKind.ALERT, f"alert:{what}:{make.listing(about).id}")


def of_report(about: Campaign, what: str) -> Claim:
    row = Drafted(campaign_id=about.id, occasion=Occasion(what), number=0, drafted_at=NOON)
    row.update = make.update(about)
    about.report_every_days = 30
    if what == "closing":
        about.state, about.ended_at = CampaignState.ENDED, NOON
    db.session.add(row)
    db.session.flush()
    return _about(about, LetterKind.ALERT, f"alert:{what}:{row.id}:7")


def _about(about: Campaign, kind: LetterKind, occasion: str) -> Claim:
    return replace(claim(kind), campaign_id=about.id, occasion=occasion)


def _titled(update: Update) -> None:
    for text in update.texts:
        text.title, text.body = TITLE, WORDS
    db.session.flush()


KINDS: dict[LetterKind, list[Callable[[Campaign], Claim]]] = {
    LetterKind.MAILING: [
        lambda about: of_mailing(UpdateKind.UPDATE, about),
        lambda about: of_mailing(UpdateKind.APPEAL, about),
        lambda _: of_mailing(UpdateKind.ISSUE, None),
    ],
    LetterKind.THANKS: [lambda _: claim(LetterKind.THANKS, entry=gift())],
    LetterKind.CONFIRM: [
        lambda about: _about(about, LetterKind.CONFIRM, "follow:1"),
        lambda about: _about(about, LetterKind.CONFIRM, "preferences:1"),
        lambda about: replace(_about(about, LetterKind.CONFIRM, "news:1"), campaign_id=None),
        of_number,
    ],
    LetterKind.RESET: [lambda about: _about(about, LetterKind.RESET, "reset:1")],
    LetterKind.ALERT: [
        lambda about: _about(about, LetterKind.ALERT, "alert:missed:3"),
        *(
            partial(of, what=what)
            for of in (of_listing, of_listings)
            for what in ("stale", "broken", "refused", "due", "quarantined", "recovered")
        ),
        *(partial(of_report, what=what) for what in ("report", "closing")),
    ],
    LetterKind.TEST: [of_test],
    LetterKind.DIGEST: [of_digest],
}


@pytest.mark.parametrize("locale", ["zh-Hans", "en"])
@pytest.mark.parametrize("kind", LetterKind)
def test_it_parses_without_a_defect_and_its_parts_say_the_same(
    kind: LetterKind, locale: str
) -> None:
    make.organisation()
    about = make.campaign()
    for text in about.texts:
        text.title = TITLE
    for one in KINDS[kind]:
        _try(replace(one(about), locale=locale))


def test_an_address_beyond_ascii_is_the_only_thing_that_is() -> None:
    to = Mailbox(NAMES[1], Address.parse(BEYOND_ASCII))
    written = Desk().write(replace(of_mailing(UpdateKind.UPDATE, make.campaign()), to=to), NOON)
    found = _parsed(written.message.replace(BEYOND_ASCII.encode(), b"ada@example.org"))
    assert f"<{BEYOND_ASCII}>\r\n".encode() in written.message
    assert missing(*bodies(found)) == []


def test_what_a_platform_or_a_title_says_is_words_in_an_alert() -> None:
    about = make.campaign()
    about.text("en").title = "<a href='https://evil.example'>Desks</a>"
    for of in (of_listing, of_listings):
        plain, rich = bodies(letter(of(about, "stale")))
        assert "<a href='https://evil.example'>Desks</a>" in plain
        assert "<a href='https://evil" not in rich


def _try(told: Claim) -> None:
    desk = Desk()
    for name, address in zip(NAMES, cycle(ADDRESSES), strict=False):
        to = Mailbox(name, Address.parse(address))
        found = _parsed(desk.write(replace(told, to=to), NOON).message)
        assert [one.addr_spec for one in found["To"].addresses] == [to.address.wire]
        assert missing(*bodies(found)) == []


def _parsed(octets: bytes) -> EmailMessage:
    found = message_from_bytes(octets, policy=policy.default)
    assert [part.get_content_type() for part in found.walk()] == [
        "multipart/alternative", "text/plain", "text/html"
    ]  # fmt: skip
    for part in found.walk():
        assert part.defects == []
        assert [name for name, value in part.items() if value.defects] == []
    assert found.get_all("Bcc") is None
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    return found
