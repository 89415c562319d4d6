"""Alarms that the centre of before this start raised, and that only ingest can end.

What is watched in memory begins anew with each start and would never see the end of what was raised
before: it is told here what stands. Of a broker that is configured no more there is nothing to see.
"""

from collections.abc import Callable, Collection, Iterable

from roost_central.alarms.facts import OwnCleared
from roost_central.alarms.row import AlarmRow
from roost_central.ingest.lagging import LAGGING, LagWatch
from roost_central.ingest.sync import OUT_OF_SYNC, SyncWatch
from roost_central.liveness.words import BROKER_LOST

NO_BROKER = "it is no broker of this centre any more"


def take_over(  # noqa: PLR0913 - who has to know, and by what
    alarms: Iterable[AlarmRow],
    *,
    brokers: Collection[str],
    lag: LagWatch,
    sync: SyncWatch,
    nodes_of: Callable[[str], Iterable[str]],
    now_ms: int,
) -> list[OwnCleared]:
    """Tell the watches what stands; return what ends with this start.

    Args:
        alarms: the open ones.
        brokers: names of those that are configured.
        lag: watches whether reports wait.
        sync: watches who differs.
        nodes_of: a site's nodes.
        now_ms: the monotonic clock.
    """
    ended: list[OwnCleared] = []
    for alarm in alarms:
        about = dict(alarm.pairs)
        if alarm.type == LAGGING:
            lag.stands()
        elif alarm.type == OUT_OF_SYNC and alarm.site is not None:
            sync.stands(alarm.site, about.get("what", ""), nodes_of(alarm.site), now_ms)
        elif alarm.type == BROKER_LOST and about.get("broker") not in brokers:
            ended.append(OwnCleared(BROKER_LOST, alarm.entity, NO_BROKER))
    return ended
