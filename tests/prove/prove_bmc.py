"""Proofs: board controllers are read, switched and disbelieved as they deserve.

ipmi_sim and sushy-emulator are programs of others; DMTF's mock-up lies beside the project, and
without it that part counts nothing. The child's own code asks, in this process.
"""

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import sushy
from board_controllers import (
    ROOT,
    UUID,
    IpmiSim,
    Service,
    bmc_toml,
    emulator,
    free_port,
    ipmi_sim,
    lacks,
    machine,
    mockup,
)
from proof import Proof
from redfish_bmc import certificate

from roost_agent.bmc import redfish_read as read
from roost_agent.bmc.act import Patience
from roost_agent.bmc.board import load
from roost_agent.bmc.child import answer
from roost_agent.bmc.fault import Fault
from roost_agent.bmc.sensor import Level
from roost_agent.bmc.talk import Answer, Known, Power, Request, Verb
from roost_agent.ports import SystemClock

STEPS = 60
LIES = 600
LEVELS = ((0, Level.OK), (112, Level.MINOR), (144, Level.MAJOR), (160, Level.CRITICAL))
JUNK = (None, True, -1, 10**400, "", "/", "\x00", [], [None], {}, {"@odata.id": 7}, [[]] * 3)
FAULTS = frozenset(Fault) - {Fault.CHILD}


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """By IPMI, then by Redfish."""
    needs = lacks("ipmi_sim", "sdrcomp", "ipmitool", "openssl")
    if needs:
        note = f"skipped: {', '.join(needs)} not installed"
        yield Proof("bmc.ipmi_sim", runs=0, failures=0, seed=seed, note=note)
        yield Proof("bmc.redfish", runs=0, failures=0, seed=seed, note=note)
        return
    dice = random.Random(seed)  # noqa: S311 - the same course for the same seed
    with tempfile.TemporaryDirectory(prefix="roost-bmc-") as made:
        folder = Path(made)
        runs, wrong = counted(by_ipmi(folder, dice, max(8, round(STEPS * share))), say)
        note = (
            "ipmi_sim: power, reset, boot device, thresholds crossed live, its log; one that takes "
        )
        note += "orders and does nothing, is stopped, or has another password"
        yield Proof("bmc.ipmi_sim", runs=runs, failures=wrong, seed=seed, note=note)
        runs, wrong = counted(by_redfish(folder, dice, max(40, round(LIES * share))), say)
        note = "samples of sushy, DMTF's mock-up, sushy-emulator; then answers that no controller "
        note += "should give: a fault of its kind or fewer sensors, never an error or a wait"
        yield Proof("bmc.redfish", runs=runs, failures=wrong, seed=seed, note=note)


def counted(checks: Iterator[tuple[str, bool]], say: Callable[[str], None]) -> tuple[int, int]:
    """Return how many checks there were, and how many failed."""
    runs = wrong = 0
    for what, is_well in checks:
        runs += 1
        if not is_well:
            wrong += 1
            say(f"wrong: {what}")
        elif runs % 50 == 0:
            say(f"{runs} checked")
    return runs, wrong


def ask(file: Path, do: str, known: Known = Known(), **more: object) -> Answer:  # noqa: B008
    """Have one controller asked."""
    asked = Request(
        file=str(file), do=do, nodes=["n1"], known={"n1": known}, **{"seconds": 60.0, **more}
    )
    return asyncio.run(answer(load(str(file))[0], asked, SystemClock(), Patience()))


def by_ipmi(folder: Path, dice: random.Random, steps: int) -> Iterator[tuple[str, bool]]:
    """Yield what came of steps against ipmi_sim."""
    (folder / "sim").mkdir()
    with ipmi_sim(folder / "sim") as sim:
        file = bmc_toml(folder, type="ipmi", ipmi_port=sim.port)
        first = ask(file, "poll")
        yield f"learned: {first.why}", first.known.type == "ipmi"
        record = first.known.record
        for _ in range(steps):
            known = Known(type="ipmi", uuid=first.known.uuid, record=record)
            kind = dice.choice(("off", "on", "reset", "cycle", "boot", "heat", "heat", "stuck"))
            if kind == "heat":
                found, checks = heat(sim, file, known, dice)
                record = found.known.record
                yield from checks
            elif kind == "boot":
                device = dice.choice(("pxe", "disk", "cdrom", "bios", "none"))
                yield f"boot {device}", ask(file, "boot", known, device=device).boot == device
            else:
                yield switch(sim, file, known, kind)
        wrong = ask(bmc_toml(folder, type="ipmi", ipmi_port=sim.port, password="no"), "test")
        yield f"wrong password: {wrong.why}", wrong.fault == "credential"
        sim.pause()
        began = time.monotonic()
        dead = ask(bmc_toml(folder, type="ipmi", ipmi_port=sim.port), "poll", first.known)
        is_well = dead.fault == "unreachable" and time.monotonic() - began < 10
        yield f"stopped: {dead.why}", is_well and dead.known.failures == 1


def heat(
    sim: IpmiSim, file: Path, known: Known, dice: random.Random
) -> tuple[Answer, list[tuple[str, bool]]]:
    """Give its sensor another value, and return what was read and whether it is right."""
    value = dice.randrange(1, 200)
    sim.say("temp", value)
    time.sleep(1)
    found = ask(file, "poll", known)
    wanted = [level for least, level in LEVELS if value >= least][-1]
    seen = found.sensors[0] if found.sensors else None
    is_right = seen is not None and (seen.value, seen.level) == (value, wanted)
    numbers = [each.record for each in found.log]
    is_fresh = all(each > known.record for each in numbers) and numbers == sorted(set(numbers))
    return found, [(f"heat {value}: {seen}", is_right), (f"log {numbers}", is_fresh)]


