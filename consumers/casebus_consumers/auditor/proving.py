"""Makes proofs, bundles and tiles out of the ledger's tables."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from casebus_schemas.admission.verdict import Origin
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.bundle_coverage import (
    CLOCKS_MS,
    COVERED_TOPICS,
    LOG_APPEND_TIME,
    first_times,
)
from casebus_schemas.evidence.bundle_file import Bundle, BundledLog, bundled_log
from casebus_schemas.evidence.bundle_page import page
from casebus_schemas.evidence.bundle_reader import is_key_log
from casebus_schemas.evidence.epoch import EpochTree, LogHead
from casebus_schemas.evidence.event_proof import EventProof
from casebus_schemas.evidence.leaf import decode_headers, parse_leaf
from casebus_schemas.evidence.merkle import TILE_WIDTH, consistency_proof, inclusion_proof
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.submission import Submission
from casebus_schemas.evidence.tiles import bundles_of, entry_bundle, tiles_of
from casebus_schemas.evidence.tlog_proof import TlogProof

from .proof_rows import ChainEntry, ProofRows, Suffices, size_of
from .proving_contents import ShownContents
from .proving_positions import with_positions

Cover = Literal["case", "all", "none"]


def prove(
    rows: ProofRows, place: Origin, suffices: Suffices, *, headers: bool = True, path: bool = False
) -> EventProof:
    """Proof of the entry of a record, by the epoch that held it first, up to the newest good checkpoint.

    With `path` by the first one that held another entry of its log, too: a path has one hash at least. Raises
    UsageError if there is no such entry, or no such checkpoint over it.
    """
    entry = rows.entry_at(place)
    number = (rows.epoch_with_path if path else rows.first_epoch)(entry.log_id, entry.idx)
    note = rows.checkpoint(number, suffices)
    heads = rows.heads(number)
    head, tree = heads[entry.log_id], EpochTree(heads.values())
    steps = inclusion_proof(entry.idx, head.size, rows.hashes(entry.log_id, head.size))
    size = size_of(note)
    epoch_path = inclusion_proof(number - 1, size, rows.hashes(rows.head_log, size))
    return EventProof(
        leaf=bytes(entry.leaf),
        headers=bytes(entry.headers) if headers else None,
        index=entry.idx,
        path=tuple(steps),
        head=head,
        head_index=tree.index(head.origin),
        head_path=tuple(tree.inclusion(head.origin)),
        epoch=rows.epoch(number),
        epoch_path=tuple(epoch_path),
        note=note,
    )


def up_to(kept: bytes) -> Suffices:
    """That checkpoint and no other, whatever cosignatures it has. Raises UsageError if the bytes are none."""
    try:
        text = SignedNote.parse(kept).text
    except ValueError as error:
        raise UsageError("no checkpoint", found=str(error)[:200], expected="a signed note") from error
    return lambda note: note.text == text


def prove_growth(rows: ProofRows, old: int, suffices: Suffices) -> Submission:
    """Proof that the newest good checkpoint extends the ledger of `old` epochs: an `add-checkpoint` body.

    Raises UsageError for a size that is not sealed, or is not below that checkpoint.
    """
    note = rows.checkpoint(1, suffices)
    size = size_of(note)
    if not 0 < old < size:
        raise UsageError(
            "no consistency proof", found=f"from {old} to {size}", expected="an older size, from 1"
        )
    return Submission(old, tuple(consistency_proof(old, size, rows.hashes(rows.head_log, size))), note)


def bundle(
    rows: ProofRows,
    chain: str,
    suffices: Suffices,
    *,
    withhold: frozenset[str] = frozenset(),
    cover: Cover = "case",
    keep: Callable[[ChainEntry], bool] = lambda _entry: True,
) -> Bundle:
    """The bundle of a chain as of the newest good checkpoint.

    `withhold` names the places, or the ids, of events whose contents are to be shown by their hash alone; the
    admission of such an event is withheld with it. `*` withholds all. `cover` says from where on all leaves
    are shown of the logs on which the bus speaks of the case, those of other chains closed: from before its
    first event, from the start, or nowhere. Entries of the chain that `keep` denies are left out: then a
    bundle holds only with the cover `none`. Raises UsageError if there is no entry.
    """
    note = rows.checkpoint(1, suffices)
    number = size_of(note)
    heads = rows.heads(number)
    tree = EpochTree(heads.values())
    contents = ShownContents()
    of_chain: dict[int, list[ChainEntry]] = {}
    for log_id, entry in rows.of_chain(chain.encode()):
        if log_id in heads and entry.idx < heads[log_id].size and keep(entry):
            of_chain.setdefault(log_id, []).append(entry)
    if not of_chain:
        raise UsageError(f"nothing of the chain {chain[:80]}", expected=f"entries sealed by epoch {number}")
    times = first_times(parse_leaf(bytes(entry.leaf)) for found in of_chain.values() for entry in found)
    logs: dict[str, BundledLog] = {}
    for log_id, head in heads.items():
        name = head.origin.removeprefix(f"{rows.origin}/")
        of_keys = is_key_log(name)
        shown = rows.of_log(log_id, head.size) if of_keys else of_chain.get(log_id, ())
        entries = _taken(contents, name, shown, frozenset() if of_keys else withhold)
        begin = None if of_keys else _covered_from(rows, log_id, head, name, times, cover)
        if begin is not None:
            leaves = enumerate(rows.leaves(log_id, begin, head.size), start=begin)
            entries = {index: (leaf, b"") for index, leaf in leaves} | entries
        if entries:
            logs[name] = bundled_log(entries, head.size, rows.hashes(log_id, head.size))
    path = inclusion_proof(number - 1, number, rows.hashes(rows.head_log, number))
    epoch = TlogProof(number - 1, tuple(path), note, rows.epoch(number).pack())
    made = Bundle({"chain": chain}, epoch, tree.heads, logs, contents.payloads(), contents.schemas())
    made = with_positions(rows, made, number)
    return replace(made, page=page(made))


def _covered_from(
    rows: ProofRows, log_id: int, head: LogHead, name: str, times: Mapping[int, int], cover: Cover
) -> int | None:
    """The index from which on all leaves of a log are shown; None if only what is of the chain is."""
    topic, partition, _ = name.split("/")
    if cover == "none" or topic not in COVERED_TOPICS or int(partition) not in times:
        return None
    if cover == "all":
        return 0
    # The last entry that Kafka had before the chain's first one, by its own time, which rises in a log.
    before_ms = times[int(partition)] - CLOCKS_MS
    low, high = 0, head.size
    while low < high:
        middle = (low + high) // 2
        (raw,) = rows.leaves(log_id, middle, middle + 1)
        leaf = parse_leaf(raw)
        if leaf.timestamp_type == LOG_APPEND_TIME and leaf.timestamp_ms <= before_ms:
            low = middle + 1
        else:
            high = middle
    return max(0, low - 1)


def _taken(
    contents: ShownContents,
    name: str,
    entries: Iterable[ChainEntry],
    withhold: frozenset[str],
) -> dict[int, tuple[bytes, bytes]]:
    """Leaf and headers of a log's entries by index; contents are shown, but for those that are named."""
    found = {}
    for entry in entries:
        found[entry.idx] = bytes(entry.leaf), bytes(entry.headers)
        headers = dict(reversed(decode_headers(bytes(entry.headers))))
        said = {
            "*",
            (headers.get("ce_id") or b"").decode("utf-8", "replace"),
            f"{name.rpartition('/')[0]}/{parse_leaf(bytes(entry.leaf)).offset}",
        }
        if said & withhold:
            contents.withhold(entry)
        else:
            contents.show(entry, headers)
    return found


