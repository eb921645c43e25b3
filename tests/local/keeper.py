"""Keeps children given as JSON on the command line, for tests that kill their supervisor."""

import json
import sys
from pathlib import Path

import config
from campaigns.local import lock
from campaigns.local.supervisor import Child, Supervisor

if __name__ == "__main__":
    home = Path(sys.argv[1])
    children = [Child(name, command) for name, command in json.loads(sys.argv[2]).items()]
    held = [lock.take(home)]
    with Supervisor(children, home, config.environment(), held=held, grace=2) as supervisor:
        supervisor.keep()
