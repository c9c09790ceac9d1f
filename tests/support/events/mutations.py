"""Records as no honest program would write them: truncated, swollen, mislabelled, misplaced."""

from collections.abc import Callable, Iterator
from random import Random

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.records import Headers, Record
from support.events.signed_events import Speaker, chain, referral, stored

_Mutate = Callable[[Random, Record], Record]
_HUGE = (
    b"\xff" * 9 + b"\x01",
    b"\xfe" * 4 + b"\x0f",
    b"\xff" * 4 + b"\x0f",
    b"\x80" * 40,
    b"\xfe\xff\xff\xff\x1f",
)
_VALUE_CODES = {"bad-frame", "unknown-schema", "bad-body", "header-mismatch", "bad-signature", "level-s"}
_HEADER_CODES = {"bad-headers", "header-mismatch", "misplaced", "unknown-key", "bad-signature", "too-large"}


def _truncated(random: Random, record: Record) -> Record:
    value = record.value or b""
    return record._replace(value=value[: random.randrange(len(value))])


def _swollen(random: Random, record: Record) -> Record:
    value = record.value or b""
    at = random.randrange(5, len(value))
    return record._replace(value=value[:at] + random.choice(_HUGE) + value[at + random.randrange(3) :])


def _flipped(random: Random, record: Record) -> Record:
    value = bytearray(record.value or b"")
    for _ in range(random.randrange(1, 6)):
        value[random.randrange(len(value))] ^= random.randrange(1, 256)
    return record._replace(value=bytes(value))


def _mislabelled(random: Random, record: Record) -> Record:
    known = [schema.id for schema in Catalog.load().schemas() if schema.type != "referral.submitted"]
    id_ = random.choice([random.choice(known), random.randrange(2**32 - 1), 0])
    return record._replace(value=b"\0" + id_.to_bytes(4, "big") + (record.value or b"")[5:])


def _rubbish(random: Random, record: Record) -> Record:
    return record._replace(value=random.choice([None, b"", random.randbytes(random.randrange(2000))]))


def _lost_header(random: Random, record: Record) -> Record:
    headers = list(record.headers)
    del headers[random.randrange(len(headers))]
    return record._replace(headers=tuple(headers))


def _changed_header(random: Random, record: Record) -> Record:
    headers: list[tuple[str, bytes | None]] = list(record.headers)
    at = random.randrange(len(headers))
    name, value = headers[at]
    raw = value or b""
    where = random.randrange(len(raw))
    new: list[bytes | None] = [
        None,
        b"",
        random.randbytes(random.randrange(1, 200)),
        raw[:where] + bytes([raw[where] ^ 1]) + raw[where + 1 :],
        raw + b"\0",
        "２０１６".encode() + raw,
        b"9" * random.randrange(20, 5000),
    ]
    headers[at] = (name, random.choice(new))
    return record._replace(headers=tuple(headers))


def _many_headers(random: Random, record: Record) -> Record:
    more: list[Headers] = [
        record.headers,
        tuple((f"x{n}", b"y") for n in range(random.randrange(40, 300))),
        (("big", bytes(random.randrange(10_000, 60_000))),),
        (("casebus-admission", b'{"verdict":"admitted"}'),),
        (("ce_id", b"again"),),
        (("ce_\udcff\udcfe", b"odd"),),
    ]
    return record._replace(headers=record.headers + random.choice(more))


def _no_headers(_random: Random, record: Record) -> Record:
    return record._replace(headers=())


def _misplaced(random: Random, record: Record) -> Record:
    return random.choice(
        [
            record._replace(key=None),
            record._replace(key=b""),
            record._replace(key=random.randbytes(16)),
            record._replace(key=chain(random.randrange(1000, 2000)).encode()),
            record._replace(partition=(record.partition + random.randrange(1, 4)) % 4),
            record._replace(topic="csrc.clue"),
            record._replace(topic="csrc.consultation"),
        ]
    )


MUTATIONS: dict[str, tuple[_Mutate, set[str]]] = {
    "truncated": (_truncated, {"bad-frame", "bad-body"}),
    "swollen": (_swollen, _VALUE_CODES),
    "flipped": (_flipped, _VALUE_CODES),
    "mislabelled": (_mislabelled, {"unknown-schema", "bad-body", "header-mismatch"}),
    "rubbish": (_rubbish, {"bad-frame", "unknown-schema", "bad-body"}),
    "lost header": (_lost_header, {"bad-headers"}),
    "changed header": (_changed_header, _HEADER_CODES),
    "many headers": (_many_headers, {"bad-headers"}),
    "no headers": (_no_headers, {"bad-headers"}),
    "misplaced": (_misplaced, {"misplaced"}),
}


def mutated(count: int, seed: int = 1) -> Iterator[tuple[Record, set[str]]]:
    """Mutated records of one agency's channels, each with the refusal codes that may befall it."""
    random = Random(seed)
    csrc = Speaker("csrc")
    originals = [stored(csrc.say("referral.submitted", referral(), chain(n)), n) for n in range(200)]
    names = list(MUTATIONS)
    for number in range(count):
        mutate, codes = MUTATIONS[names[number % len(names)]]
        yield mutate(random, random.choice(originals))._replace(offset=number), codes
