"""Bounce addresses name their delivery and cannot be made up."""

from hypothesis import given
from hypothesis import strategies as st

from campaigns.mail.verp import bounce_address, delivery_behind

KEY = b"k" * 32


@given(st.integers(0, 2**63 - 1))
def test_a_bounce_names_its_delivery_in_any_case(delivery: int) -> None:
    address = bounce_address(delivery, KEY, "updates.example.org")
    assert delivery_behind(address, KEY) == delivery_behind(address.upper(), KEY) == delivery
    assert address.isascii()
    assert address == address.lower()
    assert len(address.partition("@")[0]) <= 64


def test_a_bounce_for_another_delivery_cannot_be_made_from_one() -> None:
    own = bounce_address(7, KEY, "updates.example.org")
    assert delivery_behind(own.replace("+7=", "+8="), KEY) is None
    assert delivery_behind(own, b"x" * 32) is None


@given(st.text(max_size=60))
def test_anything_else_names_nothing(recipient: str) -> None:
    assert delivery_behind(recipient, KEY) is None
