"""Says as JSON what a bus does for the agency customs: run where the package has that agency."""

import json
import sys
from pathlib import Path
from typing import Any

from casebus_deploy.pages.event_flow import flow_page
from casebus_deploy.pages.reference import reference
from casebus_deploy.stack.keys import SIGNERS
from casebus_deploy.stack.principals import stack_principals
from casebus_deploy.stack.topics_admin import Wanted
from casebus_schemas.agencies import AGENCIES, MEMBERS, Members, roles_of
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import acls, topics
from casebus_schemas.rules.reconcile import reconcile
from casebus_services.router.judgement import judge
from support.cases.chains import amount, at, say, suspects
from support.events.signed_events import Speaker, envelope, keyring_of, stored

CUSTOMS, CSRC = Speaker("customs"), Speaker("csrc")


def _judged(composed: Any) -> dict[str, Any]:
    keyring = keyring_of(CUSTOMS, CSRC)
    found = judge(stored(composed), Catalog.load(), keyring, 4, 1_480_000_000_000)
    told = {recipient.agency: recipient.role for recipient in found.recipients}
    return {"verdict": found.verdict, "code": found.code, "told": told}


def _found() -> list[dict[str, Any]]:
    """Customs, told of the case, refers one of two suspects and another figure than the regulator's."""
    period = ("2020-01-01", "2020-06-30")
    events = [
        say(
            "a",
            "referral.submitted",
            "2022-01-04",
            to=("mps", "customs"),
            suspects=suspects("甲某", "乙某"),
            amounts=[amount("illegal_gain", "100000.00", *period)],
        ),
        say(
            "b",
            "referral.submitted",
            "2022-01-05",
            agency="customs",
            to=("mps", "csrc"),
            suspects=suspects("甲某"),
            amounts=[amount("illegal_gain", "120000.00", *period)],
        ),
    ]
    return [
        {
            "rule": finding.rule,
            "agencies": sorted(account.agency for account in finding.accounts),
            "suggestion": None
            if finding.suggestion is None
            else [finding.suggestion.type, finding.suggestion.by],
        }
        for finding in reconcile(events).findings(at("2022-02-01"))
    ]


def main(folder: Path) -> None:
    """Prints everything as one JSON object; `folder` is where a stack would keep its files."""
    catalog, wanted = Catalog.load(), Wanted.of_bus()
    logins = stack_principals(folder, folder / "secrets", MEMBERS, witnesses=False)
    body = {
        "package": str(Path(sys.modules["casebus_schemas.agencies"].__file__ or "").parent),
        "agencies": AGENCIES,
        "roles": roles_of("customs"),
        "name": Members.load().name("customs"),
        "topics": [spec.name for spec in topics() if spec.agency == "customs"],
        "writes": [rule.name for rule in acls() if (rule.principal, rule.operation) == ("customs", "WRITE")],
        "key_readers": next(spec.read_by for spec in topics() if spec.name == "customs.key"),
        "logins": wanted.users,
        "signs": "customs" in SIGNERS,
        "connection": "customs" in logins,
        "says": sorted(type.type for type in catalog.types.values() if "customs" in type.speakers),
        "told_by_law": [type.type for type in catalog.types.values() if "customs" in type.by_law],
        "referral": _judged(CUSTOMS.refer(1)),
        "addressed": _judged(CSRC.refer(2, to=["customs", "mps"])),
        "assignment": _judged(CUSTOMS.say("progress.assigned", _assigned())),
        "findings": _found(),
        "pages": "customs" in flow_page() and "customs" in reference(),
    }
    print(json.dumps(body, ensure_ascii=False, default=str))


def _assigned() -> dict[str, Any]:
    """A case assigned to another unit, which only the police and the procuratorate may say."""
    return {"envelope": envelope(), "from_unit": "customs", "to_unit": "mps", "reasons": None}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
