"""Plays scenario files without any server: their steps as events of the domain, and what it makes of them."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from casebus_deploy.demo.scenario import Step, load_file
from casebus_deploy.demo.script import Script
from casebus_schemas.case.chain import ChainEvent, chain_event
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.reconcile import Reconciled, reconcile
from casebus_schemas.rules.running import run_across
from casebus_schemas.statistics.comparison import compare_published
from casebus_schemas.statistics.figures import Versions
from casebus_schemas.wire.door import parse_event

FOLDER = Path(__file__).resolve().parents[2] / "played"
FILES = sorted(FOLDER.glob("*.yaml"))
"""The made-up cases, one file each."""


@dataclass(frozen=True, slots=True)
class Played:
    """A file said step by step: its script and events, its chains folded, the last time that it names."""

    script: Script
    events: list[ChainEvent]
    chains: dict[str, Reconciled]
    seen_at: datetime

    @property
    def duties(self) -> list[Obligation]:
        """Every duty of every chain."""
        return [duty for chain in self.chains.values() for duty in chain.duties]

    def findings(self) -> list[Finding]:
        """All that is found in a chain, across chains and of published figures."""
        found = [finding for chain in self.chains.values() for finding in chain.findings(self.seen_at)]
        found += run_across(self.events)
        return [*found, *compare_published(self.events, Versions("catalogue", "law")).findings]


def event_of(script: Script, step: Step) -> ChainEvent:
    """A step as the domain meets it; digests and chain ids are stand-ins."""
    event = parse_event(script.event(step), Catalog.load())
    digest = sha256(step.message_no.encode()).digest()
    chain = uuid5(NAMESPACE_URL, step.scenario if step.chain is None else f"{step.scenario}/{step.chain}")
    script.publish(step, chain, digest)
    return chain_event(
        digest=digest,
        id=step.id,
        type=event.type,
        source=event.source,
        chain=str(chain),
        time_ms=int(event.time.timestamp() * 1000),
        admitted_at_ms=int(step.at.timestamp() * 1000),
        body=event.data,
        told=step.told(),
    )


def played(file: Path) -> Played:
    """A file said step by step."""
    script = Script([load_file(file)], Catalog.load())
    of_chain: dict[str, list[ChainEvent]] = {}
    events = [event_of(script, step) for step in script.playable()]
    for event in events:
        of_chain.setdefault(event.chain, []).append(event)
    chains = {chain: reconcile(of) for chain, of in of_chain.items()}
    return Played(script, events, chains, max(line.at for line in script.lines()))
