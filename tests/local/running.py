"""The whole service as `make run` starts it, for tests that look at its processes and kill them."""

import http.client
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from celery import Celery

import config

# How long to wait for what only a hang keeps from happening; a busy machine takes its time. What
# is promised within a time is asked for within that time.
PATIENCE = 240.0
QUEUES = {"poll", "post", "book", "import", "tidy"}


def eventually(holds: Callable[[], object], seconds: float = PATIENCE, what: str = "it") -> None:
    """Return as soon as `holds`; fail when it has not after `seconds`."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"{what} did not come true in {seconds} s"
        time.sleep(0.05)


def alive(process: psutil.Process) -> bool:
    """Whether it still runs. What is dead and waits for init to notice does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(processes: list[psutil.Process], seconds: float = 5) -> bool:
    """Whether all of them end within `seconds`."""
    until = time.monotonic() + seconds
    while any(map(alive, processes)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(alive, processes))


class Run:
    """One `make run`, on an instance directory and a port of its own."""

    def __init__(self, environ: dict[str, str], instance: Path, *options: str) -> None:
        self.port = _free_port()
        self.instance = instance
        own = {"INSTANCE_DIR": str(instance), "BIND": f"127.0.0.1:{self.port}"}
        self.environ = {**config.environment(), **environ, **own}
        self.output = instance / "console"
        self.options = options

    def start(self) -> "Run":
        with self.output.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "campaigns.local.run", *self.options],
                env=self.environ,
                stdout=output,
                stderr=output,
            )
        self.process = psutil.Process(self.popen.pid)
        return self

    def family(self) -> list[psutil.Process]:
        """Every process that descends from it, itself not included."""
        try:
            return [child for child in self.process.children(recursive=True) if alive(child)]
        except psutil.NoSuchProcess:
            return []

    def child(self, *words: str) -> psutil.Process | None:
        """The first process that has all of `words` on its command line and is no leash."""
        for process in self.family():
            command = _command(process)
            if all(word in command for word in words) and "campaigns.local.leash" not in command:
                return process
        return None

    def answers(self, path: str = "/healthz") -> bool:
        """Whether `path` is answered with 200 within a second."""
        return self.status(path) == 200

    def status(self, path: str) -> int | None:
        """What `path` is answered with, None if that takes longer than a second."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def listening_queues(self) -> set[str]:
        """The queues whose workers answer a ping through the broker."""
        celery = Celery(broker=f"redis+socket://{self.instance}/redis/redis.sock")
        try:
            answers = celery.control.ping(timeout=0.7)
        except Exception:  # noqa: BLE001 - whatever is wrong, nobody answered
            return set()
        finally:
            celery.close()
        return {name.partition("@")[0] for answer in answers for name in answer}

    def up(self) -> bool:
        return self.answers() and self.listening_queues() == QUEUES

    def ready(self) -> bool:
        """What the service says of itself: also that ticks have come from beat to a worker."""
        return self.answers("/readyz")

    def console(self) -> str:
        return self.output.read_text(errors="replace")

    def told(self) -> str:
        """The end of what it wrote, and of what each of its processes logged."""
        logs = [self.output, *sorted((self.instance / "logs").glob("*.log"))]
        return "\n".join(f"{log.name}:\n{log.read_text(errors='replace')[-2000:]}" for log in logs)

    def stop(self) -> None:
        left = self.family()
        self.popen.kill()
        self.popen.wait()
        for process in left:
            if not end([process], 5):
                process.kill()


@contextmanager
def running(
    environ: dict[str, str], *options: str, until: Callable[[Run], bool] = Run.ready
) -> Iterator[Run]:
    """A run of which `until` holds; ended, whatever happens, with all its processes."""
    instance = Path(tempfile.mkdtemp(prefix="hy-", dir="/tmp"))
    run = Run(environ, instance, *options).start()
    try:
        eventually(lambda: until(run), what="the service being up")
        yield run
    except AssertionError:
        sys.stderr.write(run.told())
        raise
    finally:
        run.stop()
        shutil.rmtree(instance)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
