"""Holds what a run of scenarios gave against what their files expect: notices, clocks, findings. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .scenario import ExpectedClock, ExpectedFinding, Scenario, ends
from .script import Script


@dataclass(frozen=True, slots=True)
class Told:
    """A notice of an agency's event: who got it, in which role, of which event (digest in hex)."""

    agency: str
    role: str
    digest: str


def notice_problems(script: Script, told: Iterable[Told]) -> list[str]:
    """Notices that are missing, repeated under another role, or that nobody should have got.

    The expectation is the scenario's own `to`, `cc` and `by_law`, not what the router decided.
    """
    names: dict[str, str] = {}
    expected: set[Told] = set()
    for step in script.playable():
        said = script.said(step.scenario, step.label)
        if said is not None:
            names[said.digest.hex()] = step.message_no
            expected |= {Told(agency, role, said.digest.hex()) for agency, role in step.told().items()}
    counted = Counter(told)
    problems = [f"{_notice(entry, names)} is missing" for entry in _sorted(expected - set(counted))]
    problems += [f"{_notice(entry, names)} is not due" for entry in _sorted(set(counted) - expected)]
    problems += [
        f"{_notice(entry, names)} was delivered {count} times"
        for entry, count in counted.items()
        if count > 1 and entry in expected
    ]
    return problems


def clock_problems(script: Script, obligations: Sequence[Mapping[str, Any]]) -> list[str]:
    """Differences between the obligations (JSON of records.md 5) and the expected clocks, both ways."""
    found: dict[tuple[str, str, str], Mapping[str, Any]] = {
        (entry["chain"], entry["rule"], entry["cause"]): entry for entry in obligations
    }
    problems = []
    for scenario in script.scenarios:
        for expected in scenario.clocks:
            said = script.said(scenario.name, expected.opened_by)
            if said is None:
                problems.append(f"{_clock(scenario, expected)}: {expected.opened_by} was not published")
                continue
            entry = found.pop((str(said.chain), expected.rule, said.digest.hex()), None)
            if entry is None:
                problems.append(f"{_clock(scenario, expected)} never started")
            else:
                problems += [
                    f"{_clock(scenario, expected)}: {difference}"
                    for difference in _clock_differences(scenario, expected, entry)
                ]
    chains = script.chains()
    problems += [f"{chains.get(chain, chain)} {rule} was not expected" for chain, rule, _ in found]
    return problems


def finding_problems(script: Script, findings: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """(expected findings that are missing, findings that nobody expected).

    `findings` as in records.md 5. Each finding serves one expectation.
    """
    left = list(findings)
    missing = []
    for scenario in script.scenarios:
        for expected in scenario.findings:
            chain = script.chain(scenario.name, expected.chain)
            if expected.together and len(script.scenarios) == 1:
                continue
            match = next(
                (entry for entry in left if entry["chain"] == str(chain) and _fits(expected, entry)), None
            )
            if match is None:
                about = f" about {expected.about}" if expected.about else ""
                missing.append(f"{scenario.name}: {expected.rule}{about}: {expected.why.en}")
            else:
                left.remove(match)
    chains = script.chains()
    unexpected = [f"{chains.get(e['chain'], e['chain'])}: {e['rule']}: {e['because']['en']}" for e in left]
    return missing, unexpected


def _clock_differences(
    scenario: Scenario, expected: ExpectedClock, entry: Mapping[str, Any]
) -> Iterable[str]:
    pairs: list[tuple[str, object, object]] = [
        ("owed by", expected.owed_by, entry["owed_by"]),
        ("owed to", list(expected.owed_to), list(entry["owed_to"])),
        ("due at the earliest", ends(expected.due_earliest), _ends(entry["due_earliest"])),
        ("due at the latest", ends(expected.due_latest), _ends(entry["due_latest"])),
        (
            "readings",
            {name: ends(due) for name, due in expected.readings.items()},
            {reading["name"]: _ends(reading["due"]) for reading in entry["readings"]},
        ),
        (
            "ladder",
            {name: ends(due) for name, due in expected.ladder.items()},
            {rung["step"]: _ends(rung["due_latest"]) for rung in entry["ladder"]},
        ),
        ("state", expected.state, entry["state"]),
    ]
    if expected.met_by is not None:
        met = scenario.step(expected.met_by)
        claimed = _moment((entry.get("met") or {}).get("by_claim"))
        pairs.append(("met by claim", met.date, claimed))
    for name, wanted, got in pairs:
        if wanted != got:
            yield f"{name} {_shown(got)}, expected {_shown(wanted)}"


def _fits(expected: ExpectedFinding, entry: Mapping[str, Any]) -> bool:
    if entry["rule"] != expected.rule:
        return False
    if expected.severity is not None and entry["severity"] != expected.severity:
        return False
    said_of = [entry["because"], *(account["value"] for account in entry["accounts"])]
    words = json.dumps(said_of, ensure_ascii=False, default=str)
    if expected.about is not None and expected.about not in words:
        return False
    said = {account["agency"]: json.dumps(account["value"], default=str) for account in entry["accounts"]}
    return all(figure in said.get(agency, "") for agency, figure in expected.accounts.items())


def _clock(scenario: Scenario, expected: ExpectedClock) -> str:
    return f"{scenario.name} {expected.rule} of {expected.opened_by}"


def _notice(entry: Told, names: Mapping[str, str]) -> str:
    return f"notice of {names.get(entry.digest, entry.digest[:16])} to {entry.agency} ({entry.role})"


def _sorted(entries: set[Told]) -> list[Told]:
    return sorted(entries, key=lambda entry: (entry.digest, entry.agency, entry.role))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _ends(text: str) -> str:
    return ends(datetime.fromisoformat(text))


def _shown(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
