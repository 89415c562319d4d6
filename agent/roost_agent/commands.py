"""``roost-agent run`` and ``check-config``."""

import roost_agent.lean  # noqa: F401 - for what its import does, before the next ones

# isort: split
import logging
import os
import sys
from pathlib import Path
from typing import Final

from roost_agent import app
from roost_agent.config_file import USUAL, load, load_join
from roost_agent.config_summary import summary
from roost_agent.enrolled import ASIDE, FACTS, FOLDER
from roost_agent.errors import ConfigError
from roost_agent.identity import BLIND
from roost_agent.options import options

LEVELS: Final = ("debug", "info", "warning")
RUN_HELP: Final = """\
usage: roost-agent run [--config PATH] [--log-level LEVEL]

Run the agent until it is told to end.

  --config PATH      a file, or a folder with agent.toml and conf.d/*.toml  (/etc/roost)
  --log-level LEVEL  debug, info or warning                                 (info)
  --checked WORD     check-box says by it that it has looked whose box this is
"""
CHECK_HELP: Final = """\
usage: roost-agent check-config [--config PATH]

Say what the configuration makes the agent do, or all that is wrong with it.

  --config PATH  a file, or a folder with agent.toml and conf.d/*.toml  (/etc/roost)
"""


def run(argv: list[str]) -> int:
    """Run the agent until it is told to end."""
    given = options(argv, {"config": USUAL, "log-level": "info", "checked": "no"}, RUN_HELP)
    level = given["log-level"]
    if level not in LEVELS:
        raise ConfigError([f"--log-level {level}: one of {', '.join(LEVELS)}"])
    where = Path(given["config"])
    if given["checked"] == "no" and _has_identity(where):
        words = [sys.executable, "-m", "roost_agent", "check-box", *argv]
        os.execv(sys.executable, words)  # noqa: S606 - itself, and back from there
    config = load(where)
    # No time in the line: the journal, like anything that keeps logs, puts it there.
    logging.basicConfig(stream=sys.stderr, level=level.upper(), format="%(levelname)s %(message)s")
    return app.run(config, doubt=BLIND if given["checked"] == "blind" else "")


def _has_identity(where: Path) -> bool:
    """Whether this box has an identity, or had one that was another box's (enrol/anew.py)."""
    try:
        _, state_dir = load_join(where)
        folders = (state_dir / FOLDER, state_dir / ASIDE / FOLDER)
        return any((folder / FACTS).is_file() for folder in folders)
    except (ConfigError, OSError):
        return False  # load() says what is wrong


def check_config(argv: list[str]) -> int:
    """Say what the configuration makes the agent do, or what is wrong with it."""
    given = options(argv, {"config": USUAL}, CHECK_HELP)
    config = load(Path(given["config"]))
    boards = _boards(config.bmc_file)
    sys.stdout.write(summary(config) + boards)
    return 0


def _boards(file: str) -> str:
    """Return what a file of board controllers means; ConfigError: what is wrong with it."""
    if not Path(file).exists():
        return ""
    from roost_agent.bmc.board import load as boards_of  # noqa: PLC0415 - not for who only runs

    nodes = [board.node for board in boards_of(file)]
    return f"bmc        {len(nodes)} board controllers: {', '.join(nodes)[:60]}\n"
