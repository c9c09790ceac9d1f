"""The words of the registry's dialect: content type, error codes, and their JSON."""

from dataclasses import dataclass

from casebus_schemas.errors import BusError

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"

LEVEL = "FULL_TRANSITIVE"
"""How every schema of the bus must fit all its past versions."""

MODE = "READONLY"


@dataclass(frozen=True, slots=True)
class Answer:
    """What went wrong in the dialect's terms: HTTP status, five-digit code, sentence."""

    status: int
    code: int
    message: str

    def to_json(self) -> dict[str, object]:
        """The error body."""
        return {"error_code": self.code, "message": self.message}


class DialectError(BusError):
    """A request that is answered by an error of the dialect."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


def plain(status: int, phrase: str) -> Answer:
    """An error that is about HTTP alone: the dialect repeats the status as its code."""
    return Answer(status, status, phrase)


def no_subject(subject: str, why: str = "") -> DialectError:
    """40401."""
    return DialectError(Answer(404, 40401, f"Subject '{subject[:200]}' not found.{why}"))


def no_version(version: int) -> DialectError:
    """40402."""
    return DialectError(Answer(404, 40402, f"Version {version} not found."))


def no_schema(what: str = "Schema", why: str = "") -> DialectError:
    """40403."""
    return DialectError(Answer(404, 40403, f"{what} not found{why and '.'}{why}"))


def bad_schema(why: str) -> DialectError:
    """42201."""
    return DialectError(Answer(422, 42201, f"Invalid schema: {why[:500]}"))


def bad_version(found: str) -> DialectError:
    """42202."""
    return DialectError(
        Answer(
            422,
            42202,
            f"The specified version '{found[:50]}' is not a valid version id. Allowed values are between "
            '[1, 2^31-1] and the string "latest"',
        )
    )


def read_only(what: str, why: str = "") -> DialectError:
    """42205: fine as a request, but nothing is written here."""
    return DialectError(
        Answer(
            422,
            42205,
            f"{what} is in read-only mode: schemas of the bus come with a release of casebus, "
            f"never by registration{why and '.'}{why}",
        )
    )


def incompatible(subject: str, messages: list[str]) -> DialectError:
    """409."""
    details = "; ".join(messages)[:2000]
    return DialectError(
        Answer(
            409,
            409,
            f"Schema being registered is incompatible with an earlier schema for subject '{subject}', "
            f"details: [{details}]",
        )
    )
