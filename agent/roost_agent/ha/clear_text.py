"""Which site brokers are spoken to in clear text, and why. Pure."""

from ipaddress import ip_address
from typing import Final

from roost_agent.ha.config import HaConfig

NO_IDENTITY: Final = "this box has no identity of a fleet"  # roost-agent join
CLEAR_TEXT: Final = "site brokers are spoken to in clear text: "


def clear_text(config: HaConfig, *, has_identity: bool) -> str:
    """Return why frames cross a network in clear text on their way to a broker, else nothing."""
    if has_identity:
        return ""
    ways = [
        way.title
        for way in config.paths
        if way.broker is not None and not _is_loopback(config, way.broker, way.network)
    ]
    return f"{NO_IDENTITY}; paths {', '.join(ways)}" if ways else ""


def _is_loopback(config: HaConfig, node: str, network: str) -> bool:
    address = config.node(node).address.get(network)
    return address is not None and ip_address(address).is_loopback
