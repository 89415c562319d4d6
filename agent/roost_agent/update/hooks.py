"""What a site's own programs do before a node goes down for an update, and after it: drain.d.

Each of the folder is run in the order of names with one word: ``migrate`` or ``stop-start`` before
the host is locked, as the job says what is to become of its services, and ``undrain`` after it is
unlocked. They run as the agent's user, and only what root alone can have written, as of health.d.
"""

from typing import Final

from roost_agent.host.health.run import complaint
from roost_agent.host.health.scripts import find

FOLDER: Final = "/etc/roost/drain.d"
DRAIN_S: Final = 1_500.0  # of each; the step has 1,800 for all
UNDRAIN_S: Final = 300.0
UNDRAIN: Final = "undrain"


async def run(folder: str, word: str) -> str:
    """Run the programs of a folder; return why the first of them failed, empty: none did.

    Args:
        folder: empty of programs or absent: there is nothing to do.
        word: ``migrate``, ``stop-start`` or ``undrain``.
    """
    seconds = UNDRAIN_S if word == UNDRAIN else DRAIN_S
    for script in find(folder, ()):
        why = script.distrust or await complaint(script.path, word, seconds)
        if why:
            return f"{folder}/{script.check} {word}: {why}"
    return ""
