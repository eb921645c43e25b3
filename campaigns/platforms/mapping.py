"""How the columns of a table that we do not know are to be read: what the treasurer says once."""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from campaigns.money import BadMoney, decimals
from campaigns.platforms.base import N_, Kind
from campaigns.platforms.cells import SHANGHAI

_MOST_HEADINGS, _LONGEST = 50, 200


class BadMapping(ValueError):
    """A mapping cannot work; the message names what is wrong with it."""


class Field(NamedTuple):
    """Something a column may hold. `many`: every column with such a heading, not only the first."""

    name: str
    label: str
    headings: tuple[str, ...]
    many: bool = False


class Dates(StrEnum):
    """The order in which dates are written where the year does not stand first."""

    YEAR_FIRST = "year_first"
    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


class Negative(StrEnum):
    """What a negative amount is."""

    REFUND = "refund"
    REFUSED = "refused"


# The default table of aliases. Headings of Tencent's, Alipay's and Lianquan's donor exports are
# public nowhere; 单号 to 小红花配捐 stand in a researcher's own sheet of Tencent donations.
FIELDS = (
    Field("when", N_("Time"), (
        "时间", "捐款时间", "捐赠时间", "交易时间", "支付时间", "付款时间", "完成时间", "发生时间",
        "日期", "捐款日期", "捐赠日期", "交易日期", "到账日期", "到账时间", "time", "date",
        "paid at", "created at", "donated at", "donation date",
    )),
    Field("clock", N_("Hour, where the time's column has the day only"), ("时刻", "几点")),
    Field("amount", N_("Amount"), (
        "金额(不含配捐)", "金额", "捐款金额", "捐赠金额", "实付金额", "支付金额", "交易金额",
        "到账金额", "amount", "donation amount", "sum",
    )),
    Field("income", N_("Income"), ("收入", "收入金额", "贷方金额", "存入金额", "credit")),
    Field("expense", N_("Expense"), ("支出", "支出金额", "借方金额", "支取金额", "debit")),
    Field("match", N_("Matched money"), (
        "腾讯配捐", "小红花配捐", "企业配捐", "机构配捐", "平台配捐", "配捐", "配捐金额",
        "match", "matched",
    ), many=True),
    Field("fee", N_("Fee"), ("手续费", "服务费", "平台服务费", "fee")),
    Field("kind", N_("Sort of row"), ("业务类型", "交易类型", "类型", "type", "kind")),
    Field("direction", N_("Received or paid"), ("收/支", "收支", "收支类型", "借贷", "direction")),
    Field("status", N_("State"), (
        "状态", "交易状态", "支付状态", "捐款状态", "订单状态", "当前状态", "status", "state",
    )),
    Field("trade", N_("Platform's number"), (
        "单号", "交易单号", "交易号", "交易流水号", "流水号", "支付单号", "支付流水号", "捐款单号",
        "捐赠单号", "捐赠编号", "微信订单号", "支付宝交易号", "交易订单号", "transaction id",
        "donation id", "id",
    )),
    Field("order", N_("Our own order number"), (
        "商户订单号", "商户单号", "商家订单号", "订单号", "订单编号", "order id", "order number",
    )),
    Field("refund", N_("Platform's number of the refund"), (
        "退款单号", "微信退款单号", "refund id",
    )),
    Field("request", N_("Our own number of the refund"), (
        "商户退款单号", "退款批次号/请求号", "退款请求号",
    )),
    Field("ref", N_("What may name the campaign"), (
        "项目", "项目名称", "捐赠项目", "捐款项目", "公益项目", "商品名称", "商品", "商品说明",
        "活动名称", "项目编号", "project", "campaign",
    )),
    Field("name", N_("Donor's name"), (
        "捐款人", "捐赠人", "捐赠者", "捐款人姓名", "捐赠人姓名", "姓名", "昵称", "爱心网友",
        "交易对方", "对方户名", "付款人", "name", "donor", "donor name",
    )),
    Field("email", N_("Donor's e-mail"), ("邮箱", "电子邮箱", "邮件", "email", "e-mail")),
    Field("message", N_("Donor's message"), (
        "留言", "捐款留言", "捐赠留言", "寄语", "备注", "附言", "摘要", "message", "comment",
    )),
    Field("donations", N_("Number of gifts"), ("笔数", "捐款笔数", "人次", "count")),
    Field("currency", N_("Currency"), ("币种", "货币", "货币种类", "currency")),
)  # fmt: skip
_KNOWN = {field.name: field for field in FIELDS}

