"""The key file."""

import pytest

from roost_agent.errors import ConfigError
from roost_agent.ha.keys import FILE_BYTES_MAX, broker_password, keygen, load_keys

NODES = {"c0": 0, "c1": 1, "w1": 2}


class Dice:
    """Entropy that can be told apart."""

    def __init__(self):
        self.n = 0

    def token(self, size):
        self.n += 1
        return bytes([self.n]) * size

    def uniform(self, low, high):
        return low


def written(folder, text, mode=0o600):
    file = folder / "ha.keys"
    file.write_text(text)
    file.chmod(mode)
    return file


def faults(file, me="c0"):
    with pytest.raises(ConfigError) as caught:
        load_keys(file, me, NODES)
    return caught.value.faults


def test_what_keygen_prints_gives_both_ends_one_key(tmp_path, capsys):
    assert keygen(["c0", "c1", "w1"], Dice()) == 0
    file = written(tmp_path, capsys.readouterr().out)
    of = {name: load_keys(file, name, NODES) for name in NODES}
    assert of["c0"] == {1: b"\1" * 32, 2: b"\2" * 32}
    assert of["c1"] == {0: b"\1" * 32, 2: b"\3" * 32}
    assert of["w1"] == {0: b"\2" * 32, 1: b"\3" * 32}


def test_two_runs_of_keygen_share_no_key(capsys):
    keygen(["c0", "c1"])
    first = capsys.readouterr().out
    keygen(["c0", "c1"])
    assert capsys.readouterr().out != first


@pytest.mark.parametrize("names", [[], ["c0"], ["c0", "c0"], ["c0", "C1"]])
def test_keygen_refuses_what_is_no_list_of_nodes(names):
    with pytest.raises(ConfigError, match="ha keygen"):
        keygen(names)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path, mode, capsys):
    keygen(["c0", "c1", "w1"])
    file = written(tmp_path, capsys.readouterr().out, mode)
    assert faults(file) == [f"{file}: mode 0{mode:o} lets others read it; chmod 600 {file}"]


def test_every_fault_is_told_and_no_key_is(tmp_path):
    secret = "ab" * 31
    text = (
        f'[pairs]\n"c0:c1" = "{secret}"\n"c0:x9" = "{"cd" * 32}"\n"c0" = 1\n'
        f'"c0:w1" = "{"zz" * 32}"\n"c0:c0" = ""\n"c1:c0" = 7\n'
    )
    told = faults(written(tmp_path, text))
    assert len(told) == 6
    assert "pairs.c0:x9: x9 is no node of the site" in told[1]
    assert not any(secret in each or "cd" * 8 in each for each in told)


def test_a_pair_that_is_missing_or_there_twice_is_named(tmp_path):
    key = "ab" * 32
    file = written(tmp_path, f'[pairs]\n"c1:c0" = "{key}"\n')
    assert faults(file) == [f"{file}: pairs: no key of c0 and w1"]
    file = written(tmp_path, f'[pairs]\n"c1:c0" = "{key}"\n"c0:c1" = "{key}"\n')
    assert faults(file) == [f"{file}: pairs.c0:c1: there is one already"]


def test_what_cannot_be_read_says_why_without_quoting_it(tmp_path):
    assert "No such file" in faults(tmp_path / "none")[0]
    assert faults(written(tmp_path, "deadbeef ="))[0].endswith("not TOML")
    assert faults(written(tmp_path, "other = 1"))[0].endswith("must have one table, [pairs]")
    assert "longer than" in faults(written(tmp_path, "#" * (FILE_BYTES_MAX + 1)))[0]


def test_a_broker_password_is_one_of_pair_and_broker():
    one, two = b"1" * 32, b"2" * 32
    assert broker_password(one, "c0") == broker_password(one, "c0")
    assert len({broker_password(key, name) for key in (one, two) for name in ("c0", "c1")}) == 4
    assert one.hex() not in broker_password(one, "c0")
