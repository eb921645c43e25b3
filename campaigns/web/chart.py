"""The geometry of a curve, ready for an SVG, and the table behind it.

A chart is as wide as its page and of a fixed height: across, places are thousandths of the width,
and only its edges and middle for text, which must not be stretched; down, they are pixels. The
names of the lines stand beside it, in a strip as wide as the longest of them.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from campaigns.curve import Curve, Point
from campaigns.money import Money

WIDTH, HEIGHT, CEILING, FLOOR = 1000, 240, 26, 214
APART = 18  # pixels between two labels
LEADER = 12  # pixels from the end of a line to its name
LONGEST_NAME = 184  # pixels
# A target that is more than so many times what was raised would press the lines to the floor.
MOST_TIMES = 4
MOST_ROWS = 31


@dataclass(frozen=True, slots=True)
class Drawn:
    """A line: its steps, its days whose figure staff entered, and the way from its end to its name.

    `series` is None for the sum of all lines. `label` is its name as far as there is room. `began`
    and `ended` are days and amounts.
    """

    name: str
    label: str
    series: int | None
    path: str
    by_hand: str
    leader: str
    name_y: int
    began: tuple[date, Money]
    ended: tuple[date, Money]

    @property
    def look(self) -> str:
        """Its class in the stylesheet."""
        return f"series-{self.series}" if self.series else "whole"


@dataclass(frozen=True, slots=True)
class Tick:
    """A hairline across at a round amount."""

    y: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Row:
    """A day of the table: each line's point, if it had one by then; the sum where there are two."""

    day: date
    points: tuple[Point | None, ...]
    total: Money | None


@dataclass(frozen=True, slots=True)
class Chart:
    """What the macro `curve` draws.

    `target_y` is None where no target is drawn. `days` are the first, one in the middle and the
    last; `every` is how many of them one point stands for.
    """

    lines: tuple[Drawn, ...]
    ticks: tuple[Tick, ...]
    target: Money | None
    target_y: int | None
    days: tuple[date, date, date]
    every: int
    zone: str
    currency: str
    as_of: datetime
    columns: list[tuple[str, str]]
    rows: tuple[Row, ...]

    @property
    def by_hand(self) -> bool:
        return any(line.by_hand for line in self.lines)

    @property
    def strip(self) -> int:
        """How wide the strip of names is."""
        return LEADER + max(_width(line.label) for line in self.lines) + 4


@dataclass(frozen=True, slots=True)
class _Line:
    """Amounts in minor units by the place of their day; None before the first."""

    name: str
    series: int | None
    amounts: tuple[int | None, ...]
    by_hand: tuple[bool, ...]

    @property
    def first(self) -> int:
        return next(place for place, amount in enumerate(self.amounts) if amount is not None)


