"""Commands in another shell find the data and the settings of the last run."""

import subprocess
import sys
from pathlib import Path

import config
from campaigns.local import environment


def said(instance: Path, *words: str) -> subprocess.CompletedProcess[str]:
    given = {
        name: value
        for name, value in config.environment().items()
        if name not in ("DATABASE_URL", "REDIS_URL", "BROKER_URL")
    }
    return subprocess.run(
        [sys.executable, "-m", "campaigns.local.command", *words],
        env={**given, "INSTANCE_DIR": str(instance)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_what_a_run_added_is_remembered_for_its_owner_only(tmp_path: Path) -> None:
    environment.remember(tmp_path, {"A": "1"}, {"A": "1", "BROKER_URL": "redis://x"})
    assert environment.remembered(tmp_path) == {"BROKER_URL": "redis://x"}
    assert (tmp_path / environment.REMEMBERED).stat().st_mode & 0o077 == 0


def test_before_the_first_run_nothing_is_remembered(tmp_path: Path) -> None:
    assert environment.remembered(tmp_path) == {}


def test_a_command_needs_no_settings_of_its_own(tmp_path: Path) -> None:
    assert said(tmp_path, "db", "upgrade").returncode == 0
    added = said(tmp_path, "add-staff", "me@example.org", "--role", "administrator")
    assert added.returncode == 0, added.stderr
    assert "me@example.org" in added.stdout
    again = said(tmp_path, "add-staff", "me@example.org", "--role", "administrator")
    assert again.returncode == 1
    assert len(again.stderr.strip().splitlines()) == 1
