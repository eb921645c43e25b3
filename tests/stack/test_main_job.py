"""The main job, end to end: what `make run` starts, a donor, a partner, staff; by HTTP and SMTP."""

import email
import email.policy
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from standardwebhooks import Webhook

from campaigns.local import demo, environment
from tests.conftest import empty_database
from tests.conftest import environment as complete
from tests.local.running import Run, eventually, running
from tests.sink import Sink
from tests.stack.visitor import Visitor

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


class Story:
    """What the steps below share."""

    def __init__(self, run: Run, sink: Sink) -> None:
        self.run, self.sink = run, sink
        self.home = f"http://127.0.0.1:{run.port}"
        self.stage = environment.beside(("127.0.0.1", run.port))
        logins = (run.instance / demo.LOGINS).read_text(encoding="utf-8")
        self.password = logins.split("password ")[1].split()[0]

    def person(self, role: str) -> Visitor:
        return Visitor(self.home).log_in(f"{role}@demo.example", self.password)

    def figures(self) -> dict[str, Any]:
        answer = requests.get(f"{self.home}/c/night-school.json", timeout=10)
        return dict(answer.json())

    def listing(self, platform: str) -> dict[str, Any]:
        return next(one for one in self.figures()["listings"] if one["platform"] == platform)

    def letters(self, to: str) -> list[EmailMessage]:
        return [
            email.message_from_bytes(letter.message, EmailMessage, policy=email.policy.default)
            for letter in self.sink.letters
            if letter.to == (to,)
        ]


@pytest.fixture(scope="module")
def story(dialect: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    home = tmp_path_factory.mktemp("story")
    with Sink() as sink, empty_database(dialect, home) as url:
        given = complete(url, home, SMTP_URL=sink.url)
        del given["BASE_URL"]
        with running(given) as run:
            yield Story(run, sink)


def test_the_main_job(story: Story) -> None:
    campaign = _a_campaign_on_three_platforms(story)
    endpoint, secret = _an_endpoint(story, campaign)
    eventually(
        lambda: [one["as_of"] for one in story.figures()["listings"] if one["as_of"]][1:], 90
    )
    _somebody_follows(story, "ada@example.org")
    _a_donation(story, endpoint, secret)
    _an_update(story, campaign, "The evening class has begun", to="ada@example.org")
    _leaving_takes_one_tap(story, "ada@example.org")
    _an_update(story, campaign, "A second class", to="grace@example.org")
    assert not [one for one in story.letters("ada@example.org") if "second" in one["Subject"]]


def _a_campaign_on_three_platforms(story: Story) -> str:
    fundraiser = story.person("fundraiser")
    fundraiser.open("/staff/campaigns/new")
    fundraiser.send(
        "/staff/campaigns/new",
        title_en="Night school",
        title_zh="夜校",
        slug="night-school",
        currency="CNY",
        target="1000.00",
    )
    home = fundraiser.page.address
    for address in (
        "https://gongyi.qq.com/succor/detail.htm?id=555555",
        "https://love.alipay.com/donate/itemDetail.htm?name=2020111121175299999",
        f"http://{story.stage}/night-school.json",
    ):
        fundraiser.open(home)
        fundraiser.send("/listings", address=address)
    fundraiser.open(home)
    fundraiser.press(f"{home}/state", **_button(fundraiser, "/state", "live"))
    assert story.figures()["state"] == "live"
    return home.rpartition("/")[2]


def _button(visitor: Visitor, action: str, state: str) -> dict[str, str]:
    form = next(one for one in visitor.page.forms if one.action.endswith(action))
    return form.fields | {"state": state}


def _an_endpoint(story: Story, campaign: str) -> tuple[str, str]:
    administrator = story.person("administrator")
    administrator.open("/staff/webhooks")
    administrator.send("/staff/webhooks", name="night", bounds=f"campaign-{campaign}")
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", administrator.page.html)
    assert secret is not None
    return f"{story.home}/webhooks/night", secret.group()


def _somebody_follows(story: Story, address: str) -> None:
    donor = Visitor(story.home)
    donor.open("/en/c/night-school")
    donor.send("/follow", email=address)
    eventually(lambda: story.letters(address), what="the letter that asks to confirm")
    link = re.search(r"/follow/confirm/[\w-]+", _text(story.letters(address)[0]))
    assert link is not None
    donor.open(link.group())
    donor.send(link.group())


def _a_donation(story: Story, endpoint: str, secret: str) -> None:
    before = _donations(story)
    feed = f"http://{story.stage}/night-school.json"
    notice = {
        "type": "donation.succeeded",
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {
            "external_id": "NS-1",
            "campaign_ref": feed,
            "amount": "66.60",
            "currency": "CNY",
            "donor": {
                "name": "Grace",
                "email": "grace@example.org",
                "locale": "en",
                "updates": True,
            },
        },
    }
    for _ in range(3):
        assert _post(endpoint, secret, notice).ok
    eventually(lambda: _donations(story) > before, 10, "the donation in the figures")
    eventually(lambda: story.letters("grace@example.org"), what="the thank-you")
    assert "66.60" in _text(story.letters("grace@example.org")[0])


def _donations(story: Story) -> int:
    return int(story.figures()["donations"])


def _post(endpoint: str, secret: str, notice: dict[str, Any]) -> requests.Response:
    body, now = json.dumps(notice), datetime.now(UTC)
    headers = {
        "webhook-id": "evt-ns-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("evt-ns-1", now, body),
    }
    return requests.post(endpoint, body.encode(), headers=headers, timeout=10)


def _an_update(story: Story, campaign: str, title: str, to: str) -> None:
    editor = story.person("editor")
    editor.open("/staff/updates/new")
    editor.send(
        "/staff/updates/new", campaign=campaign, title_en=title, body_en="Twelve came. **Thanks.**"
    )
    editor.send("/mailings")
    mailing = editor.page.address
    editor.send("/submit")
    approver = story.person("approver")
    approver.open(mailing)
    approver.send("/approve")
    approver.send("/schedule", at=_now())
    eventually(
        lambda: [one for one in story.letters(to) if one["Subject"] == title], what="the letter"
    )
    eventually(lambda: _is_over(approver, mailing), what="the mailing having been sent")


def _now() -> str:
    """As a date and time field sends it, in the zone that the demo's staff live in."""
    return f"{datetime.now(ZoneInfo('Asia/Shanghai')):%Y-%m-%dT%H:%M}"


def _is_over(visitor: Visitor, mailing: str) -> bool:
    """Whether it was sent: then there is nothing to pause or cancel any more."""
    return not [
        form for form in visitor.open(mailing).forms if form.action.endswith(("/pause", "/cancel"))
    ]


def _leaving_takes_one_tap(story: Story, address: str) -> None:
    letter = next(one for one in story.letters(address) if one["List-Unsubscribe"])
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = letter["List-Unsubscribe"].partition(">")[0].lstrip("<")
    answer = requests.post(link, {"List-Unsubscribe": "One-Click"}, timeout=10)
    assert (answer.status_code, answer.cookies.get_dict()) == (200, {})


def _text(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_the_pages_are_reached_from_a_fresh_clone(story: Story) -> None:
    eventually(story.run.ready, what="the service being ready")
    assert (Path(demo.__file__).parent / "facts.json").exists()
