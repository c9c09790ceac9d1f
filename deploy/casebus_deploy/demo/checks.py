"""The named checks of a demo: what the bus did, held against the scenarios."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from casebus_schemas.sealed.personal import read_personal
from casebus_schemas.times import BEIJING
from casebus_schemas.wire.ids import notice_id

from .expectations import Told, clock_problems, finding_problems, notice_problems
from .play import Player, Spoken
from .players import HeardNotice
from .report import Check
from .scenario import Step
from .script import Script


def steps_played(script: Script, spoken: Sequence[Spoken]) -> Check:
    """Every step of every scenario was said; skipped ones are named."""
    problems = [f"{scenario}/{label}: {why}" for (scenario, label), why in script.skipped.items()]
    said = {(one.step.scenario, one.step.label) for one in spoken}
    problems += [
        f"{step.message_no} was not said"
        for step in script.playable()
        if (step.scenario, step.label) not in said
    ]
    return Check.of("steps", problems, f"{len(spoken)} of {len(spoken)} steps said, none skipped")


def admitted(spoken: Sequence[Spoken]) -> Check:
    """Every event was admitted."""
    problems = [f"{one.step.message_no}: {_refusal(one)}" for one in spoken if one.admitted is None]
    return Check.of("admitted", problems, f"{len(spoken)} events admitted, 0 refused")


def admitted_in_time(spoken: Sequence[Spoken]) -> Check:
    """The bus's clock, which stands still between steps, showed the scenario's time at each admission."""
    problems = []
    for one in spoken:
        at = datetime.fromisoformat(one.admitted["at"]) if one.admitted else one.step.at
        if at != one.step.at:
            problems.append(
                f"{one.step.message_no} admitted at {at.astimezone(BEIJING)}, said at {one.step.at}"
            )
    return Check.of("clock", problems, "every event admitted at its scenario's time")


def notices(script: Script, player: Player) -> Check:
    """Those were told whom the scenarios name, once, under the notice ids that follow from the events."""
    heard = [notice for one in player.spoken for notice in one.notices] + player.strays
    told = [Told(notice.agency, notice.record.role, notice.record.digest.hex()) for notice in heard]
    problems = notice_problems(script, told)
    problems += [
        f"inbox.{notice.agency} {notice.record.seq}: notice id {notice.record.notice}, expected "
        f"{notice_id(notice.record.said, notice.agency)}"
        for notice in heard
        if notice.record.notice != notice_id(notice.record.said, notice.agency)
    ]
    problems += [f"{one.topic} {one.seq}: {one.problem}" for one in player.forged]
    return Check.of("notices", problems, f"{len(heard)} notices, as the scenarios say")


def sealed(spoken: Sequence[Spoken], in_the_clear: Callable[[str], int]) -> Check:
    """Who may read personal data reads what was sealed, word for word; nothing of it is in the ledger.

    `in_the_clear` counts the contents in the ledger that hold a text.
    """
    problems, read, secrets = [], 0, 0
    for one in spoken:
        if one.step.sealed is None:
            continue
        expected = read_personal(dict(one.step.sealed))
        for notice in one.notices:
            opened = notice.opened
            if opened is None or opened.state != "opened" or opened.personal != expected:
                found = "nothing sealed" if opened is None else opened.state
                problems.append(f"{notice.agency} reads of {one.step.message_no}: {found}")
            read += 1
        for text in _texts(expected):
            secrets += 1
            if count := in_the_clear(text):
                problems.append(
                    f"{one.step.message_no}: a sealed fact stands in {count} contents of the ledger"
                )
    if not read:
        problems.append("nothing was sealed, or nobody was told")
    fine = f"{read} sealed parts read by whom they are for; none of their {secrets} facts is in the ledger"
    return Check.of("sealed", problems, fine)


def _texts(personal: Mapping[str, Any]) -> Iterator[str]:
    for person in personal["persons"]:
        yield from filter(None, (person["name"], *person["contacts"], *person["addresses"]))
        yield from (document["number"] for document in person["documents"])


def ledgered(spoken: Sequence[Spoken]) -> Check:
    """Every event has its place in the ledger, and no two the same."""
    problems = [f"{one.step.message_no} has no receipt of the ledger" for one in spoken if not one.ledgered]
    places: dict[tuple[str, int], Step] = {}
    for one in spoken:
        if one.ledgered is not None:
            place = (one.ledgered["log"], one.ledgered["index"])
            if place in places:
                problems.append(
                    f"{one.step.message_no} and {places[place].message_no} are both entry {place}"
                )
            places[place] = one.step
    return Check.of("ledgered", problems, f"{len(places)} receipts, each with its own entry")


def clocks(script: Script, obligations: Sequence[Mapping[str, Any]]) -> Check:
    """Every obligation is one that a scenario expects, with its readings, rungs, parties and state."""
    return Check.of(
        "clocks",
        clock_problems(script, obligations),
        f"{len(obligations)} obligations with all readings as computed by hand",
    )


def findings(script: Script, found: Sequence[Mapping[str, Any]]) -> list[Check]:
    """What must be found is found, and nothing else is; what only informs may have come and gone."""
    found = [one for one in found if not (_is_information(one) and one["state"] == "closed")]
    missing, unexpected = finding_problems(script, found)
    silent = sum(len(scenario.non_findings) for scenario in script.scenarios)
    return [
        Check.of("findings", missing, f"{len(found)} found, each expected"),
        Check.of("non-findings", unexpected, f"nothing else found, among it {silent} named non-findings"),
    ]


def announced(
    heard: Iterable[HeardNotice],
    obligations: Sequence[Mapping[str, Any]],
    found: Sequence[Mapping[str, Any]],
) -> Check:
    """Each agency concerned heard of every obligation and finding in its own inbox.

    What is of information only is listed and disturbs nobody.
    """
    told = {(notice.agency, str(said["id"])) for notice in heard for said in _said(notice.data)}
    problems = []
    for entry in obligations:
        for agency in (entry["owed_by"], *entry["owed_to"]):
            if (agency, entry["id"]) not in told:
                problems.append(f"{agency} did not hear of {entry['rule']} {entry['id']}")
    for entry in found:
        if _is_information(entry):
            continue
        concerned = {account["agency"] for account in entry["accounts"]}
        problems += [
            f"{agency} did not hear of {entry['rule']} {entry['id']}"
            for agency in sorted(concerned)
            if (agency, entry["id"]) not in told
        ]
    return Check.of(
        "announced", problems, f"{len(told)} words of the bus on obligations and findings in the inboxes"
    )


def _is_information(finding: Mapping[str, Any]) -> bool:
    return bool(finding["severity"] == "info")


def _said(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The obligations or findings that a word of the bus is about."""
    said: Sequence[Mapping[str, Any]] = data.get("obligations") or data["findings"]
    return said


def _refusal(one: Spoken) -> str:
    if one.refused is None:
        return "no answer"
    return f"{one.refused['code']}: {one.refused['detail']}"
