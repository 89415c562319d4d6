"""Who stands behind an order, and for how long: what its verb asks beyond any policy. Pure.

Centre, signer and node read the same rule: a policy that is too kind, or a centre that was captured
together with it, has nobody install a host anew alone (updates.md section 10).
"""

from roost_protocol.errors import ProtocolError
from roost_protocol.order import Order
from roost_protocol.order_act import Act


def check_backing(act: Act, order: Order) -> None:
    """Let pass an order that has as many people behind it, and as short a life, as its verb asks.

    Raises:
        ProtocolError: ``two`` or ``life``.
    """
    if act.by_two and order.approved_by in {"", order.by}:
        bound = f"{order.verb} needs a second person"
        raise ProtocolError("two", field="approved_by", got=order.approved_by, bound=bound)
    life_ms = order.not_after_ms - order.not_before_ms
    if act.life_s_max and life_ms > act.life_s_max * 1_000:
        bound = f"{order.verb} counts for {act.life_s_max} s at the most"
        raise ProtocolError("life", field="not_after_ms", got=life_ms // 1_000, bound=bound)
