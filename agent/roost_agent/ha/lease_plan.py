"""What the site's file says of each lease: who may hold it, how long it stops, what resets it."""

from roost_agent.ha.config import SITE_LEASE, HaConfig
from roost_agent.ha.config_rules import is_watched, stop_chain


def lease_hosts(config: HaConfig) -> dict[str, tuple[int, ...]]:
    """Return each lease's hosts, in order of priority; the built-in one's are the voters."""
    found = {SITE_LEASE: config.voter_indices()}
    for group in config.groups:
        if group.has_lease:
            found[group.name] = tuple(config.node(host).index for host in group.hosts)
    return found


def lease_stop_ms(config: HaConfig, name: str) -> int:
    """Return how long what runs under a lease may take to stop; the built-in one runs nothing."""
    return 0 if name == SITE_LEASE else stop_chain(config)[0]


def lease_watchdog_ms(config: HaConfig, name: str) -> int:
    """Return W of a lease, 0 where no service of it is exclusive by watchdog."""
    needs_it = name != SITE_LEASE and is_watched(config, config.group(name))
    return config.timing.watchdog_ms if needs_it else 0
