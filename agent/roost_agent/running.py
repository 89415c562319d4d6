"""The tasks of the resident agent: begun together, and ended politely."""

import asyncio
import logging
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roost_agent.driver import Driver
from roost_agent.enrolled_node import carry_updates
from roost_agent.paths.link import Dialer
from roost_agent.renewal import Renewal
from roost_agent.wake.kernel import KernelNews
from roost_agent.watchdog import watchdog

if TYPE_CHECKING:
    from roost_agent.ha.runtime import Runtime

log = logging.getLogger(__name__)

DRAIN_S: Final = 5.0  # to bring to central what waits; what does not make it is on disk
ROOT: Final = Path("/")


class _StopError(Exception):
    """The agent was told to end, and has said good-bye."""


async def supervise(
    driver: Driver, dialer: Dialer, ha: "Runtime | None" = None, renewal: Renewal | None = None
) -> None:
    """Run every task of the agent; one that fails ends all, and the service manager restarts."""
    news, stop = KernelNews(driver.survey.handle), _signalled()
    driver.end = partial(_end_for, stop)
    try:
        async with asyncio.TaskGroup() as group:
            for name in driver.wires:
                group.create_task(driver.carry(name, dialer), name=f"agent.path[{name}]")
            group.create_task(driver.tick(), name="agent.tick")
            group.create_task(_store(driver, ha), name="agent.outbox")
            group.create_task(driver.survey.watch_stamps(ROOT), name="agent.stamps")
            group.create_task(_until_stopped(driver, ha, stop), name="agent.stop")
            if ha is not None:
                group.create_task(ha.run(), name="agent.ha")
            if driver.watching is not None:
                group.create_task(driver.watching.run(), name="agent.processes")
            if (fed := watchdog(driver.undone, driver.clock)) is not None:
                group.create_task(fed.run(), name="agent.watchdog")
            if renewal is not None:
                group.create_task(_until_renewed(renewal), name="agent.renewal")
            driver.start()
            news.open()
    except* _StopError:
        pass
    finally:
        news.close()


async def _until_renewed(renewal: Renewal) -> None:
    await renewal.run()
    log.info("agent: a new identity; told to end and be back under it")
    raise _StopError


async def _store(driver: Driver, ha: "Runtime | None") -> None:
    """Open the outbox, then carry it and fill it: beats do not wait for the disk."""
    await driver.open()
    async with asyncio.TaskGroup() as group:
        group.create_task(driver.deliver(), name="agent.outbox.deliver")
        group.create_task(driver.survey.run(), name="agent.survey")
        group.create_task(driver.alarms.run(), name="agent.alarms")
        group.create_task(driver.watch.run(), name="agent.alarms.watch")
        group.create_task(driver.health.run(), name="agent.health")
        if driver.host is not None and driver.acts is not None:
            group.create_task(driver.host.run(), name="agent.host")
            group.create_task(driver.acts.run(), name="agent.host.acts")
        group.create_task(driver.history.run(), name="agent.history")
        if driver.board_seat is not None:
            group.create_task(driver.board_seat.run(), name="agent.bmc")
        if driver.orders is not None:
            group.create_task(driver.orders.run(), name="agent.orders")
        if driver.settings is not None:
            group.create_task(driver.settings.run(), name="agent.settings")
        if driver.orders is not None:
            group.create_task(carry_updates(driver, ha), name="agent.update")


def _signalled() -> "asyncio.Future[int]":
    """Return a future that is done with the first signal that ends the agent.

    SIGTERM and SIGINT: this node is done, so others take over what it holds. SIGUSR1: the agent is
    back at once, under another version perhaps, and the guard keeps what runs meanwhile.
    """
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[int] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        loop.add_signal_handler(number, _end, stop, number)
    hint = "agent: a new configuration is read at a restart, SIGHUP does nothing"
    loop.add_signal_handler(signal.SIGHUP, log.info, hint)
    return stop


def _end(stop: "asyncio.Future[int]", number: int) -> None:
    if not stop.done():
        stop.set_result(number)


def _end_for(stop: "asyncio.Future[int]", why: str) -> None:
    """End as SIGTERM does: what this node holds goes to others, and systemd starts it anew."""
    log.info("agent: ends, to be back: %s", why)
    _end(stop, signal.SIGTERM)


async def _until_stopped(driver: Driver, ha: "Runtime | None", stop: "asyncio.Future[int]") -> None:
    number = await stop
    if number == signal.SIGUSR1:
        log.info("agent: told to end and be back; what waits is on disk")
        raise _StopError
    if ha is not None:
        await ha.leave()
    log.info("agent: told to end, up to %g s for what waits", DRAIN_S)
    try:
        async with asyncio.timeout(DRAIN_S):
            await driver.drain()
    except TimeoutError:
        log.info("agent: not all reached central, the rest is on disk")
    raise _StopError
