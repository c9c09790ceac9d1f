"""R05: an event does not follow its stream's last admitted one: a gap, a fork or a rewritten stream."""

from collections.abc import Iterator

from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..finding import account
from ..rule import Arrived, Found, Rule

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
    closes=Sentence("不自行关闭", "never by itself"),
)


@RULE.over_arrival
def broken(arrived: Arrived) -> Iterator[Found]:
    """The event, unless it is what should follow, or follows a refused one: the gap is then the refusal."""
    event = arrived.event
    expected = (arrived.expected_seq, arrived.expected_prev)
    if arrived.again or arrived.redriven or (event.seq, event.prev) == expected:
        return
    if arrived.was_refused(event.prev):
        return
    stream = f"{arrived.topic}/{arrived.partition}"
    what = _what(event.seq, arrived.expected_seq)
    yield Found(
        subject=f"{event.producer}\n{arrived.topic}\n{arrived.partition}",
        causes=[event],
        accounts=[
            account(
                event,
                {
                    "producer": event.producer,
                    "stream": stream,
                    "seq": event.seq,
                    "prev": event.prev.hex(),
                    "expected_seq": arrived.expected_seq,
                    "expected_prev": arrived.expected_prev.hex(),
                },
            )
        ],
        because=Sentence(
            f"{event.producer}在{stream}:{what.zh}",
            f"{event.producer} on {stream}: {what.en}",
        ),
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
