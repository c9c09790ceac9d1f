"""What a bundle or a proof of absence shows of contents: values, and the schemas to read them by."""

from collections.abc import Mapping

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.canonical import canonical_json

from .proof_rows import ChainEntry


class ShownContents:
    """Collects contents of entries; one that is withheld anywhere is shown nowhere."""

    def __init__(self) -> None:
        self._payloads: dict[bytes, bytes] = {}
        self._fingerprints: set[bytes] = set()
        self._withheld: set[bytes] = set()

    def show(self, entry: ChainEntry, headers: Mapping[str, bytes | None]) -> None:
        """Shows an entry's content, if it has one; of each header name the first one counts."""
        if entry.value is None or entry.value_sha256 is None:
            return
        self._payloads[bytes(entry.value_sha256)] = bytes(entry.value)
        name = (headers.get("ce_dataschema") or b"").decode("ascii", "replace")
        if name.startswith("sha256:"):
            self._fingerprints.add(bytes.fromhex(name[7:]))

    def withhold(self, entry: ChainEntry) -> None:
        """Shows nothing of its content, nor of another entry's that is the same."""
        if entry.value_sha256 is not None:
            self._withheld.add(bytes(entry.value_sha256))

    def payloads(self) -> dict[bytes, bytes]:
        """The contents, by their SHA-256."""
        return {digest: value for digest, value in self._payloads.items() if digest not in self._withheld}

    def schemas(self) -> dict[bytes, bytes]:
        """Canonical JSON of the schemas of what is shown, as far as the catalogue has them."""
        known = {schema.fingerprint: schema.schema for schema in Catalog.load().schemas()}
        return {one: canonical_json(known[one]) for one in self._fingerprints if one in known}
