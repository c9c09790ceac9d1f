"""A door at rest still states where its agency's streams end when it is time."""

from dataclasses import replace
from pathlib import Path
from threading import Event

from casebus_consumers.door.following import Relay
from casebus_producers.outbox.publisher import Publisher
from casebus_schemas.evidence.absence_check import STREAM_HEAD
from support.cases.members import open_outbox
from support.scenes.door_scene import DoorScene


def test_a_relay_at_rest_states_where_the_streams_end(tmp_path: Path) -> None:
    """With nothing that waits the publisher does not run; what is due is queued all the same, and relayed."""
    settings = DoorScene(tmp_path / "scene").settings()
    outbox = open_outbox(tmp_path)
    assert outbox.producer
    publisher = Publisher(outbox, replace(settings, state_heads_s=0.001, state_heads_idle_s=0.0))
    relayed: list[int] = []
    publisher.run = lambda until: relayed.append(outbox.status().pending)  # type: ignore[method-assign]
    relay = Relay("relay", Event(), outbox, publisher)
    relay.wake()
    relay.follow()
    assert relayed == [1]
    assert [one.type for one in outbox.recent()] == [STREAM_HEAD]
    outbox.close()
