"""``roost-listen``: the command line."""

import argparse
import sys

from roost_agent.helper.facts import FOLDER
from roost_agent.listener.program import LISTEN_MS, listen


def main() -> None:
    """Run the command line and exit."""
    sys.exit(command(sys.argv[1:]))


def command(argv: list[str]) -> int:
    """Run one command line and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="roost-listen",
        description=f"Listen {LISTEN_MS // 1_000} s for the neighbours of this box (LLDP).",
    )
    parser.add_argument("--folder", default=FOLDER, help=f"write here ({FOLDER})")
    return listen(folder=parser.parse_args(argv).folder)


if __name__ == "__main__":
    main()
