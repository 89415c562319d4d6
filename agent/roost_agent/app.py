"""The resident agent as a process: puts it together, runs it, and ends it politely."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import to_builtins

from roost_agent.alarms.desk import Desk
from roost_agent.alarms.local_api import serving as serving_alarms
from roost_agent.bmc.allowed import sensors_refuse
from roost_agent.bmc.seat import BoardSeat
from roost_agent.config import Config
from roost_agent.control.message import (
    Answer,
    HaRequest,
    HostAct,
    HostHealth,
    HostProcesses,
    HostRequest,
    HostShow,
    PathHold,
    PathRelease,
    Reprobe,
    Request,
    Status,
    UpdateHold,
    UpdateRelease,
    UpdateRequest,
    UpdateStatus,
)
from roost_agent.control.server import serving
from roost_agent.driver import Driver
from roost_agent.errors import AgentError
from roost_agent.host.processes.on_demand import OnDemand
from roost_agent.host_node import host_answer, host_of
from roost_agent.identity import Identity, StateLock, next_identity
from roost_agent.outbox.spool import Spool
from roost_agent.paths import core as paths
from roost_agent.paths.link import Dialer
from roost_agent.paths.mqtt import MqttDialer, connect_threads
from roost_agent.ports import Clock, Entropy, SystemClock, SystemEntropy
from roost_agent.renewal import Renewal
from roost_agent.status import status
from roost_agent.survey import Instruments
from roost_agent.wake.child import probe
from roost_agent.wake.kernel import KernelNews
from roost_agent.watchdog import watchdog
from roost_protocol import __version__
from roost_protocol.configuration import SITE_LEASE
from roost_protocol.host import Oper
from roost_protocol.seal import Seal

if TYPE_CHECKING:
    from roost_agent.bmc.board import Board
    from roost_agent.bmc.service import BoardControllers
    from roost_agent.ha.launch import Launch
    from roost_agent.ha.runtime import Runtime
    from roost_agent.host.processes.launch import Watching
    from roost_agent.update.service import Updates

log = logging.getLogger(__name__)

DRAIN_S: Final = 5.0  # to bring to central what waits; what does not make it is on disk
ROOT: Final = Path("/")
REBOOT: Final = "ROOST_HA_REBOOT"  # the command, in roost-agent-ha.conf
TRUSTS: Final = "state.json"  # of root's trust, where `verify anchor` has made it
OF_A_UNIT: Final = "INVOCATION_ID"  # systemd's mark of what it started


class _StopError(Exception):
    """The agent was told to end, and has said good-bye."""


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
    launch, said = _launch(config, SystemClock())
    connects = len(config.paths) + (0 if launch is None else launch.connections)
    asyncio.get_running_loop().set_default_executor(connect_threads(connects))
    clock, entropy = SystemClock(), SystemEntropy()
    spool = Spool(Path(config.state_dir), config.outbox, clock=clock, entropy=entropy)
    driver = Driver(config, identity, spool, Instruments(clock, entropy, probe), seal=_seal(config))
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
            _equip(ha, config, driver, clock)
        desk = Desk(driver.alarms, spool, clock, identity.node)
        control, renewal = Control(driver, ha), _renewal(config, driver.known_time, entropy)
        _take_orders(driver, control, renewal, ha, said)
        _watch_processes(driver, ha)
        driver.board_seat = _boards(driver, ha)
        driver.board_seat.begin()
        driver.host, driver.acts = host_of(driver, ha, entropy)
        if driver.orders is not None:
            driver.updates = _updates(driver, ha)  # by the site's word: it asks the host
        async with (
            serving(Path(config.state_dir), control),
            serving_alarms(config.alarms.socket, desk, clock),
        ):
            await _supervise(driver, MqttDialer(), ha, renewal)
    finally:
        await spool.close()
    log.info("agent: ended")


def _seal(config: Config) -> Seal | None:
    """Return what seals this node's words; None: it has no identity, and speaks on loopback."""
    known = config.enrolled
    return None if known is None else Seal(known.report_key, known.facts.generation)


def _renewal(config: Config, clock: Clock, entropy: Entropy) -> Renewal | None:
    """Return what renews this node's identity, where it has one."""
    known = config.enrolled
    return None if known is None else Renewal(Path(config.state_dir), known.facts, clock, entropy)