# What a word in the column of kinds, directions or states makes of its row: a kind, or "" for
# what is no donation. A state's word is heard only if it makes the row no donation.
WORDS = {
    "捐款": "donation", "捐赠": "donation", "收入": "donation", "收款": "donation",
    "转账": "donation", "交易": "donation", "支付": "donation", "donation": "donation",
    "in": "donation", "贷": "donation", "退款": "refund", "退捐": "refund", "refund": "refund",
    "配捐": "match", "match": "match", "手续费": "fee", "服务费": "fee", "收费": "fee",
    "fee": "fee", "提现": "payout", "payout": "payout", "支出": "", "out": "", "借": "",
    "不计收支": "", "失败": "", "支付失败": "", "交易关闭": "", "已关闭": "", "未支付": "",
    "待支付": "", "等待付款": "", "处理中": "", "已取消": "", "已撤销": "", "failed": "",
    "pending": "", "cancelled": "", "unpaid": "",
}  # fmt: skip


@dataclass(frozen=True)
class Mapping:
    """Fields of `FIELDS` by the headings of their columns, the first that the file has counting.

    `words`: what a word in the columns of kinds, directions and states makes of its row, a kind
    or "" for no donation; of a kind's word that is not named, `otherwise`. `minor_units`: amounts
    are in fen. Plain values only, so that it can be stored as JSON.
    """

    columns: AnyMapping[str, Sequence[str]] = field(
        default_factory=lambda: {field.name: list(field.headings) for field in FIELDS}
    )
    words: AnyMapping[str, str] = field(default_factory=lambda: dict(WORDS))
    otherwise: str = ""
    currency: str = "CNY"
    zone: str = SHANGHAI
    dates: str = Dates.YEAR_FIRST.value
    negative: str = Negative.REFUND.value
    minor_units: bool = False

    @classmethod
    def from_json(cls, told: AnyMapping[str, Any]) -> Self:
        """What `as_json` gave, from anywhere. Raises `BadMapping`."""
        known = {field.name for field in fields(cls)}
        if unknown := set(told) - known:
            raise BadMapping(f"{', '.join(sorted(map(str, unknown)))[:100]} is not known here.")
        mapping = cls(**told)
        mapping.check()
        return mapping

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def check(self) -> None:
        """Raises `BadMapping` if files cannot be read with it."""
        _check_columns(self.columns)
        kinds = {*Kind, ""}
        if not isinstance(self.words, AnyMapping) or set(self.words.values()) - kinds:
            raise BadMapping("Each word must stand for a kind of entry or for no donation.")
        for value, known in (
            (self.otherwise, kinds), (self.dates, set(Dates)), (self.negative, set(Negative)),
            (self.minor_units, {True, False}),
        ):  # fmt: skip
            if value not in known:
                raise BadMapping(f"{str(value)[:40]!r} is not one of {', '.join(map(str, known))}.")
        try:
            decimals(self.currency)
            ZoneInfo(self.zone)
        except (BadMoney, ZoneInfoNotFoundError, ValueError) as error:
            raise BadMapping("The currency or the time zone is not known.") from error


def _check_columns(columns: object) -> None:
    if not isinstance(columns, AnyMapping) or set(columns) - set(_KNOWN):
        raise BadMapping("A column is mapped to something that is not known here.")
    for headings in columns.values():
        if not isinstance(headings, Sequence) or isinstance(headings, str):
            raise BadMapping("Headings must be a list of texts.")
        if len(headings) > _MOST_HEADINGS or any(
            not isinstance(heading, str) or len(heading) > _LONGEST for heading in headings
        ):
            raise BadMapping("There are too many headings, or one is too long.")
