"""Letters are signed once a key was made, its record stands, and somebody said so."""

from dataclasses import replace

import dkim
import pytest
from flask import Flask

from campaigns import claims, doctor, signing
from campaigns.composition import Desk
from campaigns.db import db
from campaigns.finding import Finding
from tests import make
from tests.make import NOON

KEY = ("example.org", "huiyin1")


def letter() -> bytes:
    make.delivery()
    [claim] = claims.claim("me", 1, NOON)
    return Desk().write(claim, NOON).message


def said(app: Flask, *arguments: str) -> str:
    answer = app.test_cli_runner().invoke(args=list(arguments))
    assert answer.exit_code == 0, answer.output
    return answer.output


def found() -> list[Finding]:
    return [one for one in doctor.examine(NOON) if one.part == "signing"]


@pytest.mark.parametrize("kind", signing.KINDS)
def test_from_the_command_to_a_receiver_that_believes(app: Flask, kind: str) -> None:
    record = said(app, "add-signing-key", *KEY, "--kind", kind).splitlines()[0]
    assert b"DKIM-Signature" not in letter()
    assert [(one.warning, bool(one.remedy)) for one in found()] == [(True, True)]
    said(app, "start-signing", *KEY)
    name, value = record.split(" TXT ")
    text = "".join(value.split('"')[1::2]).encode()
    message = letter()
    assert b"d=example.org; s=huiyin1;" in message
    assert dkim.verify(
        message, dnsfunc=lambda asked, timeout=5: text if asked == name.encode() else None
    )
    assert [one.remedy for one in found()] == [""]
    said(app, "remove-signing-key", *KEY)
    assert b"DKIM-Signature" not in letter()


def test_a_domain_s_key_signs_for_those_below_it_and_no_others(app: Flask) -> None:
    signing.add("example.org", "huiyin1", "ed25519", NOON)
    signing.start(*KEY, NOON)
    counts = [
        len(signing.signers(one)) for one in ("example.org", "a.example.org", "anexample.org")
    ]
    assert counts == [1, 1, 0]


def test_a_key_that_cannot_be_read_stops_no_letter_and_is_told_of(app: Flask) -> None:
    signing.add(*KEY, "ed25519", NOON)
    signing.start(*KEY, NOON)
    db.session.commit()
    held = app.extensions["settings"]
    app.extensions["settings"] = replace(held, data_keys=(("other", b"0" * 32),))
    try:
        assert b"DKIM-Signature" not in letter()
        [finding] = found()
        assert finding.failed
    finally:
        app.extensions["settings"] = held


@pytest.mark.parametrize("key", [("exa mple", "a"), ("example.org", "A_b"), ("example.org", "")])
def test_what_cannot_be_is_refused(app: Flask, key: tuple[str, str]) -> None:
    with pytest.raises(signing.Unfit):
        signing.add(*key, "ed25519", NOON)
    with pytest.raises(signing.Unfit):
        signing.start(*key, NOON)


def test_a_key_is_made_once(app: Flask) -> None:
    signing.add(*KEY, "ed25519", NOON)
    with pytest.raises(signing.Unfit):
        signing.add(*KEY, "ed25519", NOON)
