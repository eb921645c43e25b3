"""Layouts and pieces by themselves: what holds on every page, whoever writes the view."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import css_inline
import pytest
from flask import Flask
from flask_babel import Babel, force_locale
from markupsafe import Markup

from campaigns.money import Money
from campaigns.web import bars, format
from campaigns.web.staff import samples

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SITE = SimpleNamespace(name="Facilitators", home="/en/", contact="hello@example.org", demo=False)
ERRORS = [path for path in TEMPLATES if path.parent.name == "errors" and path.stem.isdecimal()]


@pytest.fixture(autouse=True)
def app() -> Iterator[Flask]:
    app = Flask(__name__, root_path=str(ROOT))
    Babel(app, default_locale="en", default_timezone="Asia/Shanghai")
    format.init_app(app)
    with app.test_request_context():
        yield app


def piece(app: Flask, source: str, **values: object) -> str:
    return app.jinja_env.from_string(source).render(**values)


def letter(**changes: object) -> SimpleNamespace:
    base: dict[str, object] = {
        "title": "The first desks have arrived",
        "body": Markup("<p>Sixteen desks.</p>"),
        "body_text": "Sixteen desks.",
        "button": SimpleNamespace(label="Read it all", url="https://example.org/en/c/after-school"),
        "figures": [],
        "why": "You follow After school.",
        "leave_url": "https://example.org/unsubscribe/token",
        "choose_url": "https://example.org/preferences/token",
        "zone": None,
    }
    return SimpleNamespace(**(base | changes))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_pages_hold_no_inline_style_script_or_handler(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    if path.parent.name != "letters":
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|<script(?! src=)", source)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_parses_and_says_what_it_is(app: Flask, path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    app.jinja_env.parse(source)
    assert source.startswith("{#")


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.name)
def test_an_error_page_needs_nothing_but_its_language(app: Flask, path: Path) -> None:
    page = app.jinja_env.get_template(f"errors/{path.name}").render()
    assert f">{path.stem}<" in page
    assert '<html lang="en">' in page
    with force_locale("zh_Hans"):
        assert 'lang="zh-Hans"' in app.jinja_env.get_template(f"errors/{path.name}").render()


def test_an_error_without_a_page_of_its_own_still_has_one(app: Flask) -> None:
    error = app.jinja_env.get_template("errors/error.html")
    assert ">404<" in error.render(code=404)
    assert ">418<" in error.render(code=418)
    assert "&lt;b&gt;" in error.render(code=400, reason="<b>")


def test_a_bar_says_in_words_what_it_shows(app: Flask) -> None:
    parts = [
        bars.Part("Alipay", Money(9_990, "CNY"), 2),
        bars.Part("match", Money(5, "CNY"), 2, True),
    ]
    bar = bars.split(parts, Money(10_000, "CNY"))
    source = '{% from "pieces/figures.html" import progress_bar %}{{ progress_bar(bar) }}'
    drawn = piece(app, source, bar=bar)
    assert 'aria-label="¥99.95 of ¥100 raised (99%)"' in drawn
    assert drawn.count("url(#hatching)") == 1
    assert piece(app, source, bar=None).strip() == ""


def test_a_fields_hint_and_error_are_tied_to_it(app: Flask) -> None:
    source = (
        '{% from "pieces/forms.html" import plain_field %}'
        '{{ plain_field("mail", "email", "Mail", hint="h", error="e") }}'
    )
    field = piece(app, source)
    assert 'aria-describedby="mail-hint mail-error"' in field
    assert 'aria-invalid="true"' in field
    assert '<label for="mail">' in field


def test_what_people_wrote_is_inert(app: Flask) -> None:
    source = '{% from "pieces/updates.html" import correction %}{{ correction(note) }}'
    note = SimpleNamespace(at=None, text="<script>alert(1)</script>")
    assert "<script>" not in piece(app, source, note=note)


def test_a_letters_dark_clothes_survive_inlining(app: Flask) -> None:
    html = app.jinja_env.get_template("letters/base.html").render(letter=letter(), site=SITE)
    sent = css_inline.CSSInliner(keep_style_tags=False).inline(html)
    assert "prefers-color-scheme: dark" in sent
    assert sent.count("<style") == 1
    assert re.search(r'<a href="https://example.org/unsubscribe/token" style="', sent)


@pytest.mark.parametrize("name", ["letters/base.html", "letters/base.txt"])
def test_a_service_letter_has_no_way_to_leave(app: Flask, name: str) -> None:
    template = app.jinja_env.get_template(name)
    assert "unsubscribe" in template.render(letter=letter(), site=SITE)
    assert "Leave" not in template.render(letter=letter(leave_url=None), site=SITE)


def test_the_style_and_script_stay_light() -> None:
    assert (ROOT / "static/css/site.css").stat().st_size < 30_000
    assert (ROOT / "static/js/site.js").stat().st_size < 5_000


def test_the_design_page_shows_every_piece_in_both_languages(app: Flask) -> None:
    app.secret_key = "only for this test"
    app.jinja_env.globals["csrf_token"] = lambda: ""
    staff = {"nav": [], "person": SimpleNamespace(name="Lin", role="Editor"), "logout_url": "#"}
    shown: dict[str, object] = {"page": {"title": "x"}, "site": SITE, **staff}
    template = app.jinja_env.get_template("staff/design.html")
    pages = []
    for locale in ("en", "zh_Hans"):
        with force_locale(locale):
            pages.append(template.render(sample=samples.of(datetime.now(UTC)), **shown))
    assert all('aria-invalid="true"' in page and "<tfoot>" in page for page in pages)
    ids = re.findall(r'\sid="([^"]+)"', pages[0])
    assert len(ids) == len(set(ids))
    for reference in re.findall(r'(?:for|aria-describedby|aria-labelledby)="([^"]+)"', pages[0]):
        assert set(reference.split()) <= set(ids)
