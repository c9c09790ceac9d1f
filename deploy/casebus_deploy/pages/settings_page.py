"""docs/settings.md: every variable that a program reads, what it means and what counts without it."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from datetime import time
from importlib.resources import files
from typing import Any

from casebus_consumers.notifier.settings import MailServer, NotifySettings
from casebus_consumers.witness.settings import WitnessVariables
from casebus_producers.config import VARIABLES, AgencySettings
from casebus_schemas.strict_yaml import entries, known_keys, read_yaml, text

_FILE = "settings.yaml"
_HEAD = """# Settings

Generated from the classes that read them. A program takes what it needs from `connection.json`
(`--connection`, or `CASEBUS_CONNECTION`); what that does not name, and every setting of a single service
under your own supervisor, comes from these variables. Files of secrets are 0600. An agency's door has a file
of its own, `door.yaml` ([for an agency's system](agency-system.md)), its mails another, `notify.yaml`
([for a liaison officer](liaison-officer.md)), its officers' identity provider a third, `desk.yaml`
([for an operator](operator.md#single-sign-on)).

The same settings may stand in a TOML file that `CASEBUS_SETTINGS_FILE` names: each under its name in small
letters without `casebus_`, texts, numbers, true and false as TOML writes them, lists for what has commas.
What stands in a table named like a service counts for that service alone. A variable that is set counts
before the file; what no program reads is an error that names it. A file with a password in it is 0600.

```toml
connection = "/etc/casebus/connection.json"
log_format = "json"

[sealer]
seal_interval_s = 0.5
metrics_address = "127.0.0.1:9103"
```
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable; `default` in words, None where it has to be given."""

    name: str
    means: str
    default: str | None


def settings(*, services: bool = True) -> Mapping[str, list[Setting]]:
    """All variables by who reads them, in their order; without `services` none of the bus's own services."""
    return {
        "Everywhere": list(_elsewhere()),
        "Services (`casebus run router|ledger|sealer|reconciler`)": list(_of_model()) if services else [],
        "Programs of an agency; the first seven of auditor and operator too": list(_of_class(AgencySettings)),
        "Witnesses (`casebus run witness`)": list(_of_class(WitnessVariables)),
        "Mails to an agency's officers (`notify.yaml` beside its outbox)": list(_of_file(NotifySettings)),
        "Members of `server` in `notify.yaml`": list(_of_file(MailServer)),
    }


def settings_page() -> str:
    """The page as the file holds it."""
    parts = [_HEAD]
    for title, found in settings().items():
        rows = "\n".join(
            f"| `{one.name}` | {_cell(one.means)} | {one.default or 'has to be given'} |" for one in found
        )
        what = "variable" if found[0].name.startswith(VARIABLES) else "name"
        parts.append(f"\n## {title}\n\n| {what} | means | without it |\n|---|---|---|\n{rows}\n")
    return "".join(parts)


def _elsewhere() -> Iterator[Setting]:
    source = (files("casebus_deploy.pages") / _FILE).read_text(encoding="utf-8")
    for name, entry in entries(_FILE, read_yaml(_FILE, source)):
        known_keys(f"{_FILE}: {name}", entry, required=("means", "default"))
        yield Setting(name, text(_FILE, "means", entry["means"]), text(_FILE, "default", entry["default"]))


def _of_model() -> Iterator[Setting]:
    from casebus_services.config import ServiceSettings  # of the extra that runs services

    for name, field in ServiceSettings.model_fields.items():
        default = None if field.is_required() else _word(field.default)
        yield Setting(VARIABLES + name.upper(), field.description or "", default)


def _of_class(kind: type[Any]) -> Iterator[Setting]:
    words = {name: said for one in reversed(kind.__mro__[:-1]) for name, said in _documented(one).items()}
    for field in fields(kind):
        default = None if field.default is MISSING else _word(field.default)
        yield Setting(VARIABLES + field.name.upper(), words[field.name], default)


def _of_file(kind: type[Any]) -> Iterator[Setting]:
    """The members of a file of settings."""
    for one in _of_class(kind):
        yield replace(one, name=one.name.removeprefix(VARIABLES).lower())


def _documented(kind: type[Any]) -> dict[str, str]:
    """What stands below each field of a class."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(said))):
                    found[field.target.id] = " ".join(said.split())
    return found


def _word(value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return ", ".join(_word(one) for one in value)
    if isinstance(value, time):
        value = f"{value:%H:%M}"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(words: str) -> str:
    first = words.split(" ")[0]
    begin = words[0].upper() + words[1:] if first.isalpha() else words
    return begin.rstrip(".").replace("|", "\\|")
