"""One running service for all fault tests, each of which leaves it whole."""

from collections.abc import Iterator

import pytest

from tests.faults.service import Service, serving
from tests.local.running import eventually


@pytest.fixture(scope="session")
def _service(dialect: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(dialect, tmp_path_factory.mktemp("service")) as found:
        yield found


@pytest.fixture
def service(_service: Service) -> Iterator[Service]:
    """The service while it is ready; `db.session` is on its database."""
    eventually(_service.run.ready, 60, "the service being ready")
    with _service.app.app_context():
        yield _service
