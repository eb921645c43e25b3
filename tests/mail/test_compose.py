"""Composed letters read back as they were written, whoever they are for."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import css_inline
import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown import markdown

from campaigns.mail.address import Address, BadAddress, Mailbox
from campaigns.mail.compose import Letter, MissingField, Parts, Template
from campaigns.mail.marks import mark

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)
US = Mailbox("春芽公益", Address.parse("updates@updates.example.org"))
ADA = Mailbox("Ada", Address.parse("ada@example.com"))
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "mail.json").read_text("utf-8"))

anything = st.text(max_size=400)
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)


def test_the_headers_of_an_update_are_those_of_the_reference() -> None:
    letter = Letter(
        US,
        "【春芽计划】第三季度进展",
        "hello\n",
        "<p>hello</p>\n",
        list_id=("Spring Bud campaign updates", "spring-2026.updates.example.org"),
        extra={"Feedback-ID": "upd-1:spring-2026:update:examplengo"},
    )
    parts = Parts(
        Mailbox("", Address.parse("donor7@example.com")),
        "<upd-1.d-7.5f2c@updates.example.org>",
        datetime(2026, 9, 7, 10, 0, 10, tzinfo=timezone(timedelta(hours=8))),
        {},
        "https://give.example.org/u/9b1c7f0e2a",
        "mailto:unsubscribe@updates.example.org?subject=u-9b1c7f0e2a",
    )
    expected = _read(VECTORS["outgoing_update"]["raw"].encode())
    found = _read(Template(letter).fill(parts))
    body_headers = {"Content-Type", "Content-Transfer-Encoding"}
    for name in set(expected.keys()) - body_headers - {"List-Id"}:
        assert found.get_all(name) == expected.get_all(name), name
    assert found["List-Id"].replace('"', "") == expected["List-Id"].replace('"', "")
    assert found["Precedence"] == "bulk"
    assert found["Subject"] == VECTORS["outgoing_update"]["subject_decoded"]


def test_the_links_for_leaving_stay_on_one_line() -> None:
    link, by_mail = f"https://give.example.org/u/{'t' * 200}", f"mailto:{'u' * 200}@example.org"
    raw = Template(_letter()).fill(_parts(unsubscribe=link, unsubscribe_by_mail=by_mail))
    assert f"\r\nList-Unsubscribe: <{link}>, <{by_mail}>\r\n".encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


def test_where_a_list_is_archived_stays_on_one_line() -> None:
    link = f"https://give.example.org/c/{'t' * 200}/updates"
    raw = Template(replace(_letter(), archive=link)).fill(_parts())
    assert f"\r\nList-Archive: <{link}>\r\n".encode() in raw
    with pytest.raises(ValueError, match="printable"):
        Template(replace(_letter(), archive="https://a/\r\nBcc: x@example.org"))


def test_a_service_letter_offers_no_leaving_and_is_no_bulk() -> None:
    found = _read(Template(_letter()).fill(_parts()))
    assert not {"List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Precedence"} & set(found)
    assert found["Auto-Submitted"] == "auto-generated"


def test_a_field_is_escaped_in_html_and_plain_in_text() -> None:
    letter = _letter(text=f"Dear {mark('name')},", html=f'<a title="{mark("name")}">hi</a>')
    found = _read(Template(letter).fill(_parts(fields={"name": "<b>\"A\" & 'B'</b>"})))
    assert _text(found, "plain") == "Dear <b>\"A\" & 'B'</b>,"
    escaped = "&lt;b&gt;&quot;A&quot; &amp; &#x27;B&#x27;&lt;/b&gt;"
    assert _text(found, "html") == f'<a title="{escaped}">hi</a>'


def test_marks_outlast_what_happens_to_a_letter_s_html() -> None:
    written = markdown(f"Dear **{mark('name')}**, [leave]({mark('leave')}) or https://x.test/")
    rich = css_inline.inline(f"<style>p {{ color: red }}</style>{nh3.clean(written)}")
    template = Template(_letter(html=rich))
    assert template.fields == {"name", "leave"}
    found = _text(_read(template.fill(_parts(fields={"name": "李", "leave": "https://l/?a&b"}))))
    assert "<strong>李</strong>" in found
    assert 'href="https://l/?a&amp;b"' in found


def test_a_missing_field_stops_the_letter() -> None:
    with pytest.raises(MissingField, match="amount"):
        Template(_letter(subject=f"Thank you for {mark('amount')}")).fill(_parts())


@pytest.mark.parametrize(
    "parts",
    [
        {"message_id": "<a@b>\r\nBcc: eve@example.org"},
        {"message_id": "a@b"},
        {"unsubscribe": "https://x.test/\r\nBcc: eve@example.org"},
        {"unsubscribe": "https://x.test/>, <https://evil.test/"},
        {"unsubscribe_by_mail": "mailto:a b"},
    ],
)
def test_an_unfit_id_or_link_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="looks like|printable ASCII"):
        Template(_letter()).fill(_parts(**parts))


def test_an_address_beyond_ascii_stands_in_the_header_as_it_is() -> None:
    to = Mailbox("José", Address.parse("josé@bücher.example"))
    raw = Template(_letter()).fill(_parts(to=to))
    assert "<josé@bücher.example>\r\n".encode() in raw


def test_the_same_parts_give_the_same_octets() -> None:
    assert Template(_letter()).fill(_parts()) == Template(_letter()).fill(_parts())


@given(name=anything, subject=anything, ours=anything)
def test_any_name_and_subject_reads_back_in_one_header(name: str, subject: str, ours: str) -> None:
    letter = _letter(
        subject=subject, sender=Mailbox(ours, US.address), reply_to=Mailbox(ours, US.address)
    )
    raw = Template(letter).fill(_parts(to=Mailbox(name, ADA.address)))
    found = _read(raw)
    assert found["Subject"] == _one_line(subject)
    assert _mailbox(raw, "To") == (_one_line(name), "ada@example.com")
    assert _mailbox(raw, "From") == _mailbox(raw, "Reply-To") == (_one_line(ours), US.address.text)
    assert len(found["To"].addresses) == len(found["From"].addresses) == 1
    assert list(found.keys()) == list(_read(Template(_letter(reply_to=US)).fill(_parts())).keys())


@given(text=anything, rich=anything)
def test_any_text_reads_back(text: str, rich: str) -> None:
    found = _read(Template(_letter(text=text, html=rich)).fill(_parts()))
    assert _text(found, "plain") == _mail_lines(text)
    assert _text(found, "html") == _mail_lines(rich)


@given(
    fixed=st.lists(words, min_size=4, max_size=4), values=st.lists(words, min_size=3, max_size=3)
)
def test_any_fields_read_back_wherever_they_stand(fixed: list[str], values: list[str]) -> None:
    names = ["a", "b", "a"]
    text = fixed[0] + "".join(
        mark(name) + then for name, then in zip(names, fixed[1:], strict=True)
    )
    fields = dict(zip("ab", values, strict=False))
    raw = Template(_letter(subject=text, text=text)).fill(_parts(fields=fields))
    filled = fixed[0] + "".join(
        fields[name] + then for name, then in zip(names, fixed[1:], strict=True)
    )
    assert _text(_read(raw), "plain") == filled
    assert _read(raw)["Subject"] == _one_line(filled)


@given(
    st.lists(st.sampled_from(["春芽", "é", "a", "=", ".", " ", "\n", mark("x")]), max_size=60),
    words,
)
def test_every_mix_of_scripts_and_alignments_reads_back(pieces: list[str], value: str) -> None:
    text = "".join(pieces)
    found = _read(Template(_letter(text=text)).fill(_parts(fields={"x": value})))
    assert _text(found, "plain") == _mail_lines(text).replace(mark("x"), value)


@given(anything, anything)
def test_a_mailbox_setting_reads_or_is_refused(name: str, rest: str) -> None:
    try:
        mailbox = Mailbox.parse(f"{name}<updates@example.org>{rest}")
    except BadAddress:
        return
    assert mailbox.address.text == "updates@example.org"


def test_a_mailbox_setting_may_quote_its_name() -> None:
    assert Mailbox.parse('"春芽, Inc" <Updates@example.org>') == Mailbox(
        "春芽, Inc", Address.parse("updates@example.org")
    )
    assert Mailbox.parse("updates@example.org").name == ""


def _letter(
    subject: str = "Hello",
    text: str = "hello",
    html: str = "<p>hello</p>",
    sender: Mailbox = US,
    reply_to: Mailbox | None = None,
) -> Letter:
    return Letter(sender, subject, text, html, reply_to)


def _parts(
    to: Mailbox = ADA,
    message_id: str = "<delivery.1.0a2b@updates.example.org>",
    fields: Mapping[str, str] | None = None,
    unsubscribe: str | None = None,
    unsubscribe_by_mail: str | None = None,
) -> Parts:
    return Parts(to, message_id, NOON, fields or {}, unsubscribe, unsubscribe_by_mail)


def _read(raw: bytes) -> EmailMessage:
    """Parsed without a defect anywhere, in lines that any relay carries."""
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    for part in found.walk():
        assert not part.defects
        for name, value in part.items():
            assert not value.defects, name
    lines = raw.split(b"\r\n")
    assert not any(re.search(rb"[\r\n\x80-\xff]", line) for line in lines)
    assert all(len(line) <= 78 for line in lines if not line.startswith(b"List-Unsubscribe"))
    return found


def _mailbox(raw: bytes, name: str) -> tuple[str, str]:
    """Read as RFC 2047 §6.2 says; the newer parser of Python 3.11 keeps space between words."""
    unfolded = message_from_bytes(raw, policy=policy.compat32)[name].replace("\r\n", "")
    display, address = parseaddr(unfolded)
    return str(make_header(decode_header(display))), address


def _text(found: EmailMessage, subtype: str = "html") -> str:
    part = found.get_body((subtype,))
    assert part
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets.decode()


def _mail_lines(text: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\r\n", text).encode("utf-8", "replace").decode()


def _one_line(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", " ", text).split())
