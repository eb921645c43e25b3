"""One running service for all fault tests, each of which leaves it whole."""

from collections.abc import Generator, Iterator

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
    eventually(_service.run.ready, what="the service being ready")
    with _service.app.app_context():
        yield _service


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Who reads of a failure reads what the service said meanwhile."""
    try:
        return (yield)
    except AssertionError as error:
        if found := getattr(item, "funcargs", {}).get("service"):
            error.add_note(found.run.told())
        raise
