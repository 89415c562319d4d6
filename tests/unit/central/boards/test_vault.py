import pytest

from roost_central.boards.vault import FILE, Vault, VaultError
from roost_central.errors import ConfigError
from roost_central.ports import SystemEntropy

SECRET = "canary-of-the-vault"


def test_what_is_closed_opens_for_its_node_by_its_key_alone(tmp_path):
    vault = Vault.of(tmp_path, SystemEntropy())
    closed = vault.close("lab.n1", SECRET)
    assert SECRET.encode() not in closed
    assert vault.close("lab.n1", SECRET) != closed, "never the same twice"
    assert Vault.of(tmp_path, SystemEntropy()).open("lab.n1", closed) == SECRET
    for node, text in (("lab.n2", closed), ("lab.n1", closed[:-1]), ("lab.n1", b"")):
        with pytest.raises(VaultError):
            vault.open(node, text)
    (tmp_path / FILE).unlink()
    with pytest.raises(VaultError, match="another"):
        Vault.of(tmp_path, SystemEntropy()).open("lab.n1", closed)


def test_its_file_is_for_nobody_else(tmp_path):
    Vault.of(tmp_path, SystemEntropy())
    file = tmp_path / FILE
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="0600"):
        Vault.of(tmp_path, SystemEntropy())
    file.chmod(0o600)
    file.write_bytes(b"short")
    with pytest.raises(ConfigError, match="32 bytes"):
        Vault.of(tmp_path, SystemEntropy())


def test_a_mark_tells_texts_apart_and_is_of_its_key(tmp_path):
    vault = Vault.of(tmp_path, SystemEntropy())
    other = Vault(bytes(32), SystemEntropy())
    assert vault.mark(b"a") == vault.mark(b"a") != vault.mark(b"b")
    assert vault.mark(b"a") != other.mark(b"a")
