"""Settings: a bad value stops the start by name, and docs/settings.md knows each of them."""

import base64
import re
from pathlib import Path

import pytest

import config
from campaigns.mail.address import Mailbox
from campaigns.mail.mailbox import Place
from campaigns.mail.relay import Relay
from campaigns.platforms import proxy

ROOT = Path(__file__).parent.parent
KEY = base64.b64encode(bytes(32)).decode()
GOOD = {
    "DATABASE_URL": "postgresql://huiyin:secret@db.example.org/huiyin",
    "MAIL_FROM": "Facilitators <updates@example.org>",
    "BASE_URL": "https://give.example.org",
    "SECRET_KEY": "a secret key of more than thirty-two characters",
    "DATA_KEYS": f"k2:{KEY},k1:{KEY}",
    "ADDRESS_PEPPER": KEY,
}
BAD = [
    ("DATABASE_URL", "mysql://db.example.org/huiyin"),
    ("DATABASE_URL", "sqlite://"),
    ("DATABASE_URL", "sqlite://huiyin.sqlite3"),
    ("DATABASE_URL", "postgresql://db.example.org:many/huiyin"),
    ("DATABASE_URL", "postgresql://[::1/huiyin"),
    ("REDIS_URL", "http://redis.example.org"),
    ("REDIS_URL", "redis://redis.example.org:0"),
    ("REDIS_URL", "redis://redis.example.org:99999"),
    ("BROKER_URL", "rabbit.example.org"),
    ("BROKER_URL", "://rabbit.example.org"),
    ("BROKER_URL", "redis://redis.example.org:many"),
    ("BOUNCE_MAILBOX_URL", "imap://bounces:x@imap.example.org"),
    ("BOUNCE_MAILBOX_URL", "imaps://imap.example.org/INBOX"),
    ("BOUNCE_MAILBOX_URL", "smtps://bounces:x@imap.example.org"),
    ("SMTP_URL", "mail.example.org:587"),
    ("SMTP_URL", "smtp://mail.example.org:many"),
    ("SMTP_URL", "smtp://mail.example.org/path"),
    ("SMTP_URL", "smtp://mail.example.org?timeout=3"),
    ("SMTP_URL", "smtp://user:pass#word@mail.example.org"),
    ("SMTP_URL", "smtp://:25"),
    ("SMTP_URL", "smtp:mail.example.org"),
    ("SMTP_URL", "smtp://[::1"),
    ("PLATFORM_PROXY", "proxy.example.org:3128"),
    ("PLATFORM_PROXY", "https://proxy.example.org:3128"),
    ("PLATFORM_PROXY", "socks5://proxy.example.org:1080"),
    ("PLATFORM_PROXY", "http://proxy.example.org:many"),
    ("PLATFORM_PROXY", "http://proxy.example.org/path"),
    ("PLATFORM_PROXY", "http://:3128"),
    ("PLATFORM_PROXY", "http://proxy.example.org?x"),
    ("PLATFORM_PROXY", "http://user:pass#word@proxy.example.org"),
    ("MAIL_FROM", "Facilitators"),
    ("MAIL_FROM", "Facilitators updates@example.org"),
    ("MAIL_FROM", "Facilitators <updates@example.org"),
    ("MAIL_FROM", "updates@example..org"),
    ("MAIL_FROM", "updates@example"),
    ("MAIL_FROM", "a@example.org\r\nBcc: b@example.org"),
    ("BASE_URL", "give.example.org"),
    ("BASE_URL", "https://give.example.org/?campaign=1"),
    ("BASE_URL", "ftp://give.example.org"),
    ("BASE_URL", "https://捐.example.org"),
    ("BASE_URL", "https://give example.org"),
    ("BASE_URL", "https://user:secret@give.example.org"),
    ("BASE_URL", 'https://give.example.org"><b>'),
    ("BASE_URL", "https://[::1"),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY", f"{'x' * 40},short"),
    ("DATA_KEYS", KEY),
    ("DATA_KEYS", "k1:tooshort"),
    ("DATA_KEYS", f"k1:{KEY},k1:{KEY}"),
    ("ADDRESS_PEPPER", "pepper"),
    ("ADDRESS_PEPPER", base64.b64encode(bytes(31)).decode()),
    ("BIND", "8000"),
    ("BIND", "127.0.0.1:0"),
    ("BIND", "127.0.0.1:65536"),
    ("BIND", ":8000"),
    ("BIND", "http://127.0.0.1:8000"),
    ("BIND", "two words:8000"),
    ("ORGANISATION_NAME", "two\nlines"),
    ("DEFAULT_LOCALE", "zh"),
    ("DEFAULT_TIMEZONE", "Shanghai"),
    ("DEFAULT_TIMEZONE", "../etc/passwd"),
    ("WORKER_CONCURRENCY", "0"),
    ("WORKER_CONCURRENCY", "65"),
    ("WORKER_CONCURRENCY", "four"),
    ("PLATFORM_ORIGINS", "tencent"),
    ("PLATFORM_ORIGINS", "tencent=127.0.0.1:9001"),
    ("PLATFORM_ORIGINS", "tencent=http://127.0.0.1:9001"),  # refused outside the embedded run
    ("PLATFORM_ORIGINS", "tencent=http://"),
    ("PLATFORM_ORIGINS", "tencent=http://[::1"),
    ("PLATFORM_ORIGINS", "tencent=http://127.0.0.1:many"),
    ("POLL_ALLOW_PRIVATE", "http://feeds.internal/"),
    ("POLL_ALLOW_PRIVATE", "*"),
    ("BACKUP_PASSPHRASE", "too short"),
    ("EMBEDDED", "yes"),
]


