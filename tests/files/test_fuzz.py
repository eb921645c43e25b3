"""Whatever is uploaded is read into items or refused in a sentence, soon, and nothing else."""

import time
import zipfile
from collections.abc import Callable
from functools import cache
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.files.bad import BadFile
from campaigns.platforms import bills, registry
from campaigns.platforms.mapping import Mapping
from tests.files import bombs
from tests.platforms.test_exports import FILES, assert_whole

SECONDS = 5  # of the processor, for inputs of some kilobytes
PROFILES = sorted(registry.profiles())
TOKENS = [
    b"", b",", b"\t", b";", b"\r\n", b"\n", b"\r", b'"', b'""', b"`", b",`", b"'", b"#", b"\0",
    b"\xff", b"\x81", b"\xef\xbb\xbf", b"\xff\xfe", b"-", b"--", b"+", b".", b"/", b"0", b"1",
    b"-0", b"1e9", b"4.2E+27", b"NaN", b"Infinity", b"1,234.50", b"1.005", b"9" * 16, b"9" * 400,
    b"0.00000", b"2026-09-07 10:00:05", b"2026-02-30", b"9999-99-99 99:99:99", b"46272.5",
    b"2026-09-07T10:00:05+08:00", b"2026-09-07 10:00:05+99:99", b"=1+1", b"@x", b"<", b">", b"&",
    b"&#0;", b"r=\"", b' r="A9999999"', b' r="XFD1"', b"<row>", b"</row>", b"<c/>", b"<v>", b"</v>",
    b't="s"', b't="d"', b't="e"', b"uniqueCount=\"9\"", b"%s%n", b"PK\x03\x04", b"PK\x05\x06",
    "收入".encode(), "支出".encode(), "退款".encode(), "已退款(￥1)".encode(),
    "：".encode("gb18030"), "合计：9笔，共9元".encode("gb18030"),
    "\u202e\u2028".encode(), "\U0001f9e7".encode(),
    b"\xed\xa0\x80", b"\x81\x30\x81\x30", b"\xe2\x82",
]  # fmt: skip
EDIT = st.tuples(
    st.sampled_from(["put", "over", "cut", "twice", "flip"]),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(TOKENS) | st.binary(max_size=6),
)
EDITS = st.lists(EDIT, min_size=1, max_size=6)
SOUP = st.lists(
    st.sampled_from([*TOKENS, b",", b",", b",", b"\n", b"\n"]) | st.binary(max_size=4), max_size=60
).map(b"".join)


def tried(body: bytes, profile: str, charset: str | None = None) -> None:
    """Read it all. Raises what must not be raised."""
    began = time.process_time()
    mapping = Mapping(otherwise="donation", negative="refused") if len(body) % 2 else None
    bills.recognise(BytesIO(body))
    try:
        opened = bills.open(BytesIO(body), profile, charset=charset, mapping=mapping)
        last = 0
        for item in opened.items():
            assert_whole(item)
            assert item.number >= last
            last = item.number
        opened.sample()
    except BadFile as refused:
        assert str(refused)[0].isupper()  # noqa: PT017 - either outcome is right
    assert time.process_time() - began < SECONDS


def edited(body: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    for how, where, token in edits:
        at = int(where * len(body))
        if how == "put":
            body = body[:at] + token + body[at:]
        elif how == "over":
            body = body[:at] + token + body[at + len(token) :]
        elif how == "cut":
            body = body[:at] + body[at + 8 * len(token) :]
        elif how == "twice":
            body = body[:at] + body[max(0, at - 40) : at] * 2 + body[at:]
        elif body:
            body = body[:at] + bytes([body[at] ^ (1 << len(token) % 8)]) + body[at + 1 :]
    return body


@cache
def parts(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(body)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


@cache
def headings(profile: str) -> bytes:
    columns = registry.profile(profile).columns
    return ",".join(next(iter(column.headings), "") for column in columns).encode()


def damaged_file(index: int, edits: list[tuple[str, float, bytes]]) -> None:
    """A recorded file; in an archive or a workbook, one of the files that it holds."""
    file = FILES[index % len(FILES)]
    if not file.body.startswith(b"PK"):
        tried(edited(file.body, edits), file.profile)
        return
    tried(edited(file.body, edits), file.profile)
    members = parts(file.body)
    name = sorted(members)[index % len(members)]
    tried(bombs.archive({**members, name: edited(members[name], edits)}), file.profile)


def any_bytes(body: bytes, profile: str, charset: str | None) -> None:
    tried(body, profile, charset)


def rows_of_nonsense(body: bytes, profile: str, charset: str | None) -> None:
    tried(headings(profile) + b"\n" + body, profile, charset)


def sheets_of_nonsense(body: bytes, profile: str, charset: str | None) -> None:
    tried(bombs.workbook(b"<sheetData>" + body + b"</sheetData>"), profile, charset)


def some(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=examples < 1_000,
        suppress_health_check=list(HealthCheck),
    )


CHARSET = st.sampled_from([None, None, "utf-8", "gb18030", "utf-8-sig", "utf-16"])
NONSENSE = given(
    body=SOUP | st.binary(max_size=200), profile=st.sampled_from(PROFILES), charset=CHARSET
)
FUZZED = [any_bytes, rows_of_nonsense, sheets_of_nonsense]


@pytest.mark.parametrize("fuzzed", FUZZED)
def test_nonsense_is_read_or_refused(fuzzed: Callable[..., None]) -> None:
    some(150)(NONSENSE(fuzzed))()


def test_damaged_files_are_read_or_refused() -> None:
    some(400)(given(index=st.integers(0, 10_000), edits=EDITS)(damaged_file))()


@pytest.mark.judge
@pytest.mark.parametrize("fuzzed", FUZZED)
def test_much_nonsense_is_read_or_refused(fuzzed: Callable[..., None]) -> None:
    some(25_000)(NONSENSE(fuzzed))()


@pytest.mark.judge
def test_many_damaged_files_are_read_or_refused() -> None:
    some(40_000)(given(index=st.integers(0, 10_000), edits=EDITS)(damaged_file))()
