"""Trust policies: the specification's syntax, clear errors, verdicts on a real and on made checkpoints."""

from hashlib import sha256

import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.cosignature import Cosigner
from casebus_schemas.evidence.signed_note import NoteSigner, SignedNote
from casebus_schemas.evidence.trust_policy import TrustPolicy, policy_text
from support.ledger import real_checkpoint as real

TEXT = "log.example\n7\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"
NAMES = ("spp", "mps", "csrc", "audit")


def seed(name: str) -> bytes:
    """A seed of its own for each name."""
    return sha256(f"policy test {name}".encode()).digest()


LOG = NoteSigner("log.example", seed("log"))
WITNESSES = {name: Cosigner(f"witness.example/{name}", seed(name)) for name in NAMES}
KEYS = {name: witness.key for name, witness in WITNESSES.items()}


def note(*names: str) -> SignedNote:
    """The log's note with cosignatures of these witnesses."""
    lines = [WITNESSES[name].cosign(TEXT, 1_600_000_000 + at) for at, name in enumerate(names)]
    return LOG.signed(TEXT).with_signatures(lines)


def policy(text: str) -> TrustPolicy:
    """A policy of the log and four witnesses, followed by these lines."""
    lines = [f"log {LOG.key}", *(f"witness {name} {key}" for name, key in KEYS.items())]
    return TrustPolicy.parse("".join(f"{line}\n" for line in [*lines, text]).encode())


@pytest.mark.parametrize(
    ("threshold", "cosigned", "accepted"),
    [
        (2, (), False),
        (2, ("spp",), False),
        (2, ("spp", "audit"), True),
        (3, ("spp", "audit"), False),
        (3, ("csrc", "mps", "audit"), True),
        (3, NAMES, True),
    ],
)
def test_provisional_and_final(threshold: int, cosigned: tuple[str, ...], accepted: bool) -> None:
    """Any two of four make a head provisional, three of four final."""
    trust = TrustPolicy.parse(policy_text([LOG.key], KEYS, threshold).encode())
    verdict = trust.judge(note(*cosigned))
    assert verdict.accepted == accepted
    assert dict(verdict.witnesses) == {name: 1_600_000_000 + at for at, name in enumerate(cosigned)}
    assert (verdict.problem is None) == accepted
    assert verdict.checkpoint is not None
    assert verdict.checkpoint.size == 7
    assert verdict.log == LOG.key


def test_one_witness_counts_once() -> None:
    """Two cosignatures of one witness are one; the earlier time is told."""
    twice = note("spp").with_signatures([WITNESSES["spp"].cosign(TEXT, 5)])
    verdict = TrustPolicy.parse(policy_text([LOG.key], KEYS, 2).encode()).judge(twice)
    assert not verdict.accepted
    assert dict(verdict.witnesses) == {"spp": 5}
    assert verdict.problem == "the quorum 'witnesses' is not reached: cosigned by spp"


def test_real_checkpoint() -> None:
    """A public log's checkpoint with four public witnesses holds; a signature of another type is skipped."""
    keys = "".join(f"witness {name} {key}\n" for name, key in real.WITNESSES.items())
    text = f"log {real.LOG}\n{keys}group all-four all {' '.join(real.WITNESSES)}\nquorum all-four\n"
    verdict = TrustPolicy.parse(text.encode()).judge(SignedNote.parse(real.NOTE.encode()))
    assert verdict.problem is None
    assert verdict.checkpoint is not None
    assert (verdict.checkpoint.origin, verdict.checkpoint.size) == (real.ORIGIN, real.SIZE)
    assert dict(verdict.witnesses) == dict.fromkeys(real.WITNESSES, real.COSIGNED_AT)
    larger = SignedNote.parse(real.NOTE.replace("\n1432088532\n", "\n1432088533\n").encode())
    assert not TrustPolicy.parse(text.encode()).judge(larger).accepted


def test_groups_of_groups() -> None:
    """The specification's example: two of one group and any of another."""
    trust = policy("group x 2 spp mps csrc\ngroup y any audit\ngroup both all x y\nquorum both")
    assert trust.judge(note("spp", "csrc", "audit")).accepted
    assert not trust.judge(note("spp", "mps", "csrc")).accepted
    assert not trust.judge(note("spp", "audit")).accepted


def test_no_quorum_asked() -> None:
    """With `quorum none` a checkpoint of the log suffices; with one witness's name that witness is needed."""
    assert policy("quorum none").judge(note()).accepted
    assert policy("quorum mps").judge(note("mps")).accepted
    assert not policy("quorum mps").judge(note("spp", "csrc", "audit")).accepted


def test_a_false_line_of_a_known_key_spoils_the_note() -> None:
    """A line that claims to be a known witness's and does not hold makes the whole note refused."""
    foreign = WITNESSES["csrc"].cosign(TEXT.replace("\n7\n", "\n8\n"), 9)
    verdict = policy("group g 2 spp mps csrc audit\nquorum g").judge(
        note("spp", "mps", "audit").with_signatures([foreign])
    )
    assert verdict.problem == "the cosignature of 'witness.example/csrc' does not hold for this checkpoint"


