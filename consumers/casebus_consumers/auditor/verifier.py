"""The verifier without the rest of casebus: what a script made by `single_file` runs."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.absence_check import check_absence
from casebus_schemas.evidence.bundle_check import check_bundle
from casebus_schemas.evidence.bundle_file import Bundle
from casebus_schemas.evidence.bundle_page import page
from casebus_schemas.evidence.event_proof import EventProof
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.texts.harmless import harmless, json_text

from .absence_words import absence_json, absence_lines
from .processes import Verifiers
from .verified_words import bundle_json, bundle_lines, proof_json, proof_lines

What = Literal["bundle", "proof", "absence"]
"""Kinds of files that are verified."""

_HELP = (
    "Verifies a bundle of a case, or a proof of one entry, under YOUR policy. "
    "按您自己的策略校验案件证据包或条目证明。"
)


def main(arguments: Sequence[str], show: Callable[[str], object]) -> int:
    """Verifies one file and shows lines; 0 if all holds, 1 if not, 2 for wrong use or files."""
    parser = argparse.ArgumentParser(description=_HELP)
    parser.add_argument("what", choices=get_args(What), help="证据包 | 条目证明 | 缺席证明")
    parser.add_argument("file", type=Path)
    parser.add_argument("--policy", type=Path, required=True, help="your tlog-policy 您的策略文件")
    parser.add_argument("--page", type=Path, help="bundle: write the page for people 输出网页")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args(arguments)
    try:
        policy = TrustPolicy.parse(given.policy.read_bytes(), str(given.policy))
        raw = given.file.read_bytes()
        found = judged(given.what, raw, policy)
        if given.page is not None and given.what == "bundle":
            write_page(raw, policy, given.page)
    except (OSError, UsageError) as error:
        show(harmless(str(error)))
        return 2
    for line in [json_text(found.body())] if given.json else found.lines:
        show(line if given.json else harmless(line))
    return 0 if found.ok else 1


class Judged(NamedTuple):
    """Whether a file holds, the lines about it, and the same as JSON, each made when it is asked for."""

    ok: bool
    lines: Iterable[str]
    body: Callable[[], dict[str, Any]]


def judged(what: What, raw: bytes, policy: TrustPolicy) -> Judged:
    """Judges a file of any kind by the reader's policy."""
    if what == "bundle":
        with Verifiers(len(raw)) as verifiers:
            report = check_bundle(raw, policy, verify_all=verifiers)
        return Judged(report.ok, bundle_lines(report), partial(bundle_json, report))
    if what == "absence":
        silent = check_absence(raw, policy)
        return Judged(silent.finding == "proven", absence_lines(silent), partial(absence_json, silent))
    try:
        result = EventProof.parse(raw).judge(policy)
    except ValueError as error:
        problem = str(error)
        lines = [f"未能证明 NOT PROVEN: {problem}"]
        return Judged(False, lines, lambda: {"proven": False, "problem": problem})
    return Judged(result.proven, proof_lines(result), partial(proof_json, result))


def write_page(raw: bytes, policy: TrustPolicy, to: Path) -> None:
    """Writes a bundle's page for people anew, if the bundle holds."""
    if check_bundle(raw, policy).ok:
        to.write_bytes(page(Bundle.parse(raw)))
