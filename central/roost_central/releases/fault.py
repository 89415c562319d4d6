"""Why something of a release is refused, in a word for programs and a sentence for people."""

from roost_central.errors import CentralError


class ReleaseError(CentralError):
    """``code`` is the word; ``str`` says what is wrong and what to do.

    ``key`` ``passphrase`` ``bundle`` ``secret`` ``draft`` ``signature`` ``expired`` ``rollback``
    ``metadata`` ``counter`` ``digest`` ``blob`` ``exists`` ``not-found`` ``repository``
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence
