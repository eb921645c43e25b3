"""Placing: what names a listing among what came back with a payment, and order numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.platforms import placing
from campaigns.platforms.base import BadKeys
from campaigns.platforms.placing import Place
from tests.catalogue import is_told_in_chinese


@pytest.mark.parametrize(
    ("passed", "ref"),
    [
        ("", None),
        ("spring-2026", "spring-2026"),
        (" 224001 ", "224001"),
        ("campaign=spring-2026&donor_ref=D-7", "spring-2026"),
        ("donor_ref=D-7&listing=224001&campaign=spring", "224001"),
        ("campaign%3Dspring-2026%26donor_ref%3DD-7", "spring-2026"),
        ("campaign%3DX-2026", "X-2026"),
        ('{"campaign":"spring-2026","donor_ref":"D-7"}', "spring-2026"),
        ("%7B%22campaign%22%3A%22spring-2026%22%7D", "spring-2026"),
        ('{"listing": 224001}', "224001"),
        ('{"campaign": 1.5}', "1.5"),
        ('{"campaign": ["a"], "listing": null}', None),
        ('{"campaign": ""}', None),
        ('{"campaign"', None),
        ("[" * 5000, None),
        ('{"a":' * 5000, None),
        ("donor_ref=D-7", None),
        ("campaign=", None),
        ("谢谢 你们", None),
        ("100% thanks", None),
        ("%", None),
        ("%zz", None),
        ("campaign=50%25", "50%"),
        ("campaign=a%00b", "a\ufffdb"),
        ("campaign=spring" + "&a=1" * 99, "spring"),
        ("campaign=spring" + "&a=1" * 100, None),
    ],
)
def test_what_was_passed_along_names_a_listing_or_nothing(passed: str, ref: str | None) -> None:
    assert placing.named(passed) == ref


@pytest.mark.parametrize(
    ("order", "place"),
    [
        ("DON-1", Place(None, None)),
        ("DON-S-1", Place(None, "spring")),
        ("D1", Place(None, "224001")),
        ("don-1", Place(None, None, elsewhere=True)),
        ("", Place(None, None, elsewhere=True)),
    ],
)
def test_the_longest_prefix_that_fits_wins(order: str, place: Place) -> None:
    assert placing.place(None, order, "D=224001, DON- ，DON-S-=spring") == place


def test_without_prefixes_every_order_is_ours() -> None:
    assert placing.place(None, "X", "") == Place(None, None)


@pytest.mark.parametrize("text", ["=", "=a", "a=b=c", "a b", "a=b c", "a,a", "名", "x" * 65, "a="])
def test_a_prefix_out_of_form_is_refused(text: str) -> None:
    with pytest.raises(BadKeys) as caught:
        placing.read_prefixes(text)
    assert caught.value.setting == "order_prefix"
    assert is_told_in_chinese(caught.value.reason)


@given(st.text(), st.text(), st.text())
def test_nothing_upsets_it(passed: str, order: str, prefixes: str) -> None:
    try:
        found = placing.place(passed, order, prefixes)
    except BadKeys:
        return
    assert found.passed is None or found.passed.isprintable()


def test_what_was_passed_along_stands_beside_what_the_order_says() -> None:
    assert placing.place("desks", "DON-1", "DON-=224001") == Place("desks", "224001")
    assert placing.place("desks", "X-1", "DON-") == Place("desks", None, elsewhere=True)
