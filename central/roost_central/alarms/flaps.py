"""Whether an alarm flaps: how often it was raised and cleared of late. Pure.

One that comes and goes by an order never does here: to hold it would say what is not so.
"""

from collections import OrderedDict

from roost_central.alarms.facts import Limits


class Flaps:
    """The last turns of each alarm; bounded by ``known_flaps_max``."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._turns_ms: OrderedDict[str, tuple[int, ...]] = OrderedDict()

    def note(self, key_id: str, type_: str, at_ms: int, *, is_turn: bool) -> bool:
        """Note a turn (a raise or a clear) and return whether the alarm flaps.

        The same moment counts once: a transaction may be tried again.
        """
        limits = self._limits
        if type_ in limits.willed:
            return False
        seen = self._turns_ms.get(key_id, ())
        if is_turn and seen[-1:] != (at_ms,):
            seen = (*seen, at_ms)[-limits.flap_count :]
            self._turns_ms[key_id] = seen
            self._turns_ms.move_to_end(key_id)
            while len(self._turns_ms) > limits.known_flaps_max:
                self._turns_ms.popitem(last=False)
        return len(seen) >= limits.flap_count and 0 <= seen[-1] - seen[0] <= limits.flap_ms
