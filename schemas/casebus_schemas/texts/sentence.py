"""A sentence in the two languages of the bus, Chinese and English."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing said in Chinese and in English."""

    zh: str
    en: str

    @property
    def text(self) -> str:
        """Both languages in one string, Chinese first, for a screen."""
        return f"{self.zh} / {self.en}"

    def to_json(self) -> dict[str, str]:
        """As in records.md 5: two fields, the `because` of a finding and the `why` of a reading."""
        return {"zh": self.zh, "en": self.en}
