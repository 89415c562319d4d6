"""Which orders are signed: by verb, by life, and by how many people stand behind them. Pure.

The centre has checked all of this; it is checked again here because a captured centre has not.
"""

from collections.abc import Collection
from typing import Final, Protocol

from roost_protocol.errors import ProtocolError
from roost_protocol.order import Order, read_order
from roost_protocol.order_backing import check_backing
from roost_protocol.order_verbs import act_of

CLOCK_MS: Final = 60_000  # centre and signer are one machine, or two that know the time
HOUR_MS: Final = 3_600_000


class Rules(Protocol):
    """What the policy says of orders."""

    @property
    def orders_by_two(self) -> Collection[str]:
        """Verbs that two people stand behind."""

    @property
    def orders_never(self) -> Collection[str]:
        """Verbs that are not signed."""

    @property
    def order_hours_max(self) -> int:
        """How long an order counts at the most."""


def checked(payload: bytes, rules: Rules, wall_ms: int) -> Order:
    """Return the order in these bytes, if it may be signed now.

    None is signed for later: a heap of orders for the time to come would outlive a capture.

    Raises:
        ProtocolError: what is wrong with it.
    """
    order = read_order(payload)
    act = act_of(order.verb, order.given)
    if order.verb in rules.orders_never:
        raise ProtocolError("policy", field="verb", got=order.verb, bound="one that is signed")
    if act.needs_reason and not order.reason:
        raise ProtocolError("reason", field="reason", bound=f"{order.verb} needs one")
    if not order.by:
        raise ProtocolError("by", field="by", bound="who ordered it")
    if order.verb in rules.orders_by_two and order.approved_by in {"", order.by}:
        bound = f"{order.verb} needs a second person"
        raise ProtocolError("two", field="approved_by", got=order.approved_by, bound=bound)
    check_backing(act, order)
    if abs(order.not_before_ms - wall_ms) > CLOCK_MS:
        bound = f"within {CLOCK_MS // 1_000} s of now"
        raise ProtocolError("time", field="not_before_ms", got=order.not_before_ms, bound=bound)
    if order.not_after_ms - wall_ms > rules.order_hours_max * HOUR_MS + CLOCK_MS:
        bound = f"{rules.order_hours_max} h from now"
        raise ProtocolError("time", field="not_after_ms", got=order.not_after_ms, bound=bound)
    return order
