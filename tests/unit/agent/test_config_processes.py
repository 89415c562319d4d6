"""The ``[processes]`` table: what is taken, and every fault with its key."""

from roost_agent.config import PROCESS_FOLDERS, ProcessesConfig
from roost_agent.config_processes import processes_config


def read(**said):
    faults = {}
    return processes_config(said, faults.__setitem__), faults


def test_what_is_not_said_is_where_files_usually_are():
    assert read() == (ProcessesConfig(), {})
    assert ProcessesConfig().folders == PROCESS_FOLDERS


def test_what_is_said_counts():
    made, faults = read(folders=["/a"], roles=["worker"], units="/u", helper="/h")
    assert faults == {}
    assert made == ProcessesConfig(("/a",), ("worker",), "/u", "/h")


def test_every_fault_is_told():
    _, faults = read(folders=["a"] * 9, roles="worker", units="u", helper=7)
    assert set(faults) == {"folders", "roles", "units", "helper"}
    assert read(folders=["/a"] * 9)[1] == {"folders": "9 entries: bound 8"}
