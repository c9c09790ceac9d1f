"""Writes the binary sample beside each example that has none.

`python -m casebus_deploy.schema_tools.samples` does it for the package. A sample that is there is never
written again: past bytes must be read for ever.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from casebus_producers.screen import say
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import encode
from casebus_schemas.wire.door import parse_event

from .schema_gate import package_folder


def write_samples(folder: Path, catalog: Catalog) -> Iterator[str]:
    """Encodes each TYPE.VERSION.json without a .bin by the newest schema of its type; yields what it wrote.

    Raises UsageError if an example is no event of its type.
    """
    for example in sorted(folder.glob("*.json")):
        sample = example.with_suffix(".bin")
        if sample.exists():
            continue
        event = parse_event(json.loads(example.read_text(encoding="utf-8")), catalog)
        sample.write_bytes(encode(catalog.latest(event.type), event.data))
        yield sample.name


def main() -> None:
    """Names what was written."""
    for name in write_samples(package_folder() / "examples", Catalog.load()):
        say(name)


if __name__ == "__main__":
    main()
