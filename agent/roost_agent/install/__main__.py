"""``roost-install``: the command line of root's one-shot, and of the agent's look at what runs."""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.install import measure
from roost_agent.install.installers import agent_self
from roost_agent.install.kinds import place
from roost_agent.install.places import MIRROR, SYSTEMCTL, TRUST, Given, locked
from roost_agent.update import installed, request_file

AGENT: Final = "agent"  # the component
SYSTEMCTL_S: Final = 60.0
NOT_TOLD: Final = 1  # what came of it could not be written: systemd begins it anew
ABOUT: Final = re.compile(rf"({'|'.join(request_file.VERBS)})-([0-9a-f]{{64}})")


def main() -> None:
    """Run the command line and exit."""
    sys.exit(command(sys.argv[1:]))


def command(argv: list[str]) -> int:
    """Run one command line and return its exit status."""
    asked = _parser().parse_args(argv)
    given = Given(
        asked.root, asked.state, asked.requests, asked.trust, asked.mirror, asked.systemctl
    )
    try:
        if asked.do == "show":
            return _show(given)
        if asked.do == "flip":
            return _flip(given)
        if asked.do == "measure":
            sys.stdout.buffer.write(msgspec.json.encode(measure.measured(given)))
            return 0
        from roost_agent.install.program import Program  # noqa: PLC0415 - tuf, for this alone

        return Program(given).run(*asked.about)
    except (OSError, ValueError) as err:
        sys.stderr.write(f"roost-install: {given.state}: {err}\n")
    return NOT_TOLD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roost-install", description="Install releases that both chains of trust name."
    )
    parser.add_argument(
        "--root", type=Path, default=Path("/"), help="the machine's files are below this folder (/)"
    )
    for name, folder, what in (
        ("state", installed.FOLDER, "what is installed"),
        ("requests", request_file.FOLDER, "what the agent asks for"),
        ("trust", TRUST, "what is trusted"),
        ("mirror", MIRROR, "what the agent fetched"),
    ):
        parser.add_argument(f"--{name}", type=Path, default=Path(folder), help=f"{what} ({folder})")
    parser.add_argument(
        "--systemctl", default=SYSTEMCTL, help=f"empty: leave services alone ({SYSTEMCTL})"
    )
    verbs = parser.add_subparsers(dest="do", required=True)
    run = verbs.add_parser("run", help="carry out what the agent asked for, as root")
    run.add_argument("about", type=_about, help="VERB-DIGEST of a release's manifest")
    verbs.add_parser("show", help="say what is installed, on trial, and how requests ended")
    verbs.add_parser("flip", help="bring back the agent before one that was not committed")
    verbs.add_parser("measure", help="read what runs, and say its digests as JSON")
    return parser


def _flip(given: Given) -> int:
    """Bring the programs back that ran before a trial, and let the agent begin anew with them."""
    with locked(given.state):
        if not agent_self.flip(place(given.root, AGENT)):
            return 0
    sys.stderr.write("the agent was not committed in its time: what ran before it is back\n")
    words = ("kill", "--signal=SIGUSR1", "--kill-whom=main", "--", agent_self.AGENT)
    if given.systemctl:
        subprocess.run((given.systemctl, *words), check=False, timeout=SYSTEMCTL_S)  # noqa: S603
    return 0


def _about(text: str) -> tuple[str, str]:
    match = ABOUT.fullmatch(text)
    if match is None:
        bound = f"{'|'.join(request_file.VERBS)}-DIGEST, of 64 of 0-9 a-f"
        raise argparse.ArgumentTypeError(f"bound: {bound}")
    return match[1], match[2]


def _show(given: Given) -> int:
    content = msgspec.json.encode(installed.read(given.state))
    sys.stdout.write(msgspec.json.format(content, indent=1).decode() + "\n")
    return 0


if __name__ == "__main__":
    main()
