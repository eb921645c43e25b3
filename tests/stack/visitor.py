"""Somebody at a browser without JavaScript: opens pages, fills in their forms, presses buttons."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

TIMEOUT = 10


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """The forms and the readable text of a page."""

    def __init__(self, address: str, html: str) -> None:
        super().__init__()
        self.address, self.html = address, html
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._area: str | None = None
        self._choice: str | None = None
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self.address, given.get("action") or self.address)
            self.forms.append(Form(action, given.get("method", "get").lower()))
        elif self.forms and tag in ("input", "textarea", "select", "option"):
            self._field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._area = self._choice = None

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1].fields[self._area] += data
        else:
            self.words.append(data)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        fields, name = self.forms[-1].fields, given.get("name", "")
        if tag == "option" and self._choice:
            if "selected" in given or self._choice not in fields:
                fields[self._choice] = given.get("value", "")
        elif tag == "select":
            self._choice = name
        elif tag == "textarea":
            self._area, fields[name] = name, ""
        elif tag == "input" and name and _is_sent(given):
            fields[name] = given.get("value", "")


class Visitor:
    """One person with one browser. Whatever is not answered with a page fails the test."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.page = Page(home, "")

    def open(self, path: str) -> Page:
        return self._turn(self.browser.get(urljoin(self.home, path), timeout=TIMEOUT))

    def send(self, action: str, /, **fields: str) -> Page:
        """Fill in the open page's form whose address ends in `action`, and press its button."""
        form = next((one for one in self.page.forms if _ends(one.action, action)), None)
        assert form is not None, f"no form leads to {action} on {self.page.address}"
        unknown = set(fields) - set(form.fields)
        assert not unknown, f"the form has no fields {unknown}, only {sorted(form.fields)}"
        return self.press(form.action, **(form.fields | fields))

    def press(self, where: str, /, **fields: str) -> Page:
        headers = {"Origin": self.home, "Referer": self.page.address}
        answer = self.browser.post(
            urljoin(self.home, where), data=fields, headers=headers, timeout=TIMEOUT
        )
        return self._turn(answer)

    def log_in(self, email: str, password: str) -> "Visitor":
        self.open("/staff/login")
        self.send("/staff/login", email=email, password=password)
        assert "/login" not in self.page.address, f"{email} was not let in: {self.page.text}"
        return self

    def _turn(self, answer: requests.Response) -> Page:
        assert answer.ok, f"{answer.status_code} from {answer.url}: {answer.text[:2000]}"
        self.page = Page(answer.url, answer.text)
        return self.page


def _is_sent(given: dict[str, str]) -> bool:
    """Whether a browser sends the field along when nobody touched it."""
    kind = given.get("type")
    return kind not in ("submit", "button", "checkbox", "radio") or "checked" in given


def _ends(address: str, action: str) -> bool:
    return urlsplit(address).path.endswith(action)
