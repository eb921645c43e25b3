"""The supervisor: keeps a handful of processes running and takes every one of them along."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

ROOT = Path(__file__).parents[2]
TICK = 0.2
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0
SETTLED = 10.0
LOG_BYTES = 5_000_000
TAIL_BYTES = 4_000


@dataclass(frozen=True)
class Child:
    """One process to keep running. Others may lean on it: then it starts first and stops last."""

    name: str
    command: Sequence[str | Path]
    leant_on: bool = False
    up: Callable[[], bool] = lambda: True


@dataclass
class _Run:
    """A child's current process, if it has one, and when it may be started next."""

    child: Child
    leash: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    due: float = 0.0
    pause: float = FIRST_PAUSE
    log: Path = field(default_factory=Path)


class Supervisor:
    """Starts the children on entering, restarts what exits while kept, stops all on leaving.

    Each child runs on a leash (campaigns/local/leash.py) in a session of its own, so that a
    terminal's Ctrl-C reaches the supervisor only, and nothing outlives it however it dies.
    `held` are descriptors that stay open until the last leash is gone.
    """

    def __init__(
        self,
        children: Sequence[Child],
        logs: Path,
        environ: Mapping[str, str],
        *,
        held: Sequence[int] = (),
        grace: float = 8.0,
    ) -> None:
        self.runs = [_Run(child, log=logs / f"{child.name}.log") for child in children]
        self.environ, self.held, self.grace = environ, held, grace
        self.asked_to_stop = 0
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "Supervisor":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked)
        for run in sorted(self.runs, key=lambda run: not run.child.leant_on):
            self._start(run)
            self._await_up(run)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop([run for run in self.runs if not run.child.leant_on])
        self._stop(self.runs)

    def keep(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Keep the children running until asked to stop (False) or `until` says so (True)."""
        while not self.asked_to_stop:
            for run in self.runs:
                self._look_at(run)
            if until():
                return True
            time.sleep(TICK)
        return False

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self.asked_to_stop += 1
        if self.asked_to_stop == 1:
            say("Stopping. Once more (Ctrl-C) stops at once.")

    def _start(self, run: _Run) -> None:
        _bound(run.log)
        # Without site packages (-S) the leash takes 9 MB and 20 ms less.
        leash = [sys.executable, "-S", "-m", "campaigns.local.leash"]
        with run.log.open("ab") as log:
            run.leash = subprocess.Popen(  # noqa: S603
                [*leash, *map(str, run.child.command)],
                cwd=ROOT,
                env=dict(self.environ),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=self.held,
                start_new_session=True,
            )
        run.since = time.monotonic()

    def _await_up(self, run: _Run) -> None:
        """Give a child that others lean on five seconds to answer; they retry if it takes more."""
        until = time.monotonic() + 5
        while not run.child.up() and time.monotonic() < until and not self.asked_to_stop:
            time.sleep(0.05)

    def _look_at(self, run: _Run) -> None:
        now = time.monotonic()
        if run.leash is None:
            if now >= run.due:
                self._start(run)
            return
        _bound(run.log)
        code = run.leash.poll()
        if code is None:
            return
        _sweep(run.leash)
        run.leash = None
        settled = now - run.since > SETTLED
        run.pause = FIRST_PAUSE if settled else min(run.pause * 2, LONGEST_PAUSE)
        run.due = now + run.pause
        say(
            f"{run.child.name} ended ({_reason(code)}); again in {run.pause:g} s.{_last(run, code)}"
        )

    def _stop(self, runs: Sequence[_Run]) -> None:
        """Ask, wait for the grace, then let go of the leashes. The second call does nothing."""
        leashes = [run.leash for run in runs if run.leash is not None]
        for leash in leashes:
            leash.terminate()
        until = time.monotonic() + self.grace
        while any(leash.poll() is None for leash in leashes):
            if time.monotonic() > until or self.asked_to_stop > 1:
                break
            time.sleep(0.05)
        for leash in leashes:
            if leash.stdin is not None:
                leash.stdin.close()
        for leash in leashes:
            with suppress(subprocess.TimeoutExpired):
                leash.wait(5)
            _sweep(leash)
        for run in runs:
            run.leash = None


def say(line: str) -> None:
    """Print a line for the person at the terminal, who may have gone."""
    with suppress(OSError, ValueError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _sweep(leash: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the leash's group, in case the leash was killed before it could."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leash.pid, signal.SIGKILL)
    if leash.stdin is not None:
        leash.stdin.close()
    leash.wait()


def _reason(code: int) -> str:
    number = code - 128 if code > 128 else -code
    return f"signal {number}" if code > 128 or code < 0 else f"exit code {code}"


def _last(run: _Run, code: int) -> str:
    """The last line it wrote, if it gave up by itself soon after it was started."""
    if run.pause <= FIRST_PAUSE or not 0 < code < 128:
        return ""
    with suppress(OSError), run.log.open("rb") as log:
        log.seek(max(0, run.log.stat().st_size - TAIL_BYTES))
        lines = log.read().decode(errors="replace").split("\n")
        return next((f" {run.log}: {line.strip()}" for line in reversed(lines) if line.strip()), "")
    return ""


def _bound(log: Path) -> None:
    """Keep one older generation of a log that has grown; its writers append, so may go on."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
