"""Atom: a feed as a document that any reader takes (RFC 4287, its pages RFC 5005 §3).

Built as a tree, so that nothing which somebody wrote can become markup of the document.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from campaigns.mail.headers import one_line
from campaigns.web.format import iso

TYPE = "application/atom+xml"
_ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# What no XML document may hold, not even escaped (XML 1.0 §2.2).
_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END = re.compile(r"\r\n?")

ElementTree.register_namespace("", _ATOM)


@dataclass(frozen=True, slots=True)
class Entry:
    """One update. `html` is sanitised; `lang` is the language of title, summary and content."""

    id: str
    title: str
    url: str
    lang: str
    published: datetime
    updated: datetime
    author: str
    summary: str
    html: str
    category: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Feed:
    """`home` is the page that says the same, `other` this feed in another language (tag, address).

    `pages` are the addresses of further pages by their relation: first, previous, next, last.
    """

    id: str
    title: str
    subtitle: str
    lang: str
    url: str
    home: str
    other: tuple[str, str]
    author: str
    author_url: str
    updated: datetime
    pages: Mapping[str, str]
    entries: list[Entry]


def document(feed: Feed) -> bytes:
    """The feed in UTF-8, the same octets for the same feed."""
    root = Element(_name("feed"), {_LANG: feed.lang})
    _say(root, "id", feed.id)
    _say(root, "title", one_line(feed.title))
    if feed.subtitle:
        _say(root, "subtitle", one_line(feed.subtitle))
    _say(root, "updated", iso(feed.updated))
    _person(root, feed.author, feed.author_url)
    _link(root, "self", feed.url, type=TYPE)
    _link(root, "alternate", feed.home, type="text/html", hreflang=feed.lang)
    lang, url = feed.other
    _link(root, "alternate", url, type=TYPE, hreflang=lang)
    for rel, address in feed.pages.items():
        _link(root, rel, address, type=TYPE)
    for entry in feed.entries:
        _enter(root, entry, feed.lang)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _enter(feed: Element, entry: Entry, lang: str) -> None:
    own = {_LANG: entry.lang} if entry.lang != lang else {}
    node = SubElement(feed, _name("entry"), own)
    _say(node, "id", entry.id)
    _say(node, "title", one_line(entry.title))
    _say(node, "published", iso(entry.published))
    _say(node, "updated", iso(entry.updated))
    _person(node, entry.author)
    _link(node, "alternate", entry.url, type="text/html", hreflang=lang)
    term, label = entry.category
    SubElement(node, _name("category"), {"term": term, "label": _legal(one_line(label))})
    _say(node, "summary", one_line(entry.summary))
    _say(node, "content", entry.html, type="html")


def _person(parent: Element, name: str, url: str | None = None) -> None:
    person = SubElement(parent, _name("author"))
    _say(person, "name", one_line(name))
    if url:
        _say(person, "uri", url)


def _link(parent: Element, rel: str, href: str, **more: str) -> None:
    SubElement(parent, _name("link"), {"rel": rel, "href": href, **more})


def _say(parent: Element, name: str, words: str, **attributes: str) -> None:
    SubElement(parent, _name(name), attributes).text = _legal(words)


def _legal(words: str) -> str:
    return _ILLEGAL.sub("", _LINE_END.sub("\n", words))


def _name(tag: str) -> str:
    return f"{{{_ATOM}}}{tag}"
