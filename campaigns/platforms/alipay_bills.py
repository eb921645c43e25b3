"""Alipay's bills for merchants: account detail (账务明细) and business detail (业务明细)."""

import re
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
_DONATION, _REFUND = Kind.DONATION.value, Kind.REFUND.value
_FEE, _PAYOUT = Kind.FEE.value, Kind.PAYOUT.value

_ACCOUNT = re.compile(r"账号[:：]\s*\[?\s*(2088[0-9]{12})(?:0156)?(?![0-9])")
_TOTAL = re.compile(
    r"(支出合计|收入合计|交易合计|退款合计)[:：]\s*([0-9]+)\s*笔\s*[,，]\s*"
    r"(?:商家实收)?(?:退款)?共\s*([-+]?[0-9][0-9,]*(?:\.[0-9]+)?)\s*元"
)
_FEE_OF = re.compile(r"服务费\s*[\[【]\s*([0-9]{16,64})\s*[\]】]")
# What the 业务类型 of an account's movements says, by a word it holds; the first that fits.
_COMES = (
    ("退费", _FEE),
    ("服务费", _FEE),
    ("收费", _FEE),
    ("退", ""),
    ("充值", ""),
    ("提现", ""),
    ("支付", _DONATION),
    ("交易", _DONATION),
    ("收款", _DONATION),
    ("到账", _DONATION),
    ("转账", _DONATION),
    ("当面付", _DONATION),
    ("捐", _DONATION),
)
_GOES = (
    ("退款", _REFUND),
    ("收费", _FEE),
    ("服务费", _FEE),
    ("手续费", _FEE),
    ("提现", _PAYOUT),
    ("转账到银行", _PAYOUT),
    ("转账到卡", _PAYOUT),
)


def _account_row(number: int, row: Cells, reading: Reading) -> Item | list[Item]:
    """账务明细: every movement of the account, known by its 账务流水号.

    One 业务流水号 stands in several rows (a payment, its fee, its refund), so it is the key of the
    payment only, and what the other two regard.
    """
    line, trade, order, goods, when, party, income, expense, sort, note = row
    come, gone = reading.amounts[income], abs(reading.amounts[expense])
    if come < 0:  # some write what leaves as negative income
        come, gone = 0, gone - come
    if come and gone:
        raise BadCell(N_("The row has both an income and an expense"))
    reading.tally("收入合计" if come else "支出合计", come or gone)
    kind = _sort(sort, come > 0)
    at = reading.moment(when)
    if not kind or not (come or gone):
        return not_a_donation(number, *_why(sort, come, gone))
    line_no, trade_no = cells.number(line), cells.number(trade)
    if kind == _DONATION:
        name, email = reading.party[party]
        return new_item(
            (number, _NEW, "", kind, come, "CNY", at, line_no, trade_no, cells.number(order),
             None, None, None, None, None, reading.words[goods], None, 1, name, email,
             reading.words[note])
        )  # fmt: skip
    if kind == _FEE:
        found = _FEE_OF.search(note)
        trade_no = found[1] if found else trade_no
    return Item(
        number, _NEW, "", kind, gone or -come, "CNY", at, line_no,
        fee=trade_no if kind == _FEE and gone else None,
        regards=f"trade:{trade_no}" if trade_no and kind != _PAYOUT else None,
        ref=reading.words[goods],
    )  # fmt: skip


def _business_row(number: int, row: Cells, reading: Reading) -> Item | list[Item]:
    """业务明细: payments and refunds, each with the fee taken for it or given back.

    The amount is 订单金额, what a notice calls `total_amount`; the file's own sums are of 商家实收.
    """
    trade, order, sort, goods, made, done, party, total, received, request, fee, note = row
    amount, charge = reading.amounts[total], abs(reading.amounts[fee])
    label = "退款合计" if "退款" in sort else "交易合计" if "交易" in sort else ""
    reading.tally(label, abs(reading.amounts[received]))
    at = reading.moment(done if done.strip() else made)
    trade_no, order_no = cells.number(trade), cells.number(order)
    regards, ref = f"trade:{trade_no}" if trade_no else None, reading.words[goods]
    if "退款" in sort:
        request_no = cells.number(request)
        item = Item(number, _NEW, "", _REFUND, abs(amount), "CNY", at,
                    request=request_no, regards=regards, ref=ref)  # fmt: skip
        charge, charged = -charge, f"refund:{request_no}" if request_no else None
    elif "交易" in sort:
        if amount < 0:
            raise BadCell(N_("An amount is negative"), total)
        name, email = reading.party[party]
        item = Item(number, _NEW, "", _DONATION, amount, "CNY", at, trade=trade_no, order=order_no,
                    ref=ref, donations=1, name=name, email=email,
                    message=reading.words[note])  # fmt: skip
        charged = trade_no
    else:
        return not_a_donation(number, N_("Rows of this sort are not known"), sort)
    if not amount:
        return not_a_donation(number, N_("No money moved"), sort)
    if not charge:
        return item
    return [item, Item(number, _NEW, "", _FEE, charge, "CNY", at,
                       fee=charged, regards=regards, ref=ref)]  # fmt: skip


@lru_cache(maxsize=1024)
def _sort(sort: str, comes: bool) -> str:
    return next((kind for word, kind in (_COMES if comes else _GOES) if word in sort), "")


def _why(sort: str, come: int, gone: int) -> tuple[str, str]:
    if not come and not gone:
        return N_("No money moved"), sort
    if come:
        return N_("Money of this sort is not a donation"), sort
    return N_("Money that left the account for something else"), sort


def _foot(row: list[str], reading: Reading) -> bool:
    """#支出合计：N笔，共X元 and its like; what went out may be written with or without a minus."""
    found = _TOTAL.search(",".join(row))
    if found:
        label, count, total = found.groups()
        minor = abs(cells.amount(total, "CNY"))
        reading.stated.append(Figure(label, int(count), minor))
    return found is not None


def _preamble(text: str) -> Preamble:
    found = _ACCOUNT.search(text)
    return Preamble(f"alipay:{found[1]}" if found else None, period(text))


PROFILES = (
    Profile(
        name="alipay_account",
        label=N_("Alipay account detail"),
        columns=(
            Column(("账务流水号",), needed=True),
            Column(("业务流水号",)),
            Column(("商户订单号",)),
            Column(("商品名称",)),
            Column(("发生时间", "入账时间"), needed=True),
            Column(("对方账号", "对方账户")),
            Column(("收入金额", "收入"), needed=True),
            Column(("支出金额", "支出"), needed=True),
            Column(("业务类型", "账务类型"), needed=True),
            Column(("备注",)),
        ),
        read=_account_row,
        foot=_foot,
        preamble=_preamble,
    ),
    Profile(
        name="alipay_business",
        label=N_("Alipay business detail"),
        columns=(
            Column(("支付宝交易号",), needed=True),
            Column(("商户订单号",)),
            Column(("业务类型",), needed=True),
            Column(("商品名称",)),
            Column(("创建时间",)),
            Column(("完成时间",), needed=True),
            Column(("对方账户", "对方账号")),
            Column(("订单金额",), needed=True),
            Column(("商家实收", "实收净额", "订单金额")),
            Column(("退款批次号/请求号", "退款批次号", "退款请求号")),
            Column(("服务费",)),
            Column(("备注",)),
        ),
        read=_business_row,
        foot=_foot,
        preamble=_preamble,
    ),
)
