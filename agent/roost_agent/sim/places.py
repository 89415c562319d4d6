"""The simulated sites: names, labels and places, the same for the same seed.

Pure. ``ndjson`` is what ``roost site import`` reads.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

SITES_MAX: Final = 20_000  # names of four digits and one more; what one process was tried with
NODES_MAX: Final = 20  # a site is 1 to 20 nodes
REGIONS_MAX: Final = 99
CARRIERS_MAX: Final = 26  # one letter each
ROUTERS_PER_REGION: Final = 4  # provider edges: what falls with one is a part of a region
FEEDS: Final = ("a", "b")
SPREAD_DEGREES: Final = 1.4  # of a region around its centre

_CENTRES: Final = (  # degrees north and east: towns that are far enough from one another
    (52.5, 13.4),
    (48.1, 11.6),
    (50.1, 8.7),
    (53.6, 10.0),
    (48.9, 2.4),
    (45.8, 4.8),
    (40.4, -3.7),
    (41.9, 12.5),
    (52.2, 21.0),
    (59.3, 18.1),
    (47.5, 19.0),
    (51.5, -0.1),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many of what."""

    sites: int
    nodes: int = 3
    regions: int = 12
    carriers: int = 3
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Place:
    """One site.

    Attributes:
        latency_us: of its circuit, one way and back.
    """

    site: str
    labels: dict[str, str]
    lat: float
    lon: float
    nodes: tuple[str, ...]
    latency_us: int


def places(plan: Plan) -> Iterator[Place]:
    """Yield the sites of a plan."""
    rng = random.Random(plan.seed)  # noqa: S311 - a seed is the point
    nodes = tuple(f"n{number}" for number in range(1, plan.nodes + 1))
    for number in range(1, plan.sites + 1):
        region = rng.randrange(plan.regions)
        carrier = rng.randrange(plan.carriers)
        lat, lon = _CENTRES[region % len(_CENTRES)]
        region_name = f"r{region + 1:02}"
        yield Place(
            site=f"edge-{number:04}",
            labels={
                "region": region_name,
                "carrier": f"car{chr(ord('A') + carrier)}",
                "pe": f"pe-{region_name}-{rng.randrange(ROUTERS_PER_REGION) + 1}",
                "feed": f"feed-{region_name}-{rng.choice(FEEDS)}",
            },
            lat=round(lat + rng.uniform(-1, 1) * SPREAD_DEGREES, 4),
            lon=round(lon + rng.uniform(-1, 1) * SPREAD_DEGREES, 4),
            nodes=nodes,
            latency_us=6_000 + 9_000 * carrier + rng.randrange(4_000),
        )


def ndjson(sites: Iterable[Place]) -> bytes:
    """Return the sites as lines that ``roost site import`` reads."""
    return b"".join(msgspec.json.encode(_line(place)) + b"\n" for place in sites)


def _line(place: Place) -> dict[str, object]:
    return {
        "site": place.site,
        "labels": place.labels,
        "lat": place.lat,
        "lon": place.lon,
        "nodes": place.nodes,
    }
