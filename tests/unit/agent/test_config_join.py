"""The ``[join]`` tables: what is taken, that it is read without the rest, and what is told."""

import pytest

from roost_agent.config import CLAIM_DIRS, JoinConfig
from roost_agent.config_file import load, load_join
from roost_agent.errors import ConfigError

WHOLE = """
[join]
url = "https://c.example:8471"
pin = "AAECAwQFBgcICQoLDA0ODw"
token_file = "/etc/roost/token"
name = "n1"
claim_dirs = ["/media/*/*", "/srv"]
dns = false
domain = "edge.example"
resolvers = ["192.0.2.1", "192.0.2.2:5353", "[2001:db8::1]:53"]
"""


def said(tmp_path, text):
    (tmp_path / "agent.toml").write_text(text)
    return load_join(tmp_path)


def test_a_box_without_any_configuration_looks_in_the_usual_places(tmp_path):
    config, state_dir = load_join(tmp_path / "none")
    assert (config, str(state_dir)) == (JoinConfig(), "/var/lib/roost")
    assert config.claim_dirs == CLAIM_DIRS
    assert config.dns


def test_every_key_is_taken(tmp_path):
    config, _ = said(tmp_path, WHOLE)
    assert config == JoinConfig(
        url="https://c.example:8471", pin="AAECAwQFBgcICQoLDA0ODw", token_file="/etc/roost/token",
        name="n1", claim_dirs=("/media/*/*", "/srv"), dns=False, domain="edge.example",
        resolvers=(("192.0.2.1", 53), ("192.0.2.2", 5353), ("2001:db8::1", 53)),
    )  # fmt: skip


def test_nothing_else_needs_to_be_there_and_a_drop_in_counts(tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/10-join.toml").write_text('[join]\nurl = "https://other:1"\n')
    config, state_dir = said(tmp_path, f'state_dir = "/srv/roost"\n{WHOLE}')
    assert (config.url, config.domain) == ("https://other:1", "edge.example")
    assert str(state_dir) == "/srv/roost"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('ulr = "x"', "join.ulr: unknown key, did you mean url?"),
        ("url = 1", "join.url: must be a string"),
        ('url = "http://x"', "join.url: 'http://x': must be https://HOST"),
        ('url = "https://x:99999"', "must be https://HOST"),
        ('url = "https://x/y"', "must be https://HOST"),
        ('pin = "AAAA"', "join.pin: 'AAAA': 16 bytes"),
        ('name = "N1"', "join.name: 'N1': 1 to 32"),
        ('token_file = "token"', "join.token_file: must be an absolute path"),
        ('token_file = "rst1.x"', "of a file that holds it"),
        ('factory_cert = "/x"', "join.factory_cert: goes with factory_key"),
        ('domain = "a b"', "join.domain: 'a b': must be a domain"),
        ('dns = "no"', "join.dns: must be true or false"),
        ('claim_dirs = "/x"', "join.claim_dirs: must be a list of strings"),
        ('claim_dirs = ["x"]', "join.claim_dirs: 'x': an absolute folder"),
        ('claim_dirs = ["/x/**"]', "an absolute folder"),
        ('claim_dirs = ["/x/../etc"]', "an absolute folder"),
        (f"claim_dirs = {['/x'] * 17}", "join.claim_dirs: 17 entries: bound 16"),
        ('resolvers = ["dns.example"]', "join.resolvers: 'dns.example': must be ADDRESS"),
        ('resolvers = ["192.0.2.1:0"]', "must be ADDRESS or ADDRESS:PORT"),
        ("resolvers = [1]", "join.resolvers: must be a list of strings"),
    ],
)
def test_what_cannot_be_is_told_by_its_key(tmp_path, line, told):
    with pytest.raises(ConfigError) as refused:
        said(tmp_path, f"[join]\n{line}\n")
    assert told in str(refused.value)


def test_the_running_agent_takes_the_table_too(tmp_path):
    node = 'site = "lab"\nnode = "n1"\nstate_dir = "/absent/state"\n'
    path = '[[path]]\nname = "w"\nkind = "wan"\nbroker = "mqtt://127.0.0.1:1"\n'
    (tmp_path / "agent.toml").write_text(f"{node}{path}{WHOLE}")
    assert load(tmp_path).join.url == "https://c.example:8471"
