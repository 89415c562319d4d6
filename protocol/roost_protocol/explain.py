"""A decision in one sentence, with what it rests on."""

from collections.abc import Mapping

import msgspec

Evidence = Mapping[str, int | str | bool | None]


class Explain(msgspec.Struct, frozen=True):
    """Why something was decided; for the log, the ring of the node and the centre.

    Attributes:
        sentence: for people.
        evidence: the figures in it, for programs.
    """

    sentence: str
    evidence: Evidence
