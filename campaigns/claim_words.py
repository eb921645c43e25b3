"""Claim words: what letters say of a number that somebody entered as that of their gift."""

from flask_babel import gettext as _

from campaigns.claimed_gifts import Verdict


def entered(title: str) -> str:
    return _(
        "Somebody, probably you, entered the number of a gift on our page about “%(campaign)s” "
        "and this address.",
        campaign=title,
    )


def not_claimable(verdict: Verdict) -> tuple[str, str]:
    if verdict is Verdict.TAKEN:
        return (
            _("This gift has been claimed before, with another address."),
            _("Is it yours all the same? Answer this letter, and we look into it together."),
        )
    if verdict is Verdict.SEVERAL:
        return (
            _("More than one gift goes by this number, and we do not want to guess."),
            _("Answer this letter with the day and the amount, and we find yours together."),
        )
    return (
        _("We do not know this number, or not yet: some platforms tell us of gifts days later."),
        _(
            "Compare it with your receipt: it is the number of the order or payment. Try again in "
            "a few days, or answer this letter, and we look for your gift together."
        ),
    )
