"""Severities (ITU-T X.733, 8.1.2.3), in rising order."""

from enum import IntEnum


class Severity(IntEnum):
    """Perceived severity; ``indeterminate`` of X.733 is read as warning."""

    CLEARED = 0
    WARNING = 1
    MINOR = 2
    MAJOR = 3
    CRITICAL = 4

    @classmethod
    def of(cls, word: str) -> "Severity":
        """Return the severity of a word; ``indeterminate`` becomes warning.

        Raises:
            KeyError: the word is no severity.
        """
        return cls.WARNING if word == "indeterminate" else cls[word.upper()]

    @property
    def word(self) -> str:
        """The severity as it is written: ``major``."""
        return self.name.lower()
