"""``roost-agent bmc``: the board controllers of this node's ``bmc.toml``, asked by hand.

Works without the agent, by the same code as its child. A password comes from the terminal or from
standard input, never from an argument, and is never shown.
"""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from roost_agent.bmc import board as boards
from roost_agent.bmc import kept
from roost_agent.bmc.act import Patience
from roost_agent.bmc.board import Board
from roost_agent.bmc.board_file import save, toml
from roost_agent.bmc.child import serve
from roost_agent.bmc.closed import close, has_key, sealing_key
from roost_agent.bmc.fault import Fault
from roost_agent.bmc.fence import VERBS, fence
from roost_agent.bmc.sensor import Sensor
from roost_agent.bmc.talk import BOOT_DEVICES, MEDIA_WORDS, Answer, Known, Request, Verb
from roost_agent.bmc.told import all_boards
from roost_agent.config import BMC_FILE
from roost_agent.control.table import columns
from roost_agent.enrolled import STATE_DIR
from roost_agent.errors import AgentError, ConfigError
from roost_agent.ports import SystemClock, SystemEntropy
from roost_protocol.board_faults import todo
from roost_protocol.boards import LOCAL, SECRET_CHARS_MAX

ACT_S: Final = 150.0  # power-off: five orders, 20 s apart, and the last reads
SWEEP_S: Final = 60.0
_BOARDS: Final = ("NODE", "TYPE", "HOST", "USER", "EVERY", "LEARNED", "MACHINE", "CERTIFICATE")
_SENSORS: Final = ("SENSOR", "GROUP", "READING", "LEVEL", "LOWER", "UPPER", "KEY")
_VERBS: Final = {
    "status": Verb.STATUS, "on": Verb.ON, "off": Verb.OFF, "cycle": Verb.CYCLE,
    "reset": Verb.RESET,
}  # fmt: skip


def run(argv: list[str]) -> int:
    """Run the command and return its exit status."""
    given = _parser().parse_args(argv)
    status: int = _DOES[given.verb](given)
    return status


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="roost-agent bmc", description="The board controllers that this node may use."
    )
    made.add_argument("--file", default=BMC_FILE, help=f"default: {BMC_FILE}")
    made.add_argument("--state-dir", default=STATE_DIR, help="where what was learned is kept")
    verbs = made.add_subparsers(dest="verb", required=True)
    verbs.add_parser("show", help="what is configured and learned, without passwords")
    for name, what in (("test", "reach it, and say who it is"), ("sensors", "read its sensors")):
        one = verbs.add_parser(name, help=what)
        one.add_argument("node")
        one.add_argument("--json", action="store_true", help="everything, for a program")
    setting = verbs.add_parser("set", help="add or change one; asks for the password")
    setting.add_argument("node")
    setting.add_argument("--host", help="its name or address; local: this machine's /dev/ipmi0")
    setting.add_argument("--user", help="of an account with the role Operator")
    for key in ("type", "uuid", "system", "ca-file", "certificate-sha256"):
        setting.add_argument(f"--{key}")
    for key in ("port", "ipmi-port", "interval-s"):
        setting.add_argument(f"--{key}", type=int)
    setting.add_argument("--password-stdin", action="store_true", help="a line of standard input")
    verbs.add_parser("seal", help="close the passwords of the file to this box's key")
    power = verbs.add_parser("power", help="read or change a machine's power, and see that it is")
    power.add_argument("node")
    power.add_argument("what", choices=list(_VERBS))
    power.add_argument("--forced", action="store_true", help="off without asking its system first")
    power.add_argument("--yes", action="store_true", help="without it only status is done")
    power.add_argument("--json", action="store_true")
    cut = verbs.add_parser("fence", help="for local HA: one order, read by whoever gave it")
    cut.add_argument("node")
    cut.add_argument("what", choices=VERBS)
    boot = verbs.add_parser("boot", help="choose the device of its next boot")
    boot.add_argument("node")
    boot.add_argument("device", choices=BOOT_DEVICES)
    boot.add_argument("--always", action="store_true", help="of all boots from then on")
    boot.add_argument("--json", action="store_true")
    drive = verbs.add_parser("media", help="the image in its virtual drive (Redfish)")
    drive.add_argument("node")
    drive.add_argument("what", choices=MEDIA_WORDS)
    drive.add_argument("image", nargs="?", default="", help="URL that the board fetches")
    drive.add_argument("--json", action="store_true")
    return made


def _show(given: argparse.Namespace) -> int:
    known = kept.read(Path(given.state_dir)).known
    rows = (
        _row(board, known.get(board.node, Known()))
        for board in all_boards(given.file, Path(given.state_dir))
    )
    sys.stdout.write("\n".join(columns(_BOARDS, rows)) + "\n")
    return 0


def _row(board: Board, known: Known) -> list[str]:
    if board.ca:
        trust = "by a CA"
    elif board.ca_file:
        trust = f"by {board.ca_file}"
    elif board.certificate_sha256:
        trust = f"{board.certificate_sha256[:16]}, configured"
    else:
        trust = f"{known.pin[:16]}, learned" if known.pin else "-"
    learned: str = known.type or "-"
    if known.failures:
        learned += f", failed {known.failures}"
    machine = " ".join(each for each in (known.maker, known.model, known.uuid) if each) or "-"
    every = f"{board.interval_s} s"
    return [board.node, board.type, board.host, board.user, every, learned, machine, trust]


