"""services.yaml: what each service runs, and its strict reader."""

from importlib import import_module

import pytest
import yaml

from casebus_schemas.catalogue.services import read_services, servers, services, workers
from casebus_schemas.errors import UsageError

ENTRY = {"form": "worker", "runs": "casebus_services.x:build", "signs": False, "zh": "封存", "en": "sealer"}


def test_the_services() -> None:
    """Four services log in under their own names, and two answer by HTTP."""
    assert workers() == ("router", "ledger", "sealer", "reconciler")
    assert servers() == ("page", "registry")


@pytest.mark.parametrize("name", services())
def test_what_a_service_runs_is_there(name: str) -> None:
    """The function that an entry names can be called."""
    service = services()[name]
    assert callable(getattr(import_module(service.module), service.function))


def test_one_line_is_a_service() -> None:
    """An entry says all that `run`, `up`, logins and access rules need."""
    (sealer,) = read_services(yaml.safe_dump({"sealer": {**ENTRY, "reads": ["bus.admission"]}})).values()
    assert (sealer.module, sealer.function) == ("casebus_services.x", "build")
    assert (sealer.reads, sealer.writes, sealer.signs) == (("bus.admission",), (), False)
    assert (sealer.once, sealer.describes_ledgered) == (False, False)
    more = {**ENTRY, "once": True, "describes": ["ledgered"]}
    (sealer,) = read_services(yaml.safe_dump({"sealer": more})).values()
    assert (sealer.once, sealer.describes_ledgered) == (True, True)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"port": 8080}, "its keys"),
        ({"en": None}, "its keys"),
        ({"form": "thread"}, "form"),
        ({"runs": "os:system"}, "runs"),
        ({"signs": "no"}, "signs"),
        ({"reads": "bus.admission"}, "reads"),
        ({"once": "yes"}, "once"),
        ({"describes": ["bus.key"]}, "describes"),
    ],
)
def test_what_is_refused(changed: dict[str, object], message: str) -> None:
    """Unknown and missing keys, other forms and programs that are not ours are refused."""
    entry = {key: value for key, value in {**ENTRY, **changed}.items() if value is not None}
    with pytest.raises(UsageError, match=message):
        read_services(yaml.safe_dump({"sealer": entry}))


def test_a_name_that_topics_cannot_bear_is_refused() -> None:
    """A service's name is its login and its group."""
    with pytest.raises(UsageError, match="its name"):
        read_services(yaml.safe_dump({"The.Sealer": ENTRY}))
