"""The processes of the one-command run, as command lines."""

import sys
from collections.abc import Mapping

from campaigns.local.broker import Broker
from campaigns.local.supervisor import Child

# A slot is a thread. Queues have a worker each, so that none waits for another's work; tidying has
# two slots, so that the pulse comes while something is swept. Not one pool of processes:
# docs/decisions/0001-one-worker-process-per-queue.md says why.
SLOTS: Mapping[str, int] = {"poll": 1, "post": 1, "book": 1, "import": 1, "tidy": 2}
CELERY = (sys.executable, "-m", "celery", "-A", "workers.main:celery")


def of_the_broker(broker: Broker) -> list[Child]:
    """Our own Redis, if that is what the broker is."""
    if not broker.command:
        return []
    return [Child("redis", broker.command, leant_on=True, up=broker.answers)]


def of_the_service(bind: tuple[str, int]) -> list[Child]:
    """Web, a worker per queue, beat."""
    workers = [Child(f"worker-{queue}", _worker(queue, slots)) for queue, slots in SLOTS.items()]
    return [Child("web", _web(*bind)), *workers, Child("beat", _beat())]


def stand_in(address: str) -> Child:
    """The platforms of the demo, all three at one address."""
    return Child("stand-in", (sys.executable, "-m", "campaigns.local.standin", address))


def _web(host: str, port: int) -> tuple[str, ...]:
    """Granian with far more threads than anybody computes on: slow clients may hold hundreds."""
    where = ("--host", host, "--port", str(port))
    size = ("--workers", "2", "--blocking-threads", "512")
    manner = ("--http", "1", "--no-ws", "--no-access-log", "--log-level", "warning")
    granian = (sys.executable, "-m", "granian", "--interface", "wsgi", "wsgi:app")
    return (*granian, *where, *size, *manner, "--respawn-failed-workers")


def _worker(queue: str, slots: int) -> tuple[str, ...]:
    pool = ("--pool", "threads", "--concurrency", str(slots))
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return (*CELERY, "worker", "-Q", queue, "-n", f"{queue}@%h", *pool, *alone, "-l", "WARNING")


def _beat() -> tuple[str, ...]:
    """Nothing of the schedule is kept on disk, and no pid file can be left behind."""
    return (*CELERY, "beat", "-S", "celery.beat:Scheduler", "--pidfile=", "-l", "WARNING")
