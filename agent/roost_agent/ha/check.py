"""``roost-agent ha check FILE``: every fault of an HA configuration at once, or what it means."""

import argparse
import sys
from pathlib import Path
from typing import Final

from roost_agent.ha.config import HaConfig
from roost_agent.ha.config_file import load
from roost_agent.ha.config_rules import exclusive_of, is_watched, stop_chain

WATCHDOG: Final = "/dev/watchdog"  # the kernel's first device


def run(argv: list[str]) -> int:
    """Print what a configuration means.

    Raises:
        ConfigError: with every fault.
    """
    parser = argparse.ArgumentParser(prog="roost-agent ha check", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=Path("/etc/roost/ha.toml"))
    sys.stdout.write(summary(load(parser.parse_args(argv).file)))
    return 0


def summary(config: HaConfig) -> str:
    """Return the configuration as a few lines for a person."""
    timing = config.timing
    hard = any(is_watched(config, group) for group in config.groups)
    watchdog_ms = timing.watchdog_ms if hard else 0
    stop_ms, _ = stop_chain(config)
    right = "no deadline" if config.is_sticky else f"a lease of {timing.lease_ms / 1000:g} s"
    lines = [
        f"OK  {len(config.nodes)} nodes, profile {config.profile}, configuration {config.cfgver}",
        f"voters    {', '.join(config.voters)}: {right}",
        *_witness(config),
        *(
            f"path      {place}: {way.driver} over {way.network}"
            + (f", broker on {way.broker}" if way.broker else "")
            for place, way in enumerate(config.paths)
        ),
        *(
            f"group     {group.name}: {group.model} on {', '.join(group.hosts)},"
            f" exclusive {exclusive_of(config, group)}" + " by fencing" * (group.hard_by == "fence")
            for group in config.groups
        ),
        *(f"fence     {fence.node}: {fence.driver}" for fence in config.fences),
        f"takeover  not before {timing.promise_ms(watchdog_ms) / 1000:g} s after the last grant;"
        f" stopping takes up to {stop_ms / 1000:g} s",
        f"guard     roost-guard --lease-ms {timing.lease_ms} --tick-ms {timing.tick_ms}"
        + (f" --watchdog {WATCHDOG} --watchdog-s {timing.watchdog_ms // 1000}" if hard else ""),
        *(f"WARNING   {each}" for each in (*config.warnings, *config.notes)),
    ]
    return "\n".join(lines) + "\n"


def _witness(config: HaConfig) -> list[str]:
    if not config.has_wan_witness:
        return []
    lease_s, limits = config.timing.lease_ms / 1000, config.wan_witness
    return [
        f"witness   the centre votes as the third once it answered for {limits.back_s:g} s, with a"
        f" lease of {lease_s:g} s then; silent for {limits.gone_s:g} s it votes no more"
    ]
