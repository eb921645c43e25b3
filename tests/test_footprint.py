"""What a process of the service weighs before it has done anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters

from campaigns import accounts
from tests.conftest import environment

WEB = "import wsgi\n"
# All that `celery worker` loads before its first task.
WORKER = """
from celery.apps import worker
from kombu.transport import redis
from workers.main import celery
celery.loader.import_default_modules()
"""
PEAK = """
from pathlib import Path
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


# MB. A worker that reads a file may have twenty more (design §9).
@pytest.mark.parametrize(("process", "most"), [(WEB, 150), (WORKER, 130)], ids=["web", "worker"])
def test_a_process_that_loaded_everything_never_took_much(
    process: str, most: int, tmp_path: Path
) -> None:
    environ = environment(f"sqlite:///{tmp_path}/a.sqlite3", tmp_path)
    command = [sys.executable, "-c", process + PEAK]
    said = subprocess.run(
        command, env=dict(os.environ) | environ, capture_output=True, check=True, text=True
    )
    assert int(said.stdout.split()[-1]) / 1024 < most


def test_an_unknown_address_is_checked_at_the_same_cost_as_a_known_one() -> None:
    known = PasswordHasher().hash("the password of somebody")
    assert extract_parameters(accounts._nobody) == extract_parameters(known)
