"""The verifier without the rest of casebus: what a script made by `single_file` runs."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.absence_check import check_absence
from casebus_schemas.evidence.bundle_check import check_bundle
from casebus_schemas.evidence.bundle_file import Bundle
from casebus_schemas.evidence.bundle_page import page
from casebus_schemas.evidence.cose_receipt import ReceiptKey, is_receipt
from casebus_schemas.evidence.event_proof import EventProof, ProvenEvent
from casebus_schemas.evidence.genesis import Genesis, read_genesis
from casebus_schemas.evidence.receipt_check import judge_consistency, judge_inclusion
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.texts.harmless import harmless, json_text

from .absence_words import absence_json, absence_lines
from .processes import Verifiers
from .receipt_words import growth_json, growth_lines
from .verified_words import bundle_json, bundle_lines, proof_json, proof_lines

_KINDS = {"bundle": "证据包", "proof": "条目证明", "absence": "缺席证明", "consistency": "延续证明"}
_HELP = (
    "Verifies a bundle of a case, or a proof or COSE receipt of one entry, under YOUR policy. "
    "按您自己的策略校验案件证据包或条目证明。"
)


class Given(NamedTuple):
    """What the reader brings: policy, the ledger's receipt key, a checkpoint that he kept, the genesis."""

    policy: TrustPolicy
    key: ReceiptKey | None = None
    since: bytes | None = None
    genesis: Genesis | None = None


def main(arguments: Sequence[str], show: Callable[[str], object]) -> int:
    """Verifies one file and shows lines; 0 if all holds, 1 if not, 2 for wrong use or files."""
    parser = argparse.ArgumentParser(description=_HELP)
    parser.add_argument("what", choices=list(_KINDS), help=" | ".join(_KINDS.values()))
    parser.add_argument("file", type=Path)
    parser.add_argument("--policy", type=Path, required=True, help="your tlog-policy 您的策略文件")
    parser.add_argument("--key", type=Path, help="COSE receipt: the ledger's receipt key, PEM 回执公钥")
    parser.add_argument("--since", type=Path, help="consistency: a checkpoint that you kept 您所存的检查点")
    parser.add_argument(
        "--genesis", type=Path, help="bundle, absence: your copy of the genesis file 您所存的创始文件"
    )
    parser.add_argument("--page", type=Path, help="bundle: write the page for people 输出网页")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args(arguments)
    try:
        policy = TrustPolicy.parse(given.policy.read_bytes(), str(given.policy))
        raw = given.file.read_bytes()
        key = None if given.key is None else read_key(given.key.read_bytes(), str(given.key))
        since = None if given.since is None else given.since.read_bytes()
        genesis = None if given.genesis is None else read_genesis(given.genesis)
        found = judged(given.what, raw, Given(policy, key, since, genesis))
        if given.page is not None and given.what == "bundle":
            write_page(raw, policy, given.page)
    except (OSError, UsageError) as error:
        show(harmless(str(error)))
        return 2
    for line in [json_text(found.body())] if given.json else found.lines:
        show(line if given.json else harmless(line))
    return 0 if found.ok else 1


def read_key(raw: bytes, where: str) -> ReceiptKey:
    """A ledger's public receipt key. Raises UsageError naming the file."""
    try:
        return ReceiptKey.parse(raw.decode("ascii", "replace"))
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from error


class Judged(NamedTuple):
    """Whether a file holds, the lines about it, and the same as JSON, each made when it is asked for."""

    ok: bool
    lines: Iterable[str]
    body: Callable[[], dict[str, Any]]


def judged(what: str, raw: bytes, given: Given) -> Judged:
    """Judges a file of any kind.

    Raises UsageError where something is missing that only the reader has.
    """
    policy = given.policy
    if what == "bundle":
        with Verifiers(len(raw)) as verifiers:
            report = check_bundle(raw, policy, genesis=given.genesis, verify_all=verifiers)
        return Judged(report.ok, bundle_lines(report), partial(bundle_json, report))
    if what == "absence":
        silent = check_absence(raw, policy, given.genesis)
        return Judged(silent.finding == "proven", absence_lines(silent), partial(absence_json, silent))
    if given.genesis is not None:
        raise UsageError(
            f"what is the genesis for? A file of kind {what} shows no keys of agencies",
            expected="--genesis with a bundle or a proof of absence",
        )
    try:
        if what == "consistency":
            growth = judge_consistency(raw, _since(given), policy, _key(given) if is_receipt(raw) else None)
            return Judged(growth.problem is None, growth_lines(growth), partial(growth_json, growth))
        result = _entry(raw, given)
    except ValueError as error:
        problem = str(error)
        lines = [f"未能证明 NOT PROVEN: {problem}"]
        return Judged(False, lines, lambda: {"proven": False, "problem": problem})
    return Judged(result.proven, proof_lines(result), partial(proof_json, result))


def _entry(raw: bytes, given: Given) -> ProvenEvent:
    if is_receipt(raw):
        return judge_inclusion(raw, given.policy, _key(given))
    return EventProof.parse(raw).judge(given.policy)


def _key(given: Given) -> ReceiptKey:
    if given.key is None:
        raise UsageError(
            "a COSE receipt, and no key to verify it with",
            expected="--key FILE: the ledger's receipt key, from whom you trust",
        )
    return given.key


def _since(given: Given) -> bytes:
    if given.since is None:
        raise UsageError("which older checkpoint?", expected="--since FILE: one that you have kept")
    return given.since


def write_page(raw: bytes, policy: TrustPolicy, to: Path) -> None:
    """Writes a bundle's page for people anew, if the bundle holds."""
    if check_bundle(raw, policy).ok:
        to.write_bytes(page(Bundle.parse(raw)))
