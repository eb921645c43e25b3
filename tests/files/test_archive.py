"""Archives are refused by what their directory says, and counted while they are unpacked."""

import time
import tracemalloc
from io import BytesIO
from pathlib import Path

import pytest

from campaigns.files.archive import Archive
from campaigns.files.bad import BadFile
from campaigns.files.table import open_table
from tests.files import bombs

VECTORS = Path(__file__).parents[1] / "vectors"
ROWS = "单号,时间\n1,2\n"


def read(body: bytes, member: str | None = None) -> list[list[str]]:
    table = open_table(BytesIO(body), member=member)
    return [cells for _, cells in table.rows(",")]


def test_names_in_gbk_are_read_and_the_summary_is_passed_over() -> None:
    table = open_table(BytesIO((VECTORS / "alipay_business_bill_gbknames.csv.zip").read_bytes()))
    assert table.members == ("20880000000000010156_20260907_业务明细.csv",)


def test_a_summary_is_read_where_there_is_nothing_else() -> None:
    assert open_table(BytesIO(bombs.archive({"汇总.csv": ROWS}))).member == "汇总.csv"


def test_one_of_several_tables_may_be_chosen() -> None:
    body = bombs.archive({"a.csv": "x,1\n", "b/读我.txt": "y,2\n", "__MACOSX/._a.csv": "z"})
    assert open_table(BytesIO(body)).members == ("a.csv", "b/读我.txt")
    assert read(body, "b/读我.txt") == [["y", "2"]]
    with pytest.raises(BadFile, match="nobody"):
        read(body, "nobody.csv")


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({f"{n}.csv": "" for n in range(21)}, "too many"),
        ({"zeros.csv": b"0" * 40_000_000}, "suspiciously much"),
        ({"inner.zip": bombs.archive({"a.csv": ROWS})}, "another archive"),
        ({"inner.xlsx": b"PK"}, "another archive"),
        ({"../a.csv": ROWS}, "outside"),
        ({"/a.csv": ROWS}, "outside"),
        ({"a\\..\\..\\b.csv": ROWS}, "outside"),
        ({"c:a.csv": ROWS}, "outside"),
        ({"readme.pdf": b"%PDF"}, "no CSV"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_archive_is_refused_by_its_directory(members: dict[str, bytes | str], why: str) -> None:
    with pytest.raises(BadFile, match=why):
        open_table(BytesIO(bombs.archive(members, level=9)))


def test_a_bomb_costs_neither_time_nor_memory() -> None:
    body = bombs.archive({"a.csv": b"0," * 60_000_000}, level=9)
    assert len(body) < 1_000_000
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(BadFile):
        open_table(BytesIO(body))
    assert time.process_time() - began < 2
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_bomb_that_lies_about_its_size_is_stopped_while_it_unpacks() -> None:
    body = bombs.lying(bombs.archive({"a.csv": b"0," * 30_000_000}, level=9), 1_000_000)
    tracemalloc.start()
    with pytest.raises(BadFile):
        read(body)
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


def test_a_directory_of_a_million_entries_is_refused_unread() -> None:
    end = b"PK\x05\x06" + bytes(8) + (60_000_000).to_bytes(4, "little") + bytes(6)
    with pytest.raises(BadFile, match="directory"):
        open_table(BytesIO(b"PK" + bytes(60_000_000) + end))


@pytest.mark.parametrize("flag", [0x1, 0x41])
def test_a_locked_archive_is_refused(flag: int) -> None:
    body = bytearray(bombs.archive({"a.csv": ROWS}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(mark) + at] |= flag
    with pytest.raises(BadFile, match="password"):
        open_table(BytesIO(bytes(body)))


def test_a_damaged_member_is_refused_while_it_is_read() -> None:
    body = bytearray(bombs.archive({"a.csv": "".join(f"{n},x\n" for n in range(99_999))}))
    body[len(body) // 2] ^= 0xFF
    with pytest.raises(BadFile, match="damaged"):
        read(bytes(body))


def test_what_only_begins_like_an_archive_is_refused() -> None:
    for body in (b"PK\x03\x04", b"PK,1\n", b"PK" + bytes(100_000)):
        with pytest.raises(BadFile, match="damaged"):
            Archive(BytesIO(body))
