"""An Alipay account detail of as many rows as a test wants, as Alipay writes them."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from io import BytesIO
from typing import NamedTuple

from sqlalchemy import ScalarResult, func, select

from campaigns import figures, imports, stored
from campaigns.db import db
from campaigns.imports import Reading
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.imported import Import, ImportRow
from campaigns.model.listing import Listing
from tests import make
from tests.make import NOON
from workers.imports import work_on

MERCHANT = "2088000000000001"
SOURCE = f"alipay:{MERCHANT}"
HEADINGS = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,"
    "账户余额（元）,交易渠道,业务类型,备注"
)


class Paid(NamedTuple):
    """A movement of the bill. `number` makes its numbers; `fen` is negative for what goes out."""

    number: int
    fen: int = 1050
    sort: str = "在线支付"
    goods: str = "放学以后"
    line: int | None = None
    party: str = ""
    note: str = ""

    @property
    def trade(self) -> str:
        return f"20261122220014730305{self.number:08d}"

    @property
    def order(self) -> str:
        return f"DON-20261122-{self.number:06d}"


def refund(number: int, fen: int, line: int) -> Paid:
    return Paid(number, -fen, "交易退款", line=line)


def fee(number: int, fen: int, line: int) -> Paid:
    return Paid(number, -fen, "收费", goods="", line=line)


def bill(movements: Iterable[Paid], charset: str = "gb18030") -> bytes:
    rows = list(movements)
    come = [row.fen for row in rows if row.fen > 0]
    gone = [row.fen for row in rows if row.fen < 0]
    lines = [
        "#支付宝账务明细查询",
        f"#账号：[{MERCHANT}0156]",
        "#起始日期：[2026年11月22日 00:00:00]   终止日期：[2026年11月23日 00:00:00]",
        "#-----------------------------账务明细列表----------------------------",
        HEADINGS,
        *map(_line, rows),
        "#-----------------------------账务明细列表结束------------------------",
        f"#支出合计：{len(gone)}笔，共{_yuan(sum(gone))}元",
        f"#收入合计：{len(come)}笔，共{_yuan(sum(come))}元",
        "#导出时间：[2026年11月23日 10:12:01]",
    ]
    return ("\r\n".join(lines) + "\r\n").encode(charset)


def verdicts(one: Import) -> list[str]:
    return [row.verdict.value for row in _rows(one)]


def reasons(one: Import) -> list[str | None]:
    return [row.reason for row in _rows(one)]


def raised(listing: Listing) -> int:
    """The listing's published figure, in its minor units."""
    found = figures.published(listing)
    return found.minor if found else 0


def entries() -> Counter[str]:
    """How many entries of each kind there are."""
    return Counter(entry.kind.value for entry in db.session.scalars(select(Entry)))


def keys() -> int:
    return db.session.scalar(select(func.count()).select_from(EntryKey)) or 0


def add(content: bytes, listing: Listing | None = None, **more: object) -> Import:
    """An import of these bytes, that nobody has begun to read."""
    file = stored.keep(BytesIO(content), NOON)
    reading = Reading(
        str(more.pop("profile", "alipay_account")), listing_id=listing.id if listing else None,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip
    one = imports.add(file, "bill.csv", reading, NOON, None)
    db.session.commit()
    return one


def read(content: bytes, listing: Listing | None = None, **more: object) -> Import:
    """An import under review."""
    one = add(content, listing, **more)
    work_on(one.id)
    db.session.refresh(one)
    return one


def commit(one: Import) -> Import:
    imports.commit(one, NOON, None)
    db.session.commit()
    work_on(one.id)
    db.session.refresh(one)
    return one


def undo(one: Import, reason: str) -> Import:
    imports.undo(one, reason, NOON, make.staff())
    db.session.commit()
    work_on(one.id)
    db.session.refresh(one)
    return one


def _rows(one: Import) -> ScalarResult[ImportRow]:
    rows = select(ImportRow).where(ImportRow.import_id == one.id)
    return db.session.scalars(rows.order_by(ImportRow.position))


def _line(row: Paid) -> str:
    at = NOON + timedelta(hours=8) - timedelta(seconds=row.number % 3600)
    line = 100_000_000_000 + (row.number if row.line is None else 10**10 + row.line)
    come, gone = (_yuan(row.fen), "0.00") if row.fen > 0 else ("0.00", _yuan(row.fen))
    return (
        f"{line}\t,{row.trade}\t,{row.order}\t,{row.goods}\t,{at:%Y-%m-%d %H:%M:%S},{row.party}\t,"
        f"{come},{gone},0.00,支付宝,{row.sort},{row.note}"
    )


def _yuan(fen: int) -> str:
    return f"{fen / 100:.2f}"
