"""That a host is not installed anew."""


class NotInstalledError(Exception):
    """It was refused, or failed; ``code`` is a word for programs, the text a sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
