"""What a site broker reads; whether Mosquitto takes it is tried in tests/integration/ha."""

from roost_agent.ha.broker_files import access, configuration, passwords


def test_it_listens_on_the_addresses_given_and_nowhere_else():
    text = configuration("/s", ("10.0.0.1", "10.0.1.1"), 1884, user="roost", max_connections=20)
    listeners = [line for line in text.splitlines() if line.startswith("listener")]
    assert listeners == ["listener 1884 10.0.0.1", "listener 1884 10.0.1.1"]
    for line in ("allow_anonymous false", "set_tcp_nodelay true", "persistence false"):
        assert line in text.splitlines()


def test_a_member_writes_as_itself_alone_and_reads_no_frame_for_another():
    lines = access(["lab.c0", "lab.c1", "lab.w1"]).split("\n\n")[1].splitlines()
    assert lines[0] == "user lab.c1"
    writes = [line.split()[2] for line in lines if line.startswith("topic write")]
    assert all(topic.startswith("roost/ha/v1/lab.c1/") for topic in writes)
    assert len(writes) == 3
    reads = [line.split()[2] for line in lines if line.startswith("topic read")]
    assert all(topic.endswith(("/beat/+", "/lease/lab.c1/+")) for topic in reads)
    assert len(reads) == 5
    assert not any("#" in line or "+" in line.removesuffix("/+") for line in lines)


def test_a_password_is_written_as_a_salted_hash():
    text = passwords(
        {"lab.c0": "secret-one", "lab.c1": "secret-one"}, {"lab.c0": b"a" * 12, "lab.c1": b"b" * 12}
    )
    one, two = text.splitlines()
    assert one.startswith("lab.c0:$7$101$YWFhYWFhYWFhYWFh$")
    assert one.split(":")[1] != two.split(":")[1]
    assert "secret" not in text
