"""The how-to pages for event types and services: what they tell to write is all that has to be written."""

from pathlib import Path

import pytest

from casebus_deploy.schema_tools.samples import write_samples
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from support.cases.guides import copied_package, run_with, written

TYPE = "referral.files_returned"
TYPE_PAGE, SERVICE_PAGE = "add-an-event-type.md", "add-a-service.md"


@pytest.mark.thorough
def test_an_event_type_is_three_files(tmp_path: Path) -> None:
    """With the lines of the page the lock, the sample, the pages and the gate know the new type."""
    package = copied_package(tmp_path)
    with (package / "events.yaml").open("a", encoding="utf-8") as events:
        events.write(written(TYPE_PAGE, "events.yaml"))
    for file in (f"avro/{TYPE}.1.avsc", f"examples/{TYPE}.1.json"):
        (package / file).write_text(written(TYPE_PAGE, file), encoding="utf-8")
    assert "has no id" in run_with(package, "-m", "casebus_deploy.cli.main", "schemas", "check", fails=True)
    run_with(package, "-m", "casebus_schemas.catalogue.schema_lock")
    assert run_with(package, "-m", "casebus_deploy.schema_tools.samples").split() == [f"{TYPE}.1.bin"]
    assert "no problems" in run_with(package, "-m", "casebus_deploy.cli.main", "schemas", "check")
    pages = "from casebus_deploy.pages.generated import FILES; print([made() for made in FILES.values()])"
    assert run_with(package, "-c", pages).count(TYPE) > 4
    correction = f"print(Catalog.load().correction_of({TYPE!r}, 'mps'))"
    program = f"from casebus_schemas.catalogue.catalog import Catalog; {correction}"
    assert run_with(package, "-c", program).strip() == "referral.corrected"


def test_a_sample_is_written_once(tmp_path: Path) -> None:
    """A sample that is there stays as it is, and an example that is no event is refused."""
    (tmp_path / "one.1.json").write_text("{}", encoding="utf-8")
    (tmp_path / "one.1.bin").write_bytes(b"past")
    assert list(write_samples(tmp_path, Catalog.load())) == []
    (tmp_path / "one.1.bin").unlink()
    with pytest.raises(UsageError):
        list(write_samples(tmp_path, Catalog.load()))


@pytest.mark.thorough
def test_a_service_is_its_topics_and_a_line(tmp_path: Path) -> None:
    """With the page's lines the service has a login, a key, its access and its group, and can be run."""
    package = copied_package(tmp_path)
    topic = "topics/bus.count.yaml"
    (package / topic).write_text(written(SERVICE_PAGE, topic), encoding="utf-8")
    with (package / "services.yaml").open("a", encoding="utf-8") as services:
        services.write(written(SERVICE_PAGE, "services.yaml"))
    program = """
from casebus_deploy.stack.keys import SIGNERS
from casebus_deploy.stack.topics_admin import Wanted
from casebus_schemas.catalogue.services import services, workers
from casebus_schemas.catalogue.topology import acls
print("counter" in SIGNERS, "counter" in Wanted.of_bus().users, workers()[-1], services()["counter"].module)
for rule in acls():
    if rule.principal == "counter":
        print(rule.operation, rule.resource_type, rule.name, rule.pattern)
"""
    first, *rules = run_with(package, "-c", program).splitlines()
    assert first == "True True counter casebus_services.counter.wiring"
    assert set(rules) == {
        "WRITE TOPIC bus.count LITERAL",
        "READ TOPIC bus.key LITERAL",
        "READ GROUP counter LITERAL",
    }
    assert "counter" in run_with(package, "-m", "casebus_deploy.cli.main", "run", "--help")
