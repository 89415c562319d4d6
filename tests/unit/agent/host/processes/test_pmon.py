from roost_agent.host.processes.pmon import parse

SSHD = """\
;; comment
[process]
process  = sshd
service  = sshd
style    = systemd
pidfile  = /var/run/sshd.pid
script   = /etc/init.d/sshd   ; wrapper
severity = minor        ; minor, major, critical
restarts = 10           ; restarts before error assertion
interval = 5            ; number of seconds to wait between restarts
debounce = 20           ; number of seconds to wait before degrade clear
mode = passive
recovery_method = full  ; a key that roost does not know
"""


def test_starlingxs_own_file_is_read_as_it_is():
    (sshd,), faults = parse(SSHD, "sshd.conf")
    assert faults == []
    assert (sshd.process, sshd.service, sshd.pidfile) == ("sshd", "sshd", "/var/run/sshd.pid")
    assert (sshd.restarts, sshd.interval, sshd.debounce) == (10, 5, 20)
    assert sshd.script == "/etc/init.d/sshd"


def test_every_fault_is_told_with_file_line_and_bound():
    text = (
        SSHD.replace("restarts = 10", "restarts = 1000").replace("passive", "loud") + "nonsense\n"
    )
    found, faults = parse(text, "sshd.conf")
    assert found == []
    assert faults == [
        "sshd.conf:14: no KEY = VALUE",
        "sshd.conf:9: restarts: 1000: bound 0..100",
        "sshd.conf:12: mode: 'loud': one of passive, active, probe, socket, notify, status, ignore",
    ]


def test_an_empty_file_and_one_without_its_section_are_refused():
    assert parse("", "x.conf") == ([], ["x.conf:1: process: missing: the name"])
    assert parse("process = x\n", "x.conf")[1][0] == "x.conf:1: process: stands before [process]"


def test_other_sections_are_left_alone():
    (sshd,), _ = parse("[other]\nmode = loud\n" + SSHD, "x.conf")
    assert sshd.mode == "passive"


def test_roosts_own_key_is_none_of_starlingx():
    (sshd,), _ = parse(SSHD + "cgroup = evil.slice\n", "x.conf")
    assert sshd.cgroup == ""
