"""Northbound's configuration: secrets by file, every fault told with what to do."""

import pytest

from roost_central.config import ConfigFaultsError, check


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text("long-enough\n")
    path.chmod(0o640)
    return str(path)


def faults(table):
    with pytest.raises(ConfigFaultsError) as refused:
        check({"northbound": table})
    return "\n".join(refused.value.faults)


def test_nothing_is_served_unless_it_is_named():
    config = check({}).northbound
    assert (config.mqtt, config.snmp, config.webhook, config.alertmanager) == (None, (), (), ())


def test_everything_at_once(secret):
    config = check(
        {
            "northbound": {
                "labels": ["carrier"],
                "mqtt": {
                    "readers": ["noc", "grafana"],
                    "collapsed_readers": ["pager"],
                    "site_values": ["paths_up", "nodes_online"],
                    "tenant": [
                        {"name": "acme", "query": "label.customer:acme", "readers": ["acme-noc"]}
                    ],
                },
                "snmp": [
                    {"name": "n1", "host": "::1", "version": "2c", "community_file": secret},
                    {
                        "name": "n2",
                        "host": "nms.example",
                        "user": "u",
                        "auth": "sha",
                        "auth_file": secret,
                        "priv_file": secret,
                        "kind": "trap",
                    },
                ],
                "snmp_agent": {"user": "u", "auth_file": secret, "priv_file": secret},
                "webhook": [{"name": "w", "url": "https://h/x", "secret_file": secret}],
                "alertmanager": [{"name": "a", "url": "http://am:9093", "allow_private": True}],
            }
        }
    ).northbound
    assert config.mqtt.accounts == ("noc", "grafana", "pager", "acme-noc")
    assert config.mqtt.values == ("nodes_online", "paths_up")
    assert (config.mqtt.tenants[0].name, config.mqtt.tenants[0].collapse) == ("acme", False)
    assert [each.confirmed for each in config.snmp] == [True, False]
    assert config.snmp_agent.port == 1161


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"labels": ["x"] * 9}, "at most 8 names"),
        ({"labels": [1]}, "at most 8 names"),
        ({"mqqt": {}}, "did you mean northbound.mqtt?"),
        ({"mqtt": {"host": "10.1.1.1"}}, "northbound.mqtt.host: '10.1.1.1' is not a loopback"),
        ({"mqtt": {"readers": ["a", "a"]}}, "different names"),
        ({"mqtt": {"port": 0}}, "port: 0 is not between"),
        ({"mqtt": 1}, "is written as [northbound.mqtt]"),
        ({"mqtt": {"collapsed_readers": ["noc"]}}, "'noc' stands twice: an account reads one tree"),
        ({"mqtt": {"site_values": ["paths_up", "cpu"]}}, "different names of nodes, nodes_online"),
        ({"mqtt": {"tenant": {}}}, "is written as [[northbound.mqtt.tenant]]"),
        ({"mqtt": {"tenant": [{"name": "a"}]}}, "northbound.mqtt.tenant.query: is missing"),
        (
            {"mqtt": {"tenant": [{"query": "status:down"}]}},
            "a tenant's query takes site and labels",
        ),
        ({"mqtt": {"tenant": [{"name": "a", "query": "x"}] * 2}}, "northbound.mqtt.tenant: 'a'"),
        (
            {"mqtt": {"tenant": [{"name": f"t{n}", "query": "x"} for n in range(17)]}},
            "there are 17, at most 16",
        ),
        ({"snmp": {}}, "is written as [[northbound.snmp]]"),
        ({"snmp": [{"name": "a", "host": "h"}]}, "auth_file: is missing"),
        ({"snmp": [{"name": "a", "host": "h"}]}, "SNMPv3 needs a user name"),
        ({"snmp": [{"version": "1"}]}, "neither 2c nor 3"),
        ({"snmp": [{"kind": "poll"}]}, "neither inform nor trap"),
        ({"snmp": [{"profile": "x733"}]}, "'x733' is not one of roost, wrs, rfc3877"),
        ({"snmp": [{"auth": "md5"}]}, "neither sha nor sha256"),
        ({"snmp": [{"rate": 1000}]}, "rate is 1 to 150"),
        ({"webhook": [{"name": "A!", "url": "https://h"}]}, "1 to 32 of a-z"),
        ({"webhook": [{"name": "a", "url": "http://h/"}]}, "in the clear"),
        ({"webhook": [{"name": "a", "url": "https://u:p@h/"}]}, "without a user"),
        ({"webhook": [{"name": "a", "url": "https://h:x/"}]}, "is not https://HOST"),
        ({"webhook": [{"name": "a", "secret": "s"}]}, "is not known"),
        ({"webhook": [{"secret_file": "/nowhere"}]}, "cannot be used: No such file"),
        ({"webhook": [{"format": "xml"}]}, "'xml' is not one of standard, servicenow"),
        ({"webhook": [{"format": "servicenow"}]}, "authorization_file: is missing"),
        ({"alertmanager": [{"name": 3}]}, "is not a text"),
        (
            {"snmp_agent": {"version": "2c", "host": "10.0.0.1"}},
            "a community crosses in clear",
        ),
    ],
)
def test_a_fault_is_told(table, words):
    assert words in faults(table)


EVERYWHERE = "0.0.0.0"  # noqa: S104 - a text, nothing listens


def of_fleet(**mqtt):
    table = {"fleet": {"domain": "edge.example"}, "northbound": {"mqtt": mqtt}}
    return check(table).northbound.mqtt


@pytest.mark.parametrize("host", [EVERYWHERE, "10.1.1.1", "noc.example"])
def test_off_loopback_the_nocs_broker_has_tls_by_the_fleet_or_is_refused(host):
    config = of_fleet(host=host)
    assert config.server_name == "noc.svc.edge.example"
    assert config.url == f"mqtts://{host}:8884"
    assert "northbound.mqtt.host: " in faults({"mqtt": {"host": host}})


def test_on_loopback_it_is_in_clear_text_with_and_without_a_fleet():
    assert (of_fleet().domain, of_fleet().url) == ("", "mqtt://127.0.0.1:8884")


def test_this_machine_reaches_it_where_it_listens_on_every_address():
    assert of_fleet(host=EVERYWHERE).near == "127.0.0.1"
    assert of_fleet(host="10.1.1.1").near == "10.1.1.1"


def test_a_name_is_used_once(secret):
    hook = {"name": "a", "url": "https://h", "secret_file": secret}
    assert "the name stands twice" in faults({"webhook": [hook, hook]})


@pytest.mark.parametrize(
    ("mode", "text", "words"),
    [
        (0o644, "long-enough", "not readable by others"),
        (0o600, "short", "at least 8 bytes"),
        (0o600, "x" * 5_000, "4096 bytes"),
    ],
)
def test_a_secret_is_private_and_of_some_length(tmp_path, mode, text, words):
    path = tmp_path / "s"
    path.write_text(text)
    path.chmod(mode)
    assert words in faults(
        {"webhook": [{"name": "a", "url": "https://h", "secret_file": str(path)}]}
    )
