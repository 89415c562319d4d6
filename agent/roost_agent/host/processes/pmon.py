"""Reads StarlingX's process files: ``[process]``, ``key = value`` and a comment behind ``;``.

Written here and not with configparser, which the resident agent would carry about.
"""

from typing import Final

from roost_agent.host.processes.definition import KEYS, OWN, Definition, definition

SECTION: Final = "[process]"


def parse(text: str, file: str) -> tuple[list[Definition], list[str]]:
    """Return the process of a file, or every fault with its line.

    A key that StarlingX knows and roost does not changes nothing, as there.
    """
    said: dict[str, object] = {}
    lines: dict[str, int] = {}
    faults: list[str] = []
    section = ""
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.partition(";")[0].strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if section not in ("", SECTION):
            continue
        if not equals:
            faults.append(f"{file}:{number}: no KEY = VALUE")
        elif not section:
            faults.append(f"{file}:{number}: {key}: stands before {SECTION}")
        elif key in KEYS and key not in OWN and value:
            said[key], lines[key] = value, number
    found, wrong = definition(said, file)
    faults += [f"{file}:{lines.get(key, 1)}: {key}: {what}" for key, what in wrong]
    return ([] if faults or found is None else [found]), faults
