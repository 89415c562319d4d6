"""``[oidc]``: what is taken, and what is refused with the key and what to do."""

import pytest

from roost_central.access.core import Grant
from roost_central.config import ConfigFaultsError, check

HTTP = {"public_url": "https://roost.example"}
RIGHT = {"issuer": "https://idp.example/realm", "client_id": "roost"}


def faults(http=HTTP, **oidc):
    with pytest.raises(ConfigFaultsError) as refused:
        check({"http": http, "oidc": oidc})
    return "\n".join(refused.value.faults)


def test_without_the_table_nobody_logs_in_by_a_provider():
    assert check({}).oidc is None


def test_an_issuer_and_a_client_are_enough():
    oidc = check({"http": HTTP, "oidc": RIGHT}).oidc

    assert oidc.redirect_uri == "https://roost.example/login/oidc"
    assert (oidc.scopes, oidc.groups_claim, oidc.host) == (("openid",), "groups", "idp.example")


def test_groups_have_the_grants_that_are_written_for_them():
    groups = [{"name": "noc", "grants": ["viewer", "operator@region:r01"]}]
    oidc = check({"http": HTTP, "oidc": RIGHT | {"group": groups}}).oidc

    assert oidc.groups == {"noc": (Grant("viewer"), Grant("operator", "region:r01"))}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"issuer": ""}, "oidc.issuer: is missing"),
        ({"issuer": "http://idp.example"}, "oidc.issuer: 'http://idp.example' is not like https"),
        ({"issuer": "https://u@idp.example"}, "oidc.issuer"),
        ({"issuer": "https://[idp"}, "oidc.issuer"),
        ({"client_id": ""}, "oidc.client_id: is missing"),
        ({"client_secret_file": "/nowhere"}, "oidc.client_secret_file: '/nowhere' cannot be used"),
        ({"ca_file": "/nowhere"}, "oidc.ca_file: there is no file"),
        ({"scopes": ["email"]}, "oidc.scopes: must have 'openid'"),
        ({"scopes": ["openid", "a b"]}, "oidc.scopes: each is a word"),
        ({"scopes": ["openid"] * 17}, "oidc.scopes: is a list of at most 16 texts"),
        ({"isuer": "x"}, "oidc.isuer: is not known: did you mean oidc.issuer?"),
        ({"group": [{"name": "a", "grants": ["root"]}]}, "oidc.group.grants: 'root' is none of"),
        ({"group": [{"name": "a", "grants": ["viewer@status:ok"]}]}, "oidc.group.grants"),
        ({"group": [{"name": "a"}]}, "oidc.group.grants: is missing"),
        ({"group": [{"name": "a", "grants": ["viewer"]}] * 2}, "oidc.group.name: 'a' stands twice"),
        ({"group": [{"name": str(n), "grants": ["viewer"]} for n in range(65)]}, "at most 64"),
    ],
)
def test_what_cannot_be_is_named(change, fault):
    assert fault in faults(**RIGHT | change)


def test_the_provider_must_know_where_to_send_browsers_back_to():
    assert "needs http.public_url" in faults(http={}, **RIGHT)


def test_others_must_not_read_the_clients_secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text("12345678")
    path.chmod(0o644)

    assert "not readable by others" in faults(**RIGHT, client_secret_file=str(path))
