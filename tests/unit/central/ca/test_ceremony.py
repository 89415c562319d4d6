"""The ceremony: two folders, the root never in the clear, nothing overwritten."""

import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from ca import DOMAIN, ENTROPY, PASSPHRASE

from roost_central.ca import ceremony
from roost_central.ca.ceremony import CeremonyError, Moment
from roost_central.ca.listing import listed
from roost_central.signer.core import Policy
from roost_central.signer.policy import load
from roost_protocol.errors import ProtocolError

NOW = datetime.now(UTC)


def init(folder, *, domain=DOMAIN, passphrase=PASSPHRASE):
    return ceremony.init(folder, Policy(domain, ("roost",)), passphrase, Moment(NOW, ENTROPY))


def test_it_leaves_two_folders_that_nobody_else_reads(tmp_path):
    init(tmp_path / "keys")
    made = {path.relative_to(tmp_path / "keys") for path in (tmp_path / "keys").glob("*/*")}
    assert {str(path) for path in made} == {
        "offline/root.key", "offline/root.pem", "signer/root.pem", "signer/policy.toml",
        "signer/node-ca.key", "signer/node-ca.pem", "signer/server-ca.key", "signer/server-ca.pem",
        "signer/lan-ca.key", "signer/lan-ca.pem", "signer/order.key",
    }  # fmt: skip
    for path in (tmp_path / "keys").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
    assert load(tmp_path / "keys/signer/policy.toml") == Policy(DOMAIN, ("roost",))


def test_the_roots_key_opens_with_the_passphrase_alone(pki):
    assert b"ENCRYPTED" in (pki.offline / "root.key").read_bytes()
    root = ceremony.unlock(pki.offline, PASSPHRASE)
    assert root.domain == DOMAIN
    with pytest.raises(CeremonyError, match="does not open"):
        ceremony.unlock(pki.offline, b"another passphrase")


def test_nothing_is_overwritten(tmp_path):
    init(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob("*/*")}
    with pytest.raises(CeremonyError, match="nothing was written") as refused:
        init(tmp_path)
    assert refused.value.code == "exists"
    assert {path: path.read_bytes() for path in tmp_path.glob("*/*")} == before


def test_a_ceremony_that_broke_off_is_not_gone_on_with(tmp_path):
    (tmp_path / "signer.new").mkdir()
    with pytest.raises(CeremonyError, match=r"signer\.new"):
        init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["signer.new"]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"passphrase": b"short"}, CeremonyError),
        ({"domain": "nodots"}, ProtocolError),
        ({"domain": "UPPER.example"}, ProtocolError),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(tmp_path, more, error):
    with pytest.raises(error):
        init(tmp_path / "keys", **more)
    assert not (tmp_path / "keys").exists()


def test_a_rotation_writes_beside_what_is_there(own_pki):
    before = {path.name for path in own_pki.signer_dir.iterdir()}
    written = own_pki.rotate("server", "order", now=datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert written == [
        "order-20270102T030405Z.key", "server-ca-20270102T030405Z.key",
        "server-ca-20270102T030405Z.pem",
    ]  # fmt: skip
    assert {path.name for path in own_pki.signer_dir.iterdir()} == before | {*written}
    with pytest.raises(CeremonyError):
        own_pki.rotate("server", now=datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))
    issuing = {each.path.name: each.is_issuing for each in listed(own_pki.signer_dir)}
    assert issuing["server-ca.pem"] is False
    assert issuing["server-ca-20270102T030405Z.pem"] is True


def test_another_roots_key_is_refused(own_pki, pki):
    shutil.copy(pki.offline / "root.pem", own_pki.offline / "root.pem")
    with pytest.raises(CeremonyError, match="not that of the certificate"):
        ceremony.unlock(own_pki.offline, PASSPHRASE)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl absent")
def test_openssl_reads_what_it_wrote(pki):
    """A fleet whose roost is gone can still be opened."""
    for file, more in (
        (pki.offline / "root.key", ["-passin", f"pass:{PASSPHRASE.decode()}"]),
        (pki.signer_dir / "node-ca.key", []),
        (pki.signer_dir / "order.key", []),
    ):
        done = subprocess.run(
            ["openssl", "pkey", "-noout", "-in", file, *more],
            capture_output=True, check=False, timeout=20,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
