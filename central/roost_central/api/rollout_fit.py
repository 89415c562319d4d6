"""Asks the inventory which nodes of a plan its release is not for (rollout/fitting.py)."""

from collections.abc import Sequence

from roost_central.api.service import Api
from roost_central.releases.shelf import Release
from roost_central.rollout.fitting import FIELDS, Misfit, held_back, refusals, wanted
from roost_central.rollout.waves import Candidate
from roost_central.storage.inventory_index import others


async def fitted(
    api: Api, release: Release | None, found: Sequence[Candidate]
) -> tuple[list[Candidate], list[str]]:
    """Return the sites of a plan, those held back that would refuse it, and why it is not taken."""
    asked = {} if release is None else wanted(release.custom)
    if release is None or not asked:
        return [*found], []
    misfits: dict[str, Misfit] = {}
    async with api.database.read() as connection:
        for code, values in asked.items():
            for node, says in await others(connection, *FIELDS[code], values):
                misfits.setdefault(node, Misfit(code, says))
    return held_back(release.custom, misfits, found), refusals(release.custom, misfits, found)
