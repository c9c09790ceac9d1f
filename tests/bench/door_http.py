"""Says events to a door by HTTP, in batches, from a process of their client, and prints the speed.

`python door_http.py BATCH COUNT FOLDER`: the door answers from a process of its own on loopback, each answer
means on disk (WAL, `synchronous=FULL`). What is measured is the client's time from the first call to the last
answer; Kafka is not there, as with `casebus publish` while it queues.
"""

import hashlib
import http.client
import json
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

from casebus_consumers.door.clients import Clients, add_client
from casebus_consumers.door.door import Door
from casebus_consumers.door.http import create_app
from casebus_consumers.door.rates import Rates
from casebus_deploy.embedded.ports import free_ports, listening
from casebus_producers.config import AgencySettings
from casebus_producers.private_files import write_private
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.ids import uuid7
from support.cases.members import door_event

BATCH = "application/cloudevents-batch+json"


def serve(folder: Path, port: int) -> None:
    """A door of the regulator; nothing relays."""
    import uvicorn

    write_private(folder / "key", hashlib.sha256(b"key of the door").hexdigest())
    write_private(folder / "secret", "s" * 40)
    settings = AgencySettings(
        bootstrap_servers="127.0.0.1:1",
        sasl_username="csrc",
        sasl_password_file=folder / "password",
        agency="csrc",
        signing_key_file=folder / "key",
        chain_secret_file=folder / "secret",
        data_dir=folder,
    )
    door = Door(settings, Catalog.load())
    door._inbox.ready.set()
    app = create_app(door, Clients(folder), rates=Rates(1e6, 10**6))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off", ws="none")


def main(batch: str, count: str, folder: str) -> None:
    """Measures once."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        key = add_client(Path(place), "ledger-system")
        port = next(iter(free_ports(1)))
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(Path(place), port))
        server.start()
        while not listening(port):
            time.sleep(0.05)
        events = [door_event(id=str(uuid7(1, at.to_bytes(10, "big")))) for at in range(int(count) + 1)]
        size = int(batch)
        bodies = [json.dumps(events[at : at + size]).encode() for at in range(1, len(events), size)]
        headers = {"authorization": f"Bearer {key}", "content-type": BATCH}
        client = http.client.HTTPConnection("127.0.0.1", port)

        def say(body: bytes) -> None:
            client.request("POST", "/v1/events", body, headers)
            answer = client.getresponse()
            read = answer.read()
            if answer.status != 202:
                raise AssertionError(read[:500])

        say(json.dumps(events[:1]).encode())  # the schema is read with the first
        wall = time.perf_counter()
        for body in bodies:
            say(body)
        wall = time.perf_counter() - wall
        server.terminate()
        server.join()
    print(json.dumps({"per_s": int(count) / wall}))


if __name__ == "__main__":
    main(*sys.argv[1:])
