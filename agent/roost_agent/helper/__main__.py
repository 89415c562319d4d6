"""``roost-helper``: the command line."""

import argparse
import pwd
import sys
from typing import Final

from roost_agent.helper import catalogue, facts, ledger
from roost_agent.helper.program import SYSTEMCTL, Given, run

USAGE: Final = 2


def main() -> None:
    """Run the command line and exit."""
    sys.exit(command(sys.argv[1:]))


def command(argv: list[str]) -> int:
    """Run one command line and return its exit status."""
    asked = _parser().parse_args(argv)
    if asked.do == "facts":
        return facts.lend(asked.name, root=asked.root, folder=asked.folder)
    if asked.do == "check":
        return _check(asked.units, asked.state)
    try:
        uid = int(asked.user) if asked.user.isdecimal() else pwd.getpwnam(asked.user).pw_uid
    except KeyError:
        sys.stderr.write(f"roost-helper: --user {asked.user}: no such user\n")
        return USAGE
    return run(Given(uid, asked.socket, asked.units, asked.state, asked.systemctl))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roost-helper", description="Do as root the few things that the agent may ask for."
    )
    parser.add_argument("--socket", default="", help="listen here instead of on systemd's socket")
    parser.add_argument("--user", default="roost", help="who may ask: a name or uid (roost)")
    parser.add_argument("--units", default=catalogue.FILE, help=f"catalogue ({catalogue.FILE})")
    parser.add_argument("--state", default=ledger.FOLDER, help=f"reboots ({ledger.FOLDER})")
    parser.add_argument("--systemctl", default=SYSTEMCTL, help=argparse.SUPPRESS)
    parser.set_defaults(do="serve")
    verbs = parser.add_subparsers(title="instead of serving")
    check = verbs.add_parser("check", help="say what the agent may do here")
    check.set_defaults(do="check")
    lend = verbs.add_parser("facts", help="lend the agent what only root can read")
    lend.set_defaults(do="facts")
    lend.add_argument("name", choices=sorted(facts.FILES))
    lend.add_argument("--root", default="/", help="read below this folder")
    lend.add_argument("--folder", default=facts.FOLDER, help=f"write here ({facts.FOLDER})")
    return parser


def _check(units: str, state: str) -> int:
    """Say which units may be started and how many reboots were ordered; 1 where that is wrong."""
    known = catalogue.load(units)
    for name, unit in known.units.items():
        sys.stdout.write(f"unit    {name}: {unit}\n")
    reboots, uncounted = ledger.load(state)
    faults = [fault for fault in (known.why_not, uncounted) if fault]
    sys.stdout.write(f"reboots {len(reboots)} ordered ones on record\n")
    for fault in faults:
        sys.stdout.write(f"FAULT   {fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    main()
