"""What a process of the service weighs before it has done anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import environment

WEB = "import wsgi\n"
# All that the worker of imports loads before its first task.
WORKER = """
import sys
from celery.apps import worker
from kombu.transport import redis
from workers.app import load
from workers.main import celery
load(["import"])
assert "workers.imports" in sys.modules and "workers.post" not in sys.modules
"""
PEAK = """
from pathlib import Path
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""
COST = """
from argon2 import extract_parameters, profiles
from campaigns import accounts
from campaigns.files import sealed
low = profiles.RFC_9106_LOW_MEMORY
assert extract_parameters(accounts._hasher.hash("the password of somebody")) == low
assert extract_parameters(accounts._nobody) == low
assert sealed._COST == (low.time_cost, low.memory_cost, low.parallelism)
"""


def said(source: str, home: Path) -> str:
    environ = dict(os.environ) | environment(f"sqlite:///{home}/a.sqlite3", home)
    command = [sys.executable, "-c", source]
    return subprocess.run(
        command, env=environ, stdout=subprocess.PIPE, check=True, text=True
    ).stdout


# MB. A worker that reads a file may have thirty more (design §9).
@pytest.mark.parametrize(("process", "most"), [(WEB, 150), (WORKER, 110)], ids=["web", "worker"])
def test_a_process_that_loaded_everything_never_took_much(
    process: str, most: int, tmp_path: Path
) -> None:
    assert int(said(process + PEAK, tmp_path).split()[-1]) / 1024 < most


def test_whoever_guesses_passwords_pays_what_they_cost_and_learns_no_address(
    tmp_path: Path,
) -> None:
    """RFC 9106 §4, for little memory; as much for an address that nobody here has."""
    said(COST, tmp_path)
