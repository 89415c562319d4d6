"""Which rollout a caller means: by its id, or by as many of its first letters as no other has."""

import re
from typing import Any, Final

from roost_central.api.call import Call
from roost_central.api.problem import ApiError
from roost_central.storage import rollouts

ID_CHARS: Final = 32
SHORT: Final = re.compile(r"[0-9a-f]{4,31}")  # fewer are mistyped too easily
NAMED_MAX: Final = 3  # of those that it could be
LIKE_MAX: Final = 50  # that are looked at for a caller who sees but some sites
AT_ITS_END: Final = "the rollout is at its end already: make another one for what is left to do"


async def rollout_id(call: Call[Any, Any]) -> str:
    """Return the id of the rollout that the path names.

    Raises:
        ApiError: ``not-found``: none begins so; ``conflict``: several do.
    """
    text = call.path("rollout").lower()
    if len(text) == ID_CHARS or not SHORT.fullmatch(text):
        return text
    async with call.api.database.read() as connection:
        found = await rollouts.beginning(connection, text, LIKE_MAX)
        if found and not call.scope.is_whole:
            seen = await rollouts.of_sites(connection, call.api.view.sites)
            found = [each for each in found if each in seen]
    if not found:
        raise ApiError("not-found", f"there is no rollout {text!r}")
    if len(found) > 1:
        named = ", ".join(found[:NAMED_MAX]) + (", ..." if len(found) > NAMED_MAX else "")
        raise ApiError("conflict", f"{text!r} could be {named}: say more of it")
    return found[0]
