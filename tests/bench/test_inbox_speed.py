"""What it costs an agency to prove the notices that it reads."""

import time

import pytest

from bench.figures import Figure
from casebus_schemas.admission.notice_proof import signed_notice
from casebus_schemas.admission.notice_records import parse_notice
from casebus_schemas.admission.proof import Signed
from casebus_schemas.catalogue.catalog import Catalog
from support.events.signed_events import Speaker, keyring_of, stored
from support.router.router_writings import as_notice

pytestmark = pytest.mark.bench

NOTICES = 2000


def test_proving(figure: Figure) -> None:
    """Microseconds of processor time a notice: reading it apart, and proving it the first time it is seen."""
    csrc, catalog = Speaker("csrc"), Catalog.load()
    records = [stored(as_notice(csrc.refer(number), "mps"), number) for number in range(NOTICES)]
    keyring = keyring_of(csrc)
    reading = proving = 0.0
    for record in records:  # in turns, so that a disturbed machine disturbs both
        begun = time.process_time()
        notice = parse_notice(record)
        between = time.process_time()
        signed = signed_notice("mps", notice, catalog, keyring)
        assert isinstance(signed, Signed)
        assert signed.is_right()
        reading += between - begun
        proving += time.process_time() - between
    figure("reading", reading / NOTICES * 1e6, "µs a notice")
    figure("proving", proving / NOTICES * 1e6, "µs a notice", at_most=400.0)
    figure("both", NOTICES / (reading + proving), "notices/s of processor time")
