"""Refuses a release that carries what is for development only; wheels.sh runs it first.

A tree is a release when the change log dates the version that the packages have. Enterprise 32473
is the one for documentation (RFC 5612): receivers could not tell two organisations' notifications
apart, so a release needs a number that IANA gave to whoever makes it.

``release.py [FOLDER]``: exit 0 where nothing is wrong, 1 with a sentence for each fault.
"""

import re
import sys
from pathlib import Path
from typing import Final

DOCUMENTATION: Final = 32473
ENGINE_ID_PREFIX: Final = f"{1 << 31 | DOCUMENTATION:08x}"  # RFC 3411's format bit
CARRIERS: Final = {  # files that say the number, and how
    "central/roost_central/northbound/snmp/mib.py": f"4, 1, {DOCUMENTATION})",
    "central/roost_central/storage/northbound.py": f'"{ENGINE_ID_PREFIX}"',
    "packaging/mib/ROOST-ALARM-MIB.txt": f"{{ enterprises {DOCUMENTATION} }}",
}
VERSION: Final = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


def released(version: str, change_log: str) -> bool:
    """Whether the change log dates a version."""
    dated = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    return re.search(dated, change_log, re.MULTILINE) is not None


def faults(root: Path) -> list[str]:
    """Return what a release of a tree must not carry; empty for a tree under development."""
    found = VERSION.search((root / "protocol/roost_protocol/__init__.py").read_text())
    version = found[1] if found else ""
    if not released(version, (root / "CHANGELOG.md").read_text()):
        return []
    return [
        f"release {version}: {name} carries enterprise {DOCUMENTATION}, which is for documentation"
        for name, form in CARRIERS.items()
        if form in (root / name).read_text()
    ]


def main() -> int:
    """Check a tree."""
    root = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parents[1]
    wrong = faults(root)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
