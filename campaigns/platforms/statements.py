"""Statements of personal accounts at Alipay and WeChat: what was received there for good."""

import re
from collections.abc import Iterator
from functools import lru_cache

from campaigns.platforms import cells
from campaigns.platforms.base import N_, Item, Kind, Verdict
from campaigns.platforms.cells import BadCell
from campaigns.platforms.profile import (
    Cells,
    Column,
    Figure,
    Preamble,
    Profile,
    Reading,
    new_item,
    not_a_donation,
    period,
)

_NEW = Verdict.NEW.value
_DONATION, _FEE, _PAYOUT = Kind.DONATION.value, Kind.FEE.value, Kind.PAYOUT.value
# 已收入:1笔,0.01元 below old statements, 收入：3笔 100.00元 above newer ones.
_TOTAL = re.compile(
    r"^[#\s]*(已收入|待收入|已支出|待支出|收入|支出)[:：]\s*([0-9]+)\s*笔[,，\s]*([0-9][0-9,]*(?:\.[0-9]+)?)\s*元"
)
_GIVEN_BACK = re.compile(r"已退款\s*[(（]\s*[¥￥]?\s*([0-9.,]+)\s*[)）]")
_MESSAGE = re.compile(r"(?:付款方留言|转账备注|留言)[:：]\s*(.+)", re.DOTALL)
_DONE = ("成功", "已收", "已存入", "已到账", "已入账")
# Sorts of income that nobody gave.
_NO_GIFTS = ("理财", "利息", "收益", "余额宝", "零钱通", "充值", "保险", "借还")
# WeChat names the sorts in which people give to people; a shop's income comes by merchant bills.
_WECHAT_GIFTS = ("转账", "收款", "红包", "赞赏", "打赏", "捐")


def _alipay_row(number: int, row: Cells, reading: Reading) -> Item | list[Item]:
    return _row(number, row, reading, ())


def _wechat_row(number: int, row: Cells, reading: Reading) -> Item | list[Item]:
    return _row(number, row, reading, _WECHAT_GIFTS)


def _row(number: int, row: Cells, reading: Reading, gifts: tuple[str, ...]) -> Item | list[Item]:
    """A gift if it was received for good, a payout if it went to our bank, else why neither."""
    (paid, made, sort, party, goods, direction, stated, state, trade, order, note, fee, refunded,
     funds) = row  # fmt: skip
    sort, direction, state, funds, why = _said(sort, direction, state, funds, gifts)
    amount, goods = reading.amounts[stated], goods.strip()
    reading.tally(direction, amount)
    if funds:
        reading.tally(funds, amount)
    at = reading.moment(paid.strip() or made)
    if amount < 0:
        raise BadCell(N_("An amount is negative"), stated)
    why = why or _why_not_for(goods)
    if not amount:
        why = N_("No money moved"), sort
    if why and direction not in ("收入", "支出") and "提现" in sort + goods and _is_done(state):
        return Item(number, _NEW, "", _PAYOUT, amount, "CNY", at, cells.number(trade))
    if why:
        return not_a_donation(number, *why)
    trade_no, (name, email) = cells.number(trade), reading.party[party]
    gift = new_item(
        (number, _NEW, "", _DONATION, amount, "CNY", at, None, trade_no, cells.number(order),
         None, None, None, None, None, reading.words[goods], None, 1, name, email,
         reading.words[_message(note, goods)])
    )  # fmt: skip
    if not (fee or refunded or "已退款" in state):
        return gift
    charge, back = abs(reading.amounts[fee]), _given_back(state, refunded, reading)
    return [gift, *_beside(gift, charge, back)]


def _beside(gift: Item, charge: int, back: int) -> Iterator[Item]:
    """What else the row of a gift tells: its fee, and that a part went back."""
    number, trade = gift.number, gift.trade
    if charge:
        regards = f"trade:{trade}" if trade else None
        yield Item(number, _NEW, "", _FEE, charge, "CNY", gift.occurred_at, fee=trade,
                   regards=regards)  # fmt: skip
    if back:
        part = f"{back // 100}.{back % 100:02}"
        yield not_a_donation(number, N_("Part of it was given back, to be booked by hand"), part)


