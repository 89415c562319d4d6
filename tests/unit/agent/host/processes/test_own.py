from roost_agent.host.processes.own import parse

TEXT = """\
# pumps
[process.pump]
service = "pump"
severity = "major"

[process."web.1"]
pidfile = "/run/web.pid"
restarts = 2
"""


def test_one_file_may_define_several():
    (pump, web), faults = parse(TEXT, "p.toml")
    assert faults == []
    assert (pump.process, pump.service, pump.severity) == ("pump", "pump", "major")
    assert (web.process, web.pidfile, web.restarts) == ("web.1", "/run/web.pid", 2)


def test_every_fault_is_told_with_file_line_and_key_and_the_file_is_lost():
    text = TEXT.replace('"major"', '"huge"').replace("restarts", "restart")
    found, faults = parse(text, "p.toml")
    assert found == []
    assert faults == [
        "p.toml:4: process.pump.severity: 'huge': one of minor, major, critical",
        "p.toml:8: process.web.1.restart: unknown key, did you mean restarts?",
    ]


def test_what_is_no_table_of_processes_is_refused():
    assert parse("= 1", "p.toml")[1][0].startswith("p.toml: not TOML: ")
    assert parse("process = 1", "p.toml")[1] == ["p.toml: process: must be tables [process.NAME]"]
    assert parse("[process]\nx = 1", "p.toml")[1] == ["p.toml: process.x: must be a table"]
    assert parse("[proces.x]\n", "p.toml")[1] == ["p.toml: proces: unknown, did you mean process?"]


def test_a_missing_key_is_told_at_its_table():
    assert parse("\n[process.x]\n", "p.toml")[1] == [
        "p.toml:2: process.x.pidfile: missing, and service too: nothing says which process it is"
    ]
