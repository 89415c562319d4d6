"""What a signer takes for its keys, and what it refuses to start with."""

from datetime import UTC, datetime, timedelta

import pytest
from ca import DOMAIN, Pki

from roost_central.ca.profiles import Authority
from roost_central.errors import ConfigError
from roost_central.signer.keys import load


def after(days):
    return datetime.now(UTC) + timedelta(days=days)


def loaded(pki, *, days=0):
    return load(pki.signer_dir, DOMAIN, after(days))


def test_a_new_folder_is_taken(pki):
    ring = loaded(pki)
    assert {each: len(found) for each, found in ring.issuing.items()} == dict.fromkeys(Authority, 1)
    assert len(ring.orders) == 1


def test_the_newest_of_each_signs_and_the_old_one_is_known(own_pki):
    before = loaded(own_pki)
    own_pki.rotate("node", "order", now=after(300))
    ring = loaded(own_pki, days=301)
    old, new = ring.issuing[Authority.NODE]
    assert old.pem == before.issuing[Authority.NODE][0].pem
    assert new.certificate.not_valid_before_utc > after(1)
    first, _second = ring.orders
    assert first.key_id == before.orders[0].key_id
    assert len(ring.issuing[Authority.SERVER]) == 1


def test_what_has_expired_is_left_out(own_pki):
    own_pki.rotate("node", "server", now=after(700))
    ring = loaded(own_pki, days=900)
    assert len(ring.issuing[Authority.NODE]) == 1


def test_nothing_valid_is_refused(own_pki):
    for days in (900, -900):
        with pytest.raises(ConfigError, match=r"0 that count .* clock"):
            loaded(own_pki, days=days)


def test_a_key_whose_time_has_not_come_does_not_sign_yet(own_pki):
    own_pki.rotate("node", now=after(2))
    old = loaded(own_pki).issuing[Authority.NODE]
    assert len(old) == 1
    assert len(loaded(own_pki, days=3).issuing[Authority.NODE]) == 2


@pytest.mark.parametrize("name", ["node-ca.key", "order.key"])
def test_a_key_that_others_may_read_is_refused(own_pki, name):
    (own_pki.signer_dir / name).chmod(0o640)
    with pytest.raises(ConfigError, match=f"{name}.*0640.*0600"):
        loaded(own_pki)


def test_a_folder_that_others_may_read_is_refused(own_pki):
    own_pki.signer_dir.chmod(0o750)
    with pytest.raises(ConfigError, match="0700"):
        loaded(own_pki)


def test_another_authoritys_certificate_is_refused(own_pki):
    for suffix in (".key", ".pem"):
        source = own_pki.signer_dir / f"server-ca{suffix}"
        (own_pki.signer_dir / f"node-ca{suffix}").write_bytes(source.read_bytes())
    with pytest.raises(ConfigError, match=r"node-ca\.pem.*constrained"):
        loaded(own_pki)


def test_another_keys_certificate_is_refused(own_pki):
    (own_pki.signer_dir / "node-ca.key").write_bytes(
        (own_pki.signer_dir / "server-ca.key").read_bytes()
    )
    with pytest.raises(ConfigError, match="another key"):
        loaded(own_pki)


def test_another_fleets_issuer_is_refused(own_pki, tmp_path):
    other = Pki(tmp_path / "other")
    for suffix in (".key", ".pem"):
        source = other.signer_dir / f"node-ca{suffix}"
        (own_pki.signer_dir / f"node-ca{suffix}").write_bytes(source.read_bytes())
    with pytest.raises(ConfigError, match="signed by another"):
        loaded(own_pki)


def test_another_domain_than_the_policys_is_refused(own_pki):
    with pytest.raises(ConfigError, match=r"nodes\.other\.example"):
        load(own_pki.signer_dir, "other.example", after(0))


def test_a_key_that_is_none_is_refused(own_pki):
    (own_pki.signer_dir / "order.key").write_bytes(
        (own_pki.signer_dir / "node-ca.key").read_bytes()
    )
    with pytest.raises(ConfigError, match="Ed25519"):
        loaded(own_pki)
    (own_pki.signer_dir / "order.key").write_text("nothing")
    with pytest.raises(ConfigError, match="PKCS #8"):
        loaded(own_pki)
