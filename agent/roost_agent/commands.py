"""``roost-agent run`` and ``check-config``."""

import logging
import sys
from pathlib import Path
from typing import Final

from roost_agent import app
from roost_agent.config_file import USUAL, load
from roost_agent.config_summary import summary
from roost_agent.errors import ConfigError
from roost_agent.options import options

LEVELS: Final = ("debug", "info", "warning")


def run(argv: list[str]) -> int:
    """Run the agent until it is told to end."""
    given = options(argv, {"config": USUAL, "log-level": "info"})
    level = given["log-level"]
    if level not in LEVELS:
        raise ConfigError([f"--log-level {level}: one of {', '.join(LEVELS)}"])
    config = load(Path(given["config"]))
    # No time in the line: the journal, like anything that keeps logs, puts it there.
    logging.basicConfig(stream=sys.stderr, level=level.upper(), format="%(levelname)s %(message)s")
    return app.run(config)


def check_config(argv: list[str]) -> int:
    """Say what the configuration makes the agent do, or what is wrong with it."""
    given = options(argv, {"config": USUAL})
    sys.stdout.write(summary(load(Path(given["config"]))))
    return 0
