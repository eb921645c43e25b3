"""WeChat Pay's bills for merchants (交易账单): all, SUCCESS or REFUND; 27 columns, once 24."""

from campaigns.platforms import cells
from campaigns.platforms.base import N_, Item, Kind, Verdict
from campaigns.platforms.cells import BadCell
from campaigns.platforms.profile import (
    Cells,
    Column,
    Figure,
    Profile,
    Reading,
    heading,
    not_a_donation,
)

_MARKS = "` \t\r\n"
_NEW = Verdict.NEW.value
_COUNT = "总交易单数"
# The sums of the last row, and how the old bill called them.
_SUMS = {
    "应结订单总金额": "应结订单总金额",
    "退款总金额": "退款总金额",
    "总退款金额": "退款总金额",
    "手续费总金额": "手续费总金额",
    "订单总金额": "订单总金额",
    "总交易额": "订单总金额",
    "申请退款总金额": "申请退款总金额",
}


def _row(number: int, row: Cells, reading: Reading) -> Item | list[Item]:
    """A payment or a refund, and the fee taken for it or given back.

    Amounts are 订单金额 and 申请退款金额, what notices call `total` and `refund`; with a coupon,
    what is settled is less.
    """
    (when, merchant, sub, trade, order, state, currency, settled, total, refund, request, refunded,
     asked, refund_state, done, goods, attach, fee) = row  # fmt: skip
    _only_yuan(currency)
    amounts = reading.amounts
    _tally(
        reading, amounts[settled], amounts[refunded], amounts[fee], amounts[total], amounts[asked]
    )
    at = reading.moment(done if cells.words(done) else when)
    mchid = _number(sub) or _number(merchant)
    account = f"wechatpay:{mchid}" if mchid else None
    trade_no, ref = _number(trade), reading.words[attach] or reading.words[goods]
    regards = f"trade:{trade_no}" if trade_no else None
    state, refund_no = state.strip(_MARKS), _number(refund)
    if state in ("REFUND", "REVOKED") or refund_no:
        if why := _unfinished(refund_state.strip(_MARKS)):
            return not_a_donation(number, *why)
        back, request_no = abs(amounts[asked] or amounts[refunded]), _number(request)
        item = Item(number, _NEW, "", Kind.REFUND.value, back, "CNY", at, refund=refund_no,
                    request=request_no, regards=regards, ref=ref, account=account)  # fmt: skip
        charge, charged = -abs(amounts[fee]), f"refund:{refund_no}" if refund_no else None
    elif state == "SUCCESS":
        item = Item(number, _NEW, "", Kind.DONATION.value, amounts[total], "CNY", at,
                    trade=trade_no, order=_number(order), ref=ref, account=account,
                    donations=1)  # fmt: skip
        charge, charged = amounts[fee], trade_no
    else:
        return not_a_donation(number, N_("Its state says that no money was received"), state)
    if not item.minor:
        return not_a_donation(number, N_("No money moved"))
    if item.minor < 0 or (charge < 0 and item.kind == Kind.DONATION):
        raise BadCell(N_("An amount is negative"))
    if not charge:
        return item
    return [item, Item(number, _NEW, "", Kind.FEE.value, charge, "CNY", at, fee=charged,
                       regards=regards, ref=ref, account=account)]  # fmt: skip


def _tally(reading: Reading, settled: int, refunded: int, fee: int, total: int, asked: int) -> None:
    reading.tally(_COUNT, 0)
    for label, minor in zip(
        dict.fromkeys(_SUMS.values()), (settled, refunded, fee, total, asked), strict=True
    ):
        reading.tally(label, minor)


def _unfinished(refund_state: str) -> tuple[str, str] | None:
    """A refund that failed or is under way has taken nothing back yet; the old bill tells none."""
    if refund_state in ("", "SUCCESS"):
        return None
    return N_("The refund is not finished"), refund_state


def _only_yuan(cell: str) -> None:
    if (cells.words(cell) or "CNY") != "CNY":
        raise BadCell(N_("Only amounts in CNY are read here"), cell)


def _number(cell: str) -> str | None:
    """Where there is none, this bill writes 0."""
    found = cells.number(cell)
    return None if found == "0" else found


def _foot(row: list[str], reading: Reading) -> bool:
    """Two rows: what is summed up, and the sums."""
    told = [cell for cell in row if cell.strip(_MARKS)]
    if told and heading(told[0]) == _COUNT:
        reading.labels = tuple(heading(cell) for cell in told)
        return True
    if reading.labels is None or len(told) != len(reading.labels):
        return False
    for label, cell in zip(reading.labels, told, strict=True):
        if label == _COUNT and cell.strip(_MARKS).isdecimal():
            reading.stated.append(Figure(label, int(cell.strip(_MARKS)), None))
        elif label in _SUMS:
            reading.stated.append(Figure(_SUMS[label], None, cells.amount(cell, "CNY")))
    reading.labels = None
    return True


PROFILES = (
    Profile(
        name="wechatpay_bill",
        label=N_("WeChat Pay bill"),
        columns=(
            Column(("交易时间",), needed=True),
            Column(("商户号",), needed=True),
            Column(("特约商户号", "子商户号")),
            Column(("微信订单号",), needed=True),
            Column(("商户订单号",)),
            Column(("交易状态",), needed=True),
            Column(("货币种类",)),
            Column(("应结订单金额", "总金额")),
            Column(("订单金额", "总金额", "应结订单金额"), needed=True),
            Column(("微信退款单号",)),
            Column(("商户退款单号",)),
            Column(("退款金额",)),
            Column(("申请退款金额", "退款金额")),
            Column(("退款状态",)),
            Column(("退款成功时间",)),
            Column(("商品名称",)),
            Column(("商户数据包",)),
            Column(("手续费",)),
        ),
        read=_row,
        foot=_foot,
        backticked=True,
    ),
)