def drawn(
    curve: Curve, names: Sequence[tuple[str, int]], total: str, target: Money | None, zone: str
) -> Chart | None:
    """The chart of a curve; None where nothing was raised.

    `names` are the names and series of its lines; `total` is what their sum is called, which is
    drawn where there are several; `zone` is what that of its days is called.
    """
    lines = _lines(curve, names, total)
    highest = max((amount or 0 for line in lines for amount in line.amounts), default=0)
    if highest <= 0:
        return None
    aim = target if target is not None and target.minor <= highest * MOST_TIMES else None
    top = max(highest, aim.minor) if aim else highest
    target_y = _y(aim.minor, top) if aim else None
    currency = curve.total[0].currency
    return Chart(
        lines=_placed(lines, curve, top),
        ticks=_ticks(top, currency, target_y),
        target=target,
        target_y=target_y,
        days=(curve.days[0], curve.days[(len(curve.days) - 1) // 2], curve.days[-1]),
        every=curve.every,
        zone=zone,
        currency=currency,
        as_of=max(line.points[-1].as_of for line in curve.lines),
        columns=[(name, "num") for name in _columns(names, total)],
        rows=_rows(curve),
    )


def _lines(curve: Curve, names: Sequence[tuple[str, int]], total: str) -> list[_Line]:
    """The sum first, so that the others are drawn over it."""
    lines = [
        _Line(
            name,
            series,
            tuple(point.raised.minor if point else None for point in points),
            tuple(point is not None and point.by_hand for point in points),
        )
        for (name, series), points in zip(names, _points(curve), strict=True)
    ]
    if len(lines) == 1:
        return lines
    sums = tuple(amount.minor for amount in curve.total)
    return [_Line(total, None, sums, (False,) * len(sums)), *lines]


def _points(curve: Curve) -> list[tuple[Point | None, ...]]:
    """Of each line a point or none for each of the curve's days."""
    by_day = [{point.day: point for point in line.points} for line in curve.lines]
    return [tuple(points.get(day) for day in curve.days) for points in by_day]


def _placed(lines: Sequence[_Line], curve: Curve, top: int) -> tuple[Drawn, ...]:
    ends = [_y(line.amounts[-1] or 0, top) for line in lines]
    return tuple(
        Drawn(
            name=line.name,
            label=_label(line.name),
            series=line.series,
            path=_steps(line, top),
            by_hand=_dots(line, top),
            leader=f"M0 {end}L{LEADER - 4} {name_y}",
            name_y=name_y,
            began=_amount(line, curve, line.first),
            ended=_amount(line, curve, len(curve.days) - 1),
        )
        for line, end, name_y in zip(lines, ends, _spread(ends), strict=True)
    )


def _amount(line: _Line, curve: Curve, place: int) -> tuple[date, Money]:
    return curve.days[place], Money(line.amounts[place] or 0, curve.total[0].currency)


def _steps(line: _Line, top: int) -> str:
    """A figure stands until there is another one."""
    path, before = "", None
    for place, amount in enumerate(line.amounts):
        y = None if amount is None else _y(amount, top)
        if y is not None and y != before:
            x = WIDTH * place // len(line.amounts)
            path += f"M{x} {y}" if before is None else f"H{x}V{y}"
            before = y
    return f"{path}H{WIDTH}"


def _dots(line: _Line, top: int) -> str:
    """Strokes of no length in the middle of their days, whose round ends are dots."""
    return "".join(
        f"M{WIDTH * (2 * place + 1) // (2 * len(line.amounts))} {_y(amount, top)}h0"
        for place, amount in enumerate(line.amounts)
        if line.by_hand[place] and amount is not None
    )


def _y(amount: int, top: int) -> int:
    return FLOOR - max(amount, 0) * (FLOOR - CEILING) // top


def _spread(ends: Sequence[int]) -> list[int]:
    """Where the names of lines that end there stand: beside their ends, and apart."""
    found = list(ends)
    room = FLOOR
    for place in sorted(range(len(ends)), key=lambda place: -ends[place]):
        found[place] = min(ends[place], room)
        room = found[place] - APART
    least = APART // 2
    for place in sorted(range(len(ends)), key=lambda place: found[place]):
        found[place] = max(found[place], least)
        least = found[place] + APART
    return found


def _label(name: str) -> str:
    """The name, or as much of it as there is room for."""
    while _width(name) > LONGEST_NAME:
        name = name.removesuffix("…")[:-1].rstrip() + "…"
    return name


def _width(text: str) -> int:
    """About how many pixels a text takes: a Chinese character its size, a letter half of that."""
    return sum(13 if unicodedata.east_asian_width(one) in "WF" else 7 for one in text)


def _ticks(top: int, currency: str, target_y: int | None) -> tuple[Tick, ...]:
    """Round amounts, about four; none whose label would stand on the target's."""
    power = 10 ** max(len(str(top // 4)) - 1, 0)
    step = next(times * power for times in (1, 2, 5, 10) if times * power * 4 >= top)
    ticks = [
        Tick(_y(amount, top), Money(amount, currency)) for amount in range(step, top + 1, step)
    ]
    return tuple(one for one in ticks if target_y is None or abs(one.y - target_y) >= APART)


def _columns(names: Sequence[tuple[str, int]], total: str) -> list[str]:
    return ([total] if len(names) > 1 else []) + [name for name, _ in names]


def _rows(curve: Curve) -> tuple[Row, ...]:
    """As many days as one reads, the last always among them; the data has the others."""
    every = -(-len(curve.days) // MOST_ROWS)
    points = _points(curve)
    places = range(len(curve.days) - 1, -1, -every)
    several = len(points) > 1
    return tuple(
        Row(
            curve.days[place],
            tuple(of_line[place] for of_line in points),
            curve.total[place] if several else None,
        )
        for place in places
    )
