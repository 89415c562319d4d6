"""The agent around the board controllers that it asks: whose turn it is, and what it may do."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from roost_agent.bmc.allowed import sensors_refuse
from roost_agent.bmc.seat import BoardSeat
from roost_agent.driver import Driver
from roost_protocol.configuration import SITE_LEASE

if TYPE_CHECKING:
    from roost_agent.bmc.board import Board
    from roost_agent.bmc.service import BoardControllers
    from roost_agent.ha.runtime import Runtime


def boards_of(driver: Driver, ha: "Runtime | None") -> BoardSeat:
    """Return where what asks board controllers begins, with the first that is named."""
    config = driver.config

    def make(boards: tuple["Board", ...]) -> "BoardControllers":
        from roost_agent.bmc.service import BoardControllers  # noqa: PLC0415 - not without any

        return BoardControllers(
            config.bmc_file,
            boards,
            config.node,
            folder=Path(config.state_dir),
            outbox=driver.spool,
            alarms=driver.alarms,
            clock=driver.clock,
            is_ours=lambda: True if ha is None else _coordinates(ha),
            why_not=partial(_why_not_acted_on, driver),
        )

    return BoardSeat(
        config.bmc_file,
        Path(config.state_dir),
        config.node,
        has_lease=ha is not None,
        make=make,
        made=partial(setattr, driver, "boards"),
    )


def _why_not_acted_on(driver: Driver, node: str) -> str:
    """Return why a host must not be acted on for what its board's sensors say; empty: it may."""
    host = driver.host
    if host is None:
        return "nobody here knows how hosts stand"
    hosts = host.coordinator.hosts
    held_back = "" if hosts is None else hosts.held_back
    return sensors_refuse(host.report(), node, held_back, wall_ms=driver.clock.wall_ms())


def _coordinates(ha: "Runtime") -> bool | None:
    """Return whether this node holds the lease ``site``; None: nobody is known to."""
    lease = ha.core.leases.get(SITE_LEASE)
    if lease is None:
        return None
    if lease.is_held:
        return True
    return None if lease.holder is None else False
