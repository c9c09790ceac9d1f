"""R09: a rule could not be applied to a chain, while all others were; or the chain could not be computed."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from casebus_schemas.case import kin
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.shares import MOST_BYTES, MOST_EVENTS
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import Agency, ChainId, RuleId
from casebus_schemas.texts.symbols import agency
from casebus_schemas.wire.ids import bus_id

from ..finding import Account, Finding
from ..rule import Found, Rule

RULE = Rule(
    RuleId("R09"),
    title=Sentence("规则运行出错", "a rule could not be applied"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=("failures",),
    acts=Sentence("总线运营方", "the operator of the bus"),
    mends=Sentence("更正规则程序的新版本", "a version of casebus in which the rule is mended"),
    closes=Sentence("该规则能够运行时", "once the rule can be applied"),
)


def failed(rule: Rule, first: ChainEvent, error: Exception) -> Found:
    """That a rule raised, by the first event of what it was given, and the kind of error.

    What the error says is left out: it may quote the events.
    """
    kind = type(error).__name__
    return Found(
        subject=f"{rule.id}\n{kind}",
        causes=[first],
        accounts=(),
        because=Sentence(
            f"规则{rule.id}({rule.title.zh})未能适用于本案链({kind}),其他规则不受影响",
            f"rule {rule.id} ({rule.title.en}) could not be applied to this chain ({kind}); the others were",
        ),
    )


def too_large_subject(key: kin.KinKey) -> str:
    """The subject of the finding that chains of this key were left out."""
    return f"too large\n{key.kind} {key.text}"


def too_large(related: kin.Kin) -> Found:
    """That chains which belong together are not compared, since they have too many events."""
    first = related.first
    return Found(
        subject=too_large_subject(related.key),
        causes=[first],
        accounts=(),
        beside=sorted(first.audience),
        because=Sentence(
            f"与本案链相关的案链超过{kin.MOST_CHAINS}个,或其事件超过{kin.MOST_EVENTS}个:其后的案链未作跨案链比对;"
            "各案链自身的核对不受影响",
            f"more than {kin.MOST_CHAINS} chains belong together with this one, or they have more than "
            f"{kin.MOST_EVENTS:,} events: those behind are not compared with it; each by itself is checked",
        ),
    )


COMPUTED_AGAIN = Sentence("本案链已能重新计算", "the chain could be computed again")


def too_long(first: ChainEvent, whose: str, agencies: Collection[str], since: datetime) -> Finding:
    """That an agency says more in a chain than is computed, for the agencies that take part in it."""
    chain, speaker = first.chain, agency(whose)
    return Finding(
        id=bus_id(RULE.id, f"{chain}\ntoo long\n{whose}"),
        rule=RULE.id,
        cls=RULE.cls,
        severity=RULE.severity,
        chain=ChainId(chain),
        subject=f"too long\n{whose}",
        accounts=tuple(Account(Agency(name), None, None) for name in sorted(agencies)),
        law=(),
        because=Sentence(
            f"{speaker.zh}在本案链中的事件超过{MOST_EVENTS}个或{MOST_BYTES >> 20} MiB,或以倒填日期、更正、"
            "新列主体使本案链过多重算:其后的事件照常保存,不再计算;其他机关的事件不受影响",
            f"{speaker.en} has said more than {MOST_EVENTS:,} events or {MOST_BYTES >> 20} MiB in this case, "
            "or has it computed anew too often by earlier dates, corrections or ever new suspects: those "
            "behind are kept, but not computed; those of others are",
        ),
        suggestion=None,
        opened_at=since,
        causes=(first.digest,),
        told=frozenset(agencies),
    )


def set_aside_id(chain: str) -> UUID:
    """The id of the finding that a chain is set aside: the same whenever it is."""
    return bus_id(RULE.id, f"{chain}\nset aside")


def set_aside(chain: str, agencies: Collection[str], kind: str, since: datetime) -> Finding:
    """That a chain cannot be computed by this program, for the agencies that take part in it.

    `kind` is the kind of error; what the error says is left out as in `failed`.
    """
    return Finding(
        id=set_aside_id(chain),
        rule=RULE.id,
        cls=RULE.cls,
        severity=RULE.severity,
        chain=ChainId(chain),
        subject="set aside",
        accounts=tuple(Account(Agency(agency), None, None) for agency in sorted(agencies)),
        law=(),
        because=Sentence(
            f"本案链暂不能计算({kind}):事件照常保存,期限与核对发现停留在此前的状态,程序更正后重新计算",
            f"this chain cannot be computed for now ({kind}): its events are kept, its terms and findings "
            "stand as they were, and it is computed again once the program is mended",
        ),
        suggestion=None,
        opened_at=since,
        causes=(),
        told=frozenset(agencies),
    )
