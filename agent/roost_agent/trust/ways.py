"""Who is asked for releases, by the words of ``updates.source``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from roost_agent.enrolled import load
from roost_agent.errors import AgentError
from roost_agent.ports import Clock
from roost_agent.trust.https import HttpsSource, of_centre
from roost_agent.trust.local import FolderSource
from roost_agent.trust.source import Source

CENTRE: Final = "centre"


def sources(said: str, state_dir: Path, clock: Clock) -> Sequence[Source]:
    """Return who is asked, in this order; none named: the centre.

    Args:
        said: folders, ``centre`` or ``https://HOST``, with commas between them.
        state_dir: with this box's identity.
        clock: for who is too slow.

    Raises:
        AgentError: the centre is to be asked, and this box has no identity.
    """
    words = [word for word in said.split(",") if word] or [CENTRE]
    return [_source(word, state_dir, clock) for word in words]


def close(asked: Sequence[Source]) -> None:
    """End what was asked over the network."""
    for each in asked:
        if isinstance(each, HttpsSource):
            each.close()


def _source(word: str, state_dir: Path, clock: Clock) -> Source:
    if word != CENTRE and not word.startswith("https://"):
        return FolderSource(Path(word.removeprefix("file://")))
    known = load(state_dir)
    if known is None:
        raise AgentError(f"{state_dir}: this box has no identity to ask the centre by")
    return of_centre(known, clock, "" if word == CENTRE else word)
