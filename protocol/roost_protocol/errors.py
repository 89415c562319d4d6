"""The one error of the wire: the peer sent what this side refuses."""


class ProtocolError(ValueError):
    """A message that is refused; names the field and the bound it broke.

    Attributes:
        code: what is wrong, a word that counters and logs use.
        field: where, as a path of field names; empty for the message as a whole.
        bound: the limit that was broken, or None.
    """

    def __init__(
        self,
        code: str,
        *,
        field: str = "",
        bound: int | str | None = None,
        got: int | str | None = None,
        detail: str = "",
    ) -> None:
        self.code = code
        self.field = field
        self.bound = bound
        self.got = got
        self.detail = detail
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        parts = [self.code]
        if self.field:
            parts.append(f"at {self.field}")
        if self.got is not None:
            parts.append(f"got {str(self.got)[:80]!r}")
        if self.bound is not None:
            parts.append(f"bound {self.bound}")
        text = ", ".join(parts)
        return f"{text}: {self.detail}" if self.detail else text
