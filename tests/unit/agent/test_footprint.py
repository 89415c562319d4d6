"""What the resident agent imports: each module here is memory on every node of the fleet."""

import subprocess
import sys

# Third-party packages and heavy parts of the standard library that app may bring along.
THIRD_PARTY = {"aiomqtt", "msgspec", "paho"}
HEAVY = {
    "argparse", "asyncio", "concurrent.futures", "ctypes", "decimal", "difflib", "email",
    "fractions", "html", "http", "importlib.metadata", "json", "multiprocessing", "pickle",
    "pydoc", "shutil", "sqlite3", "ssl", "statistics", "tarfile", "tempfile", "tomllib", "unittest",
    "urllib.request", "uuid", "xml", "zipfile",
}  # fmt: skip
# What the library imports for functions that the agent does not call: see roost_agent.lean.
RARE = {"ast", "ipaddress", "locale", "platform", "textwrap", "tokenize", "urllib.parse"}
TABLES = {"stringprep", "unicodedata"}
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


def test_what_watches_processes_is_brought_by_the_first_that_is_to_be_watched():
    _, everything = imported("roost_agent.commands")
    some = {each for each in everything if each.startswith("roost_agent.host.processes.")}
    assert some <= {f"roost_agent.host.processes.{each}" for each in ("folders", "on_demand")}


def test_what_is_rarely_asked_for_is_not_there_before_it_is():
    _, everything = imported("roost_agent.commands")
    assert not RARE & everything


def test_a_host_name_is_spelled_without_the_tables_of_other_scripts_and_by_them_where_it_has_to():
    names = "'a.example.'.encode('idna') + 'x'.encode('idna')"
    _, everything = imported(f"roost_agent.commands; {names}")
    assert not TABLES & everything
    _, everything = imported(f"roost_agent.commands; {names} + 'b\u00fc'.encode('idna')")
    assert everything >= TABLES


def test_what_was_left_out_is_there_for_who_asks():
    asked = (
        "inspect.signature(str.split), inspect.getsource(inspect.Signature),"
        " traceback.textwrap.dedent('x'), linecache.tokenize.NAME,"
        " subprocess.locale.getlocale(), uuid.platform.release(),"
        " pathlib.Path('/a').as_uri(), urllib.parse.urlsplit('mqtt://a')"
    )
    brought = "inspect, linecache, pathlib, subprocess, traceback, urllib.parse, uuid"
    _, everything = imported(f"roost_agent.commands, {brought}; {asked}")
    assert everything >= RARE - {"ipaddress"}


def test_what_sums_up_samples_is_left_to_a_child():
    _, everything = imported("roost_agent.commands")
    assert "roost_agent.host.samples.service" in everything
    assert not {"roost_agent.host.samples.rollup", "roost_agent.host.samples.answer"} & everything


def test_local_ha_brings_along_no_package_of_its_own():
    third, everything = imported("roost_agent.lean, roost_agent.ha.launch")
    assert third - {"roost_agent", "roost_protocol"} <= THIRD_PARTY
    assert HEAVY & everything <= HEAVY_ALLOWED
    assert not {each for each in everything if each.startswith("roost_agent.ha.fence.")}


def test_updates_bring_along_no_archives_and_no_time_zones():
    third, everything = imported("roost_agent.lean, roost_agent.update_host")
    assert third - {"roost_agent", "roost_protocol"} <= THIRD_PARTY
    assert HEAVY & everything <= HEAVY_ALLOWED
    assert "zoneinfo" not in everything
    assert not RARE & everything