def _take_orders(
    driver: Driver,
    control: "Control",
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
    from roost_agent.order_node import OrderNode  # noqa: PLC0415 - 0.7 MiB, where they are taken
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
    driver.settings = settings_of(driver, known.folder, _site(ha), said)
    if driver.settings is not None:
        driver.tune(driver.settings.own().paths)  # before the first connection
    if driver.settings is not None and (message := came_with(known.folder)):
        driver.orders.came(message)


def _updates(driver: Driver, ha: "Runtime | None") -> "Updates | None":
    """Return the updates of a node that has a root of trust; the code is imported only there."""
    if not (Path(driver.config.updates.trust) / TRUSTS).exists():
        return None
    from roost_agent.update_host import updates_of  # noqa: PLC0415 - see above

    return updates_of(driver, ha)


def _site(ha: "Runtime | None") -> Callable[[], tuple[int | None, tuple[int | None, ...]]]:
    """Return what says when gateway and peers were heard last; without local HA nobody was."""
    if ha is None:
        return lambda: (None, ())
    from roost_agent.ha.report import heard  # noqa: PLC0415 - only where it is configured

    return partial(heard, ha)


def _watch_processes(driver: Driver, ha: "Runtime | None") -> None:
    """Watch processes, where a file or a profile defines any; the code is imported only there.

    What local HA runs is left to it: to start a unit on a node that stands by would be a second
    active one.
    """
    from roost_agent.host.processes import files  # noqa: PLC0415 - see above

    config = driver.config.processes
    services = () if ha is None else ha.config.services
    held = {unit for each in services if (unit := each.run.systemd) is not None}

    def make() -> "Watching":
        from roost_agent.host.processes.launch import Watching  # noqa: PLC0415 - see above

        return Watching(
            config,
            driver.spool,
            driver.alarms,
            driver.clock,
            held=held,
            is_enabled=lambda: _is_enabled(driver),
        )

    driver.watching = OnDemand(make, partial(setattr, driver, "processes"))
    said = {} if driver.settings is None else driver.settings.own().processes
    if said or files.any_there(config.folders):
        driver.watching.begin(said)


def _is_enabled(driver: Driver) -> bool:
    """Return whether this host is in service; one that decides nothing of itself always is."""
    return driver.host is None or driver.host.core.state[1] is Oper.ENABLED


def _boards(driver: Driver, ha: "Runtime | None") -> BoardSeat:
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


def reboot_command(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return what reboots this node: a unit's own word, and nobody else's.

    Empty, so that nothing can, unless systemd started this agent and its unit says how.
    """
    return tuple(env.get(REBOOT, "").split()) if OF_A_UNIT in env else ()


def _launch(config: Config, clock: Clock) -> "tuple[Launch | None, Mapping[str, Any]]":
    """Return local HA's files, read, and what a profile says over them.

    Its code is imported only where it is configured.
    """
    if not config.ha_file:
        return None, {}
    from roost_agent.ha.launch import Launch  # noqa: PLC0415 - see above
    from roost_agent.settings_host import own_at_start  # noqa: PLC0415 - as above

    said = {} if config.enrolled is None else own_at_start(config, clock).ha
    launch = Launch(
        Path(config.ha_file),
        config.site,
        config.node,
        reboot_command(os.environ),
        config.enrolled,
        said=said,
    )
    return launch, said


def _equip(ha: "Runtime", config: Config, driver: Driver, clock: Clock) -> None:
    """Give local HA its way to the centre, and its drills."""
    from roost_agent.ha.drill import Drills  # noqa: PLC0415 - only where it is configured
    from roost_agent.ha.upward import Upward  # noqa: PLC0415 - as above

    ha.shells.upward = Upward(config.node, driver.spool, driver.alarms, clock)
    ha.shells.drills = Drills(clock)
    if ha.config.has_wan_witness:
        ha.shells.peers.afar = driver.send_frame
        driver.hear_frame = ha.shells.peers.came_afar


async def _supervise(
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
            group.create_task(_store(driver), name="agent.outbox")
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


async def _store(driver: Driver) -> None:
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
        if driver.updates is not None:
            group.create_task(driver.updates.run(), name="agent.update")


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


class Control:
    """What an operator may ask on the node itself."""

    def __init__(self, driver: Driver, ha: "Runtime | None" = None) -> None:
        self._driver = driver
        self._ha = ha

    def __call__(self, request: Request) -> Answer:
        """Do what is asked and say how it went."""
        match request:
            case Status():
                return Answer(result=status(self._driver) | self._roles())
            case PathHold(name, seconds):
                until_ms = self._driver.clock.boot_ms() + seconds * 1000
                return self._path(name, lambda: paths.Hold(until_ms))
            case PathRelease(name):
                return self._path(name, paths.Release)
            case HostProcesses() | HostHealth() | HostShow() | HostAct():
                return self._host(request)
            case Reprobe(classes):
                self._driver.survey.reprobe(classes)
                return Answer()
            case _:
                return self._order(request)

    def _host(self, request: HostRequest) -> Answer:
        if isinstance(request, HostProcesses):
            return self._processes()
        if isinstance(request, HostShow | HostAct):
            host, acts = self._driver.host, self._driver.acts
            if host is None or acts is None:
                return Answer(error="the agent only starts")
            return host_answer(host, acts, request)
        if request.is_run:
            self._driver.health.begin("inservice")
        return Answer(result=self._driver.health.report())

    def _processes(self) -> Answer:
        """Return the state of the watched processes."""
        if self._driver.processes is None:
            where = ", ".join(self._driver.config.processes.folders)
            return Answer(error=f"no process is watched: no file in {where}, and no profile")
        return Answer(result=to_builtins(self._driver.processes.report()))

    def _update(self, request: UpdateRequest) -> Answer:
        updates = self._driver.updates
        if updates is None:
            where = self._driver.config.updates.trust
            return Answer(error=f"nothing installs updates here: no roost-helper, or no {where}")
        match request:
            case UpdateHold(until_ms, why):
                updates.hold(until_ms, why)
            case UpdateRelease():
                updates.hold(0, "")
            case UpdateStatus():
                return Answer(result=updates.status())
        return Answer()

    def _roles(self) -> dict[str, object]:
        """Return what this node is for the site's groups, where it takes part in local HA."""
        if self._ha is None:
            return {}
        from roost_agent.ha.report import roles  # noqa: PLC0415 - only where it is configured

        return {"ha": roles(self._ha)}

    def _order(self, request: UpdateRequest | HaRequest) -> Answer:
        if isinstance(request, UpdateRequest):
            return self._update(request)
        if self._ha is None:
            return Answer(error="this node takes no part in local HA: ha.file is not configured")
        from roost_agent.ha.orders import answer  # noqa: PLC0415 - only where it is configured

        return answer(self._ha, request)

    def _path(self, name: str, event: Callable[[], paths.Event]) -> Answer:
        if name not in self._driver.wires:
            known = ", ".join(self._driver.wires)
            return Answer(error=f"no path {name!r}; there are {known}")
        self._driver.path_event(name, event())
        return Answer()
