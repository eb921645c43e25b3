"""The contract of export profiles: each is found by itself and owes recordings of its files."""

import contextlib
from datetime import datetime
from io import BytesIO
from typing import Any, NamedTuple

import pytest

from campaigns.files.bad import BadFile
from campaigns.money import decimals
from campaigns.platforms import bills, registry
from campaigns.platforms.base import Item, Kind, Verdict
from campaigns.platforms.profile import Profile
from tests.platforms import recorded
from tests.platforms.recorded import NoRecordings

OWED = {"good", "other_layout", "odd_rows"}


class Recorded(NamedTuple):
    """One recorded file; `told` is what the index says about it."""

    profile: str
    situation: str
    told: dict[str, Any]
    body: bytes

    def __str__(self) -> str:
        return f"{self.profile}-{self.situation}"


def recordings(module: str, profile: Profile) -> list[Recorded]:
    """Raises `NoRecordings` where a profile came without what it must withstand."""
    told = recorded.index(module, "exports.json").get(profile.name, {})
    if missing := OWED - set(told):
        raise NoRecordings(f"{profile.name} has no recording of {', '.join(sorted(missing))}.")
    folder = recorded.HERE / module
    return [
        Recorded(profile.name, situation, entry, (folder / entry["file"]).read_bytes())
        for situation, entry in told.items()
    ]


FILES = [
    file
    for module, profiles in registry.exporters().items()
    for profile in profiles
    for file in recordings(module, profile)
]


def test_a_profile_without_recordings_does_not_pass() -> None:
    newcomer = Profile("newcomer", "", (), lambda number, row, reading: [])
    with pytest.raises(NoRecordings, match="odd_rows"):
        recordings("alipay_bills", newcomer)
    with pytest.raises(NoRecordings, match="nobody"):
        recordings("nobody", newcomer)


def test_the_registry_finds_every_profile_under_a_name_of_its_own() -> None:
    declared = [profile.name for some in registry.exporters().values() for profile in some]
    assert sorted(declared) == sorted(registry.profiles())
    with pytest.raises(registry.UnknownProfile, match="nobody"):
        registry.profile("nobody")


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_file_is_read_as_recorded(file: Recorded) -> None:
    opened = bills.open(BytesIO(file.body), file.profile)
    assert [plain(item) for item in opened.items()] == file.told["items"]
    assert (opened.charset, opened.account) == (file.told["charset"], file.told["account"])
    assert opened.footer.agree is file.told["agree"]


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_file_is_recognised_for_what_it_is(file: Recorded) -> None:
    assert bills.recognise(BytesIO(file.body)) == file.profile


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_second_reading_gives_the_same(file: Recorded) -> None:
    opened = bills.open(BytesIO(file.body), file.profile)
    assert list(opened.items()) == list(opened.items())


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_item_says_all_that_its_verdict_owes(file: Recorded) -> None:
    for item in bills.open(BytesIO(file.body), file.profile).items():
        assert_whole(item)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_of_a_file_cut_anywhere_only_the_last_lines_read_otherwise(file: Recorded) -> None:
    whole = _read(file.body, file.profile)
    for end in range(0, len(file.body), max(1, len(file.body) // 60)):
        with contextlib.suppress(BadFile):
            items = _read(file.body[:end], file.profile)
            last = {item.number for item in items[-4:]}
            before = [item for item in items if item.number not in last]
            assert before == whole[: len(before)]


def test_only_some_situations_are_of_files_that_agree_with_themselves() -> None:
    assert {file.told["agree"] for file in FILES} == {True, False, None}


def assert_whole(item: Item) -> None:
    """What booking relies on."""
    assert item.number >= 1
    if item.verdict != Verdict.NEW:
        assert item.verdict in set(Verdict)
        assert item.reason
        return
    assert item.reason == ""
    assert item.kind in set(Kind)
    assert type(item.minor) is int
    assert item.minor > 0 or (item.kind == Kind.FEE and item.minor < 0)
    assert item.currency
    assert decimals(item.currency) >= 0
    assert type(item.occurred_at) is datetime
    assert item.occurred_at.utcoffset() is not None
    gift = item.kind == Kind.DONATION
    assert (item.donations >= 1) == gift
    assert gift or not (item.trade or item.order or item.name or item.email or item.message)
    for number in (item.line, item.trade, item.order, item.refund, item.request, item.fee):
        assert number is None or 0 < len(number) <= 210


def plain(item: Item) -> dict[str, Any]:
    """What an item says beyond the defaults, in the words of the index."""
    said = {k: v for k, v in item._asdict().items() if v != Item._field_defaults.get(k, "?")}
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in said.items()}


def _read(body: bytes, profile: str) -> list[Item]:
    return list(bills.open(BytesIO(body), profile).items())
