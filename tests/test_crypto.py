"""Secrets are sealed under the newest key and open only where they were sealed."""

import pytest

from campaigns import crypto

OLD, NEW = ("k1", b"1" * 32), ("k2", b"2" * 32)


def test_a_secret_opens_under_an_older_key_after_a_rotation() -> None:
    sealed = crypto.encrypt([OLD], b"whsec", "endpoint:1")
    assert crypto.decrypt([NEW, OLD], sealed, "endpoint:1") == b"whsec"


def test_the_newest_key_seals_and_its_id_stands_with_the_value() -> None:
    assert crypto.key_id(crypto.encrypt([NEW, OLD], b"whsec", "endpoint:1")) == "k2"


def test_a_secret_moved_to_another_row_does_not_open() -> None:
    sealed = crypto.encrypt([OLD], b"whsec", "endpoint:1")
    with pytest.raises(crypto.Undecryptable):
        crypto.decrypt([OLD], sealed, "endpoint:2")


@pytest.mark.parametrize("sealed", ["", "k1", "k1:", "k1:zz", "k1:00", "k9:00"])
def test_garbage_is_refused_by_name(sealed: str) -> None:
    with pytest.raises(crypto.Undecryptable):
        crypto.decrypt([OLD], sealed, "endpoint:1")


def test_a_missing_key_is_named_and_the_secret_is_not() -> None:
    sealed = crypto.encrypt([OLD], b"whsec", "endpoint:1")
    with pytest.raises(crypto.Undecryptable, match="'k1'"):
        crypto.decrypt([NEW], sealed, "endpoint:1")


def test_tokens_are_unlike_and_fit_an_address() -> None:
    tokens = {crypto.new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(len(token) == 32 and "." not in token for token in tokens)


def test_an_address_hash_depends_on_the_pepper() -> None:
    one, other = (crypto.address_hash(pepper, "ada@example.org") for pepper in (b"a", b"b"))
    assert one != other
