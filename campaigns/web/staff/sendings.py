"""What a mailing's letters have come to, as staff pages show it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from campaigns.db import db
from campaigns.model.delivery import OPEN, Delivery, DeliveryState
from campaigns.model.mailing import Mailing
from campaigns.model.organisation import first_language
from campaigns.model.staff import Permission, Staff
from campaigns.model.text import InLocale
from campaigns.model.update import Update
from campaigns.web import language
from campaigns.web.staff import masked
from campaigns.web.staff.session import me
from config import LOCALES


@dataclass(frozen=True)
class Count:
    """A mailing and its deliveries by state; `minutes_left` at the pace so far, None if unknown."""

    mailing: Mailing
    subject: str
    states: dict[str, int]
    total: int
    settled: int
    per_minute: int
    minutes_left: int | None


def count(mailing: Mailing) -> Count:
    states = {
        state.value: number
        for state, number in db.session.execute(
            select(Delivery.state, func.count())
            .where(Delivery.mailing_id == mailing.id)
            .group_by(Delivery.state)
        )
    }
    total = sum(states.values())
    still_open = sum(states.get(state, 0) for state in OPEN)
    pace = _per_minute(mailing, total - still_open)
    return Count(
        mailing=mailing,
        subject=subject(mailing),
        states={state: states[state] for state in DeliveryState if state in states},
        total=total,
        settled=total - still_open,
        per_minute=pace,
        minutes_left=-(-still_open // pace) if pace else None,
    )


def subject(mailing: Mailing) -> str:
    """The letter's subject in the reader's language: as approved, before that as written."""
    default = first_language()
    if mailing.texts:
        return mailing.text(language.current(), default).subject
    return mailing.update.text(language.current(), default).title


def subjects(letters: Iterable[Delivery]) -> dict[int, str]:
    """What the mailings of these letters are called, by their ids."""
    ids = {letter.mailing_id for letter in letters} - {None}
    many = db.session.scalars(select(Mailing).where(Mailing.id.in_(ids)))
    return {mailing.id: subject(mailing) for mailing in many}


def title(update: Update) -> str:
    """An update's title in the reader's language."""
    return update.text(language.current(), first_language()).title


def languages(texts: Sequence[InLocale]) -> list[str]:
    """The languages that texts are in, in the order that pages show them."""
    written = {text.locale for text in texts}
    return [locale for locale in LOCALES if locale in written] + sorted(written - set(LOCALES))


def named(staff_id: int | None) -> str:
    """A colleague's name; empty where a command did it."""
    staff = db.session.get(Staff, staff_id) if staff_id else None
    return (staff.name or staff.email) if staff else ""


def address(delivery: Delivery) -> str:
    """To whom a letter goes: in full only for those who may see donors."""
    if delivery.staff_id is not None:
        return named(delivery.staff_id)
    to = delivery.donor.address if delivery.donor else None
    return (to if me().may(Permission.SEE_DONORS) else masked.address(to)) or "—"


def _per_minute(mailing: Mailing, settled: int) -> int:
    if mailing.started_at is None or not settled:
        return 0
    seconds = max((datetime.now(UTC) - mailing.started_at).total_seconds(), 1)
    return int(settled * 60 / seconds)