def export_tiles(rows: ProofRows, folder: Path, suffices: Suffices) -> int:
    """Writes the head log, and each partition's log as of its epoch, as C2SP tlog-tiles; gives the files.

    The head log stands in the folder itself, with its cosigned checkpoint; a partition's log in
    `logs/<topic>/<partition>/<generation>`, with its head in `head`. Existing files are written again.
    """
    note = rows.checkpoint(1, suffices)
    number = size_of(note)
    count = _write(folder / "checkpoint", note.to_bytes())
    count += _export(rows, folder, rows.head_log, number)
    for log_id, head in rows.heads(number).items():
        place = folder / "logs" / head.origin.removeprefix(f"{rows.origin}/")
        count += _write(place / "head", head.text().encode())
        count += _export(rows, place, log_id, head.size)
    return count


def _export(rows: ProofRows, folder: Path, log_id: int, size: int) -> int:
    count = 0
    for place in tiles_of(size):
        count += _write(folder / place.path(), b"".join(rows.tile(log_id, place)))
    for place in bundles_of(size):
        first = place.number * TILE_WIDTH
        leaves = rows.leaves(log_id, first, first + place.width)
        count += _write(folder / place.path(), entry_bundle(leaves))
    return count


def _write(file: Path, content: bytes) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return 1
