"""The services of services.yaml: what each runs, whether it signs, and which further topics it touches."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import entries, known_keys, read_yaml, text, texts
from casebus_schemas.texts.sentence import Sentence

FILE = "services.yaml"

LEDGERED = "ledgered"

Form = Literal["worker", "server", "agency"]

_REQUIRED = ("form", "runs", "signs", "zh", "en")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
_RUNS = re.compile(r"(casebus_[a-z_.]+):([a-z_]+)\Z")


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of services.yaml; `writes` and `reads` are topics as their files write them.

    `describes_ledgered`: it may ask where the ledgered topics end. `once`: one of it runs, not one a worker.
    """

    name: str
    form: Form
    module: str
    function: str
    signs: bool
    writes: tuple[str, ...]
    reads: tuple[str, ...]
    title: Sentence
    describes_ledgered: bool = False
    once: bool = False


def read_services(source: str) -> dict[str, Service]:
    """Reads the text of a services.yaml, by name. Raises UsageError naming the entry that is not right."""
    whole = read_yaml(FILE, source)
    return {name: _service(name, entry) for name, entry in entries(FILE, whole)}


@cache
def services() -> dict[str, Service]:
    """The services of this package, in order."""
    return read_services((files("casebus_schemas") / FILE).read_text(encoding="utf-8"))


def workers() -> tuple[str, ...]:
    """Names of the services that log in and read in a group of their own."""
    return tuple(service.name for service in services().values() if service.form == "worker")


def servers() -> tuple[str, ...]:
    """Names of the services that answer by HTTP; they have no heartbeat."""
    return tuple(service.name for service in services().values() if service.form == "server")


def agency_programs() -> tuple[str, ...]:
    """Names of the programs that agencies run; `up` runs one process for all agencies, and it beats."""
    return tuple(service.name for service in services().values() if service.form == "agency")


def _service(name: Any, entry: Any) -> Service:
    where = f"{FILE}: {name}"
    known_keys(where, entry, required=_REQUIRED, optional=("writes", "reads", "describes", "once"))
    if not isinstance(name, str) or not _NAME.match(name):
        raise UsageError(f"{where}: its name", found=repr(name), expected="small letters, digits and hyphens")
    if entry["form"] not in get_args(Form):
        raise UsageError(
            f"{where}: form", found=repr(entry["form"]), expected="one of " + ", ".join(get_args(Form))
        )
    runs = _RUNS.match(text(where, "runs", entry["runs"]))
    if runs is None:
        raise UsageError(f"{where}: runs", found=repr(entry["runs"]), expected="module:function of casebus")
    if not isinstance(entry["signs"], bool):
        raise UsageError(f"{where}: signs", found=repr(entry["signs"]), expected="true or false")
    once = entry.get("once", False)
    if not isinstance(once, bool):
        raise UsageError(f"{where}: once", found=repr(once), expected="true or false")
    describes = texts(where, "describes", entry.get("describes", []))
    if set(describes) - {LEDGERED}:
        raise UsageError(f"{where}: describes", found=", ".join(describes), expected=LEDGERED)
    return Service(
        name=name,
        form=entry["form"],
        module=runs[1],
        function=runs[2],
        signs=entry["signs"],
        writes=texts(where, "writes", entry.get("writes", [])),
        reads=texts(where, "reads", entry.get("reads", [])),
        title=Sentence(text(where, "zh", entry["zh"]), text(where, "en", entry["en"])),
        describes_ledgered=LEDGERED in describes,
        once=once,
    )
