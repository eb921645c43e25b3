"""What yardsticks of reading share: rates that take turns, and the peak of a process of its own."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROUNDS = 5


def measured(readers: Mapping[str, Callable[[], int]], rows: int) -> dict[str, float]:
    """Medians, in rows a second, of rounds that take turns. Each reader must find all rows."""
    rates: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(ROUNDS):
        for name, read in readers.items():
            rates[name].append(rate(read, rows))
    return {name: statistics.median(found) for name, found in rates.items()}


def rate(read: Callable[[], int], rows: int) -> float:
    """By the processor's time, which other work on the machine does not lengthen much."""
    began = time.process_time()
    found = read()
    seconds = time.process_time() - began
    if found != rows:
        sys.exit(f"{found:,} of {rows:,} rows were read.")
    return found / seconds


def told(rates: Mapping[str, float]) -> float:
    """Print each rate beside its ratio to the first; return the last one's."""
    first = next(iter(rates.values()))
    for name, found in rates.items():
        print(f"{name:24}{found:10,.0f}/s{found / first:8.2f}")
    return found / first


def peak(module: str, path: Path) -> int:
    """The most memory, in MB, of a process of its own in which the module reads the file."""
    run = subprocess.run(
        [sys.executable, "-m", module, str(path)], capture_output=True, text=True, check=True
    )
    return int(run.stdout)


def peak_of(read: Callable[[Path], int], path: Path) -> int:
    """The most memory that this process has held, once it has read the file."""
    read(path)
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024
