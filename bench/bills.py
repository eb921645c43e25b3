"""Yardstick: reading an Alipay account detail of 200,000 rows into items, against csv alone.

The file is in GB18030. The plain version decodes it, cuts it with `csv` and validates amount,
moment and numbers of each row, but knows no refunds, fees, footers or damaged lines. Ours promises
to be no slower, in memory that does not grow with the rows.
"""

import csv
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from bench import _reading
from campaigns.platforms import bills
from tests import bill
from tests.bill import Paid

ROWS, FEWER = 200_000, 20_000
PROMISED = 1.0
MEMORY = 1.2  # of the peak at a tenth of the rows
SHANGHAI = timezone(timedelta(hours=8))


def main() -> int:
    """Print rows a second of each, and the ratio; exit code 1 where it is less than promised."""
    if sys.argv[1:]:
        print(_reading.peak_of(_by_us, Path(sys.argv[1])))
        return 0
    with tempfile.TemporaryDirectory() as home:
        path, short = Path(home) / "long.csv", Path(home) / "short.csv"
        path.write_bytes(bill.bill(map(_paid, range(ROWS))))
        short.write_bytes(bill.bill(map(_paid, range(FEWER))))
        readers: dict[str, Callable[[], int]] = {
            "csv and validation": lambda: _by_csv(path),
            "ours, file to items": lambda: _by_us(path),
        }
        rates = _reading.measured(readers, ROWS)
        memory = [_reading.peak("bench.bills", file) for file in (short, path)]
    print(f"{ROWS:,} rows of 12 cells, GB18030, median of {_reading.ROUNDS} rounds")
    ratio = _reading.told(rates)
    print(f"most memory at {FEWER:,} and {ROWS:,} rows: {memory[0]} and {memory[1]} MB")
    kept = ratio >= PROMISED and memory[1] <= MEMORY * memory[0]
    print(f"promised {PROMISED}: {'kept' if kept else 'BROKEN'}")
    return int(not kept)


def _paid(number: int) -> Paid:
    return Paid(number, 100 + number % 977, party="" if number % 3 else "张三 (zh***@example.com)")


def _by_us(path: Path) -> int:
    with path.open("rb") as file:
        return sum(item.verdict == "new" for item in bills.open(file, "alipay_account").items())


def _by_csv(path: Path) -> int:
    with path.open(encoding="gb18030", newline="") as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        next(rows)
        return sum(_is_valid(row) for row in rows)


def _is_valid(row: list[str]) -> bool:
    line, trade, order, _, when, _, income, expense = map(str.strip, row[:8])
    moment = datetime.fromisoformat(when).replace(tzinfo=SHANGHAI).astimezone(UTC)
    come, gone = (int(cell.replace(".", "")) for cell in (income, expense))
    return line.isdecimal() and trade.isdecimal() and bool(order and moment) and come + gone > 0


if __name__ == "__main__":
    sys.exit(main())
