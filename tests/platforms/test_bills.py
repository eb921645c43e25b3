"""Exported files are read row by row, and every row says what becomes of it."""

import json
from datetime import datetime
from io import BytesIO
from pathlib import Path

from campaigns.platforms import bills

VECTORS = Path(__file__).parents[1] / "vectors"
EXPECTED = json.loads((VECTORS / "bills.json").read_text("utf-8"))["expected"]


def test_the_account_detail_of_the_vectors_is_read_to_the_last_fen() -> None:
    told = EXPECTED["alipay_account_detail"]
    with (VECTORS / "alipay_account_detail_gb18030.csv").open("rb") as file:
        opened = bills.open(file, "alipay_account")
        items = list(opened.items())
    assert (opened.charset, opened.account) == (told["encoding"], "alipay:2088000000000001")
    assert [item.number for item in items] == [6, 7, 8, 9]
    donations = [item for item in items if item.kind == "donation"]
    assert [(i.trade, i.order, i.minor, i.occurred_at) for i in donations] == [
        (d["external_id"], d["order"], d["fen"], datetime.fromisoformat(d["time"]))
        for d in told["donations"]
    ]
    assert [(i.regards, i.minor) for i in items if i.kind == "refund"] == [
        (f"trade:{r['external_id']}", r["fen"]) for r in told["refunds"]
    ]
    assert sum(i.minor or 0 for i in items if i.kind == "fee") == told["fees_fen"]
    assert opened.footer.agree
    footer = told["footer"]
    assert {f.label: (f.rows, f.minor) for f in opened.footer.found} == {
        "收入合计": (footer["in_count"], footer["in_fen"]),
        "支出合计": (footer["out_count"], footer["out_fen"]),
    }


def test_a_payments_number_is_no_key_of_its_fee_and_refund() -> None:
    with (VECTORS / "alipay_account_detail_gb18030.csv").open("rb") as file:
        _, fee, _, refund = bills.open(file, "alipay_account").items()
    assert (fee.trade, fee.order, refund.trade, refund.order) == (None, None, None, None)
    assert fee.fee == "2026090722001473030500000001"


def test_a_profile_is_recognised_by_what_the_file_holds() -> None:
    account = (VECTORS / "alipay_account_detail_gb18030.csv").read_bytes()
    assert bills.recognise(BytesIO(account)) == "alipay_account"
    assert bills.recognise(BytesIO("单号,时间,金额（不含配捐）\n".encode())) == "generic"
    assert bills.recognise(BytesIO(b"one,two,three\n1,2,3\n")) is None
