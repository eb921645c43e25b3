"""Production starts its processes with the same words as the one-command run."""

import re
from pathlib import Path

import pytest
from flask import Flask

from campaigns.local import children
from workers import app as workers_app

ROOT = Path(__file__).parent.parent
COMPOSE = (ROOT / "compose.yaml").read_text()
SETTINGS = (ROOT / "docs/settings.md").read_text()
UNITS = ROOT / "deploy/systemd"


def words(text: str) -> str:
    """Shell, JSON and YAML spellings of a command line, made one."""
    return " ".join(re.sub(r'[",\[\]\\]', " ", text).split())


def web() -> str:
    """Everything but where it listens."""
    command = next(c for c in children.of_the_service(("h", 1)) if c.name == "web").command
    return " ".join(map(str, command[2:])).replace(" --host h --port 1", "")


def worker(queue: str) -> str:
    command = next(
        c for c in children.of_the_service(("h", 1)) if c.name == f"worker-{queue}"
    ).command
    return " ".join(map(str, command[2:]))


def test_every_queue_has_a_worker() -> None:
    assert set(children.SLOTS) == set(workers_app.QUEUES)


@pytest.mark.parametrize("file", ["Dockerfile", "deploy/systemd/huiyin-web.service"])
def test_the_web_is_started_alike(file: str) -> None:
    said = re.sub(r" --host \S+ --port \d+", "", words((ROOT / file).read_text()))
    assert web() in said


@pytest.mark.parametrize("queue", workers_app.QUEUES)
def test_workers_are_started_alike_under_compose(queue: str) -> None:
    assert worker(queue) in words(COMPOSE)


@pytest.mark.parametrize("queue", workers_app.QUEUES)
def test_workers_are_started_alike_under_systemd(queue: str) -> None:
    unit = words((UNITS / "huiyin-worker@.service").read_text())
    own = UNITS / f"huiyin-worker@{queue}.service.d/slots.conf"
    slots = re.findall(r"SLOTS=(\d+)", own.read_text() if own.exists() else unit)[0]
    said = unit.replace("%i", queue).replace("%%", "%").replace("${SLOTS}", slots)
    assert worker(queue) in said
    assert f"huiyin-worker@{queue}.service" in (UNITS / "huiyin.target").read_text()


@pytest.mark.parametrize("file", ["compose.yaml", "deploy/systemd/huiyin-beat.service"])
def test_beat_is_started_alike(file: str) -> None:
    command = next(c for c in children.of_the_service(("h", 1)) if c.name == "beat").command
    assert " ".join(map(str, command[2:])) in words((ROOT / file).read_text())


def test_compose_sets_only_settings_that_exist() -> None:
    block = COMPOSE.partition("environment:")[2].partition("secrets:")[0]
    names = re.findall(r"^ {4}([A-Z_]+?)(?:_FILE)?:", block, re.MULTILINE)
    assert len(names) > 8
    assert [name for name in names if f"| `{name}` |" not in SETTINGS] == []


def test_compose_gives_everything_that_must_be_set() -> None:
    block = COMPOSE.partition("environment:")[2].partition("secrets:")[0]
    given = {
        name.removesuffix("_FILE") for name in re.findall(r"^ {4}([A-Z_]+):", block, re.MULTILINE)
    }
    must = re.findall(r"^\| `([A-Z_]+)` .*\| must be set \|", SETTINGS, re.MULTILINE)
    assert len(must) == 6
    assert set(must) <= given


def test_the_image_takes_no_secrets_along() -> None:
    copied = re.findall(r"^COPY ([^-\n].*) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    allowed = (ROOT / ".dockerignore").read_text()
    for source in " ".join(copied).split():
        assert f"!{source}\n" in allowed
    assert not {"instance", "secrets", ".env", "."} & set(" ".join(copied).split())


def test_pages_of_who_is_logged_in_are_not_cached_before_the_service(app: Flask) -> None:
    said = (ROOT / "deploy/nginx.conf").read_text()
    cookie = f"$cookie_{app.config['SESSION_COOKIE_NAME']}"
    assert f"proxy_cache_bypass {cookie};" in said
    assert f"proxy_no_cache {cookie} $upstream_http_set_cookie;" in said
