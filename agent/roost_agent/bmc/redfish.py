"""One machine by its controller's Redfish service; in the child only."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

from roost_agent.bmc import redfish_read as read
from roost_agent.bmc.board import Board
from roost_agent.bmc.driver import Order
from roost_agent.bmc.fault import BmcError, Fault
from roost_agent.bmc.identity import check_machine
from roost_agent.bmc.redfish_http import CONNECTIONS_MAX, ROOT, Http, certificate, opened
from roost_agent.bmc.sensor import Sensor
from roost_agent.bmc.talk import LOG_MAX, BootDevice, Known, LogRecord, Power
from roost_protocol.boards import SENSORS_MAX

SYSTEMS: Final = "/redfish/v1/Systems"
CHASSIS: Final = "/redfish/v1/Chassis"
CHASSIS_MAX: Final = 8
PARTS_MAX: Final = 64  # fans, or power supplies
DRIVES_MAX: Final = 16  # of virtual media
LOGS: Final = ("SEL", "Sel", "IEL", "Log1", "Log", "EventLog")  # the first that is there
_EXPAND: Final = "?$expand=.($levels=1)"
_RESETS: Final = {
    Order.ON: ("On", "ForceOn"),
    Order.SHUTDOWN: ("GracefulShutdown",),
    Order.OFF: ("ForceOff",),
    Order.RESET: ("ForceRestart", "PowerCycle"),
    Order.CYCLE: ("PowerCycle", "ForceRestart"),
}
_TARGETS: Final = {word: name for name, word in read.BOOT.items()}


@asynccontextmanager
async def connected(board: Board, known: Known) -> AsyncIterator["Redfish"]:
    """Yield the machine, logged in; BmcError where it is not to be had."""
    pin = known.pin
    if not (pin or board.ca or board.ca_file or board.certificate_sha256):
        pin = await certificate(board)
    async with opened(board, pin) as http:
        root = await http.get(ROOT)
        if not any(str(key).startswith("Redfish") or key == "Systems" for key in root):
            raise BmcError(Fault.GARBAGE, f"GET {ROOT}: no service root of Redfish")
        await http.log_in(_sessions(root))
        machine = Redfish(http, board, known, pin, expands=_expands(root))
        await machine.find()
        yield machine


class Redfish:
    """See Driver.

    Args:
        http: logged in.
        board: whose.
        known: what was learned.
        pin: of the certificate that is spoken to; empty: a CA vouches.
        expands: it gives collections whole.
    """

    def __init__(self, http: Http, board: Board, known: Known, pin: str, *, expands: bool) -> None:
        self._http = http
        self._board = board
        self._known = known
        self._pin = pin
        self._expands = expands
        self._path = board.system or known.system
        self._is_alone = True
        self._system: dict[str, Any] = {}
        self._slots = asyncio.Semaphore(CONNECTIONS_MAX)

    async def find(self) -> None:
        """Find the machine, and see that it is the one that is meant."""
        if not self._path:
            paths = [
                str(each.get("@odata.id")) for each in read.members(await self._http.get(SYSTEMS))
            ]
            if len(paths) != 1:
                text = f"{SYSTEMS}: {len(paths)} systems: name one in bmc.system"
                raise BmcError(Fault.CONFIG, text)
            self._path = paths[0]
        self._is_alone = not self._board.system
        self._system = await self._http.get(self._path)
        check_machine(str(self._system.get("UUID") or ""), self._board, self._known)

    async def identity(self) -> Known:
        """See Driver."""
        said = self._system
        return Known(
            type="redfish",
            pin=self._pin,
            uuid=str(said.get("UUID") or "")[:45],
            system=self._path,
            maker=str(said.get("Manufacturer") or "")[:64],
            model=str(said.get("Model") or "")[:64],
            firmware=str(said.get("BiosVersion") or "")[:64],
            record=self._known.record,
        )

    async def power(self) -> Power:
        """See Driver."""
        self._system = await self._http.get(self._path)
        return read.power(self._system)

    async def order(self, order: Order) -> None:
        """See Driver."""
        actions = self._system.get("Actions")
        reset = actions.get("#ComputerSystem.Reset") if isinstance(actions, dict) else None
        reset = reset if isinstance(reset, dict) else {}
        target = reset.get("target") or f"{self._path.rstrip('/')}/Actions/ComputerSystem.Reset"
        allowed = reset.get("ResetType@Redfish.AllowableValues")
        words = _RESETS[order]
        if isinstance(allowed, list) and not (words := tuple(w for w in words if w in allowed)):
            raise BmcError(Fault.UNSUPPORTED, f"it knows no {_RESETS[order][0]}")
        await self._http.change("POST", str(target), {"ResetType": words[0]})

    async def boot(self) -> str:
        """See Driver."""
        self._system = await self._http.get(self._path)
        return read.boot(self._system)

    async def set_boot(self, device: BootDevice, *, once: bool) -> None:
        """See Driver."""
        enabled = "Disabled" if device == "none" else "Once" if once else "Continuous"
        said = {
            "BootSourceOverrideTarget": _TARGETS[device],
            "BootSourceOverrideEnabled": enabled,
        }
        await self._http.change("PATCH", self._path, {"Boot": said})

    async def media(self) -> str:
        """See Driver."""
        return read.media(await self._drive())

    async def insert(self, url: str) -> None:
        """See Driver."""
        drive = await self._drive()
        said = {"Image": url, "Inserted": True, "WriteProtected": True}
        await self._http.change("POST", read.action(drive, "VirtualMedia.InsertMedia"), said)

    async def eject(self) -> None:
        """See Driver."""
        drive = await self._drive()
        await self._http.change("POST", read.action(drive, "VirtualMedia.EjectMedia"), {})

    async def _drive(self) -> dict[str, Any]:
        """Return the virtual drive that a machine boots from as from a CD, read now."""
        for owner in (self._system, await self._manager()):
            if path := read.link(owner, "VirtualMedia"):
                for each in await self._collection(f"{path}", DRIVES_MAX):
                    if read.is_drive(each):
                        return each
        text = "it has no virtual drive for a CD that takes a URL: boot it by network instead"
        raise BmcError(Fault.UNSUPPORTED, text)

    async def sensors(self) -> tuple[list[Sensor], int]:
        """See Driver."""
        found: dict[str, Sensor] = {}
        old: list[Sensor] = []
        for path in await self._chassis():
            chassis = await self._http.get(path)
            for each in await self._of_chassis(chassis):
                found.setdefault(each.key, each)
            for name, reader in (("Thermal", read.thermal), ("Power", read.power_of)):
                if resource := await self._linked(chassis, name):
                    old += reader(resource)
        named = {(each.group, each.name) for each in found.values()}
        for each in old:  # the older schema tells many of the same sensors again
            if (each.group, each.name) not in named:
                found.setdefault(each.key, each)
        sensors = sorted(found.values(), key=lambda each: each.key)
        return sensors[:SENSORS_MAX], max(len(sensors) - SENSORS_MAX, 0)

    async def log(self, after: int) -> tuple[list[LogRecord], int]:
        """See Driver."""
        path = await self._log_path()
        if not path:
            return [], after
        entries = await self._http.get(path)
        found = [each for each in map(read.record, read.members(entries)) if each is not None]
        if not found and read.members(entries):
            found = [
                each
                for resource in await self._all(entries)
                if (each := read.record(resource)) is not None
            ]
        found.sort(key=lambda each: each.record)
        last = found[-1].record if found else 0
        if after < 0 or last < after:  # never read, or the log was cleared
            return [], last
        fresh = [each for each in found if each.record > after][:LOG_MAX]
        return fresh, fresh[-1].record if fresh else after

    async def _chassis(self) -> list[str]:
        if not self._is_alone:
            links = self._system.get("Links")
            linked = links.get("Chassis") if isinstance(links, dict) else None
            entries = [each for each in linked or () if isinstance(each, dict)]
        else:
            entries = read.members(await self._http.get(CHASSIS))
        return [path for each in entries[:CHASSIS_MAX] if (path := read.link({"": each}, ""))]

    async def _of_chassis(self, chassis: dict[str, Any]) -> list[Sensor]:
        """Return the sensors of the newer schema, and what its subsystems quote of others."""
        found: list[Sensor] = []
        if path := read.link(chassis, "Sensors"):
            for resource in await self._collection(path, SENSORS_MAX):
                found += read.sensor(resource)
        for name, parts in (("ThermalSubsystem", "Fans"), ("PowerSubsystem", "PowerSupplies")):
            subsystem = await self._linked(chassis, name)
            if path := read.link(subsystem, parts):
                resources = await self._collection(path, PARTS_MAX)
                found += _each(resources, read.excerpts)
                metrics = [read.link(each, "Metrics") for each in resources]
                found += _each(await self._fetched(filter(None, metrics)), read.excerpts)
            if metric := await self._linked(subsystem, "ThermalMetrics"):
                found += read.excerpts(metric)
        return found

    async def _linked(self, resource: dict[str, Any], name: str) -> dict[str, Any]:
        """Return what a link goes to; a missing link is skipped, and so is what is not there."""
        path = read.link(resource, name)
        if not path:
            return {}
        found = await self._fetched([path])
        return found[0] if found else {}

    async def _collection(self, path: str, count_max: int) -> list[dict[str, Any]]:
        asked = f"{path}{_EXPAND}" if self._expands else path
        found = await self._fetched([asked])
        return (await self._all(found[0]))[:count_max] if found else []

    async def _all(self, collection: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the members of a collection, fetched one by one where it gave links alone."""
        entries = read.members(collection)[:SENSORS_MAX]
        if all(len(each) > 1 for each in entries):
            return entries
        links = (read.link({"": each}, "") for each in entries)
        return await self._fetched(filter(None, links))

    async def _fetched(self, paths: Iterable[str]) -> list[dict[str, Any]]:
        """Return resources; one that is refused or makes no sense is left out."""

        async def one(path: str) -> dict[str, Any] | None:
            async with self._slots:
                try:
                    return await self._http.get(path)
                except BmcError as err:
                    if err.fault in {Fault.REFUSED, Fault.GARBAGE, Fault.OVERSIZE}:
                        return None
                    raise

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(path), name=f"bmc.get[{path}]") for path in paths]
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        return [found for task in tasks if (found := task.result()) is not None]

    async def _log_path(self) -> str:
        for owner in (self._system, await self._manager()):
            path = read.link(owner, "LogServices")
            found = await self._fetched([path]) if path else []
            logs = {
                each.rstrip("/").rpartition("/")[2]: each
                for entry in (read.members(found[0]) if found else ())
                if (each := read.link({"": entry}, ""))
            }
            for name in LOGS:
                if name in logs and (log := await self._fetched([logs[name]])):
                    return read.link(log[0], "Entries")
        return ""

    async def _manager(self) -> dict[str, Any]:
        links = self._system.get("Links")
        managed = links.get("ManagedBy") if isinstance(links, dict) else None
        entries = [each for each in managed or () if isinstance(each, dict)]
        paths = [path for each in entries[:1] if (path := read.link({"": each}, ""))]
        found = await self._fetched(paths)
        return found[0] if found else {}


def _each(
    resources: Iterable[dict[str, Any]], reader: Callable[[read.Resource], Iterator[Sensor]]
) -> list[Sensor]:
    return [sensor for resource in resources for sensor in reader(resource)]


def _sessions(root: dict[str, Any]) -> str:
    links = root.get("Links")
    return read.link(links, "Sessions") if isinstance(links, dict) else ""


def _expands(root: dict[str, Any]) -> bool:
    features = root.get("ProtocolFeaturesSupported")
    query = features.get("ExpandQuery") if isinstance(features, dict) else None
    return isinstance(query, dict) and query.get("NoLinks") is True


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
