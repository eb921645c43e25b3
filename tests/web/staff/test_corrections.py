"""Wrong entries are taken back or booked anew in view of what people would see, and once."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from campaigns import ledger
from campaigns.bookings import Booking
from campaigns.db import db
from campaigns.model.correction import Correction
from campaigns.model.delivery import DeliveryState
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind, Way
from campaigns.model.file import File
from campaigns.model.gift import Gift
from campaigns.model.imported import Import
from campaigns.model.listing import Listing, Rule
from campaigns.model.staff import Role
from campaigns.money import Money
from campaigns.platforms.base import Key
from tests import make
from tests.make import NOON
from tests.web.staff.conftest import Desk

WHY = "typed a zero too many"


@pytest.fixture
def treasurer(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.TREASURER, timezone="Asia/Shanghai")


@pytest.fixture
def listing(treasurer: Desk) -> Listing:
    return make.listing(make.campaign("after-school"), rule=Rule.ITEMISED)


def book(listing: Listing, **more: Any) -> Entry:
    given: dict[str, Any] = {
        "listing": listing,
        "kind": EntryKind.DONATION,
        "amount": Money.parse("500.00 CNY"),
        "occurred_at": NOON,
        "source": "hand",
        "keys": (Key("form", "a-form-of-its-own"), Key("trade", "B-1")),
        "door": Door.HAND,
        "way": Way.BANK,
        "reason": "transfer",
    }
    entry_id = ledger.book(Booking(**given | more), NOON).entry_id
    db.session.commit()
    return db.session.get_one(Entry, entry_id)


def entries() -> list[Entry]:
    return list(db.session.scalars(select(Entry).order_by(Entry.id)))


def minor() -> list[int]:
    return [entry.amount_minor for entry in entries()]


def anew(treasurer: Desk, entry: Entry, **typed: Any) -> dict[str, Any]:
    """The form as the page gives it, with what is typed into it."""
    page = treasurer.get(f"/staff/ledger/{entry.id}/anew").text
    fields = dict(re.findall(r'<input [^>]*name="(\w+)"[^>]*value="([^"]*)"', page))
    for name, options in re.findall(r'<select [^>]*name="(\w+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'<option selected[^>]*value="([^"]*)"', options)
        fields[name] = chosen[1] if chosen else ""
    fields.pop("csrf_token")
    return fields | {"reason": WHY, "step": "do"} | typed


def test_taking_back_shows_first_what_people_would_see(treasurer: Desk, listing: Listing) -> None:
    book(listing, keys=(Key("trade", "B-0"),))
    entry = book(listing)
    path = f"/staff/ledger/{entry.id}/take-back"
    answer = treasurer.post(path, reason=WHY)
    assert answer.status_code == 200
    assert re.search(r"Tencent Charity.*¥1,000\.00.*¥500\.00", answer.text, re.S)
    assert "A published figure falls" in answer.text
    assert minor() == [50000, 50000]
    treasurer.post(path, reason=WHY, step="do")
    assert minor() == [50000, 50000, -50000]
    correction = db.session.scalars(select(Correction)).one()
    assert (correction.before.amount, correction.after.amount) == ("1000.00", "500.00")
    public = treasurer.client.get("/en/c/after-school").text
    assert WHY in public
    assert "¥500.00" in public


def test_the_second_of_two_people_is_told_of_the_first(treasurer: Desk, listing: Listing) -> None:
    entry = book(listing)
    path = f"/staff/ledger/{entry.id}/take-back"
    treasurer.post(path, reason="mine", step="do")
    for step in ("look", "do"):
        answer = treasurer.post(path, reason="theirs", step=step)
        assert answer.location == f"/staff/ledger/{entry.id}"
        said = treasurer.get(f"/staff/ledger/{entry.id}").text
        assert f"Somebody took this entry back already, by entry {entries()[1].id}." in said
    assert minor() == [50000, -50000]
    assert treasurer.get(path).status_code == 302


def test_a_reason_is_needed(treasurer: Desk, listing: Listing) -> None:
    entry = book(listing)
    for reason in ("", "  ", "x" * 501):
        path = f"/staff/ledger/{entry.id}/take-back"
        assert treasurer.post(path, reason=reason, step="do").status_code == 400
        answer = treasurer.post(
            f"/staff/ledger/{entry.id}/anew", **anew(treasurer, entry, reason=reason)
        )
        assert answer.status_code == 400
    assert minor() == [50000]


def test_thanks_that_have_not_left_are_called_off(treasurer: Desk, listing: Listing) -> None:
    entry = book(listing)
    waiting, sent = (
        make.delivery(letter="thanks", mailing_id=None, occasion=f"entry:{n}", entry_id=entry.id)
        for n in range(2)
    )
    sent.state = DeliveryState.SENT
    treasurer.post(f"/staff/ledger/{entry.id}/take-back", reason=WHY, step="do")
    assert (waiting.state, sent.state) == (DeliveryState.CANCELLED, DeliveryState.SENT)


def test_the_form_is_filled_with_what_the_entry_says(treasurer: Desk, listing: Listing) -> None:
    form = anew(treasurer, book(listing, donations=37))
    assert form | {"step": "", "reason": ""} == {
        "listing": str(listing.id),
        "amount": "500.00",
        "currency": "CNY",
        "moment": "2026-11-22T12:00",
        "donations": "37",
        "way": "bank",
        "reference": "B-1",
        "note": "transfer",
        "reason": "",
        "step": "",
    }


def test_what_is_booked_anew_is_seen_first_then_linked_both_ways(
    treasurer: Desk, listing: Listing
) -> None:
    entry = book(listing)
    db.session.add(Gift(entry_id=entry.id, public_name="Ada"))
    path = f"/staff/ledger/{entry.id}/anew"
    answer = treasurer.post(path, **anew(treasurer, entry, amount="50.00", step="look"))
    assert re.search(r"Tencent Charity.*¥500\.00.*¥50\.00", answer.text, re.S)
    assert minor() == [50000]
    treasurer.post(path, **anew(treasurer, entry, amount="50.00"))
    assert minor() == [50000, -50000, 5000]
    made = entries()[2]
    assert (made.replaces, made.occurred_at, made.way) == (entry.id, NOON, Way.BANK)
    assert f"/staff/ledger/{made.id}" in treasurer.get(f"/staff/ledger/{entry.id}").text
    assert f"/staff/ledger/{entry.id}" in treasurer.get(f"/staff/ledger/{made.id}").text
    assert {key.value for key in made.keys} == {"a-form-of-its-own", "B-1"}
    assert db.session.scalars(select(Gift)).one().entry_id == made.id
    assert WHY in treasurer.client.get("/en/c/after-school").text


def test_a_stale_form_is_told_of_the_entry_that_stands(treasurer: Desk, listing: Listing) -> None:
    entry = book(listing)
    form = anew(treasurer, entry, amount="50.00")
    for _ in range(2):
        treasurer.post(f"/staff/ledger/{entry.id}/anew", **form)
    assert minor() == [50000, -50000, 5000]
    said = treasurer.get(f"/staff/ledger/{entry.id}").text
    assert f"Somebody booked this anew already, as entry {entries()[2].id}." in said


def test_it_moves_to_the_listing_where_it_belongs(treasurer: Desk, listing: Listing) -> None:
    entry, other = book(listing), make.listing(make.campaign("elsewhere"), rule=Rule.ITEMISED)
    path = f"/staff/ledger/{entry.id}/anew"
    answer = treasurer.post(path, **anew(treasurer, entry, listing=other.id, step="look"))
    assert answer.text.count("After school") >= 2
    treasurer.post(path, **anew(treasurer, entry, listing=other.id))
    assert [entry.listing_id for entry in entries()] == [listing.id, listing.id, other.id]
    assert entries()[2].campaign_id == other.campaign_id


def test_a_mistyped_number_is_free_again(treasurer: Desk, listing: Listing) -> None:
    entry = book(listing)
    treasurer.post(f"/staff/ledger/{entry.id}/anew", **anew(treasurer, entry, reference="B-2"))
    kept = {key.value for key in db.session.scalars(select(EntryKey))}
    assert kept == {"a-form-of-its-own", "B-2"}


def test_another_entry_s_number_is_refused(treasurer: Desk, listing: Listing) -> None:
    book(listing, keys=(Key("trade", "B-2"),))
    entry = book(listing)
    form = anew(treasurer, entry, reference="B-2")
    answer = treasurer.post(f"/staff/ledger/{entry.id}/anew", **form)
    assert answer.status_code == 400
    assert "Another entry has this number already." in answer.text
    assert minor() == [50000, 50000]
    assert "B-1" in {key.value for key in db.session.scalars(select(EntryKey))}


def test_numbers_of_a_webhook_stay_with_the_money(treasurer: Desk, listing: Listing) -> None:
    keys = (Key("trade", "T-1"), Key("order", "A-17"))
    posted = {"source": "alipay:2088", "keys": keys, "door": Door.WEBHOOK, "way": None}
    entry = book(listing, **posted)
    form = anew(treasurer, entry, amount="49.00")
    assert "reference" not in form
    assert "way" not in form
    treasurer.post(f"/staff/ledger/{entry.id}/anew", **form)
    made = entries()[2]
    assert {Key(key.scheme, key.value) for key in made.keys} == set(keys)
    assert made.source == "alipay:2088"


def test_what_was_taken_back_may_be_true_after_all(treasurer: Desk, listing: Listing) -> None:
    entry = book(listing)
    treasurer.post(f"/staff/ledger/{entry.id}/take-back", reason=WHY, step="do")
    treasurer.post(f"/staff/ledger/{entry.id}/anew", **anew(treasurer, entry))
    assert minor() == [50000, -50000, 50000]


def test_a_reversal_is_not_corrected(treasurer: Desk, listing: Listing) -> None:
    reversal = ledger.reverse(book(listing), WHY, NOON)
    for path in ("take-back", "anew"):
        assert treasurer.get(f"/staff/ledger/{reversal.id}/{path}").status_code == 302
    treasurer.post(f"/staff/ledger/{reversal.id}/take-back", reason=WHY, step="do")
    assert minor() == [50000, -50000]
    assert "A reversal stays as it is" in treasurer.get(f"/staff/ledger/{reversal.id}").text


def test_an_entry_that_an_import_still_writes_is_left_alone(
    treasurer: Desk, listing: Listing
) -> None:
    file = File(sha256="0" * 64, size=1, media_type="text/csv", created_at=NOON)
    db.session.add(file)
    db.session.flush()
    source = Import(file_id=file.id, name="bill.csv", profile="x", source="x", created_at=NOON)
    db.session.add(source)
    db.session.flush()
    entry = Entry(
        kind=EntryKind.DONATION,
        amount_minor=100,
        currency="CNY",
        donations=1,
        campaign_id=listing.campaign_id,
        listing_id=listing.id,
        source="x",
        occurred_at=NOON,
        day=NOON.date(),
        booked_at=NOON,
        door=Door.FILE,
        import_id=source.id,
        import_row=0,
    )
    db.session.add(entry)
    db.session.commit()
    treasurer.post(f"/staff/ledger/{entry.id}/take-back", reason=WHY, step="do")
    assert minor() == [100]
    assert "An import has not finished" in treasurer.get(f"/staff/ledger/{entry.id}").text


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", "0"), ("amount", "x"), ("moment", "2999-01-01T00:00"), ("listing", "999"),
     ("currency", "XXX"), ("donations", "-1")],
)  # fmt: skip
def test_what_cannot_be_is_said_beside_its_field(
    treasurer: Desk, listing: Listing, field: str, value: str
) -> None:
    entry = book(listing)
    form = anew(treasurer, entry, **{field: value})
    answer = treasurer.post(f"/staff/ledger/{entry.id}/anew", **form)
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert minor() == [50000]


def test_only_who_may_book_corrects(desk: Callable[..., Desk], listing: Listing) -> None:
    entry = book(listing)
    page = desk(Role.ADMINISTRATOR).get(f"/staff/ledger/{entry.id}").text
    assert f"/staff/ledger/{entry.id}/take-back" in page
    for role in (Role.FUNDRAISER, Role.EDITOR, Role.APPROVER):
        sitting = desk(role)
        for path in ("take-back", "anew"):
            assert sitting.get(f"/staff/ledger/{entry.id}/{path}").status_code == 403
            assert sitting.post(f"/staff/ledger/{entry.id}/{path}").status_code == 403
