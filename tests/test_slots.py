"""Fields in what staff write: filled for each reader, inert, and refused where they cannot be."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import force_locale

from campaigns import blocks, slots, text
from campaigns.slots import BadSlot, Slot

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture(autouse=True)
def in_english(app: Flask) -> Iterator[None]:
    with force_locale("en"):
        yield


@pytest.mark.parametrize(
    ("written", "fallback"),
    [
        ("{{ donor.name }}", None),
        ("{{donor.name|default}}", None),
        ('{{ donor.name | default("friend of ours") }}', "friend of ours"),
        ("{{ donor.name | default('朋友') }}", "朋友"),
        ("{{ donor.name ｜ default（“朋友”） }}", "朋友"),
        ('{{ donor.name | default("") }}', ""),
    ],
)
def test_a_field_is_read_as_people_type_it(written: str, fallback: str | None) -> None:
    slots.check(written, slots.DONOR)
    assert list(slots.of(written)) == [Slot("donor.name", fallback)]


@pytest.mark.parametrize(
    "written",
    [
        "{{ donor.address }}",
        "{{ donor.name | upper }}",
        "{{ donor.__class__ }}",
        "{{ config.SECRET_KEY }}",
        "{{ 7 * 7 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ donor.name",
        "donor.name }}",
        '{{ donor.name | default("a" + "b") }}',
        "{{\ndonor.name\n}}",
        '{{ campaign.title | default("x") }}',
    ],
)
def test_what_is_no_field_is_refused(written: str) -> None:
    with pytest.raises(BadSlot):
        blocks.check("Desks", written, about_campaign=True)


def test_the_refusal_says_what_there_is() -> None:
    with pytest.raises(BadSlot, match=r"“\{\{ donor\.nmae \}\}” is no field here.*donor\.name"):
        slots.check("Dear {{ donor.nmae }}", slots.DONOR)


@pytest.mark.parametrize(
    "written",
    ["so far {{ campaign.progress }}", "- {{ campaign.figures }}", "> {{ campaign.figures }}"],
)
def test_a_block_stands_on_a_line_of_its_own(written: str) -> None:
    with pytest.raises(BadSlot, match="line of its own"):
        blocks.check("Desks", written, about_campaign=True)


def test_a_title_has_no_blocks_and_a_newsletter_no_campaign() -> None:
    with pytest.raises(BadSlot):
        blocks.check("{{ campaign.progress }}", "Desks.", about_campaign=True)
    with pytest.raises(BadSlot):
        blocks.check("Desks", "{{ campaign.title }}", about_campaign=False)


@pytest.mark.parametrize(
    "written",
    [
        "[tap](https://e.org/{{ donor.name }})",
        "![{{ donor.name }}](https://e.org/{{ donor.name }}.png)",
        '<a href="https://e.org/?n={{ donor.name }}">x</a>',
        "[tap][1]\n\n[1]: https://e.org/{{ donor.name }}",
    ],
)
def test_no_field_is_part_of_an_address(written: str) -> None:
    with pytest.raises(BadSlot, match="address"):
        blocks.check("Desks", written, about_campaign=True)


@pytest.mark.parametrize(
    "words",
    ["**not bold**", "[x](javascript:alert(1))", "<b>x</b> & y", "# a | b\n- c", "1. 2! \\`"],
)
def test_a_value_means_nothing_in_markdown(words: str) -> None:
    assert text.plain(f"Hello {slots.inert(words)}.") == f"Hello {' '.join(words.split())}."
    assert "<a " not in text.html(slots.inert(words))


def test_marks_from_outside_are_taken_out() -> None:
    assert slots.filled("a\ue0f0token\ue0f1b", lambda _slot: None) == "atokenb"
