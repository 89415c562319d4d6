"""What a box is told that is not let in, and an operator whose decision is not taken."""

from typing import Final

from roost_central.errors import CentralError

NO_PROOF: Final = frozenset(  # the caller showed nothing
    {"claim-unknown", "denied", "queue-full", "unknown"}
)


class RefusedError(CentralError):
    """It is not done; ``detail`` says what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.detail = detail

    def __str__(self) -> str:
        return self.detail

    @property
    def is_unproven(self) -> bool:
        """Whether anybody could have sent it."""
        return self.code in NO_PROOF
