"""The secrets of the one-command run are made once and belong to their owner."""

import stat
import subprocess
import sys
from pathlib import Path

import config
from campaigns.local import environment, keys, run

MAKE = """
import sys, pathlib
from campaigns.local import keys
keys.files(pathlib.Path(sys.argv[1]), {})
"""


def contents(files: dict[str, str]) -> dict[str, str]:
    return {name: Path(path).read_text() for name, path in files.items()}


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    first = contents(keys.files(tmp_path, {}))
    assert contents(keys.files(tmp_path, {})) == first
    assert set(first) == {"SECRET_KEY_FILE", "DATA_KEYS_FILE", "ADDRESS_PEPPER_FILE"}


def test_only_their_owner_can_read_them(tmp_path: Path) -> None:
    for path in keys.files(tmp_path, {}).values():
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_starts_at_the_same_time_agree(tmp_path: Path) -> None:
    homes = [tmp_path / str(number) for number in range(5)]
    for home in homes:
        home.mkdir()
        starts = [subprocess.Popen([sys.executable, "-c", MAKE, home]) for _ in range(4)]
        read: set[str] = set()
        while any(start.poll() is None for start in starts):
            read |= {path.read_text() for path in home.glob("secrets/SECRET_KEY")}
        assert [start.returncode for start in starts] == [0] * 4
        assert read <= {(home / "secrets/SECRET_KEY").read_text()}
        assert len(list((home / "secrets").iterdir())) == 3, "no drafts are left"


def test_what_the_person_set_wins(tmp_path: Path) -> None:
    own = tmp_path / "pepper"
    given = {"SECRET_KEY": "x" * 40, "ADDRESS_PEPPER_FILE": str(own)}
    assert set(keys.files(tmp_path, given)) == {"DATA_KEYS_FILE"}


def test_the_completed_environment_is_one_that_loads(tmp_path: Path) -> None:
    given = {"INSTANCE_DIR": str(tmp_path / "new"), "BIND": "0.0.0.0:8123"}
    loaded = config.load(environment.complete(given))
    assert loaded.embedded
    assert loaded.base_url == "http://127.0.0.1:8123"
    assert loaded.database_url == f"sqlite:///{tmp_path}/new/huiyin.sqlite3"


def test_what_files_hold_counts_like_what_is_set(tmp_path: Path) -> None:
    (tmp_path / "home").write_text(f"{tmp_path}/new\n")
    (tmp_path / "bind").write_text("127.0.0.1:8123\n")
    given = {"INSTANCE_DIR_FILE": f"{tmp_path}/home", "BIND_FILE": f"{tmp_path}/bind"}
    completed = environment.complete(given)
    assert config.load(completed).base_url == "http://127.0.0.1:8123"
    assert completed["DATABASE_URL"] == f"sqlite:///{tmp_path}/new/huiyin.sqlite3"
    assert completed["SECRET_KEY_FILE"] == f"{tmp_path}/new/secrets/SECRET_KEY"


def test_no_log_holds_the_logins_of_the_demo(tmp_path: Path) -> None:
    environ = environment.complete({**config.environment(), "INSTANCE_DIR": str(tmp_path)})
    run.prepare(environ, tmp_path, demo=True)
    password = (tmp_path / run.LOGINS).read_text().splitlines()[0].split()[-1]
    assert len(password) >= 12
    assert not any(password in log.read_text() for log in (tmp_path / "logs").iterdir())


def test_nobody_else_may_look_into_a_new_instance(tmp_path: Path) -> None:
    environment.complete({"INSTANCE_DIR": str(tmp_path / "new")})
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_given_database_stays(tmp_path: Path) -> None:
    given = {"INSTANCE_DIR": str(tmp_path), "DATABASE_URL": "postgresql://a:b@db/huiyin"}
    assert config.load(environment.complete(given)).database_url.endswith("a:b@db/huiyin")


def test_stand_ins_stand_in_for_every_platform_at_a_private_address(tmp_path: Path) -> None:
    alone = environment.complete({"INSTANCE_DIR": str(tmp_path)})
    loaded = config.load(environment.with_stand_ins(alone, "127.0.0.1:9001"))
    assert set(loaded.platform_origins) == set(environment.PLATFORMS)
    assert loaded.poll_allow_private == {"127.0.0.1:9001"}
