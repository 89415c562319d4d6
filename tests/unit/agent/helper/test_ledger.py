import pytest

from roost_agent.helper.core import Rebooted
from roost_agent.helper.ledger import NAME, load, save

PAST = (Rebooted(1, "a", "kernel"), Rebooted(2, "b", "hang → cold"))


def test_what_was_saved_is_known_to_the_next(tmp_path):
    save(str(tmp_path), PAST)
    assert load(str(tmp_path)) == (PAST, "")
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_nothing_was_ordered_yet(tmp_path):
    assert load(str(tmp_path)) == ((), "")


@pytest.mark.parametrize("raw", [b"", b"[[1]]", b"{}x", b"[" * 9_000, b'[["x","a","b"]]', b"7"])
def test_a_record_that_cannot_be_read_is_said_and_never_empty(tmp_path, raw):
    (tmp_path / NAME).write_bytes(raw)
    reboots, why = load(str(tmp_path))
    assert reboots == ()
    assert why.endswith("remove it to begin anew")


def test_a_link_is_not_written_through(tmp_path):
    (tmp_path / f"{NAME}.new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        save(str(tmp_path), PAST)
    assert not (tmp_path / "elsewhere").exists()
