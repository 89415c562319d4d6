"""Central's configuration: every fault at once, each with what to do."""

from pathlib import Path

import pytest

from roost_central.config import CentralConfig, ConfigFaultsError, Flags, check, load
from roost_central.storage.retention import Retention


def faults(table, flags=None):
    with pytest.raises(ConfigFaultsError) as refused:
        check(table, flags or Flags())
    return refused.value.faults


def test_nothing_has_to_be_configured():
    config = check({})

    assert config == CentralConfig()
    assert config.database_url == "sqlite+aiosqlite:////var/lib/roost-central/roost.db"
    assert (config.http.host, config.http.port) == ("127.0.0.1", 8470)
    assert len(config.shards) == 64


def test_a_file_sets_everything(tmp_path):
    path = tmp_path / "central.toml"
    path.write_text(
        'data_dir = "/d"\nshards = "0-3,9"\nadmit = "loopback"\n'
        '[http]\nhost = "::1"\nport = 1\n'
        '[[broker]]\nname = "b1"\nurl = "mqtt://127.0.0.1:1"\n[[broker]]\nname = "b2"\nurl = "mqtt://localhost"\n'
    )
    config = load(path)

    assert config.data_dir == Path("/d")
    assert config.shards == (0, 1, 2, 3, 9)
    assert [(each.name, each.port) for each in config.brokers] == [("b1", 1), ("b2", 1883)]
    assert (config.http.host, config.http.port, config.admit) == ("::1", 1, "loopback")


def test_a_flag_is_over_the_file():
    flags = Flags(
        data_dir=Path("/e"), port=0, database="x", brokers=("mqtt://127.0.0.1", "mqtt://[::1]")
    )
    config = check({"data_dir": "/d", "http": {"port": 9}, "broker": [{"url": "mqtt://c"}]}, flags)

    assert (config.data_dir, config.http.port, config.database) == (Path("/e"), 0, "x")
    assert [each.name for each in config.brokers] == ["b1", "b2"]


def test_all_faults_are_told_at_once():
    found = faults(
        {
            "data_dri": "/d",
            "shards": "0-64",
            "admit": "all",
            "database": 5,
            "http": {"port": 70_000, "host": "127.0.0.1", "certt": ""},
            "broker": [{"name": "B", "url": "http://x"}, 7, {"name": "a", "url": "mqtt://x/y"}],
        }
    )

    assert [fault.partition(":")[0] for fault in found] == [
        "data_dri",
        "admit",
        "database",
        "http.certt",
        "http.port",
        "broker 'B'",
        "broker 'B'",
        "broker",
        "broker 'a'",
        "shards",
    ]
    assert "did you mean data_dir?" in found[0]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "noc.example", "*"])  # noqa: S104  refused
def test_other_addresses_than_loopback_need_tls(host):
    (fault,) = faults({"http": {"host": host}})

    assert "http.cert and http.key" in fault


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_none(host):
    assert check({"http": {"host": host}}).http.is_loopback


def test_tls_needs_both_files_and_they_must_be_there(tmp_path):
    cert = tmp_path / "c.pem"
    cert.touch()

    assert "http.key" in faults({"http": {"cert": str(cert)}})[0]
    assert "no file" in faults({"http": {"cert": str(cert), "key": "/nowhere"}})[0]


def test_files_that_are_no_certificate_are_a_fault(tmp_path):
    path = tmp_path / "c.pem"
    path.write_text("nonsense")
    config = check({"http": {"host": "0.0.0.0", "cert": str(path), "key": str(path)}})  # noqa: S104  over TLS

    with pytest.raises(ConfigFaultsError, match="check both files"):
        config.http.tls_context()


@pytest.mark.parametrize(("text", "what"), [("a = ", "not TOML"), (None, "--config")])
def test_a_file_that_cannot_be_read_is_a_fault(tmp_path, text, what):
    path = tmp_path / "central.toml"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ConfigFaultsError, match=what):
        load(path)


