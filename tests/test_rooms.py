"""The app that workers stand on: it has no doors, and all that letters ask for."""

from pathlib import Path

import pytest
from flask import Flask
from jinja2 import meta, nodes

from campaigns.rooms import create_rooms
from config import load
from tests.conftest import environment

LETTERS = Path(__file__).parent.parent / "templates" / "letters"
# What composition gives a letter.
GIVEN = {"letter", "site"}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    home = tmp_path_factory.mktemp("rooms")
    return create_rooms(load(environment(f"sqlite:///{home}/a.sqlite3", home)))


def test_workers_have_no_pages(rooms: Flask) -> None:
    assert [rule.endpoint for rule in rooms.url_map.iter_rules()] == ["static"]


def test_the_cookie_key_stays_at_the_doors(rooms: Flask) -> None:
    assert rooms.secret_key is None


@pytest.mark.parametrize("name", sorted(file.name for file in LETTERS.iterdir()))
def test_a_worker_knows_whatever_a_letter_asks_for(name: str, rooms: Flask) -> None:
    tree = rooms.jinja_env.parse((LETTERS / name).read_text(encoding="utf-8"))
    assert {found.name for found in tree.find_all(nodes.Filter)} <= rooms.jinja_env.filters.keys()
    set_here = {found.name for found in tree.find_all(nodes.Name) if found.ctx != "load"}
    fetched = {name for found in tree.find_all(nodes.FromImport) for name in found.names}
    known = GIVEN | set_here | fetched | rooms.jinja_env.globals.keys()
    assert meta.find_undeclared_variables(tree) <= known
