"""The acts of orders: one file a verb, each unprivileged, each with an end that was observed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_agent.orders.verbs import (
    boards,
    configure,
    ha_maintenance,
    ha_switchover,
    host_act,
    reboot,
    refresh_inventory,
    renew_identity,
    resync,
    update_cancel,
    update_offer,
)
from roost_agent.orders.verbs.handler import Handler

HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        each.HANDLER.verb: each.HANDLER
        for each in (
            refresh_inventory,
            resync,
            renew_identity,
            ha_switchover,
            ha_maintenance,
            reboot,
            configure,
            update_offer,
            update_cancel,
        )
    }
    | {handler.verb: handler for handler in (*host_act.HANDLERS, *boards.HANDLERS)}
)