class Recording(dict[str, str]):
    """An environment that remembers which names were asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: object = None) -> str | None:  # type: ignore[override]
        self.asked.add(name)
        return super().get(name)


def read() -> set[str]:
    environ = Recording(GOOD)
    config.load(environ)
    return {name for name in environ.asked if not name.endswith("_FILE")}


def documented() -> list[str]:
    return re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)


def test_good_values_load() -> None:
    loaded = config.load(GOOD)
    assert loaded.database_url == "postgresql+psycopg://huiyin:secret@db.example.org/huiyin"
    assert [name for name, _ in loaded.data_keys] == ["k2", "k1"]
    assert loaded.secure


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_stops_the_start_and_names_itself(name: str, value: str) -> None:
    with pytest.raises(config.BadSetting, match=rf"^{name} "):
        config.load({**GOOD, name: value})


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", ["", None])
def test_a_missing_value_stops_the_start_and_names_itself(name: str, value: str | None) -> None:
    given = {**GOOD, name: value} if value is not None else {**GOOD}
    if value is None:
        del given[name]
    with pytest.raises(config.BadSetting, match=rf"^{name} is not set"):
        config.load({key: text for key, text in given.items() if text is not None})


def test_every_setting_but_free_text_has_a_bad_value_above() -> None:
    anything_goes = {"INSTANCE_DIR"}
    assert {name for name, _ in BAD} == read() - anything_goes


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a key in a file with more than 32 characters\n")
    given = {**GOOD, "SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "key")}
    assert config.load(given).secret_keys == ("a key in a file with more than 32 characters",)


def test_a_value_and_a_file_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(config.BadSetting, match="SECRET_KEY and SECRET_KEY_FILE are both set"):
        config.load({**GOOD, "SECRET_KEY_FILE": str(tmp_path / "key")})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    given = {**GOOD, "SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "key")}
    with pytest.raises(config.BadSetting, match=rf"SECRET_KEY_FILE .*{tmp_path}/key"):
        config.load(given)


def test_a_message_never_repeats_a_secret() -> None:
    secret = "k1:c2VjcmV0c2VjcmV0"
    with pytest.raises(config.BadSetting) as caught:
        config.load({**GOOD, "DATA_KEYS": secret})
    assert "c2VjcmV0" not in str(caught.value)


def test_the_broker_is_redis_unless_another_is_given() -> None:
    redis = {**GOOD, "REDIS_URL": "redis://redis.example.org/0"}
    assert config.load(redis).broker_url == "redis://redis.example.org/0"
    other = {**redis, "BROKER_URL": "amqp://rabbit.example.org//"}
    assert config.load(other).broker_url == "amqp://rabbit.example.org//"


def test_a_redis_on_a_socket_is_named_as_celery_wants_it() -> None:
    loaded = config.load({**GOOD, "REDIS_URL": "unix:///run/redis.sock"})
    assert loaded.broker_url == "redis+socket:///run/redis.sock"


def test_stand_ins_are_allowed_in_the_embedded_run() -> None:
    given = {
        "EMBEDDED": "1",
        "PLATFORM_ORIGINS": "tencent=http://127.0.0.1:9001/, foundation=http://[::1]:9",
    }
    assert config.load({**GOOD, **given}).platform_origins == {
        "tencent": "http://127.0.0.1:9001",
        "foundation": "http://[::1]:9",
    }


def test_the_settings_page_lists_exactly_the_settings_that_are_read() -> None:
    assert sorted(documented()) == sorted(read())


def test_the_settings_page_tells_the_defaults() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    source = (ROOT / "config.py").read_text()
    defaults = re.findall(r'read\("([A-Z_]+)", \w+, "([^"]*)"\)', source)
    assert len(defaults) >= 8
    for name, default in defaults:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` "))
        assert row.split(" | ")[3] == (f"`{default}`" if default else "none")


def test_the_examples_of_the_settings_page_load() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    for name in ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "SMTP_URL", "MAIL_FROM", "BASE_URL"):
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` "))
        example = re.findall(r"`([^`]+)`", row.split(" | ")[2])[0]
        config.load({**GOOD, name: example})


@pytest.mark.parametrize("value", ["tencent", "tencent=http://", "a=http://[::1", "a=http://b:c"])
def test_stand_ins_are_read_with_care_in_the_embedded_run(value: str) -> None:
    with pytest.raises(config.BadSetting, match=r"^PLATFORM_ORIGINS (must be|has a)"):
        config.load({**GOOD, "EMBEDDED": "1", "PLATFORM_ORIGINS": value})


@pytest.mark.parametrize(
    "good",
    [
        {"SMTP_URL": "smtps://user%40x:p%2Fw@mail.example.org"},
        {"SMTP_URL": "smtp://[::1]:2525/"},
        {"BOUNCE_MAILBOX_URL": "imaps://bounces%40x:p%2Fw@imap.example.org/INBOX"},
        {"BOUNCE_MAILBOX_URL": "pop3://bounces:x@127.0.0.1:1110"},
        {"MAIL_FROM": "updates@example.org"},
        {"MAIL_FROM": '"Facilitators, Beijing" <updates@example.org>'},
        {"MAIL_FROM": "Huiyin <updates@huiyin.example>"},
        {"DATABASE_URL": "postgresql:///huiyin?host=/run/postgresql"},
        {"DATABASE_URL": "sqlite:////var/lib/huiyin/huiyin.sqlite3"},
        {"BASE_URL": "http://[::1]:8000/"},
        {"BROKER_URL": "sqla+sqlite:////var/lib/huiyin/broker.sqlite3"},
        {"BIND": "[::1]:8000"},
        {"PLATFORM_PROXY": "http://[::1]:3128/"},
    ],
)
def test_what_parts_below_accept_is_accepted(good: dict[str, str]) -> None:
    loaded = config.load({**GOOD, **good})
    assert Mailbox.parse(loaded.mail_from)
    assert loaded.bounce_mailbox_url is None or Place.parse(loaded.bounce_mailbox_url)
    assert loaded.smtp_url is None or Relay.parse(loaded.smtp_url)
    assert loaded.platform_proxy is None or proxy.parse(loaded.platform_proxy).host == "::1"
