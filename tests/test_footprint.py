"""What a process of the service weighs before it has done anything."""

import os
import subprocess
import sys
from pathlib import Path

from argon2 import PasswordHasher, extract_parameters

from campaigns import accounts
from tests.conftest import environment

ASK = """
from pathlib import Path
import wsgi
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""
MOST = 140  # MB at its peak; a worker that reads a file may have ten more (design §9)


def test_a_process_that_loaded_everything_never_took_much(tmp_path: Path) -> None:
    environ = environment(f"sqlite:///{tmp_path}/a.sqlite3", tmp_path)
    command = [sys.executable, "-c", ASK]
    said = subprocess.run(
        command, env=dict(os.environ) | environ, capture_output=True, check=True, text=True
    )
    assert int(said.stdout.split()[-1]) / 1024 < MOST


def test_an_unknown_address_is_checked_at_the_same_cost_as_a_known_one() -> None:
    known = PasswordHasher().hash("the password of somebody")
    assert extract_parameters(accounts._nobody) == extract_parameters(known)