def switch(sim: IpmiSim, file: Path, known: Known, kind: str) -> tuple[str, bool]:
    """Do something to its power, and return whether what is said is what it is."""
    power = (sim.folder / "power").read_text().strip()
    if kind == "stuck":
        verb = Verb.OFF if power == "1" else Verb.ON
        sim.say("stuck", 1)
        found = ask(file, "power", known, verb=verb, forced=True, seconds=8.0)
        (sim.folder / "stuck").unlink()
        return f"stuck: {found.fault} {found.power}", found.fault in {"unconfirmed", "timeout"}
    verb = {"off": Verb.OFF, "on": Verb.ON, "reset": Verb.RESET, "cycle": Verb.CYCLE}[kind]
    found = ask(file, "power", known, verb=verb, forced=True)
    now = (sim.folder / "power").read_text().strip()
    if kind == "reset" and power == "0":
        return f"reset of what is off: {found.why}", found.fault == "refused" and now == "0"
    wanted = Power.OFF if kind == "off" else Power.ON
    is_right = not found.fault and found.power is wanted and now == ("0" if kind == "off" else "1")
    return f"{kind}: {found.fault} {found.why} {found.power}, it is {now}", is_right


def by_redfish(folder: Path, dice: random.Random, lies: int) -> Iterator[tuple[str, bool]]:
    """Yield what came of samples, of the emulator and of lies."""
    yield from samples()
    (folder / "tls").mkdir()
    pem = certificate(folder / "tls")
    if (whole := mockup()) is not None:
        wanted = {
            each["@odata.id"]
            for path, said in whole.items()
            if path.endswith("/Sensors")
            for each in said["Members"]
        }
        with Service(pem, whole) as service:
            found = ask(bmc_toml(folder, type="redfish", port=service.port), "poll")
        keys = {each.key for each in found.sensors}
        for path in sorted(wanted):
            yield f"mock-up: {path}", path in keys
    (folder / "emulator").mkdir()
    with emulator(folder / "emulator") as port:
        file = bmc_toml(folder, type="redfish", port=port)
        known = ask(file, "poll").known
        yield "emulator: learned", known.uuid == UUID
        yield "emulator: boot", ask(file, "boot", known, device="pxe").boot == "pxe"
        off = ask(file, "power", known, verb=Verb.OFF, forced=True)
        yield f"emulator: off: {off.why}", off.power is Power.OFF
    for _ in range(lies):
        yield lie(folder, pem, dice)


def samples() -> Iterator[tuple[str, bool]]:
    """Read every sample of sushy's by every reader."""
    found = Path(sushy.__file__).with_name("tests") / "unit/json_samples"
    for file in sorted(found.glob("*.json")):
        said = json.loads(file.read_text())
        if not isinstance(said, dict):
            continue
        sensors = [
            each
            for reader in (read.thermal, read.power_of, read.sensor, read.excerpts)
            for each in reader(said)
        ]
        entries = sum(
            len(said.get(name, ()))
            for name in ("Temperatures", "Fans", "Voltages", "PowerControl", "PowerSupplies")
            if isinstance(said.get(name), list)
        )
        yield f"sample {file.name}: {len(sensors)} of {entries}", len(sensors) >= entries


def lie(folder: Path, pem: Path, dice: random.Random) -> tuple[str, bool]:
    """Change one answer of a service, and return whether the child bears it."""
    resources = machine(3, expands=dice.random() < 0.5)
    path = dice.choice([each for each in resources if each != ROOT] + [ROOT])
    how = dice.choice(("spoilt", "spoilt", "cut", "status", "redirect", "bytes"))
    with ExitStack() as stack:
        service = stack.enter_context(Service(pem, resources))
        if how == "spoilt":
            spoil(resources[path], dice)
        else:
            raw = json.dumps(resources[path]).encode()
            service.answers[path] = {
                "cut": (200, [], raw[: dice.randrange(len(raw))]),
                "status": (dice.choice((400, 404, 412, 500, 503)), [], b""),
                "redirect": (307, [("Location", f"https://127.0.0.1:{free_port()}{path}")], b""),
                "bytes": (200, [], dice.randbytes(dice.randrange(4_000))),
            }[how]
        file = bmc_toml(folder, type="redfish", port=service.port)
        began = time.monotonic()
        try:
            found = ask(file, "poll", seconds=15.0)
        except Exception as err:  # noqa: BLE001 - that none comes is what is proven
            return f"{how} {path}: {err!r}", False
        is_soon = time.monotonic() - began < 20
    if how == "redirect" and found.fault and found.fault != "redirect":
        return f"{how} {path}: {found.fault}", False
    return f"{how} {path}: {found.fault}", is_soon and (not found.fault or found.fault in FAULTS)


def spoil(found: object, dice: random.Random) -> None:
    """Put junk somewhere into a resource."""
    while isinstance(found, dict | list) and found:
        key = dice.choice(list(found) if isinstance(found, dict) else range(len(found)))
        if dice.random() < 0.5 or not isinstance(found[key], dict | list):
            found[key] = dice.choice(JUNK)
            return
        found = found[key]
