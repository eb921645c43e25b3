"""Contacts by a file: what becomes of each row, all of them or none."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from flask_babel import force_locale
from sqlalchemy import func, select

from campaigns import contacts, disclosure, stored, suppression, tagging
from campaigns.contact_verdicts import Judged, Verdict
from campaigns.contacts import Basis, Changed, NotOpen
from campaigns.db import db
from campaigns.files.pasted import Line, MissingColumn, UnknownColumn
from campaigns.model.audit import AuditRecord
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.contact_import import ContactImport, ContactImportState
from campaigns.model.donor import Donor
from campaigns.model.file import FileChunk
from campaigns.model.suppression import SuppressionCause
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
NEWSLETTER = (Purpose.NEWSLETTER, None)
Import = tuple[ContactImport, list[Line]]


def basis(*purposes: Any) -> Basis:
    asked = purposes or (NEWSLETTER,)
    return Basis("Lin", date(2026, 11, 20), "a paper list", "Yes, write to me.", asked)


def add(text: str, *purposes: Any) -> Import:
    file = BytesIO(text.encode())
    one, lines = contacts.add(file, "list.csv", basis(*purposes), NOON, None)
    contacts.keep(one, stored.keep(file, NOON))
    db.session.commit()
    return one, lines


def judged(one: Import) -> list[Judged]:
    return contacts.judged(*one)


def verdicts(one: Import) -> list[Verdict]:
    return [row.verdict for row in judged(one)]


def commit(one: Import) -> None:
    contacts.commit(*one, contacts.counted(judged(one)), NOON, None)
    db.session.commit()


def at(address: str) -> Donor | None:
    return db.session.scalar(select(Donor).where(Donor.address == address))


def test_a_new_contact_is_a_donor_who_agreed_on_this_basis() -> None:
    campaign = make.campaign()
    one = add(
        "Email,姓名,language,time zone,place,tags\n"
        "Ada@Example.org, Ada L. ,EN,Europe/London,London,volunteer;Fair 2026\n",
        NEWSLETTER,
        (Purpose.UPDATES, campaign.id),
    )
    assert verdicts(one) == [Verdict.NEW]
    assert at("ada@example.org") is None
    commit(one)
    donor = at("ada@example.org")
    assert donor is not None
    assert (donor.name, donor.locale, donor.timezone) == ("Ada L.", "en", "Europe/London")
    assert (donor.place, tagging.of(donor)) == ("London", ("fair 2026", "volunteer"))
    said = db.session.scalars(select(Consent).order_by(Consent.id)).all()
    assert [(row.purpose, row.campaign_id) for row in said] == [
        NEWSLETTER,
        (Purpose.UPDATES, campaign.id),
    ]
    assert {(row.source, row.wording) for row in said} == {
        (ConsentSource.FILE, f"contacts:{one[0].id}")
    }
    assert said[0].at == datetime(2026, 11, 19, 16, tzinfo=UTC)  # the 20th begins in Shanghai


def test_who_reads_what_we_know_of_them_finds_the_words_they_agreed_to() -> None:
    commit(add("email\nada@example.org\n"))
    donor = at("ada@example.org")
    assert donor is not None
    [said] = disclosure.of(donor, "en", NOON)["consents"]
    assert said["words"] == "Yes, write to me."


@pytest.mark.parametrize("cause", SuppressionCause)
def test_a_suppressed_address_does_not_come_back_even_after_erasure(
    cause: SuppressionCause,
) -> None:
    gone, erased = make.donor("gone@example.org"), make.donor("erased@example.org")
    for donor in (gone, erased):
        suppression.suppress(donor.address_hash or "", cause, NOON)
    erased.address = erased.name = None
    erased.erased_at = NOON
    unknown = make.donor("never@example.org")
    suppression.suppress(unknown.address_hash or "", cause, NOON)
    db.session.delete(unknown)
    one = add("email\ngone@example.org\nERASED@example.org\nnever@example.org\n")
    assert verdicts(one) == [Verdict.SUPPRESSED] * 3
    commit(one)
    assert erased.address is None
    assert at("never@example.org") is None
    assert db.session.scalars(select(Consent)).all() == []


def test_who_was_merged_into_somebody_suppressed_does_not_come_back() -> None:
    person = make.donor("new@example.org")
    make.donor("old@example.org", merged_into=person.id)
    suppression.suppress(person.address_hash or "", SuppressionCause.LEFT, NOON)
    assert verdicts(add("email\nold@example.org\n")) == [Verdict.SUPPRESSED]


def test_what_a_person_said_outweighs_a_file() -> None:
    declined, known, other = (make.donor(f"{name}@example.org") for name in ("no", "yes", "other"))
    make.consent(declined)
    make.consent(declined, given=False)
    make.consent(known)
    make.consent(other, make.campaign())
    one = add("email\nno@example.org\nyes@example.org\nother@example.org\nOther@example.org\n")
    assert verdicts(one) == [Verdict.DECLINED, Verdict.KNOWN, Verdict.AGREES, Verdict.REPEATED]
    commit(one)
    assert not suppression.consents(declined.id, Purpose.NEWSLETTER, None)
    assert suppression.consents(other.id, Purpose.NEWSLETTER, None)
    count = select(func.count()).where(Consent.donor_id == known.id)
    assert db.session.scalar(count) == 1


def test_what_is_known_of_a_donor_stays_and_what_is_missing_is_filled_in() -> None:
    donor = make.donor("ada@example.org", name="Ada", place=None, timezone="Asia/Shanghai")
    commit(add("email,name,time zone,place\nada@example.org,Eve,Europe/Paris,Paris\n"))
    assert (donor.name, donor.timezone, donor.place) == ("Ada", "Asia/Shanghai", "Paris")


@pytest.mark.parametrize(
    ("row", "verdict", "reason"),
    [
        ("ada@,,,", Verdict.INVALID, ""),
        (",en,,", Verdict.INVALID, ""),
        ("ada@example.org,,,,beyond", Verdict.INVALID, ""),
        ("ada@example.org,fr,,", Verdict.BAD, "No language we write in"),
        ("ada@example.org,,Mars/Base,", Verdict.BAD, "No time zone"),
        (f"ada@example.org,,,{'x' * 41}", Verdict.BAD, "A tag has at most 40"),
    ],
)
def test_a_row_that_cannot_be_kept_says_why(row: str, verdict: Verdict, reason: str) -> None:
    one = add(f"email,language,time zone,tags\nok@example.org,,,\n{row}\n")
    with force_locale("en"):
        good, bad = judged(one)
    assert good.verdict is Verdict.NEW
    assert bad.verdict is verdict
    assert bad.reason.startswith(reason)


def test_a_column_that_is_not_known_is_refused_since_it_would_be_lost() -> None:
    with pytest.raises(UnknownColumn, match="phone"):
        add("email,phone\nada@example.org,123\n")
    with pytest.raises(MissingColumn):
        add("name,place\nAda,London\n")


def test_a_workbook_and_other_delimiters_read_alike() -> None:
    book, file = openpyxl.Workbook(), BytesIO()
    sheet = book.create_sheet(index=0)
    for cells in (("邮箱", "姓名"), ("ada@example.org", "Ada")):
        sheet.append(cells)
    book.save(file)
    file.seek(0)
    one = contacts.add(file, "list.xlsx", basis(), NOON, None)
    for other in (
        one,
        add("email\tname\nada@example.org\tAda\n"),
        add("email;name\nada@example.org;Ada\n"),
    ):
        [row] = judged(other)
        assert row.contact is not None
        assert (row.contact.address.text, row.contact.name) == ("ada@example.org", "Ada")


def test_nothing_is_kept_if_somebody_left_since_it_was_shown() -> None:
    donor = make.donor("ada@example.org")
    one = add("email\nada@example.org\nnew@example.org\n")
    shown = contacts.counted(judged(one))
    suppression.suppress(donor.address_hash or "", SuppressionCause.LEFT, NOON)
    with pytest.raises(Changed):
        contacts.commit(*one, shown, NOON, None)
    db.session.rollback()
    assert one[0].state is ContactImportState.REVIEW
    assert at("new@example.org") is None


def test_committing_is_done_once_is_audited_and_forgets_the_file() -> None:
    one = add("email\nada@example.org\n")
    commit(one)
    with pytest.raises(NotOpen):
        contacts.commit(*one, {"new": 1}, NOON, None)
    db.session.rollback()
    assert one[0].counts == {"new": 1}
    assert len(one[0].sha256) == 64
    assert db.session.scalars(select(FileChunk.number)).all() == []
    [record] = db.session.scalars(select(AuditRecord))
    assert (record.action, record.changes) == ("imported contacts", {"new": [None, "1"]})


def test_what_nobody_commits_is_forgotten_after_a_day() -> None:
    one, _ = add("email\nada@example.org\n")
    states = []
    for hours in (23, 25):
        contacts.sweep(NOON + timedelta(hours=hours))
        db.session.commit()
        states.append(one.state)
    assert states == [ContactImportState.REVIEW, ContactImportState.DISCARDED]
    assert db.session.scalars(select(FileChunk.number)).all() == []


def test_more_contacts_than_go_into_one_statement_are_all_kept() -> None:
    rows = "".join(f"donor{number}@example.org\n" for number in range(1201))
    one = add("email\n" + rows + "donor7@example.org\n")
    commit(one)
    assert one[0].counts == {"new": 1201, "repeated": 1}
    assert db.session.scalar(select(func.count()).select_from(Consent)) == 1201
