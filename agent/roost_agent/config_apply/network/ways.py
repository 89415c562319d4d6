"""Whether a change would cut the last way to those whom the agent speaks with. Pure.

By the main table alone: rules that choose among tables are not looked at. What it lets pass and
should not is undone all the same when nobody confirms it.
"""

from collections.abc import Collection
from ipaddress import ip_address, ip_interface, ip_network

from roost_agent.config_apply.network.state import Route, State, passes, version
from roost_protocol.profile.network import MAIN_TABLE


def cut(found: State, aimed: State, remotes: Collection[str]) -> str:
    """Return why a change would cut the node off, in a sentence; empty: it would not.

    Args:
        found: the network as it is.
        aimed: as it would be.
        remotes: addresses that the agent has a connection to. Those behind a gateway count where
            there are some: the centre is seldom in the node's own network, and its peers are.
    """
    ways = {remote: way for remote in remotes if (way := way_to(remote, found))}
    behind = {remote: way for remote, way in ways.items() if way.via}
    counting = behind or ways
    if not counting or any(way_to(remote, aimed) for remote in counting):
        return ""
    remote, way = min(counting.items())
    over = f"{way.interface} by {way.via}" if way.via else way.interface
    return f"would cut the last path: {remote} is reached over {over} now, and by nothing then"


def way_to(remote: str, network: State) -> Route | None:
    """Return the route that leads to an address, None where none does."""
    target = ip_address(remote)
    routes = [
        each
        for each in (*network.routes.values(), *_connected(network))
        if each.table == MAIN_TABLE
        and version(each.to) == target.version
        and target in ip_network(each.to)
        and passes(each, network.interfaces)
    ]
    if not routes:
        return None
    return min(routes, key=lambda each: (-ip_network(each.to).prefixlen, each.metric))


def _connected(network: State) -> list[Route]:
    return [
        Route(str(ip_interface(address).network), each.name)
        for each in network.interfaces.values()
        for address in (*each.addresses, *each.leased)
        if ip_interface(address).network.prefixlen < ip_interface(address).max_prefixlen
    ]
