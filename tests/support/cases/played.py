"""Plays scenario files without any server: their steps as events of the domain, and what it makes of them."""

from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from casebus_deploy.demo.scenario import Step, load_file
from casebus_deploy.demo.script import Script
from casebus_schemas.case.chain import ChainEvent, chain_event
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.reconcile import Reconciled, reconcile
from casebus_schemas.wire.door import parse_event

FOLDER = Path(__file__).resolve().parents[2] / "played"
FILES = sorted(FOLDER.glob("*.yaml"))
"""The made-up cases, one file each."""


def event_of(script: Script, step: Step) -> ChainEvent:
    """A step as the domain meets it; digests and chain ids are stand-ins."""
    event = parse_event(script.event(step), Catalog.load())
    digest = sha256(step.message_no.encode()).digest()
    chain = uuid5(NAMESPACE_URL, step.scenario)
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


def played(file: Path) -> tuple[Script, Reconciled, list[ChainEvent], datetime]:
    """A file said step by step, its events, and the last time of which it speaks."""
    scenario = load_file(file)
    script = Script([scenario], Catalog.load())
    events = [event_of(script, step) for step in script.playable()]
    return script, reconcile(events), events, max(line.at for line in script.lines())
