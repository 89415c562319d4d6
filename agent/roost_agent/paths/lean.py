"""Keeps ``urllib.request``, and http and email behind it, out of the resident agent: 3 MiB of 30.

paho imports it to find a proxy, and uses it only where PySocks is installed. So while paho is
imported (at the end of this module) an empty stand-in has its name; afterwards anyone who imports
the real one gets it. tests/unit/agent/test_footprint.py sees whether this still works.
"""

import importlib
import importlib.util
import sys
import types
from typing import Final

_HEAVY: Final = "urllib.request"


def _import_paho() -> None:
    if _HEAVY in sys.modules or importlib.util.find_spec("socks") is not None:
        return
    sys.modules[_HEAVY] = types.ModuleType(_HEAVY, "a stand-in, see roost_agent.paths.lean")
    try:
        importlib.import_module("paho.mqtt.client")
    finally:
        del sys.modules[_HEAVY]


_import_paho()
