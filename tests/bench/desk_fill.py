"""Fills an agency's own files with many cases: some are played, the others are copies under other ids."""

import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from casebus_consumers.own.events import OwnEvents
from casebus_consumers.own.store import Entry, Kept
from casebus_schemas.times import to_moment
from casebus_services.router.judgement import judge
from casebus_services.router.outputs import admission_of, notices
from support.cases.chains import at
from support.cases.own_cases import play
from support.events.signed_events import chain, stored
from support.reconciler.desk import envelope_at
from support.scenes.desk_scene import DeskScene

PLAYED = 50
BEGUN = at("2022-10-01T09:00")
TOLD = "2022-11-01T08:00"
_OF_A_CASE = 5
"""A referral, its receipt, a filing with another figure; a finding and the duties, told by the bus."""
_ID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b")


def filled(folder: Path, chains: int, events: int) -> DeskScene:
    """The regulator's desk with so many cases, a multiple of 50, each of `events` events."""
    scene = DeskScene(folder)
    for number in range(PLAYED):
        play(scene, number)
        for one in range(events - _OF_A_CASE):
            hear_clue(scene, number, one)
    scene.arrive()
    scene.announce(TOLD)
    scene.desk.glance()  # keeps every case folded
    size = len(scene.inbox)
    for copy in range(1, chains // PLAYED):
        _copy(scene, copy, size)
    return scene


def hear_clue(scene: DeskScene, number: int, one: int) -> None:
    """The police send one more clue in a case: it lies at the end of the inbox, not yet read."""
    data = {"envelope": envelope_at("2022-10-01", to=["csrc"]), "source": "exchange_alert"}
    said = scene.admitter.speaker("mps").say("clue.submitted", data, chain(number))
    judgement = judge(stored(said.record, one), scene.catalog, scene.admitter.keyring, 4, 1_700_000_000_000)
    at_ms = to_moment(BEGUN + timedelta(minutes=number, seconds=one))
    admission = admission_of(judgement, attempt=1, catalogue="c", keyring="k", admitted_at_ms=at_ms)
    for notice in notices(judgement, admission):
        if notice.topic == f"inbox.{scene.agency}":
            scene.deliver(notice)


def _copy(scene: DeskScene, copy: int, size: int) -> None:
    """The played cases once more: other ids of cases, notices, duties and findings, other own digests."""
    own = _copy_outbox(scene, copy)

    def other(text: str) -> str:
        text = _ID.sub(lambda found: f"{copy:08x}{found[1]}", text)
        return re.sub("|".join(own), lambda found: own[found[0]], text)

    entries = [
        entry._replace(
            seq=copy * size + entry.seq,
            notice=other(str(entry.notice)),
            chain=other(str(entry.chain)),
            body=other(entry.body),
        )
        for entry in scene.store.notices(range(size))
    ]
    scene.store.add(f"inbox.{scene.agency}", entries, (copy + 1) * size)
    _copy_folded(scene, other, entries)


def _copy_outbox(scene: DeskScene, copy: int) -> dict[str, str]:
    """Copies what the agency said and its receipts; gives the new digests by the old ones."""
    found = {}
    with scene.outbox.transaction() as connection:
        connection.row_factory = sqlite3.Row
        for table, first in (("outbox", "position"), ("receipt", "seq")):
            query = f"SELECT * FROM {table} ORDER BY {first} LIMIT {PLAYED}"
            for row in [dict(one) for one in connection.execute(query)]:
                digest = sha256(copy.to_bytes(4, "big") + row["digest"]).digest()
                found[row["digest"].hex()] = digest.hex()
                row |= {first: row[first] + copy * PLAYED, "digest": digest}
                if table == "outbox":
                    row |= {"id": f"{copy:08x}{row['id'][8:]}", "seq": row["seq"] + copy * PLAYED}
                    row["aggregateid"] = f"{copy:08x}{row['aggregateid'][8:]}"
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
        connection.row_factory = None
    return found


def _copy_folded(scene: DeskScene, other: Callable[[str], str], entries: list[Entry]) -> None:
    """Keeps the copies folded as the played ones are."""
    events = OwnEvents(scene.outbox, scene.store, scene.catalog)
    kept: list[tuple[str, Kept]] = []
    for number in range(PLAYED):
        played = scene.store.folded(chain(number))
        assert played is not None
        name = other(chain(number))
        kept.append((name, played._replace(inputs=events.of_chain(name).inputs, view=other(played.view))))
    scene.store.keep_folded(kept)
    assert {one for one, _ in kept} <= {str(entry.chain) for entry in entries}


def first_ids(glance: Any) -> tuple[str, str]:
    """A running duty and an open finding."""
    duty = next(one for one in glance.duties if not one["met"])
    finding = next(one for one in glance.findings if one["state"] != "closed")
    return duty["id"], finding["id"]
