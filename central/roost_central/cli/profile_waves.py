"""In which waves a change of profiles reaches its sites: options of ``roost profile apply``."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from roost_central.cli import times
from roost_central.cli.failure import RefusedError

T = TypeVar("T", bound=Callable[..., None])
Said = str | int | bool | None

_NOT_AT_ONCE: Final = ("groups", "soak_s", "wait_s", "failed_max")
_COUNT: Final = click.IntRange(0)


def wave_options(function: T) -> T:
    """Add the options to a command."""
    for option in (
        click.option("--max-failed", type=_COUNT, help="Sites that may fail; usually 0."),
        click.option("--wait-for", metavar="TIME", help="How long a wave may take; usually 1h."),
        click.option(
            "--soak", metavar="TIME", help="In sync for so long, then the next; usually 10m."
        ),
        click.option("--groups", metavar="SIZES", help="Sites or percent; usually 1,10%,rest."),
        click.option("--at-once", is_flag=True, help="All nodes at once."),
        click.option("--expect", type=_COUNT, help="How many nodes are to change, or nothing."),
    ):
        function = option(function)
    return function


def waves_of(given: Mapping[str, Said]) -> dict[str, Any]:
    """Return what was said as the centre takes it; what was not said is left out.

    Raises:
        RefusedError: it is no length of time, or at once and in groups.
    """
    body: dict[str, Any] = {
        "expect": given["expect"],
        "at_once": given["at_once"] or None,
        "groups": given["groups"],
        "soak_s": _span(given["soak"]),
        "wait_s": _span(given["wait_for"]),
        "failed_max": given["max_failed"],
    }
    if given["at_once"] and any(body[name] is not None for name in _NOT_AT_ONCE):
        raise RefusedError("--at-once is without groups: leave out --groups, --soak and the like")
    return {name: value for name, value in body.items() if value is not None}


def _span(said: Said) -> int | None:
    return None if said is None else times.span(str(said), least_s=0)  # 0s: without a soak
