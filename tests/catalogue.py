"""Texts as they are shown in Chinese."""

from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

PATH = Path(__file__).parents[1] / "campaigns/translations/zh_Hans/LC_MESSAGES/messages.po"


def is_told_in_chinese(msgid: str) -> bool:
    message = _catalogue().get(msgid)
    return message is not None and bool(message.string)


@cache
def _catalogue() -> Catalog:
    with PATH.open("rb") as file:
        return read_po(file, locale="zh_Hans")
