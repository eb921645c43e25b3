"""The supervisor restarts what dies and leaves nothing behind, however it is ended."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from campaigns.local import lock, supervisor
from tests.local.running import alive, end, eventually

FAMILY = "sleep 600 & setsid sleep 600 & sleep 600 & wait"
STUBBORN = "trap '' TERM; while :; do sleep 0.1; done"
POLITE = "trap 'echo farewell; exit 0' TERM; while :; do sleep 0.1; done"


class Keeper:
    """A supervisor process in `home` and all that descends from it."""

    def __init__(self, home: Path, **scripts: str) -> None:
        self.home = home
        commands = {name: ["sh", "-c", script] for name, script in scripts.items()}
        arguments = [str(home), json.dumps(commands)]
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.local.keeper", *arguments], stdout=subprocess.PIPE
        )
        self.process = psutil.Process(self.popen.pid)

    def leashes(self) -> list[psutil.Process]:
        return self.process.children()

    def family(self) -> list[psutil.Process]:
        return self.process.children(recursive=True)

    def whole(self) -> list[psutil.Process]:
        """The family once FAMILY has all its members: leash, shell, three sleeps."""
        eventually(lambda: len(self.family()) == 5)
        return self.family()


@contextmanager
def keeping(home: Path, **scripts: str) -> Iterator[Keeper]:
    keeper = Keeper(home, **scripts)
    try:
        yield keeper
    finally:
        left = keeper.family() if keeper.process.is_running() else []
        keeper.popen.kill()
        keeper.popen.communicate()
        for process in left:
            if alive(process):
                process.kill()


def test_a_supervisor_killed_with_9_leaves_no_orphans(tmp_path: Path) -> None:
    with keeping(tmp_path, family=FAMILY) as keeper:
        family = keeper.whole()
        keeper.popen.kill()
        assert end(family)


def test_a_server_whose_parent_is_killed_with_9_ends_whole_and_comes_back(tmp_path: Path) -> None:
    with keeping(tmp_path, family=FAMILY) as keeper:
        family = keeper.whole()
        next(process for process in family if process.name() == "sh").kill()
        assert end(family)
        eventually(lambda: len(keeper.family()) == 5, seconds=5)


def test_a_leash_killed_with_9_takes_its_command_along_and_comes_back(tmp_path: Path) -> None:
    with keeping(tmp_path, child="sleep 600 & wait") as keeper:
        eventually(lambda: len(keeper.family()) == 3)
        family = keeper.family()
        keeper.leashes()[0].kill()
        assert end(family)
        eventually(lambda: len(keeper.family()) == 3, seconds=5)


def test_a_child_that_keeps_failing_is_tried_less_and_less_often(tmp_path: Path) -> None:
    with keeping(tmp_path, broken="echo no such luck; exit 3") as keeper:
        time.sleep(4)
        tries = (tmp_path / "broken.log").read_text().count("no such luck")
        keeper.popen.terminate()
        told, _ = keeper.popen.communicate(timeout=10)
    assert 2 <= tries <= 4
    assert b"broken ended (exit code 3); again in 0.5 s." in told
    assert b"broken.log: no such luck" in told


def test_asked_to_stop_it_lets_children_say_farewell(tmp_path: Path) -> None:
    with keeping(tmp_path, polite=POLITE) as keeper:
        eventually(lambda: len(keeper.family()) >= 2)
        time.sleep(0.3)
        keeper.popen.send_signal(signal.SIGINT)
        assert keeper.popen.wait(10) == 0
    assert (tmp_path / "polite.log").read_text() == "farewell\n"


def test_asked_to_stop_it_kills_who_does_not_listen_after_the_grace(tmp_path: Path) -> None:
    with keeping(tmp_path, stubborn=STUBBORN) as keeper:
        eventually(lambda: len(keeper.family()) >= 2)
        family = keeper.family()
        keeper.popen.terminate()
        assert keeper.popen.wait(10) == 0
        assert end(family)


def test_a_second_run_in_the_same_directory_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with keeping(tmp_path, child="exec sleep 600") as keeper:
        eventually(lambda: len(keeper.family()) == 2)
        with pytest.raises(lock.AlreadyRunning, match=f"process {keeper.popen.pid}"):
            lock.take(tmp_path)


def test_a_killed_run_counts_until_its_last_process_is_gone(tmp_path: Path) -> None:
    with keeping(tmp_path, family=FAMILY) as keeper:
        family = keeper.whole()
        keeper.popen.kill()
        lock.take(tmp_path)
        assert end(family, seconds=0)


def test_a_log_that_has_grown_keeps_one_older_generation(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_bytes(b"x" * (supervisor.LOG_BYTES + 1))
    with keeping(tmp_path, web="echo begun; exec sleep 600") as keeper:
        eventually(lambda: log.read_bytes() == b"begun\n")
        assert len(keeper.family()) >= 2
    assert (tmp_path / "web.log.1").stat().st_size == supervisor.LOG_BYTES + 1


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137)])
def test_a_leash_ends_with_its_commands_code(script: str, code: int) -> None:
    leash = [sys.executable, "-m", "campaigns.local.leash", "sh", "-c", script]
    with subprocess.Popen(leash, stdin=subprocess.PIPE, start_new_session=True) as popen:
        assert popen.wait(10) == code


def test_a_leash_says_which_command_it_cannot_find() -> None:
    leash = [sys.executable, "-m", "campaigns.local.leash", "/no/such/command"]
    with subprocess.Popen(leash, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as popen:
        assert popen.wait(10) == 127
        assert popen.stderr is not None
        assert popen.stderr.read() == b"/no/such/command: No such file or directory\n"
