"""What the door answers when it does not do what is asked: problem details (RFC 9457), in two languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casebus_schemas.errors import BusError, RetryLater, UsageError
from casebus_schemas.texts.errors import detail_in_chinese
from casebus_schemas.wire.door import DoorProblem

MEDIA_TYPE = "application/problem+json"
_TYPE = "tag:casebus,2026:problem:"
_USED = "was used for something else"
_TITLES: Mapping[int, tuple[str, str, str]] = {
    400: ("request", "the request cannot be read", "请求无法读取"),
    401: ("key", "no key of a client of this door", "未提供本门的客户端密钥"),
    404: ("unknown", "there is no such thing", "没有所请求的内容"),
    405: ("method", "this address is not asked so", "该地址不支持此方法"),
    409: ("conflict", "the id stands for another content", "该标识已用于其他内容"),
    413: ("size", "too much in one request", "单次请求过大"),
    415: ("media-type", "a media type that is not read here", "不支持的媒体类型"),
    422: ("event", "the event is not taken", "事件未被受理"),
    429: ("rate", "too many requests", "请求过于频繁"),
    500: ("fault", "a fault of the door", "本门故障"),
    503: ("away", "something that is needed does not answer", "所需服务暂无应答"),
}


@dataclass(eq=False)
class Problem(Exception):
    """An answer of this status; `errors` have pointers or parameters, `more` goes into the body."""

    status: int
    detail: str
    zh: str | None = None
    errors: Sequence[Mapping[str, Any]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """As JSON."""
        name, title, title_zh = _TITLES[self.status]
        found: dict[str, Any] = {
            "type": _TYPE + name,
            "title": title,
            "title_zh": title_zh,
            "status": self.status,
            "detail": self.detail,
            "zh": self.zh or title_zh,
        }
        if self.errors:
            found["errors"] = list(self.errors)
        return {**found, **self.more}


def wrong_parameter(name: str, found: object, expected: str) -> Problem:
    """A parameter of the query or the path that is none."""
    detail = f"{name}, found {str(found)[:80]!r}, expected {expected}"
    return Problem(400, detail, f"参数 {name} 有误", errors=[{"parameter": name, "detail": detail}])


def of_event(error: DoorProblem, law: Sequence[str] = (), at: str = "") -> Problem:
    """An event that is not taken: all that is wrong with it, each with its pointer in the request's body."""
    used = _USED in error.message
    errors = [
        {"pointer": f"#{at}{one.pointer}", "detail": one.detail, "zh": detail_in_chinese(one)}
        for one in error.every
    ]
    articles = [article for one in error.every for article in one.law] or list(law)
    more = {"law": articles} if articles else {}
    return Problem(409 if used else 422, error.detail, detail_in_chinese(error), errors, more=more)


def of_error(error: BusError) -> Problem:
    """An error of our own as an answer."""
    if isinstance(error, DoorProblem):
        return of_event(error)
    if isinstance(error, RetryLater):
        return Problem(503, error.detail, detail_in_chinese(error), headers={"retry-after": "2"})
    if isinstance(error, UsageError):
        status = 404 if error.message.startswith("no such") else 400
        return Problem(status, error.detail, detail_in_chinese(error))
    return Problem(503, error.detail, detail_in_chinese(error), headers={"retry-after": "10"})
