"""What an agency states of its streams' ends makes no noise: nobody is told, nothing is found."""

from casebus_consumers.accounts_reader import AccountsReader
from casebus_schemas.wire.records import TopicPartition
from casebus_services.reconciler.accounts_database import Database
from support.cases.chains import at
from support.events.signed_events import chain
from support.reconciler.desk import Desk, envelope_at, ms

ALL = [TopicPartition("bus.admission", partition) for partition in range(4)]
A_DAY = 24 * 6


def test_a_day_of_statements_is_told_to_nobody(database: Database, accounts_url: str) -> None:
    """A statement every ten minutes, and the year that passes after them, give no finding and no duty."""
    desk = Desk(database)
    desk.admitter.now_ms = ms("2023-03-01")
    desk.agent.assigned(ALL)
    mps = desk.admitter.speaker("mps")
    for number in range(A_DAY):
        desk.admitter.now_ms += 600_000
        head = {"producer": "mps-1.1", "topic": "mps.record", "partition": 0, "seq": 1, "digest": bytes(32)}
        said_at = f"2023-03-01T{number // 6:02}:{number % 6}0"
        envelope = envelope_at(said_at, to=[], local_refs=[])
        data = {"envelope": envelope, "as_of": at(said_at), "heads": 250 * [head]}
        desk.admitter.admit(mps.say("statement.stream_head", data, chain(99)))
    desk.agent.handle(desk.admitter.batches())
    desk.now_ms = ms("2024-05-01")
    desk.agent.tick()
    assert desk.rows("SELECT count(*) FROM recon_event") == [(A_DAY,)]
    assert desk.rows("SELECT rule, body FROM recon_finding") == []
    assert desk.rows("SELECT count(*) FROM recon_obligation") == [(0,)]
    assert desk.sink.sent == []
    reader = AccountsReader(accounts_url)
    assert [one["chain"] for one in reader.chains()] == []
    assert [one["chain"] for one in reader.chains("mps")] == []
    reader.close()
