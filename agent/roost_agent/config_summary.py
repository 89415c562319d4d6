"""What ``check-config`` prints when nothing is wrong: what the agent would do."""

from roost_agent.config import HOUR_MS, Config

_MIB = 1 << 20


def summary(config: Config) -> str:
    """Return the configuration as a few lines for a person."""
    beat, outbox, inventory = config.beat, config.outbox, config.inventory
    lines = [
        f"OK  node {config.node_id}, state in {config.state_dir}, preset {config.preset}",
        f"beats      every {beat.interval_ms // 1000} s on wan paths,"
        f" {beat.site_interval_ms // 1000} s on site paths",
        *(
            f"path       {path.name}: {path.kind}, {path.broker}"
            + (f" from {path.bind}" if path.bind else "")
            for path in config.paths
        ),
        f"outbox     {outbox.bytes_max / _MIB:g} MiB and {outbox.age_max_ms // HOUR_MS} h waiting,"
        f" {outbox.ring_bytes_max / _MIB:g} MiB and {outbox.ring_age_max_ms // HOUR_MS} h kept",
        f"inventory  probed every {inventory.probe_interval_ms // HOUR_MS} h and when it changes",
        f"alarms     {_alarms(config)}",
        *_processes(config),
    ]
    return "\n".join(lines) + "\n"


def _processes(config: Config) -> list[str]:
    """Return what is watched; a file with a fault loses itself alone, so it is no fault here."""
    from roost_agent.host.processes import files, folders  # noqa: PLC0415 - only to be shown

    if not folders.any_there(config.processes.folders):
        return []
    found = files.load(config.processes.folders)
    refused = [f"FAULT      {line}" for lines in found.faults.values() for line in lines]
    return [f"processes  {len(found.processes)} defined", *refused]


def _alarms(config: Config) -> str:
    alarms = config.alarms
    rules = sum(each.source == "agent" for each in alarms.types.values()) - len(alarms.off)
    apps = sum(each.source == "app" for each in alarms.types.values())
    asked = f"applications ask at {alarms.socket}" if alarms.socket else "no local socket"
    return f"{rules} types of the node, {apps} of applications; {asked}"
