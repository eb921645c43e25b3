"""Text: what staff write in Markdown, as safe HTML for pages and as plain text for letters."""

import re
from html.parser import HTMLParser

import nh3
from markdown import Markdown
from markupsafe import Markup

from config import settings

_TAGS = frozenset(
    "a abbr b blockquote br code del em h2 h3 h4 h5 h6 hr i img li ol p pre strong sub sup "
    "table tbody td th thead tr ul".split()
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "abbr": {"title"},
    "ol": {"start"},
    "table": {"width"},
    "th": {"align"},
    "td": {"align", "width"},
}
# A bar of progress is a table, since every mail program draws one, in two colours of ours.
_VALUES = {
    "table": {"class": {"bar", "listed"}},
    "td": {"class": {"done", "rest"}, "bgcolor": {"#2a7452", "#e7e0d4"}},
}
_BAR_SIGNS, _BAR_LENGTH = {"done": "▓", "rest": "░"}, 20
_FULL = 100
_SCHEMES = {"http", "https", "mailto"}
# Blocks that stand apart by a blank line, and those that begin on a line of their own.
_APART = frozenset("p h2 h3 h4 h5 h6 ul ol blockquote pre table hr".split())
_LINES = frozenset({"li", "tr", "br"})
_LONGEST_WORD = 20


def html(markdown: str) -> Markup:
    """Sanitised HTML, inert whatever was written (fault row 11).

    Headings begin at h2, since the page has its own title; a single line break is kept; links are
    http, https or mailto, and those within the site are made absolute, for letters. Needs an app.
    """
    written = Markdown(
        extensions=["tables", "sane_lists", "nl2br", "toc"],
        extension_configs={
            "toc": {"baselevel": 2, "marker": ""},
            # Columns are aligned by attribute: the policy of our pages allows no inline style.
            "tables": {"use_align_attribute": True},
        },
        output_format="html",
    ).convert(markdown)
    return Markup(  # noqa: S704 - nh3 has just made it safe
        nh3.clean(
            written,
            tags=set(_TAGS),
            attributes=_ATTRIBUTES,
            tag_attribute_values=_VALUES,
            url_schemes=_SCHEMES,
            url_relative=("rewrite_with_base", settings().base_url),
            link_rel="nofollow noopener",
        )
    )


def plain(markdown: str) -> str:
    """The same content as text: links in brackets after their words, lists with their signs."""
    reader = _Plain()
    reader.feed(str(html(markdown)))
    reader.close()
    return "".join(reader.pieces).strip()


def excerpt(markdown: str, most: int) -> str:
    """The first words of its paragraphs in one line of at most `most` characters."""
    reader = _Paragraphs()
    reader.feed(str(html(markdown)))
    reader.close()
    words = " ".join("".join(reader.pieces).split())
    if len(words) <= most:
        return words
    kept = words[: most - 1]
    # Chinese has no spaces to cut at, and in English a word is not that long.
    whole = kept.rpartition(" ")[0]
    return (whole if len(kept) - len(whole) < _LONGEST_WORD else kept).rstrip(
        " ,.;:，。；：、"
    ) + "…"


class _Paragraphs(HTMLParser):
    """Collects in `pieces` what stands in paragraphs, which headings, lists and tables do not."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = self._inside or tag == "p"
        if tag in ("p", "br"):
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "p"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.pieces.append(data)


class _Plain(HTMLParser):
    """Collects the text of our own sanitised HTML in `pieces`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._lists: list[int | None] = []
        self._preformatted = self._drawing = False
        # Line breaks owed before the next word, and whether a list's sign still waits for it.
        self._owed = 0
        self._signed = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._owe(tag)
        if tag == "table":
            self._drawing = given.get("class") == "bar"
        if tag in ("ul", "ol"):
            self._lists.append(_first_number(given.get("start")) if tag == "ol" else None)
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self.pieces)))
        elif sign := self._sign(tag, given):
            self._write(sign)
            self._signed = tag in ("li", "blockquote")
        self._preformatted = self._preformatted or tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links:
            self._write(self._address(*self._links.pop()))
        elif tag in ("ul", "ol"):
            self._lists.pop()
        elif tag == "pre":
            self._preformatted = False
        elif tag in ("td", "th") and not self._drawing:
            self._write("\t")
        elif tag == "table":
            self._drawing = False
        self._owe(tag)

    def handle_data(self, data: str) -> None:
        if self._drawing:
            return
        if not self._preformatted:
            # Line breaks of the source are layout here; those that count are <br>.
            data = re.sub(r"\s*\n\s*", " ", data)
            if self._owed or self._signed or not self.pieces or self.pieces[-1] == "\t":
                data = data.lstrip()
        self._write(data)

    def _write(self, words: str) -> None:
        if not words:
            return
        if self._owed and self.pieces:
            self.pieces[-1] = self.pieces[-1].rstrip(" \t")
            self.pieces.append("\n" * self._owed)
        self.pieces.append(words)
        self._owed, self._signed = 0, False

    def _owe(self, tag: str) -> None:
        """A paragraph inside a list item or quotation begins right after its sign."""
        if self._signed:
            return
        if tag in _APART:
            self._owed = max(self._owed, 1 if self._lists else 2)
        elif tag in _LINES:
            self._owed = max(self._owed, 1)

    def _sign(self, tag: str, given: dict[str, str | None]) -> str:
        if tag == "li":
            number = self._lists[-1] if self._lists else None
            if number is None:
                return "- "
            self._lists[-1] = number + 1
            return f"{number}. "
        if tag == "td" and self._drawing:
            part = int(re.sub("[^0-9]", "", given.get("width") or "")[:3] or 0)
            return _BAR_SIGNS.get(given.get("class") or "", "") * round(part * _BAR_LENGTH / _FULL)
        if tag == "img":
            return f"[{given['alt']}]" if given.get("alt") else ""
        return {"hr": "* * *", "blockquote": "> "}.get(tag, "")

    def _address(self, address: str, start: int) -> str:
        bare = address.removeprefix("mailto:")
        return f" ({bare})" if bare and "".join(self.pieces[start:]).strip() != bare else ""


def _first_number(start: str | None) -> int:
    """As browsers read it: 1 where the attribute, which may be typed as raw HTML, is no number."""
    return int(start) if start and re.fullmatch(r"-?[0-9]{1,9}", start) else 1
