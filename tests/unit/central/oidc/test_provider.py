"""A provider behind TLS: trusted by the authority that is named, and by no other."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from fleet_pki import Authority
from openid_provider import CLIENT_ID, running

from roost_central.errors import ConfigError, OidcError
from roost_central.oidc.config import OidcConfig
from roost_central.oidc.provider import Provider
from roost_central.ports import SystemClock


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A provider with a certificate for ``localhost`` of an authority of the house."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority("house")
    key, chain, _ = authority.issue("idp", "localhost", ExtendedKeyUsageOID.SERVER_AUTH)
    files = {"key.pem": key, "chain.pem": chain, "ca.pem": authority.pem}
    for name, text in files.items():
        (folder / name).write_bytes(text)
    with running("", str(folder / "chain.pem"), str(folder / "key.pem")) as (issuer, _):
        yield OidcConfig(issuer, CLIENT_ID, "", ca_file=folder / "ca.pem")


async def test_a_provider_of_the_house_is_known_by_the_authority_that_is_named(config):
    provider = Provider(config, SystemClock())

    assert (await provider.metadata()).issuer == config.issuer
    assert len(await provider.keys()) == 2


async def test_without_it_nobody_is_taken_for_the_provider(config):
    with pytest.raises(OidcError) as refused:
        await Provider(replace(config, ca_file=None), SystemClock()).metadata()

    assert refused.value.code == "unreachable"
    assert "certificate" in refused.value.detail


async def test_another_name_than_that_of_the_certificate_is_refused(config):
    by_number = config.issuer.replace("localhost", "127.0.0.1")
    with pytest.raises(OidcError) as refused:
        await Provider(replace(config, issuer=by_number), SystemClock()).metadata()

    assert "certificate" in refused.value.detail


def test_a_file_without_certificates_is_named(config, tmp_path):
    (tmp_path / "ca.pem").write_text("none")
    with pytest.raises(ConfigError) as refused:
        Provider(replace(config, ca_file=tmp_path / "ca.pem"), SystemClock())

    assert refused.value.field == "oidc.ca_file"
