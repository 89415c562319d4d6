"""The agent with an identity: what seals its words, renews it, takes orders and updates.

Their code is imported only where the node takes them: 0.7 MiB for orders, as much for updates.
"""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from roost_agent.config import Config
from roost_agent.control_node import Control
from roost_agent.driver import Driver
from roost_agent.ha_node import site_of
from roost_agent.ports import Clock, Entropy
from roost_agent.renewal import Renewal
from roost_protocol.seal import Seal

if TYPE_CHECKING:
    from roost_agent.ha.runtime import Runtime
    from roost_agent.update.service import Updates

ANCHORED_S: Final = 30.0  # between two looks for the root of trust
TRUSTS: Final = "state.json"  # of root's trust, where `verify anchor` has made it

log = logging.getLogger(__name__)


def seal_of(config: Config) -> Seal | None:
    """Return what seals this node's words; None: it has no identity, and speaks on loopback."""
    known = config.enrolled
    return None if known is None else Seal(known.report_key, known.facts.generation)


def renewal_of(config: Config, clock: Clock, entropy: Entropy) -> Renewal | None:
    """Return what renews this node's identity, where it has one."""
    known = config.enrolled
    return None if known is None else Renewal(Path(config.state_dir), known.facts, clock, entropy)


def take_orders(
    driver: Driver,
    control: Control,
    renewal: Renewal | None,
    ha: "Runtime | None",
    said: Mapping[str, Any],
) -> None:
    """Take orders of the centre, where the node has an identity and keys to check them by.

    ``said`` is what a profile says of local HA, with which this agent has begun.
    """
    known = driver.config.enrolled
    if known is None or renewal is None:
        return
    from roost_agent.order_node import OrderNode  # noqa: PLC0415 - see the module
    from roost_agent.orders import order_keys  # noqa: PLC0415 - as above
    from roost_agent.orders.core import Addressee  # noqa: PLC0415 - as above
    from roost_agent.orders.service import Orders, by_child  # noqa: PLC0415 - as above
    from roost_agent.settings_host import came_with, settings_of  # noqa: PLC0415 - as above

    if not (known.folder / order_keys.FILE).is_file():
        log.warning("orders: none is taken: the identity has no order key; roost-agent renew")
        return
    who = driver.identity
    addressee = Addressee(who.node, known.facts.generation, who.boot_id, known.facts.enrolled_ms)
    node = OrderNode(driver, renewal, control)
    verify = by_child(Path(driver.config.state_dir))
    driver.orders = Orders(addressee, driver.spool, driver.clock, node, verify)
    driver.settings = settings_of(driver, known.folder, site_of(ha), said)
    if driver.settings is not None:
        driver.tune(driver.settings.own().paths)  # before the first connection
    if driver.settings is not None and (message := came_with(known.folder)):
        driver.orders.came(message)


def updates_of(driver: Driver, ha: "Runtime | None") -> "Updates | None":
    """Return the updates of a node that has a root of trust."""
    if not _trusts(driver).exists():
        return None
    from roost_agent import update_host  # noqa: PLC0415 - see the module

    return update_host.updates_of(driver, ha)


async def carry_updates(driver: Driver, ha: "Runtime | None") -> None:
    """Install updates, from when there is a root of trust: it may come after the agent."""
    if driver.updates is None:
        while not await asyncio.to_thread(_trusts(driver).exists):  # noqa: ASYNC110 - another's file
            await asyncio.sleep(ANCHORED_S)
        driver.updates = updates_of(driver, ha)
    if driver.updates is not None:
        await driver.updates.run()


def _trusts(driver: Driver) -> Path:
    return Path(driver.config.updates.trust) / TRUSTS
