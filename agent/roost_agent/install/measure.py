"""What runs here, measured: each component's installer is asked for the digest that it finds.

Runs as the agent's user, as a child. Success is observed: root's journal says what should run, this
says what does (updates.md, U4).
"""

import msgspec

from roost_agent.install import contract
from roost_agent.install.kinds import KindError, kind_of
from roost_agent.install.places import Given, request_of
from roost_agent.update import installed as told
from roost_agent.update.installed import Release


class Measured(msgspec.Struct, frozen=True, omit_defaults=True):
    """One component.

    Attributes:
        version, digest: of what runs; empty: nothing does.
        why: it cannot be told, or it is damaged.
    """

    version: str = ""
    digest: str = ""
    why: str = ""


def measured(given: Given) -> dict[str, Measured]:
    """Return what runs of each component that root knows.

    Raises:
        OSError, ValueError: root's journal cannot be read.
    """
    known = told.read(given.state)
    found = {}
    for name, here in known.components.items():
        expected = here.trial or here.running
        if expected is not None:
            others = [each for each in (here.trial, here.running, here.previous) if each]
            found[name] = _one(name, expected, others, known, given)
    return found


def _one(
    name: str, expected: Release, others: list[Release], known: told.Installed, given: Given
) -> Measured:
    try:
        kind = kind_of(expected.kind, name, known, given.root)
    except KindError as err:
        return Measured(why=str(err))
    before = known.component(name).running
    answer = contract.call(kind.words, "verify", request_of(name, expected, before, given))
    if not answer.is_ok:
        return Measured(why=answer.text)
    digest = str(answer.said.get("digest", ""))
    version = next((each.version for each in others if each.digest == digest), "")
    return Measured(version, digest)
