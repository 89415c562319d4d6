"""``roost-guard``: the command line."""

import sys

from roost_agent.guard.program import BOUNDS, Given, run

HELP = """\
usage: roost-guard [OPTION...]

  --lease-ms N      no deadline lies further ahead       (6000; `roost-agent ha check` prints it)
  --tick-ms N       between two looks at the deadlines   (100)
  --watchdog PATH   such as /dev/watchdog                (none: `exclusive = "hard"` is refused)
  --watchdog-s N    within which it must bite            (5)
  --socket PATH     where the agent speaks               (/run/roost-guard/guard.sock)
  --state PATH      kept over a restart, not a boot      (/run/roost-guard/guard.state)
  --cgroup-root PATH  what is guarded                    (roost-ha/exclusive of the cgroup2 mount)
  --slice-root PATH   the same for units and containers  (roost.slice/roost-ha.slice of the mount)
  --agent-uid N     who may speak besides root           (nobody)
"""
USAGE = 2


def main() -> None:
    """Run the command line and exit."""
    sys.exit(command(sys.argv[1:]))


def command(argv: list[str]) -> int:
    """Run one command line and return its exit status."""
    if {"--help", "-h"} & {*argv}:
        sys.stdout.write(HELP)
        return 0
    try:
        given = options(argv)
    except ValueError as err:
        sys.stderr.write(f"roost-guard: {err}\n")
        return USAGE
    return run(given)


def options(argv: list[str]) -> Given:
    """Return what the options say.

    Raises:
        ValueError: an unknown one, one without a value, or a value out of its bound.
    """
    found: dict[str, str | int] = {}
    words = list(argv)
    while words:
        option, equals, value = words.pop(0).partition("=")
        key = option.removeprefix("--").replace("-", "_")
        if not option.startswith("--") or key not in Given._fields:
            raise ValueError(f"{option}: unknown option, see --help")
        if not equals:
            if not words:
                raise ValueError(f"{option}: needs a value")
            value = words.pop(0)
        found[key] = _number(option, value, *BOUNDS[key]) if key in BOUNDS else value
    return Given(**found)  # type: ignore[arg-type] # numbers by BOUNDS


def _number(option: str, text: str, low: int, high: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise ValueError(f"{option} {text}: bound {low}..{high}")
    return number


if __name__ == "__main__":
    main()
