"""An orderly stop in the middle of a mailing: nothing in doubt, and the next start goes on."""

import signal
from collections import Counter

import pytest

from tests.faults.service import Service
from tests.local.running import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
LETTERS = 200


def test_a_stop_in_the_middle_of_a_mailing_leaves_nothing_in_doubt(service: Service) -> None:
    mailing = service.mailing(LETTERS, until=20)
    service.run.popen.send_signal(signal.SIGINT)
    assert service.run.popen.wait(30) == 0
    states = Counter(service.states(mailing).values())
    assert set(states) == {"sent", "queued"}, "sending and unknown are in doubt"
    assert service.arrived(mailing).total() == states["sent"]
    service.run.start()
    eventually(service.run.ready, what="the service being ready again")
    service.assert_each_arrived_once(mailing, LETTERS)
