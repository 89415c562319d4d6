"""The line of a setting."""

import tomllib

import pytest

from roost_central.profiles.toml_lines import line_of

SOURCE = """\
# a comment
[profile]
name = "x"

[kernel.sysctl]
"vm.swappiness" = 10
'vm.dirty_ratio' = 5

[kernel]
cmdline.isolcpus = "2"
cmdline . panic = 3
[memory.hugepages]
2M = { node0 = 5, node1 = 6 }
[ thresholds . "node.cpu.high" ]
major = 5
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("profile", "name"), 3),
        (("profile", "missing"), 2),
        (("kernel", "sysctl", "vm.swappiness"), 6),
        (("kernel", "sysctl", "vm.dirty_ratio"), 7),
        (("kernel", "cmdline", "isolcpus"), 10),
        (("kernel", "cmdline", "panic"), 11),
        (("memory", "hugepages", "2M", "node1"), 13),
        (("memory", "hugepages", "2M"), 13),
        (("memory", "hugepages"), 12),
        (("thresholds", "node.cpu.high", "major"), 15),
        (("nothing",), 1),
        ((), 1),
    ],
)
def test_a_setting_is_told_by_the_line_that_says_most_of_it(path, line):
    tomllib.loads(SOURCE)
    assert line_of(SOURCE, path) == line


def test_a_text_over_many_lines_is_no_reason_to_fail():
    source = 'a = """\n[b]\nc = 1\n"""\nd = 1\n'
    assert line_of(source, ("d",)) == 1 or line_of(source, ("d",)) == 5