def test_a_log_signs_for_its_own_origin_only() -> None:
    """A log of the policy is not accepted under another origin, nor a log that is not in the policy."""
    trust = policy("quorum none")
    other = TEXT.replace("log.example", "other.example")
    for forged in (
        LOG.signed(other),
        NoteSigner("other.example", seed("log")).signed(other),
        NoteSigner("log.example", seed("other")).signed(TEXT),
    ):
        verdict = trust.judge(forged)
        assert verdict.log is None
        assert verdict.problem is not None
        assert verdict.problem.startswith("no log of the policy has signed")


def test_a_note_that_is_no_checkpoint() -> None:
    """Another text, signed by the log's own key, is no checkpoint."""
    verdict = policy("quorum none").judge(LOG.signed("log.example\nhello\n"))
    assert not verdict.accepted
    assert verdict.checkpoint is None


def test_blanks_comments_and_foreign_octets() -> None:
    """Tabs, blanks, comments, URLs and octets beyond ASCII are read as the specification says."""
    raw = (
        f"\n  # 政策 \xff\t\n\t log\t {LOG.key}  https://log.example/ \n".encode()
        + b"witness K\xff "
        + f"{KEYS['mps']}\nwitness 审计 {KEYS['audit']}\n".encode()
        + b"group g all K\xff "
        + "审计\nquorum g\n".encode()
    )
    trust = TrustPolicy.parse(raw)
    assert [name.encode("utf-8", "surrogateescape") for name in trust.witnesses] == [
        b"K\xff",
        "审计".encode(),
    ]
    assert trust.logs[0].url == "https://log.example/"
    assert trust.judge(note("mps", "audit")).accepted


FIRST = f"log {LOG.key}\nwitness mps {KEYS['mps']}\nwitness spp {KEYS['spp']}\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "has no quorum"),
        (FIRST, None, "has no quorum"),
        (FIRST + "quorum mps", 4, "cut off"),
        (FIRST + "quorum mps\nquorum spp\n", 5, "one quorum line"),
        (FIRST + "quorum csrc\n", 4, "names that stand above"),
        (FIRST + "group g 0 mps spp\n", 4, "'all', 'any' or a decimal number"),
        (FIRST + "group g 02 mps spp\n", 4, "'all', 'any' or a decimal number"),
        (FIRST + "group g 3 mps spp\n", 4, "at most 2"),
        (FIRST + "group g 99999999999 mps spp\n", 4, "'all', 'any' or a decimal number"),
        (FIRST + "group g all\n", 4, "'group NAME all|any|K NAME…'"),
        (FIRST + "group g all none\n", 4, "names that stand above"),
        (FIRST + "group g all mps mps\n", 4, "as a member once"),
        (FIRST + "group g all mps\ngroup h all mps spp\n", 5, "as a member once"),
        (FIRST + "group h all g\ngroup g all mps\n", 4, "names that stand above"),
        (FIRST + "group g all g\n", 4, "names that stand above"),
        (FIRST + "group mps all spp\n", 4, "a name that is not taken"),
        (FIRST + "group none all spp\n", 4, "a name that is not taken"),
        (FIRST + f"witness mps {KEYS['csrc']}\n", 4, "a name that is not taken"),
        (FIRST + f"witness csrc {KEYS['mps']}\n", 4, "stands in line 2"),
        (FIRST + f"log {LOG.key}\n", 4, "stands in line 1"),
        (FIRST + f"log {NoteSigner('x', seed('mps')).key}\n", 4, "stands in line 2"),
        (FIRST + f"witness csrc {LOG.key}\n", 4, "signature type 0x04"),
        (FIRST + f"log {KEYS['csrc']}\n", 4, "signature type 0x01"),
        (FIRST + "log log.example+00000000+AAAA\n", 4, "signature type 0x00"),
        (FIRST + "witness csrc\n", 4, "'log VKEY [URL]'"),
        (FIRST + "Quorum mps\n", 4, "'log VKEY [URL]'"),
        (FIRST + "quorum mps # final\n", 4, "'log VKEY [URL]'"),
        (FIRST + "quorum mps\r\n", 4, "no control characters"),
        (FIRST + "# \x7f\nquorum mps\n", 4, "no control characters"),
    ],
)
def test_errors_name_line_and_remedy(text: str, line: int | None, message: str) -> None:
    """Each fault is told with the file's name, its line, and what was expected there."""
    with pytest.raises(UsageError) as caught:
        TrustPolicy.parse(text.encode(), "final.policy")
    assert message in str(caught.value)
    assert str(caught.value).startswith("final.policy has" if line is None else f"final.policy, line {line}")


def test_thirty_two_of_each() -> None:
    """32 logs, 32 witnesses and 32 groups are read, as the specification asks."""
    logs = [f"log {NoteSigner(f'log{at}', seed(f'log{at}')).key}" for at in range(32)]
    witnesses = [f"witness w{at} {Cosigner(f'w{at}', seed(f'w{at}')).key}" for at in range(32)]
    groups = ["group g0 all w0", *(f"group g{at} all g{at - 1} w{at}" for at in range(1, 32))]
    text = "".join(f"{line}\n" for line in [*logs, *witnesses, *groups, "quorum g31"])
    trust = TrustPolicy.parse(text.encode())
    assert (len(trust.logs), len(trust.witnesses), len(trust.groups)) == (32, 32, 32)
    assert trust.is_reached_by({f"w{at}" for at in range(32)})
    assert not trust.is_reached_by({f"w{at}" for at in range(1, 32)})
