"""The key that all nodes' keys come of: made once, and never again without a word."""

import pytest
from migrated import database_url

from roost_central.__main__ import main
from roost_central.config import ConfigFaultsError
from roost_central.enrol.states import State
from roost_central.ingest_key import CHECK, FOREIGN, KEY_BYTES, NAMES, ingest_keys, renew
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage import identities, settings
from roost_central.storage.engine import Database
from roost_central.storage.identities import IdentityRecord

NODE = IdentityRecord(
    "lab.n1", 1, 1, "ff", b"f", b"k", State.ACTIVE, 10**14, "{}", b"s", "pem", 1, 1
)


@pytest.fixture
async def connection(tmp_path):
    database = await Database.open(database_url(tmp_path), clock=SystemClock())
    async with database.write() as connection:
        yield connection
    await database.close()


async def started(connection, folder):
    return await ingest_keys(connection, folder, SystemEntropy())


async def served_a_node(connection, folder):
    """Return the key of a centre that has a node."""
    [key] = await started(connection, folder)
    await identities.save(connection, NODE)
    return key


async def test_it_is_made_at_the_first_start_and_stays(connection, tmp_path):
    [key] = await started(connection, tmp_path)
    assert len(key) == KEY_BYTES
    assert await started(connection, tmp_path) == (key,)
    assert key not in await settings.read(connection, CHECK)


async def test_a_centre_without_a_node_makes_another(connection, tmp_path):
    [key] = await started(connection, tmp_path)
    (tmp_path / NAMES[0]).unlink()
    assert await started(connection, tmp_path) != (key,)


async def test_a_centre_without_the_key_of_its_nodes_does_not_serve(connection, tmp_path):
    key = await served_a_node(connection, tmp_path)
    (tmp_path / NAMES[0]).unlink()
    with pytest.raises(ConfigFaultsError, match="keys of 1 nodes come of it: put back the file"):
        await started(connection, tmp_path)
    assert not (tmp_path / NAMES[0]).exists()
    (tmp_path / NAMES[0]).write_bytes(key)
    assert await started(connection, tmp_path) == (key,)


async def test_a_centre_beside_another_ones_key_does_not_serve(connection, tmp_path):
    await served_a_node(connection, tmp_path)
    (tmp_path / NAMES[0]).write_bytes(b"x" * KEY_BYTES)
    with pytest.raises(ConfigFaultsError, match=r"is another key.*ingest-key --new"):
        await started(connection, tmp_path)


async def test_a_key_that_was_kept_before_its_hash_was_is_believed(connection, tmp_path):
    await identities.save(connection, NODE)
    (tmp_path / NAMES[0]).write_bytes(b"x" * KEY_BYTES)
    assert await started(connection, tmp_path) == (b"x" * KEY_BYTES,)


async def test_what_is_no_key_is_named(connection, tmp_path):
    (tmp_path / NAMES[0]).write_bytes(b"short")
    with pytest.raises(ConfigFaultsError, match=r"ingest\.key: 5 bytes, not 32"):
        await started(connection, tmp_path)


async def test_a_new_one_counts_beside_the_one_before_until_that_is_removed(connection, tmp_path):
    key = await served_a_node(connection, tmp_path)
    assert await renew(connection, tmp_path, SystemEntropy()) == 1
    new, before = await started(connection, tmp_path)
    assert before == key != new
    with pytest.raises(ConfigFaultsError, match="remove it once all have renewed"):
        await renew(connection, tmp_path, SystemEntropy())
    (tmp_path / NAMES[1]).unlink()
    assert await started(connection, tmp_path) == (new,)


async def test_a_crash_between_the_old_key_and_the_new_one_is_made_well(connection, tmp_path):
    key = await served_a_node(connection, tmp_path)
    (tmp_path / NAMES[0]).rename(tmp_path / NAMES[1])
    new, before = await started(connection, tmp_path)
    assert before == key != new


async def test_another_ones_key_does_not_count_beside_a_new_one(connection, tmp_path):
    await served_a_node(connection, tmp_path)
    (tmp_path / NAMES[0]).write_bytes(b"x" * KEY_BYTES)
    await renew(connection, tmp_path, SystemEntropy())
    assert len(await started(connection, tmp_path)) == 1
    assert (tmp_path / FOREIGN).read_bytes() == b"x" * KEY_BYTES


def test_the_command_makes_one_and_says_what_goes_on(tmp_path, capsys):
    database_url(tmp_path)
    argv = ["ingest-key", "--data-dir", str(tmp_path)]
    assert main(argv) == 0
    assert capsys.readouterr().out == f"{tmp_path / NAMES[0]}\n"
    (tmp_path / NAMES[0]).write_bytes(b"x" * KEY_BYTES)
    assert main([*argv, "--new"]) == 0
    out = capsys.readouterr().out
    assert "is new, and 0 nodes get their keys of it" in out
    assert "Until then they speak by" in out
