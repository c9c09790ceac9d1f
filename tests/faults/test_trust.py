"""A member, or who holds the broker's administrator login, tries to fool the bus; each defence is real."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from casebus_consumers.auditor import ledger_cli
from casebus_consumers.liaison import cli
from casebus_deploy.cli import step_over
from casebus_deploy.stack.operations import Operator
from casebus_producers.received.inbox_reader import InboxReader
from casebus_schemas.case.chain import as_uuid
from casebus_schemas.case.duty import Obligation
from casebus_schemas.catalogue.topology import ADMISSION
from casebus_schemas.rules import reconcile, sight
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.word import Word
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.partitioning import partition_of
from casebus_schemas.wire.records import Outgoing, TopicPartition
from casebus_services.reconciler import hearing, proven
from support.cases.chains import amount, at, suspects
from support.events.admissions import Admitter
from support.events.signed_events import Speaker, chain, envelope, referral
from support.router.router_writings import as_notice
from support.router.sending import produce
from support.scenes.crash_run import Databases, next_offsets, settle
from support.scenes.crash_scene import Scenes
from support.scenes.fault_stack import FaultStack, agency_keys, client_config
from support.scenes.kafka_view import KafkaView
from support.scenes.trust_stage import EVENTS, FINDINGS, Seen, on_the_stack, read_once_more

pytestmark = [pytest.mark.broker, pytest.mark.faults]

_CHAINS = (chain(number) for number in count(9000))
_PLACE_OF_THE_FORGED = 3
"""The admission partition that stops; all other matters stand elsewhere."""


def _matter(*, forged: bool = False) -> str:
    """The id of a matter of which nobody has spoken."""
    return next(one for one in _CHAINS if (partition_of(one.encode(), 4) == _PLACE_OF_THE_FORGED) == forged)


@dataclass
class Stage:
    """A running bus, and what everybody on it can say."""

    bus: FaultStack
    speakers: dict[str, Speaker]
    folder: Path
    looks: int = 0

    def say(self, agency: str, type: str, when: str, matter: str, **facts: Any) -> Composed:
        """An event under its agency's key and login, once all that it makes the bus do is done."""
        addressed = {name: facts.pop(name) for name in tuple(facts) if name in _ENVELOPE}
        data = {"envelope": envelope(occurred_at=at(when), precision="second", **addressed), **facts}
        said = self.speakers[agency].say(type, data, matter)
        assert produce(client_config(self.bus, agency), said) == [""]
        assert settle(self.bus) == []
        return said

    def smuggle(self, record: Outgoing | Composed) -> None:
        """Writes a record with the login of the broker's administrator."""
        assert self.bus.broker is not None
        assert produce(KafkaView(self.bus.broker).config(), record) == [""]

    def without(self, *defence: tuple[object, str, object]) -> Seen:
        """What the same admissions give where a defence is taken away."""
        self.looks += 1
        with pytest.MonkeyPatch.context() as patch:
            for of, name, instead in defence:
                patch.setattr(of, name, instead)
            return read_once_more(self.bus, self.folder / f"look-{self.looks}.db")

    def command(self, app: Any, *arguments: str) -> Result:
        """Runs a command against the bus."""
        return CliRunner().invoke(app, [*arguments, "--json", "--connection", str(self.bus.connection_file)])

    def judge(self, holds: Callable[[Seen], bool], *defence: tuple[object, str, object]) -> None:
        """It holds on the bus, it holds where its admissions are read once more, and not without defence."""
        assert holds(on_the_stack(self.bus))
        assert holds(self.without())
        assert not holds(self.without(*defence))


_ENVELOPE = ("to", "cc", "message_class", "in_reply_to", "in_reply_to_hash", "corrects", "handling")


