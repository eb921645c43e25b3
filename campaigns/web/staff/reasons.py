"""Reasons in the reader's language: rows keep them as they were first written, in English."""

import re

from flask import Flask
from flask_babel import gettext as _

from campaigns.model.entry import MatchStage
from campaigns.money import BadMoney, Money
from campaigns.web import format as written

# What `doubts` says of a figure.
_MOVED = re.compile(r"The figure (fell|jumped) from (\S+ \S+) to (\S+ [A-Z]{3})\.")
_OTHER = re.compile(r"The figure is in ([A-Z]{3}); the listing raises ([A-Z]{3})\.")
_STAGES = re.compile("({0}) → ({0})".format("|".join(MatchStage)))  # what `ledger` writes
_SENTENCES = re.compile(r"(?<=\.) (?=[A-Z])")


def init_app(app: Flask) -> None:
    """Give `app`'s templates the filter `told`: pages and letters to staff."""
    app.jinja_env.filters["told"] = told


def told(reason: str | None) -> str:
    """What a row gives as its reason; what a person wrote stays as they wrote it.

    A reason is a sentence of the catalogue, perhaps with details behind a colon, which stay as
    they are (`platforms.base.detailed`), or several sentences of reporting.
    """
    whole = _detailed(reason) if reason else ""
    if whole != reason:
        return whole
    return " ".join(_told(sentence) for sentence in _SENTENCES.split(reason) if sentence)


def _told(sentence: str) -> str:
    if moved := _MOVED.fullmatch(sentence):
        how, *amounts = moved.groups()
        try:
            before, after = (written.money(Money.parse(amount)) for amount in amounts)
        except BadMoney:
            return sentence
        if how == "jumped":
            return _("The figure jumped from %(before)s to %(after)s.", before=before, after=after)
        return _("The figure fell from %(before)s to %(after)s.", before=before, after=after)
    if other := _OTHER.fullmatch(sentence):
        said, own = other.groups()
        return _("The figure is in %(other)s; the listing raises %(own)s.", other=said, own=own)
    if stages := _STAGES.fullmatch(sentence):
        return " → ".join(_(stage) for stage in stages.groups())
    return _detailed(sentence)


def _detailed(reason: str) -> str:
    sentence, colon, detail = reason.partition(": ")
    spoken = _(sentence)
    return f"{spoken}{_(': ')}{detail}" if colon and spoken != sentence else _(reason)
