"""The rungs of a service's ladder: what is tried, in order, when it fails (ha.md 2)."""

import re
from typing import Final

import msgspec

ORDER: Final = ("restart", "failover", "node-fail", "reboot")
COUNT_MAX: Final = 100
WINDOW_S_MAX: Final = 86_400
FORM: Final = "restart:COUNT/SECONDS, failover, node-fail, reboot, each at most once, in this order"

_RESTART: Final = re.compile(r"restart:([0-9]{1,3})/([0-9]{1,5})")


class Ladder(msgspec.Struct, frozen=True):
    """What is tried. ``restarts`` within ``window_ms``, then ``steps``."""

    restarts: int
    window_ms: int
    steps: tuple[str, ...]


def ladder(texts: tuple[str, ...]) -> Ladder:
    """Return the ladder that the texts say.

    Raises:
        ValueError: with what is wrong.
    """
    restarts = window_s = 0
    kinds = []
    for text in texts:
        kind = text.partition(":")[0]
        if kind == "restart":
            match = _RESTART.fullmatch(text)
            restarts, window_s = (int(match[1]), int(match[2])) if match else (0, 0)
            if not 1 <= restarts <= COUNT_MAX or not 1 <= window_s <= WINDOW_S_MAX:
                raise ValueError(
                    f"{text!r}: must be restart:COUNT/SECONDS, COUNT 1..{COUNT_MAX},"
                    f" SECONDS 1..{WINDOW_S_MAX}"
                )
        elif text not in ORDER:
            raise ValueError(f"{text!r}: must be {FORM}")
        kinds.append(kind)
    places = [ORDER.index(kind) for kind in kinds]
    if places != sorted(set(places)):
        raise ValueError(f"{', '.join(texts)}: must be {FORM}")
    return Ladder(restarts, window_s * 1000, tuple(kind for kind in kinds if kind != "restart"))
