"""Drafted words: what a text says to begin with that the system drafts, in the language at hand.

What only people know is asked of them in lines that begin with `TODO`; proofreading lets no such
line out.
"""

import re
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from campaigns.model.campaign import Campaign
from campaigns.model.drafted import Occasion

TODO = "✎"
# Figures are filled in when somebody approves the text, so they are never those of today.
_PROGRESS = "{{ campaign.progress }}"
_FIGURES = "{{ campaign.figures }}"
_MILESTONES = "{{ campaign.milestones }}"
_LONGEST_TITLE = 50
_HALF, _NEARLY = 50, 90
_UNDONE = re.compile(rf"^[ \t>*+-]*{TODO}", re.MULTILINE)


@dataclass(frozen=True)
class Beginning:
    """A title, and Markdown."""

    title: str
    body: str


def of(campaign: Campaign, occasion: Occasion, number: int, locale: str) -> Beginning:
    """What an update about this occasion begins as; `locale` is the language at hand."""
    called = _plain(campaign.text(locale).title)
    if occasion is Occasion.MILESTONE:
        return _milestone(called, number)
    if occasion is Occasion.CLOSING:
        return _closing(called)
    return _report(called, campaign)


def undone(markdown: str) -> int:
    """How many lines of a text still ask something of people."""
    return sum(1 for _line in _UNDONE.finditer(markdown))


def _milestone(called: str, percent: int) -> Beginning:
    title, first, next_ = _reached(called, percent)
    asked = _(
        "Say in a few sentences what this has made possible already: what was bought, who came."
    )
    return Beginning(title, _joined(first, _PROGRESS, _ask(asked), next_, _MILESTONES))


def _reached(called: str, percent: int) -> tuple[str, str, str]:
    """The title, the first paragraph, and what there is to say of what comes next."""
    if percent == _HALF:
        return (
            _("“%(campaign)s” is halfway there", campaign=called),
            _(
                "Half of what “{{ campaign.title }}” needs has come in. You are one of those who "
                "brought it this far: thank you."
            ),
            _ask(_("What can begin with this half, and what has to wait for the rest?")),
        )
    if percent == _NEARLY:
        return (
            _("“%(campaign)s” has nine tenths of its target", campaign=called),
            _(
                "Nine tenths of what “{{ campaign.title }}” needs have come in. Thank you: so near "
                "the end, we can plan for all of it."
            ),
            _ask(_("What is the last part for, and when do you expect to begin?")),
        )
    return (
        _("“%(campaign)s” has reached its target", campaign=called),
        _(
            "It is done: what we asked for “{{ campaign.title }}” has come in. Thank you. Every "
            "gift is in it, the small ones and the large ones."
        ),
        _ask(
            _(
                "What happens now, and on which day will donors hear of it? If more comes in than "
                "was asked for, say what it will be used for."
            )
        ),
    )


def _report(called: str, campaign: Campaign) -> Beginning:
    days = campaign.report_every_days or 0
    promised = ngettext(
        "We promised to tell you every day how “{{ campaign.title }}” is doing. This is where it "
        "stands.",
        "We promised to tell you every %(num)d days how “{{ campaign.title }}” is doing. This is "
        "where it stands.",
        days,
    )
    return Beginning(
        _("How “%(campaign)s” is doing", campaign=called),
        _joined(
            promised,
            _ask(
                _(
                    "What has happened since the last report? One thing that you saw yourself, "
                    "with its place and day, says more than a summary."
                )
            ),
            _heading(_("What has come in")),
            _PROGRESS,
            _FIGURES,
            _MILESTONES if campaign.target is not None else "",
            _heading(_("What it was used for")),
            _ask(
                _("What was paid since then, item by item with amounts? If nothing was, say why.")
            ),
            _heading(_("What comes next")),
            _ask(_("What will you do until the next report, and what is still uncertain?")),
        ),
    )


def _closing(called: str) -> Beginning:
    return Beginning(
        _("What became of “%(campaign)s”", campaign=called),
        _joined(
            _(
                "“{{ campaign.title }}” no longer raises money. In this last report we tell you "
                "what came in, what it was used for, and what remains. Thank you for having been "
                "part of it."
            ),
            _heading(_("What came in")),
            _PROGRESS,
            _FIGURES,
            _ask(_("Which platforms still owe us money, and which fees were kept back?")),
            _heading(_("What it was used for")),
            _ask(_("A table of what was spent, by purpose, next to what was planned.")),
            _heading(_("What has changed")),
            _ask(
                _(
                    "For whom did it make a difference, and which? Let one of them speak, if they "
                    "agree to it. Say as well what did not work."
                )
            ),
            _heading(_("What remains")),
            _ask(
                _(
                    "How much is left, and what will it be used for? Where can the accounts be "
                    "read, and whom can donors ask?"
                )
            ),
        ),
    )


def _ask(words: str) -> str:
    return f"{TODO} {words}"


def _heading(words: str) -> str:
    return f"## {words}"


def _joined(*paragraphs: str) -> str:
    return "\n\n".join(one for one in paragraphs if one) + "\n"


def _plain(title: str) -> str:
    """A campaign's title within another title: short enough, and never a slot."""
    plain = " ".join(re.sub(r"[{}]+", " ", title).split())
    return plain if len(plain) <= _LONGEST_TITLE else f"{plain[: _LONGEST_TITLE - 1].rstrip()}…"
