"""Wordings: the very words that people said yes to, by version, in each language (PIPL art. 14).

A text here is never changed nor removed: consents name its version for good. Whoever changes what
a form says adds a version beside the old one and lets the form name it; a test compares the
newest of each with its page. So these do not go through the catalogue, where texts may change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FOLLOW = "follow-1"
NEWSLETTER = "newsletter-1"
CLAIM = "claim-1"
PREFERENCES = "preferences-1"


@dataclass(frozen=True, slots=True)
class Wording:
    """What stood above the button, and what the button said."""

    text: str
    button: str


_KEPT: Mapping[str, Mapping[str, Wording]] = MappingProxyType(
    {
        FOLLOW: {
            "en": Wording(
                "When there is news, we write you a letter. "
                "One tap in any of them and you have left.",
                "Yes, send me updates",
            ),
            "zh-Hans": Wording("每有进展，给你写一封信。每封信里都可以一键退订。", "确认订阅"),
        },
        NEWSLETTER: {
            "en": Wording(
                "Some times a year we write what we do and what gifts have become, and now and "
                "then ask for help with something new. One tap in any letter and you have left.",
                "Yes, send me the newsletter",
            ),
            "zh-Hans": Wording(
                "一年几次，我们写信说说在做的事、捐款变成了什么，偶尔也会请你支持新的项目。"
                "每封信里都可以一键退订。",
                "确认订阅通讯",
            ),
        },
        CLAIM: {
            "en": Wording(
                "When there is news of this campaign, we write you a letter. "
                "One tap in any of them and you have left.",
                "Yes, this is my gift",
            ),
            "zh-Hans": Wording(
                "项目有进展时，我们会写信给你。在任何一封信里点一下就可以退订。",
                "是的，这是我捐的",
            ),
        },
        PREFERENCES: {
            "en": Wording(
                "What is ticked comes to you as a letter. One tap in any of them and you have "
                "left it.",
                "Keep this choice",
            ),
            "zh-Hans": Wording("勾选的内容会以信件寄给你。每封信里都可以一键退订。", "保存选择"),
        },
    }
)


def of(version: str, locale: str) -> Wording | None:
    """The words of a version in a language, else in any that it was written in.

    None for what no form of ours asked: a platform's webhook, a file, a member of staff.
    """
    languages = _KEPT.get(version, {})
    return languages.get(locale) or next(iter(languages.values()), None)


def versions() -> Mapping[str, Mapping[str, Wording]]:
    """Every wording there ever was, by version and language."""
    return _KEPT
