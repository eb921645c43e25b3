"""By hand: money that no platform told of, and what else a treasurer enters themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import exists, literal, select, tuple_

from campaigns import audit, entering, gifts, ledger, turns
from campaigns.bookings import Booked, Booking, Differs, Returned
from campaigns.db import db
from campaigns.gifts import Told
from campaigns.mail.address import Address, BadAddress
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind, MatchStage, Way
from campaigns.model.gift import Moderation
from campaigns.model.listing import Listing
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import LARGEST_AMOUNT, Giver, Key

SOURCE = "hand"
LONGEST_REFERENCE = 128
# What sort of number a reference is. Those not named here stand on an account's statement.
SCHEMES = {
    EntryKind.DONATION: "trade",
    EntryKind.REFUND: "refund",
    EntryKind.CHARGEBACK: "chargeback",
    EntryKind.MATCH: "match",
}


class Refused(Exception):
    """It is not booked. The text is a sentence for the person who tried."""


class NotYet(Refused):
    """Its moment has not come."""


class BadAmount(Refused):
    """No single movement is that small or that large."""


class BadGiver(Refused):
    """What was typed is no mail address."""


class Known(Refused):
    """One of its numbers is in the ledger already, or was."""


@dataclass(frozen=True)
class Movement:
    """Money that moved, as a person writes it down.

    `reference` is the number that the bank or platform gave it, `source` the account it came
    through where that is one whose bills or notices we get. `donations` is how many gifts it
    stands for: 37 for a cash box that 37 people gave to. The giver of a match is who matches.
    `thank`: a letter goes to the address.
    """

    listing: Listing
    kind: EntryKind
    amount: Money
    occurred_at: datetime
    way: Way | None
    stage: MatchStage | None = None
    source: str = SOURCE
    reference: str | None = None
    regards: str | None = None
    donations: int | None = None
    note: str | None = None
    giver: Giver = field(default_factory=Giver)
    message: str | None = None
    show_message: bool = False
    thank: bool = False


def book(movement: Movement, token: str, now: datetime, by: Staff) -> Booked:
    """Book what a person wrote down, once for each form: `token` is the form's own.

    The second time with the same token, a reload or a double press, changes nothing. Raises what
    `Refused` stands for; then the transaction is to be rolled back.
    """
    before = _of_forms([token]).get(token)
    if before is not None:
        return Booked(before, already=True)
    booked = _book(movement, token, now, by)
    if not booked.already:
        entry = db.session.get_one(Entry, booked.entry_id)
        changes = {"kind": (None, entry.kind), "amount": (None, entry.amount)}
        audit.record("book by hand", entry, now, by=by, changes=changes)
    return booked


@dataclass(frozen=True)
class Row:
    """What became of one row of a table: it was booked, now or before, or refused."""

    number: int
    booked: Booked | None = None
    refusal: Refused | None = None


def book_all(
    movements: Sequence[tuple[int, Movement]], token: str, now: datetime, by: Staff
) -> list[Row]:
    """Book the rows of a table, each known by the form's token and its number.

    Where one is refused the others are tried all the same, so that everything can be said at
    once; the transaction is to be rolled back then. The second time changes nothing.
    """
    names = {number: f"{token}.{number}" for number, _ in movements}
    before = _of_forms(list(names.values()))
    rows: dict[int, Row] = {}
    written: list[tuple[int, Movement, Booking]] = []
    for number, movement in movements:
        if names[number] in before:
            rows[number] = Row(number, Booked(before[names[number]], already=True))
            continue
        try:
            written.append((number, movement, booking(movement, names[number], now, by)))
        except Refused as refusal:
            rows[number] = Row(number, refusal=refusal)
    rows |= _new_rows(written, now)
    return [
        rows[number] if number in rows else _row(number, movement, names[number], now, by)
        for number, movement in movements
    ]


def booking(movement: Movement, token: str | None, now: datetime, by: Staff) -> Booking:
    """What a person wrote down, as the ledger takes it. Raises what `Refused` stands for."""
    _check(movement, now)
    keys = [Key("form", token)] if token else []
    if movement.reference:
        keys.append(Key(scheme(movement.kind), movement.reference))
    return Booking(
        listing=movement.listing,
        kind=movement.kind,
        amount=movement.amount,
        occurred_at=movement.occurred_at,
        source=movement.source,
        keys=tuple(keys),
        door=Door.HAND,
        staff_id=by.id,
        stage=movement.stage,
        regards=movement.regards,
        donations=movement.donations,
        way=movement.way,
        reason=movement.note,
    )


def scheme(kind: EntryKind) -> str:
    """What sort of number a reference of such a movement is."""
    return SCHEMES.get(kind, "line")


def _check(movement: Movement, now: datetime) -> None:
    if movement.occurred_at > now:
        raise NotYet(_("This moment has not come yet."))
    if not 0 < movement.amount.minor <= LARGEST_AMOUNT:
        raise BadAmount(_("Write an amount above zero that one movement can have."))
    if movement.giver.email:
        try:
            Address.parse(movement.giver.email)
        except BadAddress as error:
            raise BadGiver(
                _("This is no mail address. Write one such as lin@example.org.")
            ) from error


def _new_rows(written: Sequence[tuple[int, Movement, Booking]], now: datetime) -> dict[int, Row]:
    """Those that are plainly new, by few statements: others wait for as long as it takes."""
    many = [one for *_, one in written]
    turns.take_all([(one.source, one.regards) for one in many if one.regards])
    made = entering.book(many, now)
    entered = [
        (number, movement, entry_id)
        for (number, movement, _), entry_id in zip(written, made, strict=True)
        if entry_id is not None
    ]
    given = [
        (entry_id, *_told(movement)) for _, movement, entry_id in entered if _is_given(movement)
    ]
    gifts.record_all(given, now)
    return {number: Row(number, Booked(entry_id, False)) for number, _, entry_id in entered}


def _row(number: int, movement: Movement, token: str, now: datetime, by: Staff) -> Row:
    try:
        with db.session.begin_nested():
            return Row(number, _book(movement, token, now, by))
    except Refused as refusal:
        return Row(number, refusal=refusal)


def _book(movement: Movement, token: str, now: datetime, by: Staff) -> Booked:
    written = booking(movement, token, now, by)
    try:
        booked = ledger.book(written, now)
    except (Differs, Returned) as error:
        raise _known(written) from error
    if booked.already and not _is_of_form(booked.entry_id, token):
        raise _known(written)
    if not booked.already and _is_given(movement):
        gifts.record(booked.entry_id, *_told(movement), now)
    return booked


def _is_given(movement: Movement) -> bool:
    return movement.kind in (EntryKind.DONATION, EntryKind.MATCH)


def _told(movement: Movement) -> tuple[int, Told]:
    """Its campaign, and who gave."""
    moderation = Moderation.SHOWN if movement.show_message else Moderation.WAITING
    thank = movement.thank and movement.kind is EntryKind.DONATION
    told = Told(movement.giver, movement.message, moderation, thank)
    return movement.listing.campaign_id, told


def _of_forms(tokens: Sequence[str]) -> dict[str, int]:
    """The entries that forms made, by their tokens, whichever account was chosen in them."""
    sources = select(WebhookEndpoint.source).union(select(literal(SOURCE)))
    rows = db.session.execute(
        select(EntryKey.value, EntryKey.entry_id).where(
            EntryKey.source.in_(sources), EntryKey.scheme == "form", EntryKey.value.in_(tokens)
        )
    )
    return {token: entry_id for token, entry_id in rows}  # noqa: C416 - a row is not a pair to mypy


def _entry(source: str, *keys: Key) -> Entry | None:
    """The entry that has one of these numbers."""
    return db.session.scalar(
        select(Entry)
        .join(EntryKey, EntryKey.entry_id == Entry.id)
        .where(EntryKey.source == source, tuple_(EntryKey.scheme, EntryKey.value).in_(keys))
        .order_by(Entry.id)
        .limit(1)
    )


def _is_of_form(entry_id: int, token: str) -> bool:
    """Whether a press of the same button, at the same moment, made it."""
    entry = db.session.get_one(Entry, entry_id)
    forms = [key.value for key in entry.keys if key.scheme == "form"]
    return entry.door is Door.HAND and forms == [token]


def _known(written: Booking) -> Known:
    entry = _entry(written.source, *written.keys)
    if entry is None and written.regards:
        return Known(
            _(
                "The ledger has a refund of this donation that this may be. If it is another one,"
                " write its number here, or that one's number at its entry."
            )
        )
    if entry is None:
        return Known(_("This number was just booked by somebody else. Look again."))
    if db.session.scalar(select(exists().where(Entry.reverses == entry.id))):
        return Known(
            _(
                "Entry %(number)s has this number and was taken back. Book it anew from there.",
                number=entry.id,
            )
        )
    return Known(_("Entry %(number)s has this number already.", number=entry.id))
