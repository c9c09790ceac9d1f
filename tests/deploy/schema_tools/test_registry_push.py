"""Filling somebody else's registry: our ids, repeatable, nothing overwritten."""

import json

import pytest
from typer.testing import CliRunner

from casebus_deploy.cli.schemas import app
from casebus_deploy.schema_tools.registry_push import Pushed, push
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater, UsageError
from casebus_services.registry.app import schema_text
from casebus_services.registry.subjects import Subjects
from support.events.fake_registry import FakeRegistry, running

CATALOG = Catalog.load()


def _versions() -> dict[str, dict[int, int]]:
    """Every record name with the ids of its versions."""
    found: dict[str, dict[int, int]] = {}
    for one in CATALOG.schemas():
        found.setdefault(str(one.schema["name"]), {})[one.version] = one.id
    return found


def test_every_schema_gets_our_id() -> None:
    """After a push each record name has each version under the id of the lock, and no import mode is left."""
    fake = FakeRegistry()
    with running(fake) as url:
        done = list(push(url, CATALOG))
    assert fake.subjects == _versions()
    assert {id_: json.loads(text) for id_, text in fake.schemas.items()} == {
        one.id: one.schema for one in CATALOG.schemas()
    }
    assert fake.modes == {}
    assert set(fake.levels.values()) == {"FULL_TRANSITIVE"}
    assert {(one.subject, one.present, one.added) for one in done} == {
        (name, 0, len(versions)) for name, versions in _versions().items()
    }


def test_a_second_push_writes_nothing() -> None:
    """What is there is only read."""
    fake = FakeRegistry()
    with running(fake) as url:
        list(push(url, CATALOG))
        fake.log.clear()
        done = list(push(url, CATALOG))
    assert {method for method, _ in fake.log} == {"GET"}
    assert {(one.subject, one.present, one.added) for one in done} == {
        (name, len(versions), 0) for name, versions in _versions().items()
    }


def test_what_a_broken_push_left_out_is_added() -> None:
    """A push continues one that ended half-way, and gives a subject back the mode it had."""
    fake = FakeRegistry()
    with running(fake) as url:
        list(push(url, CATALOG))
        lost = CATALOG.latest("referral.filed")
        name = str(lost.schema["name"])
        del fake.subjects[name], fake.schemas[lost.id]
        fake.modes[name] = "READONLY"
        done = [one for one in push(url, CATALOG) if one.added]
    assert done == [Pushed(name, 0, 1)]
    assert fake.subjects[name] == {1: lost.id}
    assert fake.modes == {name: "READONLY"}


def test_another_schema_under_our_name_stops_it() -> None:
    """A version that is there under another id is never touched."""
    fake = FakeRegistry()
    first = CATALOG.schemas()[0]
    with running(fake) as url:
        fake.register(str(first.schema["name"]), {"schema": schema_text(first)})
        before = dict(fake.schemas)
        with pytest.raises(UsageError, match=f"id {first.id}"):
            list(push(url, CATALOG))
    assert {id_: fake.schemas[id_] for id_ in before} == before
    assert "IMPORT" not in fake.modes.values()


def test_an_id_that_is_taken_stops_it() -> None:
    """One of our ids that stands for something else there is an error, and the mode is given back."""
    fake = FakeRegistry()
    fake.schemas[CATALOG.schemas()[0].id] = '"string"'
    with running(fake) as url, pytest.raises(UsageError, match="not permitted"):
        list(push(url, CATALOG))
    assert fake.modes == {}


def test_a_registry_out_of_reach_is_unavailable() -> None:
    """No answer is a matter of trying again; another kind of address is a mistake."""
    with pytest.raises(RetryLater):
        list(push("http://127.0.0.1:9", CATALOG))
    with pytest.raises(UsageError):
        list(push("registry.example", CATALOG))


def test_the_command_says_what_it_did() -> None:
    """`casebus schemas push` counts subjects and versions; `--topics` takes `<topic>-<record name>` along."""
    runner, fake = CliRunner(), FakeRegistry()
    with running(fake) as url:
        first = runner.invoke(app, ["push", "--registry", url, "--topics", "--json"])
        second = runner.invoke(app, ["push", "--registry", url, "--json"])
    subjects = Subjects(CATALOG)
    everything = subjects.names
    versions = sum(len(subjects.history(name) or ()) for name in everything)
    assert json.loads(first.stdout) == {"subjects": len(everything), "added": versions, "present": 0}
    schemas = len(CATALOG.schemas())
    assert json.loads(second.stdout) == {"subjects": len(_versions()), "added": 0, "present": schemas}
    assert sorted(fake.subjects) == everything
