"""A command on the data of the one-command run: `make flask DO="add-staff me@example.org …"`."""

import os
import sys
from pathlib import Path

import config
from campaigns.local import environment


def main() -> None:
    """Become `flask --app wsgi …` with the settings of the last run; what the shell sets wins."""
    given = config.environment()
    try:
        environ = environment.complete(given)
    except config.BadSetting as error:
        sys.exit(f"Cannot start: {error}")
    instance = Path(environ["INSTANCE_DIR"])
    environ = {**environ, **environment.remembered(instance), **given}
    flask = [sys.executable, "-m", "flask", "--app", "wsgi", *sys.argv[1:]]
    os.execve(sys.executable, flask, environ)  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main()
