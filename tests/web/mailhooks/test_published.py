"""What providers publish is asked for once a day, at the address that was allowed and no other."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from campaigns.mail.hook import Unavailable
from campaigns.web.published import LARGEST, Published
from tests.anypage import PAGE, AnyPage, standing


@pytest.fixture
def sns(app: Flask) -> Iterator[AnyPage]:
    """A server that we may ask although it is on loopback."""
    before = app.extensions["settings"]
    with standing() as server:
        app.extensions["settings"] = replace(before, poll_allow_private=frozenset({server.host}))
        yield server
    app.extensions["settings"] = before


def test_a_certificate_is_asked_for_once(sns: AnyPage) -> None:
    published = Published()
    assert published.kept(sns.url) == published.kept(sns.url)
    assert sns.asked == 1
    assert published.fetch(sns.url).decode() == PAGE.format(raised=sns.raised)
    assert sns.asked == 2


def test_what_fails_is_asked_for_again(sns: AnyPage) -> None:
    published = Published()
    sns.status = 500
    with pytest.raises(Unavailable):
        published.kept(sns.url)
    sns.status = 200
    assert published.kept(sns.url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "https://169.254.169.254/a.pem", "nothing"])
def test_what_is_not_public_is_not_asked(app: Flask, url: str) -> None:
    with pytest.raises(Unavailable):
        Published().kept(url)


def test_what_stands_elsewhere_or_is_too_large_is_not_taken(sns: AnyPage) -> None:
    sns.page = "x" * (LARGEST + 1)
    with pytest.raises(Unavailable):
        Published().fetch(sns.url)
    sns.moved = f"http://{sns.host}/feed.json"
    with pytest.raises(Unavailable):
        Published().fetch(sns.url)
