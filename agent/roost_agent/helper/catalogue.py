"""Reads the catalogue of units, and believes it only where root alone can have written it.

    [unit]
    pump = "pump.service"

Where that is so is owned's business.
"""

import re
import tomllib
from typing import Final

from roost_agent.helper.core import Catalogue
from roost_agent.helper.owned import read

FILE: Final = "/etc/roost/units.toml"
FILE_BYTES_MAX: Final = 64 * 1024
UNITS_MAX: Final = 256
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_UNIT: Final = re.compile(r"[A-Za-z0-9:_][A-Za-z0-9:_.@\\-]{0,239}\.service")


def load(path: str = FILE) -> Catalogue:
    """Return what the file allows; nothing, with the reason, where it cannot be believed."""
    try:
        return Catalogue(_units(read(path, FILE_BYTES_MAX)))
    except FileNotFoundError:
        return Catalogue({}, f"{path}: not there, so no unit may be started or stopped")
    except OSError as err:
        return Catalogue({}, f"{path}: {err.strerror}")
    except (ValueError, RecursionError) as err:
        return Catalogue({}, f"{path}: {err}")


def _units(text: str) -> dict[str, str]:
    table = tomllib.loads(text)
    units = table.pop("unit", {})
    if table:
        raise ValueError(f"{next(iter(table))}: unknown; there is [unit]")
    if not isinstance(units, dict) or len(units) > UNITS_MAX:
        raise ValueError(f'unit: bound {UNITS_MAX} of NAME = "NAME.service"')
    for name, unit in units.items():
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"unit.{name}: bound a-z 0-9 _ -, at most 64 characters")
        if not isinstance(unit, str) or _UNIT.fullmatch(unit) is None:
            raise ValueError(f'unit.{name}: bound "NAME.service"')
        if unit.startswith("roost-"):
            raise ValueError(f"unit.{name}: {unit} is roost's own")
    return units