@pytest.mark.parametrize(
    "url",
    ["https://roost.example", "https://10.0.0.1:8470/", "http://[::1]:8470", "http://localhost/"],
)
def test_the_consoles_address_is_kept_without_its_last_slash(url):
    assert check({"http": {"public_url": url}}).http.public_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "roost.example",
        "ftp://roost.example",
        "http://roost.example",
        "http://10.0.0.1:8470",
        "https://noc.example/roost",
        "https://",
        "https://a b",
        "https://user:secret@roost.example",
        "https://roost.example/?q=1",
        "https://roost.example:port",
        "https://[::1",
        "https://" + "x" * 256,
    ],
)
def test_an_address_that_no_link_may_begin_with_is_a_fault(url):
    (fault,) = faults({"http": {"public_url": url}})
    assert fault.startswith("http.public_url: ")
    assert "is not like https://roost.example" in fault


def test_retention_is_bounded_and_every_fault_told():
    assert check({"retention": {"event_days": 30}}).retention == Retention(event_days=30)
    told = faults({"retention": {"alarm_days": 0, "event_rows": 999, "audit_rows": 5}})
    assert told == (
        "retention.audit_rows: is not known",
        "retention.alarm_days: 0 is not between 1 and 3,650",
        "retention.event_rows: 999 is not between 1,000 and 200,000,000",
    )


def test_the_fleets_own_broker_is_one_of_the_brokers_and_ingest_knows_its_name(tmp_path):
    config = check(
        {
            "data_dir": str(tmp_path),
            "fleet": {"domain": "edge.example"},
            "fleet_broker": {"host": "::", "connections_max": 50},
            "broker": [{"name": "b2", "url": "mqtts://192.0.2.1"}],
        }
    )

    own, other = config.brokers
    assert (own.name, own.url, own.is_bare) == ("b1", "mqtts://[::1]:8883", False)
    assert own.tls.server_name == "b1.svc.edge.example"
    assert other.tls.server_name == "b2.svc.edge.example"
    assert other.tls.cert == tmp_path / "tls" / "svc_ingest" / "cert.pem"


def test_a_broker_of_somebody_elses_is_spoken_to_with_files_of_its_own(tmp_path):
    files = {name: str(tmp_path / name) for name in ("ca", "cert", "key")}
    for file in files.values():
        Path(file).touch()
    table = {"url": "mqtts://192.0.2.1:1", "server_name": "x", **files}
    (broker,) = check({"broker": [table]}).brokers
    assert (broker.tls.ca, broker.tls.server_name, broker.port) == (Path(files["ca"]), "x", 1)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"broker": [{"url": "mqtt://192.0.2.1"}]}, "broker 'b1'"),
        ({"broker": [{"url": "mqtts://192.0.2.1"}]}, "broker.ca"),
        ({"broker": [{"url": "mqtt://127.0.0.1", "ca": "x"}]}, "broker.ca"),
        ({"broker": [{"url": "mqtts://h", "server_name": "x", "ca": "/none"}]}, "broker.ca"),
        ({"fleet": {"domain": "-x"}}, "fleet.domain"),
        ({"fleet": {"domain": "a." * 40 + "b"}}, "fleet.domain"),
        ({"signer": {"socket": "run/x"}}, "signer.socket"),
        ({"fleet_broker": {}}, "fleet_broker.name"),
        (
            {"enrol": {"broker": [{"name": "b1", "url": "mqtts://b.example:8883"}]}},
            "enrol.broker",
        ),
        ({"fleet": {"domain": "a.b"}, "fleet_broker": {"name": "B"}}, "fleet_broker.name"),
        (
            {"fleet": {"domain": "a.b"}, "fleet_broker": {"connections_max": 1}},
            "fleet_broker.connections_max",
        ),
    ],
)
def test_a_fault_of_the_fleet_or_a_broker_names_its_key(table, key):
    assert faults(table)[0].startswith(f"{key}: ")
