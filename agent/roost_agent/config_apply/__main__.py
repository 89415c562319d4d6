"""``roost-config``: the command line of root's one-shot."""

import argparse
import re
import sys
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from roost_agent.config_apply import job_file, state, told
from roost_agent.config_apply.machine import SYSTEMCTL
from roost_agent.config_apply.program import NOT_DONE, Given, Program
from roost_agent.config_apply.state import NAME, StateError
from roost_agent.config_apply.teller import cut, say
from roost_agent.config_apply.told import Told
from roost_protocol.config_report import ConfigState

USAGE: Final = 2
DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def main() -> None:
    """Run the command line and exit."""
    sys.exit(command(sys.argv[1:]))


def command(argv: list[str]) -> int:
    """Run one command line and return its exit status."""
    asked = _parser().parse_args(argv)
    given = Given(asked.root, asked.state, asked.jobs, asked.told, asked.systemctl)
    try:
        if asked.do == "forget":
            return _forget(asked.state)
        if asked.do == "show":
            return _show(asked.state)
        program = Program(given)
        return program.boot() if asked.do == "boot" else program.apply(asked.digest)
    except StateError as err:
        said = Told(digest=getattr(asked, "digest", ""), state=ConfigState.REFUSED, code="state")
        told.write(asked.told, replace(said, text=cut(str(err)), is_unread=True))
        say(f"roost-config: {err}")
    except OSError as err:
        say(f"roost-config: {err}")
    return NOT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roost-config",
        description="Apply as root the settings that the centre signed for this node.",
    )
    parser.add_argument("--root", default="/", help="the machine's files are below this folder (/)")
    parser.add_argument(
        "--state", type=Path, default=Path(state.FOLDER), help=f"what is applied ({state.FOLDER})"
    )
    parser.add_argument(
        "--jobs",
        type=Path,
        default=Path(job_file.FOLDER),
        help=f"what is asked ({job_file.FOLDER})",
    )
    parser.add_argument(
        "--told", type=Path, default=Path(told.FOLDER), help=f"how it ended ({told.FOLDER})"
    )
    parser.add_argument(
        "--systemctl", default=SYSTEMCTL, help=f"empty: leave services alone ({SYSTEMCTL})"
    )
    verbs = parser.add_subparsers(dest="do", required=True)
    apply = verbs.add_parser("apply", help="apply a document that the agent asked for")
    apply.add_argument("digest", type=_digest, help="of the document: 64 of 0-9 a-f")
    verbs.add_parser("boot", help="undo what a power cut left, apply again what is applied")
    verbs.add_parser("show", help="say what root knows: node, keys, what is applied")
    verbs.add_parser("forget", help="forget node, keys and settings; nothing is changed back")
    return parser


def _digest(text: str) -> str:
    if DIGEST.fullmatch(text) is None:
        raise argparse.ArgumentTypeError("bound: 64 of 0-9 a-f")
    return text


def _show(folder: Path) -> int:
    found = state.load(folder)
    applied, journal = found.applied, found.journal
    lines = [
        f"node     {found.node or '-'}, generation {found.generation}",
        f"orders   the last one is number {found.seq}",
        *(f"key      {key.key_id}" for key in found.keys),
        "applied  -"
        if applied is None
        else f"applied  generation {applied.desired}, {applied.digest.hex()}",
    ]
    if journal is not None:
        lines.append(f"on its way: generation {journal.desired}, {len(journal.steps)} steps")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _forget(folder: Path) -> int:
    (folder / NAME).unlink(missing_ok=True)
    sys.stdout.write(
        "forgotten: the next order and its keys are believed, as at the first. What was set stays"
        " as it is.\n"
    )
    return 0


if __name__ == "__main__":
    main()
