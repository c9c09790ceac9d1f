"""The verifier without the rest of casebus: what a script made by `single_file` runs."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.absence_check import check_absence
from casebus_schemas.evidence.bundle_check import Signature, check_bundle
from casebus_schemas.evidence.bundle_file import Bundle
from casebus_schemas.evidence.bundle_page import page
from casebus_schemas.evidence.event_proof import EventProof
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.texts.harmless import harmless, json_text

from .absence_words import absence_json, absence_lines
from .verified_words import bundle_json, bundle_lines, proof_json, proof_lines

_HELP = (
    "Verifies a bundle of a case, or a proof of one entry, under YOUR policy. "
    "按您自己的策略校验案件证据包或条目证明。"
)


def main(arguments: Sequence[str], show: Callable[[str], object]) -> int:
    """Verifies one file and shows lines; 0 if all holds, 1 if not, 2 for wrong use or files."""
    parser = argparse.ArgumentParser(description=_HELP)
    parser.add_argument("what", choices=["bundle", "proof", "absence"], help="证据包 | 条目证明 | 缺席证明")
    parser.add_argument("file", type=Path)
    parser.add_argument("--policy", type=Path, required=True, help="your tlog-policy 您的策略文件")
    parser.add_argument("--page", type=Path, help="bundle: write the page for people 输出网页")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args(arguments)
    try:
        policy = TrustPolicy.parse(given.policy.read_bytes(), str(given.policy))
        raw = given.file.read_bytes()
        ok, lines, body = judged(given.what, raw, policy)
        if given.page is not None and given.what == "bundle":
            write_page(raw, policy, given.page)
    except (OSError, UsageError) as error:
        show(harmless(str(error)))
        return 2
    for line in [json_text(body)] if given.json else lines:
        show(line if given.json else harmless(line))
    return 0 if ok else 1


def judged(what: str, raw: bytes, policy: TrustPolicy) -> tuple[bool, Iterable[str], dict[str, Any]]:
    """Whether the file holds, the lines about it, and the same as JSON."""
    if what == "bundle":
        with ThreadPoolExecutor() as pool:  # the library lets other threads run while it verifies
            report = check_bundle(raw, policy, verify_all=partial(_in_threads, pool))
        return report.ok, bundle_lines(report), bundle_json(report)
    if what == "absence":
        silent = check_absence(raw, policy)
        return silent.finding == "proven", absence_lines(silent), absence_json(silent)
    try:
        result = EventProof.parse(raw).judge(policy)
    except ValueError as error:
        return False, [f"未能证明 NOT PROVEN: {error}"], {"proven": False, "problem": str(error)}
    return result.proven, proof_lines(result), proof_json(result)


def write_page(raw: bytes, policy: TrustPolicy, to: Path) -> None:
    """Writes a bundle's page for people anew, if the bundle holds."""
    if check_bundle(raw, policy).ok:
        to.write_bytes(page(Bundle.parse(raw)))


def _in_threads(pool: ThreadPoolExecutor, signatures: Sequence[Signature]) -> Iterable[bool]:
    # It begins at once; the reading of the bundle goes on meanwhile.
    return chain.from_iterable(pool.map(_holding, [signatures]))


def _holding(run: Sequence[Signature]) -> list[bool]:
    return [signature.holds() for signature in run]
