"""The codec against plain fastavro: the envelope alone, and whole events both ways."""

import json
import time
from collections.abc import Callable
from importlib.resources import files
from io import BytesIO
from typing import Any

import fastavro
import pytest

from bench.figures import Figure
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode, encode, peek_envelope
from casebus_schemas.wire.door import parse_event

pytestmark = pytest.mark.bench

ROUNDS, COUNT = 7, 2_000
ENVELOPE_RATIO = 2.0


def _best(work: Callable[[], Any]) -> float:
    """Seconds of the best round: what disturbs a round only ever slows it."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(COUNT):
            work()
        best = min(best, time.perf_counter() - begun)
    return best / COUNT


def test_the_codec_against_plain_fastavro(figure: Figure) -> None:
    """The envelope alone is read at least twice as fast as a whole event with plain fastavro."""
    catalog = Catalog.load()
    name = "referral.submitted.1.json"
    text = (files("casebus_schemas") / "examples" / name).read_text(encoding="utf-8")
    event = parse_event(json.loads(text), catalog)
    schema = catalog.latest("referral.submitted")
    value = encode(schema, event.data)
    plain: Any = fastavro.parse_schema(schema.schema)  # type: ignore[arg-type]  # a Mapping of JSON

    def read_plain() -> Any:
        body = BytesIO(value)
        body.seek(5)
        return fastavro.schemaless_reader(body, plain, None)

    data = read_plain()

    def write_plain() -> Any:
        out = BytesIO()
        fastavro.schemaless_writer(out, plain, data)
        return out

    figures = {
        "plain fastavro, read": _best(read_plain),
        "decode": _best(lambda: decode(catalog, value)),
        "envelope alone": _best(lambda: peek_envelope(catalog, value)),
        "plain fastavro, write": _best(write_plain),
        "encode": _best(lambda: encode(schema, event.data)),
    }
    for what, seconds in figures.items():
        figure(f"{what} ({len(value)} bytes)", seconds * 1e6, "us")
    ratio = figures["plain fastavro, read"] / figures["envelope alone"]
    figure("envelope alone against reading everything", ratio, "x", at_least=ENVELOPE_RATIO)
