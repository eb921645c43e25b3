"""`make run`, killed piece by piece: everything comes back, and nothing stays behind."""

import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.conftest import empty_database, environment
from tests.local.running import QUEUES, Run, end, eventually, running

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def run(dialect: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that the tests below share, as they leave it whole."""
    home = tmp_path_factory.mktemp("run")
    with (
        empty_database(dialect, home) as url,
        running(environment(url, home), "--no-demo") as run,
    ):
        yield run


def found(run: Run, *words: str) -> psutil.Process:
    process = run.child(*words)
    assert process is not None, f"there is no process with {words}"
    return process


def back(run: Run, killed: psutil.Process, *words: str) -> bool:
    process = run.child(*words)
    return process is not None and process.pid != killed.pid


def pages(run: Run) -> list[int | None]:
    return [run.status(page) for page in ("/", "/healthz", "/readyz")]


def test_it_says_when_it_is_ready_and_where(run: Run) -> None:
    eventually(lambda: f"Huiyin is ready: {run.environ['BASE_URL']}/" in run.console())


def test_workers_killed_with_9_run_again_within_5_s(run: Run) -> None:
    workers = {queue: found(run, "worker", queue) for queue in QUEUES}
    for worker in workers.values():
        worker.kill()
    for queue, worker in workers.items():
        eventually(partial(back, run, worker, "worker", queue), 5, "the worker running again")
    eventually(run.up, what="the service being up again")


def test_a_beat_killed_with_9_runs_again_within_5_s(run: Run) -> None:
    beat = found(run, "beat")
    beat.kill()
    eventually(lambda: back(run, beat, "beat"), 5, "beat running again")


def test_a_redis_killed_with_9_is_back_with_its_workers(run: Run) -> None:
    redis = next(process for process in run.family() if process.name() == "redis-server")
    redis.kill()
    eventually(lambda: run.listening_queues() == QUEUES, 10, "all workers listening again")


def test_a_redis_frozen_for_15_s_keeps_nobody_waiting_and_work_resumes(run: Run) -> None:
    redis = next(process for process in run.family() if process.name() == "redis-server")
    redis.suspend()
    try:
        until = time.monotonic() + 15
        while time.monotonic() < until:
            # Whoever waits for the broker is late each time, and not only where others work too.
            assert [200, 200, 503] in (pages(run), pages(run))
            time.sleep(0.5)
    finally:
        redis.resume()
    eventually(lambda: run.listening_queues() == QUEUES, 10, "all workers listening again")
    eventually(run.ready, what="the service being ready again")


def test_a_web_worker_killed_with_9_is_not_missed(run: Run) -> None:
    server = found(run, "granian")
    workers = server.children()
    workers[0].kill()
    eventually(run.answers, 1, "the web answering")
    eventually(lambda: len(server.children()) == len(workers), what="the worker being replaced")
    assert found(run, "granian") == server


def test_a_server_killed_with_9_takes_its_workers_along_and_comes_back(run: Run) -> None:
    server = found(run, "granian")
    family = [server, *server.children(recursive=True)]
    server.kill()
    assert end(family, 2)
    eventually(run.answers, what="the web answering again")


def test_a_leash_killed_with_9_does_not_set_its_web_server_free(run: Run) -> None:
    server = found(run, "granian")
    family = [server, *server.children(recursive=True)]
    leash = server.parent()
    assert leash is not None
    leash.kill()
    assert end(family, 2)
    eventually(run.answers, what="the web answering again")


def refused(run: Run, **environ: str) -> str:
    """What a start with the environment of `run`, changed by `environ`, says before it ends."""
    second = subprocess.run(
        [sys.executable, "-m", "campaigns.local.run", "--no-demo"],
        env={**run.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1, "one sentence on one line"
    return second.stderr


def test_a_second_run_on_the_same_instance_is_refused(run: Run) -> None:
    eventually(run.answers)
    assert "Cannot start: Huiyin is already running on" in refused(run)
    eventually(run.answers)


def test_a_taken_port_is_named(run: Run, tmp_path: Path) -> None:
    eventually(run.answers)
    said = refused(run, INSTANCE_DIR=str(tmp_path))
    assert said.startswith(f"Cannot start: 127.0.0.1:{run.port} cannot be listened on")


def test_a_bad_setting_is_named(run: Run, tmp_path: Path) -> None:
    said = refused(run, INSTANCE_DIR=str(tmp_path), DEFAULT_LOCALE="fr")
    assert said == "Cannot start: DEFAULT_LOCALE must be one of zh-Hans, en.\n"


def test_a_supervisor_killed_with_9_leaves_no_orphans_and_can_start_again(run: Run) -> None:
    eventually(run.up)
    family = run.family()
    run.popen.kill()
    run.popen.wait()
    assert end(family, 5)
    assert (run.instance / "redis/redis.sock").exists(), "what a start finds is a stale socket"
    run.start()
    eventually(run.up, what="the service being up again")


def test_ctrl_c_stops_everything_in_order(run: Run) -> None:
    eventually(run.up)
    family = run.family()
    run.popen.send_signal(signal.SIGINT)
    assert run.popen.wait(30) == 0
    assert end(family, 0)
    assert not (run.instance / "redis").exists()
    assert "Traceback" not in run.console()


def test_without_any_redis_ticks_travel_through_a_file(tmp_path: Path) -> None:
    file = f"sqla+sqlite:///{tmp_path}/broker.sqlite3"
    with (
        empty_database("sqlite", tmp_path) as url,
        running(environment(url, tmp_path, BROKER_URL=file), "--no-demo") as run,
    ):
        assert not [process for process in run.family() if process.name() == "redis-server"]
        eventually(run.ready, what="a tick having come through the file")


def test_a_broker_that_swallows_everything_keeps_nobody_waiting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole, empty_database("sqlite", tmp_path) as url:
        swallowing = f"redis://127.0.0.1:{hole.getsockname()[1]}/0"
        environ = environment(url, tmp_path, REDIS_URL=swallowing)
        with running(environ, "--no-demo", until=Run.answers) as run:
            eventually(lambda: pages(run) == [200, 200, 503], what="everything having started")
            for _ in range(10):
                assert [200, 200, 503] in (pages(run), pages(run))


@pytest.mark.judge
@pytest.mark.timeout(900)
def test_a_storm_of_kills_leaves_the_service_whole(dialect: str, tmp_path: Path) -> None:
    """For a minute any process but the supervisor, leashes included, may be the next to die."""
    dice = random.Random(5)
    with (
        empty_database(dialect, tmp_path) as url,
        running(environment(url, tmp_path), "--no-demo") as run,
    ):
        eventually(run.up, what="the service being up")
        whole = len(run.family())
        for _ in range(60):
            family = run.family()
            if family:
                dice.choice(family).kill()
            time.sleep(1)
        eventually(run.up, what="the service being up again")
        eventually(run.ready, what="the service being ready again")
        eventually(lambda: len(run.family()) == whole, what="as many processes as before")
