"""Addresses: what is one mailbox, what is none, and that no reason or repr gives it away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.mail.address import Address, BadAddress, masked


@pytest.mark.parametrize(
    ("given_text", "text", "wire"),
    [
        ("Ada@EXAMPLE.org", "ada@example.org", "ada@example.org"),
        (" ada@example.org ", "ada@example.org", "ada@example.org"),
        ("ada@donors.test", "ada@donors.test", "ada@donors.test"),
        ("ada@bücher.example", "ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--bcher-kva.example", "ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@例子。广告", "ada@例子.广告", "ada@xn--fsqu00a.xn--4rr70v"),
        ("JOSE\u0301@example.org", "josé@example.org", "josé@example.org"),
        ("用户@例子.广告", "用户@例子.广告", "用户@例子.广告"),
    ],
)
def test_one_mailbox_has_one_form(given_text: str, text: str, wire: str) -> None:
    address = Address.parse(given_text)
    assert (address.text, address.wire) == (text, wire)
    assert address == Address.parse(text) == Address.known(text)


def test_mailboxes_of_two_people_stay_two() -> None:
    assert Address.parse("straße@example.org") != Address.parse("strasse@example.org")


def test_only_a_local_part_beyond_ascii_needs_smtputf8() -> None:
    assert Address.parse("josé@example.org").needs_smtputf8
    assert not Address.parse("jose@bücher.example").needs_smtputf8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@example",
        "ada@localhost",
        "ada@[127.0.0.1]",
        "Ada <ada@example.org>",
        '"a b"@example.org',
        "ada@example.org\r\nRCPT TO:<eve@example.org>",
        "ada@example.org\n",
        "ada\0@example.org",
        "ada@example.org,eve@example.org",
        "ada@exa mple.org",
        "ada@-example.org",
        "\ud800@example.org",
        "a" * 65 + "@example.org",
        "ada@" + "b." * 126 + "org",
        "a" * 100_000 + "@example.org",
        "字" * 64 + "@" + ("字" * 15 + ".") * 5 + "org",
    ],
)
def test_what_is_no_address_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(BadAddress) as refusal:
        Address.parse(text)
    assert str(refusal.value) in (
        "This is not a mail address, such as ada@example.org.",
        "The address contains a control character or a line break.",
        "The address is too long.",
    )
    assert refusal.value.__cause__ is None


def test_a_log_shows_no_address() -> None:
    address = Address.parse("donor7@example.org")
    assert repr([address]) == "[Address(d***@example.org)]"
    assert str(address) == "donor7@example.org"


def test_addresses_within_a_text_are_masked() -> None:
    answer = "5.1.1 <donor7@example.org>: o'brien@example.org and 用户@例子.广告 unknown"
    assert (
        masked(answer) == "5.1.1 <d***@example.org>: o***@example.org and 用***@例子.广告 unknown"
    )


def test_masking_takes_no_longer_for_one_endless_word() -> None:
    endless = "x" * 1_000_000
    assert masked(endless) == endless


@given(st.text(max_size=40), st.sampled_from(["example.org", "bücher.example", "例子.广告"]))
def test_whatever_is_accepted_is_one_line_and_reads_back_the_same(local: str, domain: str) -> None:
    try:
        address = Address.parse(f"{local}@{domain}")
    except BadAddress:
        return
    assert Address.parse(address.text) == address
    assert len(address.wire.split()) == 1
    assert not set("<>\r\n\0") & set(address.wire)
