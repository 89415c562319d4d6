"""What a site broker reads; whether Mosquitto takes it is tried in tests/integration/ha."""

from pathlib import Path

from roost_agent.ha.broker_files import BrokerTls, Member, access, configuration, passwords

CLEAR = tuple(Member(f"lab.{name}", f"lab.{name}", "secret-one") for name in ("c0", "c1", "w1"))
BOXES = tuple(Member(f"lab.{name}", f"lab.{name}~{box}") for name, box in (("c0", 1), ("c1", 3)))
TLS = BrokerTls(Path("/i/ca"), Path("/i/cert"), Path("/i/key"))


def test_it_listens_on_the_addresses_given_and_nowhere_else():
    text = configuration("/s", ("10.0.0.1", "10.0.1.1"), 1884, user="roost", max_connections=20)
    listeners = [line for line in text.splitlines() if line.startswith("listener")]
    assert listeners == ["listener 1884 10.0.0.1", "listener 1884 10.0.1.1"]
    for line in ("allow_anonymous false", "set_tcp_nodelay true", "persistence false"):
        assert line in text.splitlines()
    assert "password_file /s/passwords" in text
    assert "cafile" not in text


def test_with_tls_every_listener_asks_for_a_certificate_and_there_is_no_password():
    addresses = ("10.0.0.1", "10.0.1.1")
    text = configuration("/s", addresses, 8883, user="roost", max_connections=20, tls=TLS)
    assert "password_file" not in text
    before, *listeners = text.split("\nlistener ")
    assert "allow_anonymous false" in before
    for address, listener in zip(addresses, listeners, strict=True):
        lines = listener.splitlines()
        assert lines[0] == f"8883 {address}"
        assert {
            "max_connections 20", "cafile /i/ca", "certfile /i/cert", "keyfile /i/key",
            "require_certificate true", "use_identity_as_username true",
        } <= set(lines)  # fmt: skip


def test_a_member_writes_as_itself_alone_and_reads_no_frame_for_another():
    lines = access(CLEAR).split("\n\n")[1].splitlines()
    assert lines[0] == "user lab.c1"
    writes = [line.split()[2] for line in lines if line.startswith("topic write")]
    assert all(topic.startswith("roost/ha/v1/lab.c1/") for topic in writes)
    assert len(writes) == 3
    reads = [line.split()[2] for line in lines if line.startswith("topic read")]
    assert all(topic.endswith(("/beat/+", "/lease/lab.c1/+")) for topic in reads)
    assert len(reads) == 5
    assert not any("#" in line or "+" in line.removesuffix("/+") for line in lines)


def test_a_box_is_named_with_its_number_and_its_topics_without():
    first, second = access(BOXES).split("\n\n")
    assert first.splitlines()[0] == "user lab.c0~1"
    assert second.splitlines()[0] == "user lab.c1~3"
    topics = [line for line in f"{first}\n{second}".splitlines() if line.startswith("topic")]
    assert topics
    assert not any("~" in line for line in topics)


def test_a_password_is_written_as_a_salted_hash():
    text = passwords(CLEAR[:2], {"lab.c0": b"a" * 12, "lab.c1": b"b" * 12})
    one, two = text.splitlines()
    assert one.startswith("lab.c0:$7$101$YWFhYWFhYWFhYWFh$")
    assert one.split(":")[1] != two.split(":")[1]
    assert "secret" not in text
    assert "secret" not in repr(CLEAR)
    assert passwords(BOXES, {}) == ""
