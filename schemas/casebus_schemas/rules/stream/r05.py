"""R05: an event does not follow its stream's last admitted one: a gap, a fork or a rewritten stream."""

from collections.abc import Iterator

from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..finding import account
from ..rule import NEVER_CLOSES, Arrived, Found, Rule

RULE = Rule(
    RuleId("R05"),
    title=Sentence("发送流中断或分叉", "a stream with a gap or a fork"),
    scopes=("stream",),
    cls="arrival",
    severity="high",
    looks_at=("arrivals",),
    acts=Sentence("发送机关的系统管理员", "whoever runs the sending agency's system"),
    mends=Sentence(
        "补发缺少的事件;发件箱恢复后以新的化身发送",
        "the missing events; a restored outbox sends under a new incarnation",
    ),
    closes=NEVER_CLOSES,
)


@RULE.over_arrival
def broken(arrived: Arrived) -> Iterator[Found]:
    """The event, unless it is what should follow, or follows a refused one: the gap is then the refusal."""
    event, stream, head = arrived.event, arrived.stream, arrived.head
    if stream is None or arrived.again or arrived.redriven:
        return
    expected = head.seq + 1
    if (event.seq, event.prev) == (expected, head.digest) or arrived.was_refused(event.prev):
        return
    place = f"{stream.topic}/{stream.partition}"
    what = _what(event.seq, expected)
    yield Found(
        subject=f"{stream.producer}\n{stream.topic}\n{stream.partition}",
        causes=[event],
        accounts=[
            account(
                event,
                {
                    "producer": stream.producer,
                    "stream": place,
                    "seq": event.seq,
                    "prev": event.prev.hex(),
                    "expected_seq": expected,
                    "expected_prev": head.digest.hex(),
                },
            )
        ],
        because=Sentence(f"{stream.producer}在{place}:{what.zh}", f"{stream.producer} on {place}: {what.en}"),
    )


def _what(seq: int, expected: int) -> Sentence:
    if seq > expected:
        return Sentence(
            f"发送流缺少第{expected}至第{seq - 1}号事件",
            f"the stream lacks its events {expected} to {seq - 1}",
        )
    return Sentence(
        f"发送流在第{seq}号事件处分叉或改写", f"the stream forks or was rewritten at its event {seq}"
    )
