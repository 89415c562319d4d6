"""The scenarios of local HA that real processes can play, by the plan of the site they need.

Numbers are the rows of the table in docs/ha.md. An act leaves the site whole, or the stage makes
it so.
"""

from dataclasses import replace

from ha_cuts import brokers, cut_network, cuts, kill_broker, losses, stop_brokers, tcp_only
from ha_deaths import agents, clocks, deaths, guards, ladders, orders, power_off, watchdogs
from ha_disks import disks
from ha_pairs import lonely_pairs, pairs
from ha_plan import Plan
from ha_replays import replays
from ha_stage import Scenario, takeover_s
from ha_walls import walls

DAY_S = 86_400
SOFT = Plan("fast")


def plans() -> dict[str, tuple[Plan, list[Scenario]]]:
    """Return every stage: its plan and what is played there; what takes longest is first."""
    hard = replace(SOFT, exclusive="hard")
    wrong_walls = replace(SOFT, has_own_wall=True, has_lan=True)
    return {
        "watchdog": (hard, watchdogs(hard)),
        "pair": (replace(SOFT, names=("c0", "c1")), pairs()),
        "lan": (replace(SOFT, has_lan=True), _lan(SOFT)),
        "cuts": (SOFT, cuts(SOFT)),
        "agents": (SOFT, [*agents(SOFT), *guards(SOFT)]),
        "brokers": (SOFT, brokers()),
        "deaths": (SOFT, deaths(SOFT)),
        "losses": (SOFT, [*losses(), *replays(SOFT)]),
        "disks": (SOFT, disks(SOFT)),
        "alone": (replace(SOFT, names=("c0", "c1"), starts_alone=True), lonely_pairs()),
        "stubborn": (replace(SOFT, is_stubborn=True), orders(SOFT)),
        "clocks": (replace(SOFT, ahead_s=(("c0", DAY_S),)), clocks(SOFT)),
        "ladder": (replace(SOFT, ladder=("restart:1/60", "failover")), ladders()),
        "wall": (wrong_walls, walls(wrong_walls)),
    }


def _lan(plan: Plan) -> list[Scenario]:
    return [
        Scenario("3 active node killed, TLS", power_off, 1, takeover_s(plan)),
        Scenario("7 one network cut for all, TLS", cut_network),
        Scenario("8 a broker killed, TLS", kill_broker),
        Scenario("9 all brokers stopped, TLS", stop_brokers),
        Scenario("9 TCP only, TLS", tcp_only),
    ]
