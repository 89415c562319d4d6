"""What the resident agent imports: each module here is memory on every node of the fleet."""

import subprocess
import sys

# Third-party packages and heavy parts of the standard library that app may bring along.
# typing_extensions: msgspec takes it where it is installed, which no node needs.
THIRD_PARTY = {"aiomqtt", "msgspec", "paho", "typing_extensions"}
HEAVY = {
    "argparse", "asyncio", "concurrent.futures", "ctypes", "decimal", "difflib", "email",
    "fractions", "html", "http", "importlib.metadata", "json", "multiprocessing", "pickle",
    "pydoc", "sqlite3", "ssl", "statistics", "tarfile", "tempfile", "tomllib", "unittest",
    "urllib.request", "uuid", "xml", "zipfile",
}  # fmt: skip
HEAVY_ALLOWED = {
    "asyncio", "concurrent.futures", "sqlite3", "ssl",
    "decimal",  # msgspec
    "tomllib",  # the configuration, 80 KiB
    "difflib",  # its suggestions, 200 KiB
    "uuid",  # paho, for client ids of its own
}  # fmt: skip

SCRIPT = """
import sys, sysconfig
before = set(sys.modules)
import {module}
purelib = tuple({{sysconfig.get_path(name) for name in ("purelib", "platlib")}})
third = {{
    name.partition(".")[0]
    for name, module in sys.modules.items()
    if name not in before and (getattr(module, "__file__", None) or "").startswith(purelib)
}}
print(" ".join(sorted(third)))
print(" ".join(sorted(sys.modules)))
"""


def imported(module):
    """The third-party packages, and every module, after importing one of the resident agent."""
    script = SCRIPT.format(module=module)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=20
    )
    third, everything = done.stdout.splitlines()
    return set(third.split()), set(everything.split())


def test_the_resident_agent_imports_its_few_packages_and_no_heavy_module():
    third, everything = imported("roost_agent.commands")
    assert third - {"roost_agent", "roost_protocol"} <= THIRD_PARTY
    assert HEAVY & everything <= HEAVY_ALLOWED


def test_local_ha_brings_along_no_package_of_its_own():
    third, everything = imported("roost_agent.ha.launch")
    assert third - {"roost_agent", "roost_protocol"} <= THIRD_PARTY
    assert HEAVY & everything <= HEAVY_ALLOWED | {"json"}  # the guard's and the fences' packets
