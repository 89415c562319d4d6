"""The ``[settings]`` table: what is taken, and every fault with its key."""

from roost_agent import helper
from roost_agent.config_apply import job_file, told
from roost_agent.config_settings import KEYS, SettingsConfig, settings_config


def read(**said):
    faults = {}
    return settings_config(said, faults.__setitem__), faults


def test_what_is_not_said_is_where_the_units_have_it():
    made, faults = read()
    assert faults == {}
    assert (made.helper, made.jobs, made.told) == (helper.SOCKET, job_file.FOLDER, told.FOLDER)
    assert made.root == "/"


def test_what_is_said_counts():
    made, faults = read(helper="/h", jobs="/j", told="/t", root="/host")
    assert faults == {}
    assert made == SettingsConfig("/h", "/j", "/t", "/host")


def test_every_fault_is_told():
    _, faults = read(helper="h", jobs=7, told="", root="./host")
    assert set(faults) == set(KEYS)