def _set(given: argparse.Namespace) -> int:
    file = Path(given.file)
    found = {each.node: each for each in boards.load(given.file)} if file.exists() else {}
    before = found.get(given.node)
    if before is None and given.host is None:
        raise AgentError(f"{given.node} is new: --host must say where its controller is")
    said = {
        key: value
        for key in ("host", "user", "type", "uuid", "system", "ca_file", "certificate_sha256",
                    "port", "ipmi_port", "interval_s")
        if (value := getattr(given, key)) is not None
    }  # fmt: skip
    board = replace(before or Board(node=given.node, host=given.host), **said)
    if board.host != LOCAL and (before is None or given.user or given.password_stdin):
        board = replace(board, password=_password(from_stdin=given.password_stdin), sealed="")
    elif before is not None and before.sealed and board.host != before.host:
        raise AgentError(f"the password of {given.node} is sealed for {before.host}: give --user")
    found[given.node] = board
    how = _save(given, found.values())
    sys.stdout.write(f"{file}: {given.node} is set, {how}; roost-agent bmc test {given.node}\n")
    return 0


def _seal(given: argparse.Namespace) -> int:
    how = _save(given, boards.load(given.file))
    sys.stdout.write(f"{given.file}: {how}\n")
    return 0


def _save(given: argparse.Namespace, found: Iterable[Board]) -> str:
    """Write the file, its passwords sealed where this box has a key; say how they are."""
    file, folder, said = Path(given.file), Path(given.state_dir), tuple(found)
    boards.decode(toml(said).encode(), given.file)
    how = "passwords in the clear: this box has joined no fleet, and has no key"
    if has_key(folder):
        key = sealing_key(folder)
        said = tuple(close(board, key, SystemEntropy()) for board in said)
        how = "passwords sealed to this box"
    try:
        save(file, said)
    except OSError as err:
        raise AgentError(f"{file}: {err.strerror}") from err
    return how


def _password(*, from_stdin: bool) -> str:
    if from_stdin or not sys.stdin.isatty():
        found = sys.stdin.readline(SECRET_CHARS_MAX + 2).rstrip("\n")
    else:
        found = getpass.getpass("password of the board controller: ")
    if not found:
        raise AgentError("no password was given")
    return found


def _sensors(given: argparse.Namespace) -> int:
    answer = _ask(given, "poll")
    if given.json or answer.fault:
        return _tell(answer, given)
    lines = columns(_SENSORS, map(_sensor, answer.sensors))
    if answer.dropped:
        lines.append(f"{answer.dropped} more are past the bound of {len(answer.sensors)}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _sensor(each: Sensor) -> list[str]:
    limits = each.limits
    lower = [limits.lnr, limits.lcr, limits.lnc]
    upper = [limits.unc, limits.ucr, limits.unr]
    reading = "-" if each.value is None else f"{each.value:g} {each.unit}"
    return [
        each.name, each.group, reading, each.level.word, _numbers(lower), _numbers(upper),
        each.key,
    ]  # fmt: skip


def _numbers(limits: Sequence[float | None]) -> str:
    return " ".join("-" if each is None else f"{each:g}" for each in limits)


def _power(given: argparse.Namespace) -> int:
    verb = _VERBS[given.what]
    if verb is not Verb.STATUS and not given.yes:
        raise AgentError(
            f"{given.what} takes the power of {given.node}, whatever runs there: say --yes"
        )
    return _tell(_ask(given, "power", verb=verb, forced=given.forced), given)


def _ask(given: argparse.Namespace, do: str, **more: object) -> Answer:
    """Return what came of a request."""
    known = kept.read(Path(given.state_dir)).known
    asked = Request(
        file=given.file,
        folder=given.state_dir,
        do=do,  # type: ignore[arg-type] # one of this module's own words
        nodes=[given.node],
        known={given.node: known.get(given.node, Known())},
        seconds=ACT_S if do in {"power", "media"} else SWEEP_S,
        **more,  # type: ignore[arg-type] # as above
    )
    answers: list[Answer] = []
    asyncio.run(serve(asked, answers.append, SystemClock(), Patience()))
    return answers[0]


def _tell(answer: Answer, given: argparse.Namespace) -> int:
    if given.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n")
        return int(bool(answer.fault))
    if answer.fault:
        if answer.fault == Fault.CONFIG:
            raise ConfigError([answer.why])
        hint = todo(answer.fault)
        raise AgentError(f"{answer.node}: {answer.fault}: {answer.why}{hint and f'; {hint}'}")
    known = answer.known
    machine = " ".join(each for each in (known.maker, known.model) if each) or "a machine"
    power = "" if given.verb in {"boot", "media"} else f", power {answer.power}"
    boot = f", next boot from {answer.boot}" if answer.boot else ""
    if given.verb == "media":
        boot = f", its drive holds {answer.media}" if answer.media else ", its drive is empty"
    uuid = f", {known.uuid}" if known.uuid else ""
    sys.stdout.write(
        f"{answer.node}: {machine}{uuid}, by {known.type}{power}{boot}, {answer.took_ms} ms\n"
    )
    return 0


def _test(given: argparse.Namespace) -> int:
    return _tell(_ask(given, "test"), given)


def _boot(given: argparse.Namespace) -> int:
    return _tell(_ask(given, "boot", device=given.device, once=not given.always), given)


def _media(given: argparse.Namespace) -> int:
    if (given.what == "insert") != bool(given.image):
        raise AgentError("media: insert takes the URL of an image, status and eject take none")
    return _tell(_ask(given, "media", media=given.what, image=given.image), given)


def _fence(given: argparse.Namespace) -> int:
    return fence(given.file, Path(given.state_dir), given.node, given.what)


_DOES: Final = {
    "show": _show, "set": _set, "seal": _seal, "test": _test, "sensors": _sensors, "power": _power,
    "boot": _boot, "fence": _fence, "media": _media,
}  # fmt: skip
