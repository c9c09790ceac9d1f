"""The documents that the events of a case name: what each is called, and whether it is here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.texts.symbols import ANNEX_KINDS, word

State = Literal["stored", "missing", "infected", "named", "elsewhere"]
STATES: Mapping[State, Sentence] = {
    "stored": Sentence("已存", "stored"),
    "missing": Sentence("缺失", "missing"),
    "infected": Sentence("有病毒", "infected"),
    "named": Sentence("仅列名称", "named only"),
    "elsewhere": Sentence("存于机关", "kept by agencies"),
}
"""Of a document; `named`: its event gives no digest, so that no file can be fetched or compared; `elsewhere`:
who looks keeps no documents."""
_UNITS = ("B", "KiB", "MiB", "GiB")


@dataclass(frozen=True, slots=True)
class Document:
    """An annex of an event, in the terms of `casebus.Annex`, and what became of its file here."""

    event: str
    chain: str
    speaker: str
    kind: str
    title: str
    sha256: str | None
    size: int | None
    media_type: str | None
    state: State
    problem: str | None

    def to_json(self) -> dict[str, Any]:
        """The same as JSON, the speaker as `from`; absent facts are null."""
        facts = asdict(self)
        return {"from": facts.pop("speaker"), **facts}


def documents_of(events: Iterable[ChainEvent], listed: Sequence[Mapping[str, Any]] | None) -> list[Document]:
    """The annexes of events in their order; `listed` are what the door's store knows, if it is there."""
    here = {(one["event"], one["sha256"]): one for one in listed or ()}
    unknown: State = "elsewhere" if listed is None else "missing"
    found = []
    for event in events:
        for annex in event.data.get("annexes") or ():
            digest = annex["sha256"]
            sha256 = digest.hex() if isinstance(digest, bytes) else digest
            known = here.get((event.digest.hex(), sha256), {})
            state: State = known.get("state", unknown) if sha256 else "named"
            found.append(
                Document(
                    event.digest.hex(),
                    event.chain,
                    event.agency,
                    str(annex["kind"]),
                    annex["title"],
                    sha256,
                    annex["size"],
                    annex["media_type"],
                    state,
                    known.get("problem"),
                )
            )
    return found


def size_text(size: int | None) -> str:
    """A size as 1.5 MiB; nothing where none is said."""
    if size is None:
        return ""
    number, unit = float(size), 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{size} B" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"


def document_lines(documents: Iterable[Document]) -> Iterator[str]:
    """A line each, in Chinese and English."""
    for one in documents:
        kind, state = word(ANNEX_KINDS, one.kind), STATES[one.state]
        facts = [f"{kind.zh} {kind.en}《{one.title}》", one.speaker, size_text(one.size)]
        problem = f": {one.problem}" if one.problem else ""
        facts.append(f"{state.zh} {state.en}{problem}")
        yield f"附件 document  {'  '.join(fact for fact in facts if fact)}"