@pytest.fixture(scope="module")
def stage(scenes: Scenes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One bus for all scenes."""
    keys = agency_keys(scenes.secrets)
    with scenes.bus() as bus:
        speakers = {name: Speaker(name, key=key, producer=f"{name}-trust.1") for name, key in keys.items()}
        yield Stage(bus, speakers, tmp_path_factory.mktemp("looks"))


def answering(event: Composed) -> dict[str, Any]:
    """The envelope's fields of an answer."""
    id = EventHeaders.parse(event.record.headers).id
    return {"message_class": "response", "in_reply_to": id, "in_reply_to_hash": event.digest}


def facts(*names: str, loss: str | None = None) -> dict[str, Any]:
    """Suspects, and an amount if there is one."""
    amounts = [] if loss is None else [amount("loss", loss)]
    return {"suspects": suspects(*names), "charges": [], "amounts": amounts}


def rules(heard: Iterable[tuple[str, dict[str, Any]]], type: str = "finding.opened") -> list[str]:
    """The rules of findings of which this type of event speaks."""
    return [finding["rule"] for said, finding in heard if said == type]


def test_b1_short_scene_of_a_forged_notice(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notice in the regulator's name that nobody signed is shown apart; unproven it would be believed."""
    stage.say(
        "csrc", "referral.submitted", "2022-03-28T09:00", _matter(), to=["mps"], **facts("甲", loss="1")
    )
    nobody = Speaker("csrc", producer="csrc-forged.1").say("referral.submitted", referral(), _matter())
    stage.smuggle(as_notice(nobody, "mps"))

    def believed() -> list[str]:
        result = stage.command(cli.app, "inbox", "--agency", "mps", "--after", "-1")
        told = [json.loads(line) for line in result.stdout.splitlines()]
        assert result.exit_code == int(any(one.get("forged") for one in told))
        return [one["event"]["id"] for one in told if "event" in one]

    id = str(EventHeaders.parse(nobody.record.headers).id)
    assert id not in believed()
    monkeypatch.setattr(InboxReader, "_problems", lambda *_: {})
    assert id in believed()


def test_b3_short_scene_of_a_foreign_word_on_a_finding(stage: Stage) -> None:
    """What the court accepts though it is no party stays open, and those concerned hear of it."""
    matter = _matter()
    stage.say("csrc", "referral.submitted", "2022-03-28T09:00", matter, to=["mps"], **facts("甲", loss="1"))
    stage.say(
        "mps",
        "progress.transferred_for_prosecution",
        "2022-03-29T09:00",
        matter,
        to=["csrc", "spp"],
        **facts("甲", loss="3"),
    )
    (differ,) = [f for _, f in on_the_stack(stage.bus).about("csrc", matter) if f["rule"] == "R30"]
    about = as_uuid(differ["id"])
    stage.say("court", "finding.accepted", "2022-03-30T09:00", matter, to=["csrc"], finding=about)

    def holds(seen: Seen) -> bool:
        states = {id: state for id, _, state in seen.rows(FINDINGS)}
        heard = {name for name in ("csrc", "mps", "court") if "R40" in rules(seen.about(name, matter))}
        return states[str(about)] == "open" and heard == {"csrc", "mps", "court"}

    def anybody(finding: Finding, words: Iterable[Word]) -> Finding:
        return replace(finding, state="accepted", words=tuple(words))

    stage.judge(holds, (reconcile, "spoken", anybody))


def test_b5_short_scene_of_fishing_for_an_account(stage: Stage) -> None:
    """Who contradicts what he was not told of learns neither what it says nor whether his guess is right."""
    matter = _matter()
    referred = stage.say(
        "csrc", "referral.submitted", "2022-03-28T09:00", matter, to=["mps"], **facts("甲某")
    )
    late(stage, at("2022-04-01T09:10"))
    stage.say(
        "mps",
        "progress.transferred_for_prosecution",
        "2022-03-29T09:00",
        matter,
        to=["spp"],
        handling="H3",
        **facts("乙某", "丁某", loss="7654321"),
    )
    late(stage, at("2022-04-01T09:20"))
    stage.say(
        "csrc",
        "referral.corrected",
        "2022-03-30T09:00",
        matter,
        to=["mps"],
        corrects=referred.digest,
        reasons="a guess",
        **facts("甲某", "丙某", loss="2"),
    )

    def shown(seen: Seen) -> bool:
        words = seen.words("csrc", matter)
        return any(secret in words for secret in ("乙某", "7654321", "7,654,321", "mps", "公安"))

    def answered(seen: Seen) -> bool:
        return "R30" in rules(seen.about("csrc", matter))

    stage.judge(lambda seen: not shown(seen), (hearing, "seen_by", lambda _agency, finding: finding))
    stage.judge(lambda seen: not answered(seen), (sight, "_was_told_later", lambda *_: True))


def test_b4_short_scene_of_an_answer_that_is_dated_back(stage: Stage) -> None:
    """A filing that comes 200 days late under a date of its first days leaves the term's passing open."""
    matter = _matter()
    referred = stage.say(
        "csrc", "referral.submitted", "2022-03-31T09:00", matter, to=["mps"], **facts("甲", loss="1")
    )
    received = {"received_at": at("2022-04-01T08:30"), "competent": True, "complete": True}
    stage.say(
        "mps",
        "referral.receipted",
        "2022-04-01T08:30",
        matter,
        to=["csrc"],
        **answering(referred),
        **received,
    )
    late(stage, at("2022-10-18T09:00"))
    stage.say(
        "mps",
        "referral.filed",
        "2022-04-02T09:00",
        matter,
        to=["csrc"],
        **answering(referred),
        **facts("甲", loss="1"),
    )

    def holds(seen: Seen) -> bool:
        passed = [(said, found) for said, found in seen.about("csrc", matter) if found["rule"] == "R10"]
        last = {found["id"]: (said, found.get("because", {}).get("en", "")) for said, found in passed}
        return any(
            said == "finding.opened"
            and "contested: answered with an earlier date: claimed 2022-04-02" in because
            for said, because in last.values()
        )

    stage.judge(holds, (Obligation, "proven_state", Obligation.claimed_state))


def late(stage: Stage, moment: datetime) -> None:
    """The bus's clock shows that time."""
    operator = Operator(stage.bus.connection)
    operator.set_clock(moment, rate=0.0)
    operator.close()
    assert settle(stage.bus) == []


def test_b2_short_scene_of_a_forged_admission(stage: Stage) -> None:
    """What the router did not sign is no event of a case: its partition stops, until the operator's order."""
    liar, matter = Admitter(), _matter(forged=True)
    event = liar.speaker("csrc").say("referral.submitted", referral(), matter)
    forged = liar.admit(event)
    stage.smuggle(Outgoing(forged.topic, forged.partition, forged.key, forged.value, forged.headers))
    assert stage.bus.broker is not None
    end = KafkaView(stage.bus.broker).ends([ADMISSION])[TopicPartition(ADMISSION, forged.partition)]
    beat = stage.bus.data / "services" / "reconciler" / "heartbeat.json"
    place = f"{ADMISSION}/{forged.partition}"
    eventually(lambda: list(json.loads(beat.read_text())["stopped"]) == [place])

    def holds(seen: Seen) -> bool:
        return event.digest not in {bytes(row[0]) for row in seen.rows(EVENTS)}

    stage.judge(holds, (proven, "forged_admissions", lambda records, _keys: [None] * len(records)))
    eventually(lambda: ledgered(stage.bus)[TopicPartition(ADMISSION, forged.partition)] == end)
    result = stage.command(ledger_cli.app, "verify")
    assert (result.exit_code, place in result.stdout) == (1, True), result.stdout

    order = stage.command(step_over.app, "step-over", f"{place}/{end - 1}", "--reason", "a test of the login")
    assert order.exit_code == 0, order.output
    eventually(lambda: json.loads(beat.read_text())["stopped"] == {} and holds(on_the_stack(stage.bus)))
    assert settle(stage.bus) == []
    honest = stage.say("csrc", "referral.submitted", "2022-10-18T09:00", matter, to=["mps"], **facts("甲"))
    assert honest.digest in {bytes(row[0]) for row in on_the_stack(stage.bus).rows(EVENTS)}


def ledgered(bus: FaultStack) -> dict[TopicPartition, int]:
    """How far the ledger is."""
    databases = Databases(bus)
    try:
        return next_offsets(databases)
    finally:
        databases.close()


def eventually(holds: Callable[[], bool]) -> None:
    """Waits until it holds, a minute at most."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)
