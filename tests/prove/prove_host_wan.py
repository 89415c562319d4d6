"""Proof: the WAN of two thousand sites is cut, and no host is said to have failed."""

from collections.abc import Callable, Iterator

from proof import Proof
from wan_cut import cut

SITES = 2_000
SITES_MIN = 100


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Cut the WAN of a whole fleet for a while."""
    sites = max(SITES_MIN, round(SITES * share))
    seen, hosts = cut(sites)
    wrong = list(seen.wrong)
    if seen.unknown != hosts:
        wrong.append(f"{seen.unknown} of {hosts} hosts were told as unknown while all were cut")
    if len(seen.incidents) != 1:
        wrong.append(f"{len(seen.incidents)} incidents, not one")
    for text in wrong[:5]:
        say(f"host.wan_cut_2000: {text}")
    well = (
        f"the WAN of {sites:,} sites cut at once and whole: of {hosts:,} hosts none was told "
        f"as failed, all as unknown beside their last state; {len(seen.incidents)} incident; "
        f"the centre's slowest answer took {seen.slowest_s:.1f} s"
    )
    yield Proof(
        "host.wan_cut_2000",
        runs=1,
        failures=len(wrong),
        seed=seed,
        note=f"of {sites:,} sites: {wrong[0]}" if wrong else well,
    )
