"""One proof: how often something was broken on purpose, and how often that lost anything."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proof:
    """A row of build/PROOFS.json; ``note`` names the promise and what limits it."""

    name: str
    runs: int
    failures: int
    seed: int
    note: str
