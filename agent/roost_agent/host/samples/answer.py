"""Makes one message of samples, as a child that exits: a day of rows in numbers is some 3 MiB.

Argument: the folder of the ring. Standard input: a Question as JSON. Standard output: the flag of
compression in one byte and the item's body; nothing where nothing was measured.
"""

import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from roost_agent.host.samples import rollup
from roost_agent.host.samples.ring import Ring
from roost_agent.host.samples.summary import chosen
from roost_protocol.codec import pack
from roost_protocol.envelope import SamplesAsk
from roost_protocol.samples import Samples

HOUR_MS: Final = 3_600_000
STEP_S: Final = 600  # of what is told by itself
STEP_MS: Final = STEP_S * 1000
QUESTION_BYTES_MAX: Final = 32 * 1024


class Question(msgspec.Struct, frozen=True):
    """What is to be made.

    Attributes:
        now_ms: UTC.
        ask: of the centre; None: the last hour, as the node tells it by itself.
    """

    now_ms: int
    ask: SamplesAsk | None = None


def answered(ring: Ring, question: Question) -> Samples | None:
    """Return what the centre asks for; or the steps that ended within the last hour, of a few."""
    if (ask := question.ask) is not None:
        wanted = rollup.window(ask.since_ms, ask.until_ms, ask.step_s)
        said = rollup.samples(ring.parts(), wanted, frozenset(ask.series), ask=ask.number)
        return replace(said, board=ask.board)
    end_ms = question.now_ms // STEP_MS * STEP_MS
    wanted = rollup.window(max(end_ms - HOUR_MS, 0), end_ms, STEP_S)
    return chosen(rollup.samples(ring.parts(), wanted, frozenset()))


def main(argv: list[str]) -> int:
    """Answer one question."""
    raw = sys.stdin.buffer.read(QUESTION_BYTES_MAX)
    said = answered(Ring(Path(argv[0])), msgspec.json.decode(raw, type=Question))
    if said is not None:
        body, compressed = pack(said)
        sys.stdout.buffer.write(bytes([compressed]) + body)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