@lru_cache(maxsize=1024)
def _said(
    sort: str, direction: str, state: str, funds: str, gifts: tuple[str, ...]
) -> tuple[str, str, str, str, tuple[str, str] | None]:
    """The cells that say the same again and again, stripped, and why such a row is no gift."""
    sort, direction, state, funds = map(str.strip, (sort, direction, state, funds))
    return sort, direction, state, funds, _why_not(sort, direction, state, funds, gifts)


def _why_not(
    sort: str, direction: str, state: str, funds: str, gifts: tuple[str, ...]
) -> tuple[str, str] | None:
    """Why a row is no gift; None if it may be one."""
    if direction != "收入":
        paid = direction == "支出"
        return (N_("Money paid, not received") if paid else N_("Neither income nor expense")), sort
    if "退款" in sort or state.startswith("退款"):
        return N_("Money given back to us is not a donation"), sort
    if "全额退款" in state:
        return N_("It was given back in full"), state
    if not _is_done(state) or (funds and funds != "已收入"):
        return N_("Its state does not say that money was received"), state
    if any(word in sort for word in _NO_GIFTS) or not any(word in sort for word in gifts or ("",)):
        return N_("Money of this sort is not a donation"), sort
    return None


def _why_not_for(goods: str) -> tuple[str, str] | None:
    """Alipay says in the name of the goods what some income is for."""
    if goods.startswith("退款"):
        return N_("Money given back to us is not a donation"), goods
    if "收益发放" in goods:
        return N_("Money of this sort is not a donation"), goods
    return None


def _message(note: str, goods: str) -> str:
    """What the giver wrote: in the note, or behind a label in either."""
    for text in (note, goods):
        if ("留言" in text or "备注" in text) and (found := _MESSAGE.search(text)):
            return found[1]
    return note


def _is_done(state: str) -> bool:
    return any(word in state for word in _DONE) or _GIVEN_BACK.search(state) is not None


def _given_back(state: str, refunded: str, reading: Reading) -> int:
    if "已退款" not in state:
        return reading.amounts[refunded]
    found = _GIVEN_BACK.search(state)
    return reading.amounts[refunded] or (reading.amounts[found[1]] if found else 0)


def _foot(row: list[str], reading: Reading) -> bool:
    found = _TOTAL.search(",".join(row))
    if found:
        label, count, total = found.groups()
        reading.stated.append(Figure(label, int(count), cells.amount(total, "CNY")))
    return found is not None


def _preamble(text: str) -> Preamble:
    return Preamble(None, period(text))


def _columns(time: Column, trade: Column, state: Column, made: Column) -> tuple[Column, ...]:
    return (
        time,
        made,
        Column(("交易分类", "交易类型", "类型"), needed=True),
        Column(("交易对方",)),
        Column(("商品说明", "商品名称", "商品")),
        Column(("收/支", "收支"), needed=True),
        Column(("金额",), needed=True),
        state,
        trade,
        Column(("商家订单号", "商户单号")),
        Column(("备注",)),
        Column(("服务费",)),
        Column(("成功退款",)),
        Column(("资金状态",)),
    )


PROFILES = (
    Profile(
        name="alipay_statement",
        label=N_("Alipay personal statement"),
        columns=_columns(
            Column(("付款时间", "交易时间")),
            Column(("交易订单号", "交易号"), needed=True),
            Column(("交易状态",), needed=True),
            Column(("交易创建时间", "交易时间"), needed=True),
        ),
        read=_alipay_row,
        foot=_foot,
        preamble=_preamble,
    ),
    Profile(
        name="wechat_statement",
        label=N_("WeChat personal statement"),
        columns=_columns(
            Column(("交易时间",), needed=True),
            Column(("交易单号",), needed=True),
            Column(("当前状态",), needed=True),
            Column(("交易时间",)),
        ),
        read=_wechat_row,
        foot=_foot,
        preamble=_preamble,
    ),
)
