"""What the site's file says against other voters."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import site_file

from roost_agent.ha.config_file import check
from roost_agent.ha.config_voters import voters_faults


def config(**more):
    found, faults = check(site_file.table() | more)
    assert faults == []
    return found


def test_the_files_own_voters_are_good():
    found = config()
    assert voters_faults(found, found.voter_indices()) == []


def test_where_a_majority_decides_what_runs_must_have_stopped_by_the_end_of_a_lease():
    table = site_file.table()
    table["service"][0]["budget"]["stop_s"] = 8
    table |= {"voters": ["c0", "c1"], "witness": "none"}
    found = config(**table)
    assert voters_faults(found, (0, 1)) == []
    assert "stopping takes 8300 ms" in voters_faults(found, (0, 1, 2))[0]


def test_one_element_in_all_paths_between_two_voters_is_a_fault():
    far = {"name": "w2", "index": 3, "address": {"oam": "10.0.2.4"}}
    found = config(node=[*site_file.table()["node"], far])
    faults = voters_faults(found, (0, 1, 2, 3))
    assert faults
    assert all("oam" in each for each in faults)
