"""A sentence in the two languages of the bus, Chinese and English."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing said in Chinese and in English."""

    zh: str
    en: str

    @property
    def text(self) -> str:
        """Both languages in one string, Chinese first, as the `because` and `why` of records.md 5."""
        return f"{self.zh} / {self.en}"
