"""The rows of a pasted table of gifts, read into gifts or into what is wrong with each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import TypeVar

from flask_babel import gettext as _

from campaigns import figures
from campaigns.byhand import LONGEST_REFERENCE, Movement
from campaigns.files.pasted import Columns, Line
from campaigns.mail.address import Address, BadAddress
from campaigns.model.entry import Way
from campaigns.money import Money
from campaigns.platforms import cells
from campaigns.platforms.cells import BadCell

T = TypeVar("T")

MOST = 500
MOST_DONATIONS = 1_000_000
# Each column with the headings it goes by beside its own name.
HEADINGS = {
    "day": ("date", "when", "time", "日期", "时间", "到账日期", "捐赠日期", "捐赠时间"),
    "amount": ("金额", "捐赠金额", "sum"),
    "name": ("donor", "donor's name", "姓名", "捐赠人", "捐赠者", "捐款人", "捐赠人姓名"),
    "donors": ("people", "人数", "捐赠人数", "笔数"),
    "email": ("mail", "e-mail", "donor's mail address", "邮箱", "电子邮箱", "捐赠人邮箱"),
    "message": ("donor's message", "留言", "捐赠留言", "捐赠人留言"),
    "reference": ("number", "reference number", "单号", "流水号", "交易号", "参考号"),
    "way": ("how it came", "方式", "到账方式"),
    "note": ("reason", "备注", "说明"),
}
COLUMNS = Columns(HEADINGS, needed=("day", "amount"), most=MOST)
WAYS = {
    "cash": Way.CASH,
    "现金": Way.CASH,
    "bank": Way.BANK,
    "bank transfer": Way.BANK,
    "转账": Way.BANK,
    "银行转账": Way.BANK,
    "other": Way.OTHER,
    "another way": Way.OTHER,
    "其他": Way.OTHER,
    "其他方式": Way.OTHER,
}


@dataclass(frozen=True)
class Read:
    """One row, as a gift or with what is wrong; `line` is what it says."""

    line: Line
    gift: Movement | None = None
    errors: tuple[str, ...] = ()


def read(lines: Iterable[Line], like: Movement, zone: str, now: datetime) -> list[Read]:
    """Every row as a gift `like` one of what rows do not say themselves, in their own words.

    A moment is one of `zone`; a day alone is the organisation's, at noon, or now if that has not
    come. A reference that stands in two rows is wrong in the second.
    """
    found, seen = [], dict[str, int]()
    for line in lines:
        row = _read(line, like, zone, now)
        reference = row.gift.reference if row.gift else None
        if reference and reference in seen:
            said = _("Row %(number)s has this number too.", number=seen[reference])
            row = replace(row, gift=None, errors=(said,))
        elif reference:
            seen[reference] = line.number
        found.append(row)
    return found


def moment(text: str, zone: str, now: datetime) -> datetime:
    """What a cell says; a day alone is the organisation's, at noon, or now if that has not come.

    Raises `BadCell` with a sentence for people, also for a moment that has not come.
    """
    if not text:
        raise BadCell(_("Write the day."))
    if ":" in text or "：" in text or "时" in text:
        found = cells.Moments(zone).read(text)
    else:
        ours = figures.zone()
        day = cells.Moments(ours.key).read(text).astimezone(ours).date()
        noon = datetime.combine(day, time(12), ours).astimezone(UTC)
        today = day == now.astimezone(ours).date()
        found = min(noon, now) if today else noon
    if found > now:
        raise BadCell(_("This moment has not come yet."))
    return found


class _Cells:
    """The cells of one row, read one by one; `errors` is what was wrong with some."""

    def __init__(self, line: Line) -> None:
        self._line, self.errors = line, list[str]()

    def read(self, column: str, reads: Callable[[str], T], otherwise: T) -> T:
        try:
            return reads(self._line[column])
        except BadCell as error:
            reason, _colon, detail = str(error).partition(": ")
            self.errors.append(f"{_(reason)}{_(': ')}{detail}" if detail else _(reason))
            return otherwise


def _read(line: Line, like: Movement, zone: str, now: datetime) -> Read:
    if line.broken:
        said = _("The cells do not fit the columns. Look for a stray quote or delimiter.")
        return Read(line, errors=(said,))
    row = _Cells(line)
    giver = replace(
        like.giver,
        name=row.read("name", lambda text: _words(text, 200), None),
        email=row.read("email", _email, None),
    )
    gift = replace(
        like,
        occurred_at=row.read("day", lambda text: moment(text, zone, now), now),
        amount=row.read("amount", lambda text: _amount(text, like.amount.currency), like.amount),
        donations=row.read("donors", _donations, 1),
        reference=row.read("reference", _reference, None),
        way=row.read("way", _way, None) or like.way,
        note=row.read("note", lambda text: _words(text, 500), None) or like.note,
        message=row.read("message", lambda text: _words(text, 1000), None),
        giver=giver,
    )
    return Read(line, None, tuple(row.errors)) if row.errors else Read(line, gift)


def _amount(text: str, currency: str) -> Money:
    amount = Money(cells.amount(text, currency), currency)
    if amount.minor <= 0:
        raise BadCell(_("Write an amount above zero that one movement can have."))
    return amount


def _donations(text: str) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdecimal() and len(text) < 8 and int(text) <= MOST_DONATIONS):
        raise BadCell(_("Write a whole number, such as 30."))
    return int(text)


def _reference(text: str) -> str | None:
    number = cells.number(text)
    if number and len(number) > LONGEST_REFERENCE:
        raise BadCell(_("At most %(max)d characters.", max=LONGEST_REFERENCE))
    return number


def _way(text: str) -> Way | None:
    if not text:
        return None
    try:
        return WAYS[text.casefold()]
    except KeyError as error:
        raise BadCell(_("Write cash, bank or other for how it came.")) from error


def _email(text: str) -> str | None:
    if not text:
        return None
    try:
        return Address.parse(text).text
    except BadAddress as error:
        raise BadCell(_("This is no mail address. Write one such as lin@example.org.")) from error


def _words(text: str, most: int) -> str | None:
    words = cells.words(text)
    if words and len(words) > most:
        raise BadCell(_("At most %(max)d characters.", max=most))
    return words
