"""What the site's file says against other voters than its own; a change is refused for it."""

from collections.abc import Iterable

from roost_agent.ha.config import HaConfig
from roost_agent.ha.config_rules import stop_chain
from roost_agent.ha.fault_graph import verdict
from roost_protocol.electorate_change import STICKY_MAX


def voters_faults(config: HaConfig, voters: Iterable[int]) -> list[str]:
    """Return why these nodes cannot be the voters, one sentence each.

    No single element may cut two of them apart; and where a majority decides, a right has an end
    before which everything must have stopped, which a pair's file need not have reckoned with.
    """
    chosen = frozenset(voters)
    nodes = [node for node in config.nodes if node.index in chosen]
    graph = verdict(
        nodes,
        config.paths,
        {node.name: node for node in config.nodes},
        single_network_accepted=config.single_network == "accepted",
    )
    faults = list(graph.faults)
    if len(chosen) > STICKY_MAX:
        faults += config.timing.check(stop_chain(config)[0])
    return faults
