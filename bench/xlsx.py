"""Yardstick: reading a workbook of 200,000 rows into items, against calamine alone and openpyxl.

The file is a personal statement of WeChat as it is exported now. Two figures are ours: rows, which
is what calamine gives too, but with every part counted, checked and cut into strips before it sees
it, and every cell as text; and items, which is rows understood, their amounts, moments, numbers and
givers told apart. Half of calamine's speed is asked of the items, the harder of the two, since they
are what somebody waits for.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
from python_calamine import CalamineWorkbook

from bench import _reading
from campaigns.files.table import open_table
from campaigns.platforms import bills
from tests.files import bombs

ROWS = 200_000
FEWER = 20_000  # openpyxl reads at an even pace; it is not waited for
PROMISED = 0.5
HEADINGS = "交易时间,交易类型,交易对方,商品,收/支,金额(元),支付方式,当前状态,交易单号,商户单号,备注"
_STYLES = (
    f'<styleSheet xmlns="{bombs.MAIN}"><fonts count="1"><font/></fonts>'
    '<fills count="1"><fill><patternFill/></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_TEXTS = ["二维码收款", "收款方备注:二维码收款付款方留言:加油", "收入", "/", "已收钱"]


def main() -> int:
    """Print rows a second of each, and the ratio; exit code 1 where it is less than promised."""
    if sys.argv[1:]:
        print(_reading.peak_of(_items, Path(sys.argv[1])))
        return 0
    with tempfile.TemporaryDirectory() as home:
        path, short = Path(home) / "long.xlsx", Path(home) / "short.xlsx"
        path.write_bytes(_statement(ROWS))
        short.write_bytes(_statement(FEWER))
        readers: dict[str, Callable[[], int]] = {
            "calamine alone": lambda: _by_calamine(path),
            "ours, file to rows": lambda: _rows_of(path),
            "ours, file to items": lambda: _items(path),
        }
        rates = _reading.measured(readers, ROWS)
        slow = _reading.rate(lambda: _by_openpyxl(short), FEWER)
        memory = [_reading.peak("bench.xlsx", file) for file in (short, path)]
    print(f"{ROWS:,} rows of 11 cells, median of {_reading.ROUNDS} rounds")
    ratio = _reading.told(rates)
    print(f"openpyxl, read-only     {slow:10,.0f}/s{slow / rates['calamine alone']:8.2f}")
    print(f"most memory at {FEWER:,} and {ROWS:,} rows: {memory[0]} and {memory[1]} MB")
    print(f"promised {PROMISED}, to items: {'kept' if ratio >= PROMISED else 'BROKEN'}")
    return int(ratio < PROMISED)


def _rows_of(path: Path) -> int:
    """Below the headings."""
    with path.open("rb") as file:
        return sum(1 for _ in open_table(file).rows("", len(HEADINGS.split(",")))) - 1


def _items(path: Path) -> int:
    with path.open("rb") as file:
        return sum(item.verdict == "new" for item in bills.open(file, "wechat_statement").items())


def _by_calamine(path: Path) -> int:
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows()
    return sum(1 for row in rows if row) - 1


def _by_openpyxl(path: Path) -> int:
    book = openpyxl.load_workbook(path, read_only=True)
    return sum(1 for row in book.worksheets[0].iter_rows(values_only=True) if row) - 1


def _statement(rows: int) -> bytes:
    """A statement whose texts are shared, as a spreadsheet saves them."""
    shared: dict[str, int] = {}
    xml = "".join(_rows(rows, shared))
    texts = "".join(f"<si><t>{text}</t></si>" for text in shared)
    strings = f"<sst xmlns='{bombs.MAIN}'>{texts}</sst>"
    return bombs.workbook(f"<sheetData>{xml}</sheetData>", strings=strings, styles=_STYLES)


def _rows(rows: int, shared: dict[str, int]) -> Iterator[str]:
    def text(column: str, row: int, said: str) -> str:
        number = shared.setdefault(said, len(shared))
        return f'<c r="{column}{row}" t="s"><v>{number}</v></c>'

    def line(row: int, cells: Iterator[str]) -> str:
        return f'<row r="{row}">{"".join(cells)}</row>'

    named = enumerate(HEADINGS.split(","))
    yield line(1, (text("ABCDEFGHIJK"[place], 1, said) for place, said in named))
    for row in range(2, rows + 2):
        said = dict(zip("BDEGHK", [*_TEXTS, "/"], strict=True))
        said |= {"C": f"张{row % 5000}", "I": f"42000020260907{row:014}", "J": f"10000{row:010}"}
        cells = {column: text(column, row, words) for column, words in said.items()}
        cells["A"] = f'<c r="A{row}" s="1"><v>{46272 + row / 86400:.10f}</v></c>'
        cells["F"] = f'<c r="F{row}"><v>{row % 10_000 / 100 + 1:.2f}</v></c>'
        yield line(row, (cells[column] for column in sorted(cells)))


if __name__ == "__main__":
    sys.exit(main())
