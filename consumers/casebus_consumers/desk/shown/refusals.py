"""Why the bus refused something, and what helps, in the reader's language."""

from casebus_consumers.desk.masking import masked_text
from casebus_consumers.desk.words import Words
from casebus_schemas.errors import REFUSAL_CODES as CODES
from casebus_schemas.texts.errors import text_in_chinese
from casebus_schemas.texts.symbols import REFUSAL_CODES, word


def refusal_in_words(code: str, detail: str, w: Words) -> str:
    """The reason as far as it is known in that language, without long numbers."""
    called = w.say(word(REFUSAL_CODES, code))
    said = text_in_chinese(detail) if w.language == "zh" else detail
    return f"{called}{w.colon}{masked_text(said)}" if said else called


def remedy_of(code: str, w: Words) -> str:
    """What its sender or the operator does about it."""
    return w(f"letters.remedy_{code}") if code in CODES else ""
