"""The resident agent as a process: puts it together, and runs it."""

import asyncio
import logging
from pathlib import Path

from roost_agent.alarms.desk import Desk
from roost_agent.alarms.local_api import serving as serving_alarms
from roost_agent.board_node import boards_of
from roost_agent.config import Config
from roost_agent.control.server import serving
from roost_agent.control_node import Control
from roost_agent.driver import Driver
from roost_agent.enrolled_node import renewal_of, seal_of, take_orders, updates_of
from roost_agent.errors import AgentError
from roost_agent.ha_node import equip, launch_of
from roost_agent.host_node import host_of
from roost_agent.identity import Identity, StateLock, next_identity
from roost_agent.outbox.spool import Spool
from roost_agent.paths.mqtt import MqttDialer, connect_threads
from roost_agent.ports import SystemClock, SystemEntropy
from roost_agent.process_node import watch_processes
from roost_agent.running import supervise
from roost_agent.survey import Instruments
from roost_agent.wake.child import probe
from roost_protocol import __version__

log = logging.getLogger(__name__)


def run(config: Config, *, doubt: str = "") -> int:
    """Run the agent until SIGTERM or SIGINT and return its exit status.

    Args:
        config: what was asked for.
        doubt: of its identity, see there.

    Raises:
        AgentError: it cannot start.
    """
    state_dir = Path(config.state_dir)
    try:
        lock = StateLock(state_dir)
    except OSError as err:
        raise AgentError(f"state_dir {state_dir}: {err.strerror}") from err
    try:
        identity = next_identity(config.node_id, state_dir, doubt=doubt)
        if identity.fault:
            log.warning(
                "identity: incarnation %d is not on disk: %s", identity.incarnation, identity.fault
            )
        if identity.doubt:
            log.warning("identity: %s", identity.doubt)
        asyncio.run(_main(config, identity))
    finally:
        lock.close()
    return 0


async def _main(config: Config, identity: Identity) -> None:
    launch, said = launch_of(config, SystemClock())
    connects = len(config.paths) + (0 if launch is None else launch.connections)
    asyncio.get_running_loop().set_default_executor(connect_threads(connects))
    clock, entropy = SystemClock(), SystemEntropy()
    spool = Spool(Path(config.state_dir), config.outbox, clock=clock, entropy=entropy)
    driver = Driver(
        config, identity, spool, Instruments(clock, entropy, probe), seal=seal_of(config)
    )
    log.info(
        "agent %s: %s, incarnation %d, %d paths",
        __version__,
        identity.node,
        identity.incarnation,
        len(config.paths),
    )
    try:
        ha = None
        if launch is not None:
            folder = Path(config.state_dir) / "ha"
            ha = await launch.runtime(
                identity, folder, clock=clock, entropy=entropy, alarms=driver.alarms
            )
            equip(ha, config, driver, clock)
        desk = Desk(driver.alarms, spool, clock, identity.node)
        control, renewal = Control(driver, ha), renewal_of(config, driver.known_time, entropy)
        take_orders(driver, control, renewal, ha, said)
        watch_processes(driver, ha)
        driver.board_seat = boards_of(driver, ha)
        driver.board_seat.begin()
        driver.host, driver.acts = host_of(driver, ha, entropy)
        if driver.orders is not None:
            driver.updates = updates_of(driver, ha)  # by the site's word: it asks the host
        async with (
            serving(Path(config.state_dir), control),
            serving_alarms(config.alarms.socket, desk, clock),
        ):
            await supervise(driver, MqttDialer(), ha, renewal)
    finally:
        await spool.close()
    log.info("agent: ended")
