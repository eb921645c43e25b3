"""The demo's bill: a month of its Alipay account as Alipay would export it, to be handed in."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from campaigns.db import db
from campaigns.local.demo_payments import SELLER, SHANGHAI, order_number, trade_number
from campaigns.model.listing import Listing
from campaigns.model.placement import PlacedBy, Placement
from campaigns.money import Money

FILE = Path("samples", "alipay-account-detail.csv")
HEADINGS = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,"
    "账户余额（元）,交易渠道,业务类型,备注"
)
PAID, REFUNDED, CHARGED, TOPPED_UP = "在线支付", "交易退款", "收费", "充值"


class Movement(NamedTuple):
    """A line of the account: days ago, fen (negative for what goes out), sort, whose number."""

    days: int
    fen: int
    sort: str = PAID
    number: int | None = None
    prefix: str = "DON"
    goods: str = "放学以后"
    party: str = ""
    note: str = ""


# Those whose webhook the demo had are booked already, but for the last: the bill states another
# amount. The others no webhook told of. What the shop sold names no campaign.
MOVEMENTS = (
    Movement(21, 6_600),
    Movement(21, -40, CHARGED, goods=""),
    Movement(17, 3_000, party="陈立 (donor1@example.org)", note="加油！"),
    Movement(13, 20_000),
    Movement(12, 50_000, TOPPED_UP, goods=""),
    Movement(9, 5_000),
    Movement(8, -2_000, REFUNDED, number=9),
    Movement(6, 52_000, party="周敏"),
    Movement(6, -312, CHARGED, goods=""),
    Movement(5, 8_800, note="给靠窗的孩子"),
    Movement(5, -8_800, REFUNDED),
    Movement(4, 3_800, prefix="SHOP", goods="义卖"),
    Movement(1, 1_000),
)


def write(direct: Listing, now: datetime, instance: Path) -> None:
    """Put the bill where a visitor finds it, and the rule by which its rows find their listing."""
    source = f"alipay:{SELLER}"
    db.session.add(
        Placement(
            source=source,
            by=PlacedBy.ORDER,
            text="DON-",
            listing_id=direct.id,
            created_at=now,
        )
    )
    file = instance / FILE
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(bill(now))


def bill(now: datetime) -> bytes:
    """As it is downloaded: GB18030, with lines before the headings and sums after the rows."""
    first, last = (f"{_local(now, days):%Y年%m月%d日}" for days in (30, 0))
    lines = [
        "#支付宝账务明细查询（演示，金额与人名均为虚构）",
        f"#账号：[{SELLER}0156]",
        f"#起始日期：[{first} 00:00:00]   终止日期：[{last} 00:00:00]",
        "#-----------------------------账务明细列表----------------------------",
        HEADINGS,
        *(_line(number, one, now) for number, one in enumerate(MOVEMENTS)),
        "#-----------------------------账务明细列表结束------------------------",
        _sum("支出合计", (one.fen for one in MOVEMENTS if one.fen < 0)),
        _sum("收入合计", (one.fen for one in MOVEMENTS if one.fen > 0)),
    ]
    return ("\r\n".join(lines) + "\r\n").encode("gb18030")


def _line(number: int, one: Movement, now: datetime) -> str:
    whose = one.number or one.days
    come, gone = (_yuan(one.fen), "0.00") if one.fen > 0 else ("0.00", _yuan(one.fen))
    moment = f"{_local(now, one.days):%Y-%m-%d %H:%M:%S}"
    return (
        f"{700_000_000_000 + number}\t,{trade_number(whose)}\t,{order_number(one.prefix, whose)}\t,"
        f"{one.goods}\t,{moment},{one.party}\t,{come},{gone},0.00,支付宝,{one.sort},{one.note}"
    )


def _local(now: datetime, days: int) -> datetime:
    """When the webhook of that day told of money, too (`demo_payments`)."""
    return (now - timedelta(days=days, hours=2)).astimezone(SHANGHAI)


def _sum(name: str, amounts: Iterable[int]) -> str:
    fen = list(amounts)
    return f"#{name}：{len(fen)}笔，共{_yuan(sum(fen))}元"


def _yuan(fen: int) -> str:
    return Money(fen, "CNY").amount
