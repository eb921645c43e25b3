"""Why a figure was held, in the reader's language: rows keep the reason as it was first written."""

import re

from flask_babel import gettext as _

from campaigns.money import BadMoney, Money
from campaigns.platforms.base import N_
from campaigns.web import format as written

# What campaigns.reporting writes beside a figure.
_KNOWN = frozenset(
    {
        N_("The platform gave no figure."),
        N_("The figure is below zero."),
        N_("The platform dates the figure in the future."),
        N_("The figure is zero."),
        N_("The figure is older than the one shown."),
        N_("A later report did not confirm it."),
    }
)
_FELL = re.compile(r"The figure fell from (\S+ \S+) to (\S+ [A-Z]{3})\.")
_OTHER = re.compile(r"The figure is in ([A-Z]{3}); the listing raises ([A-Z]{3})\.")
_SENTENCES = re.compile(r"(?<=\.) (?=[A-Z])")


def told(reason: str | None) -> str:
    """A report's reason; what a person wrote stays as they wrote it."""
    return " ".join(_told(sentence) for sentence in _SENTENCES.split(reason or "") if sentence)


def _told(sentence: str) -> str:
    if sentence in _KNOWN:
        return _(sentence)
    if fell := _FELL.fullmatch(sentence):
        try:
            before, after = (written.money(Money.parse(amount)) for amount in fell.groups())
        except BadMoney:
            return sentence
        return _("The figure fell from %(before)s to %(after)s.", before=before, after=after)
    if other := _OTHER.fullmatch(sentence):
        said, own = other.groups()
        return _("The figure is in %(other)s; the listing raises %(own)s.", other=said, own=own)
    return sentence
