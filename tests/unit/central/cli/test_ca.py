"""The ceremony as an operator types it."""

import json

import pytest

WORDS = ("gravel otter lantern", "cobalt harvest mint")


@pytest.fixture
def parts(tmp_path):
    files = []
    for number, words in enumerate(WORDS):
        file = tmp_path / f"part{number}"
        file.write_text(f"{words}\n")
        files += ["--passphrase-file", str(file)]
    return files


@pytest.fixture
def keys(run, parts, tmp_path):
    code, out, err = run("ca", "init", "--domain", "edge.example", "--out", f"{tmp_path}/k", *parts)
    assert code == 0, err
    assert "Root pin: " in out
    return tmp_path / "k"


def rows(run, folder):
    return json.loads(run("ca", "show", str(folder), "-o", "json")[1])


def test_it_makes_two_folders_and_says_where_each_belongs(run, keys):
    assert {path.name for path in keys.iterdir()} == {"offline", "signer"}
    states = {row["name"]: row["state"] for row in rows(run, keys / "signer")}
    assert states == {
        "root": "root", "node-ca": "issues", "server-ca": "issues", "lan-ca": "issues",
    }  # fmt: skip


def test_without_files_it_asks_each_holder_twice_and_shows_nothing(run, tmp_path):
    said = f"{WORDS[0]}\n{WORDS[0]}\n{WORDS[1]}\n{WORDS[1]}\n\n\n"
    code, out, err = run(
        "ca", "init", "--domain", "edge.example", "--out", f"{tmp_path}/k", input=said
    )
    assert code == 0, err
    assert WORDS[0] not in out + err
    offline, out_folder = f"{tmp_path}/k/offline", f"{tmp_path}/new"
    said = f"{WORDS[0]}\n{WORDS[1]}\n\n"
    code, _, err = run(
        "ca", "rotate", "node", "--offline", offline, "--out", out_folder, input=said
    )
    assert code == 0, err


def test_a_rotation_gives_successors(run, keys, parts):
    code, out, _ = run(
        "ca", "rotate", "node", "order",
        "--offline", f"{keys}/offline", "--out", f"{keys}/signer", *parts,
    )  # fmt: skip
    assert code == 0
    assert len(out.splitlines()) == 3
    states = [row["state"] for row in rows(run, keys / "signer") if "node" in row["name"]]
    assert states == ["trusted", "issues"]


def test_a_wrong_passphrase_opens_nothing(run, keys, parts, capsys):
    code, *_ = run(
        "ca", "rotate", "node",
        "--offline", f"{keys}/offline", "--out", f"{keys}/new", *parts[:2],
    )  # fmt: skip
    assert code == 1
    assert "does not open" in capsys.readouterr().err
    assert not (keys / "new").exists()


@pytest.mark.parametrize(
    "case",
    [(b"\xff\xfe secret", "not UTF-8"), (b"", "each holder's part"), (b"short\n", "at least 16")],
)
def test_a_part_that_nobody_could_type_is_no_part(run, case, parts, tmp_path, capsys):
    (part, told), file = case, tmp_path / "part"
    file.write_bytes(part)
    more = ("--out", f"{tmp_path}/k", *parts[:2], "--passphrase-file", str(file))
    code, *_ = run("ca", "init", "--domain", "edge.example", *more)
    assert code in {1, 2}
    assert told in capsys.readouterr().err
    assert not (tmp_path / "k").exists()


def test_one_holder_alone_is_told(run, parts, tmp_path):
    _, _, err = run("ca", "init", "--domain", "edge.example", "--out", f"{tmp_path}/k", *parts[:2])
    assert "two are safer" in err


@pytest.mark.parametrize(
    "case", [("other.pem", "name the folder offline"), ("root.pem", "is no certificate")]
)
def test_a_folder_that_is_not_the_roots_is_told(run, case, parts, tmp_path, capsys):
    name, told = case
    (tmp_path / name).write_text("x")
    out = f"{tmp_path}/new"
    code, *_ = run("ca", "rotate", "node", "--offline", str(tmp_path), "--out", out, *parts)
    assert code == 1
    assert told in capsys.readouterr().err


def test_what_is_there_is_not_made_again(run, keys, parts, capsys):
    code, *_ = run("ca", "init", "--domain", "edge.example", "--out", str(keys), *parts)
    assert code == 5
    assert "nothing was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    "case",
    [("edge", WORDS[0], "two or more labels"), ("edge.example", "short", "at least 16")],
)
def test_what_cannot_be_is_refused_with_what_can(run, case, tmp_path, capsys):
    domain, words, told = case
    file = tmp_path / "part"
    file.write_text(words)
    more = ("--out", f"{tmp_path}/k", "--passphrase-file", str(file))
    code, *_ = run("ca", "init", "--domain", domain, *more)
    assert code != 0
    assert told in capsys.readouterr().err
    assert not (tmp_path / "k").exists()


def test_what_everybody_may_know_can_be_exported(run, keys):
    folder = str(keys / "signer")
    pin = run("ca", "export", folder, "pin")[1].strip()
    assert len(pin) == 22
    assert run("ca", "export", folder, "root")[1] == (keys / "signer/root.pem").read_text()
    bundle = run("ca", "export", folder)[1]
    assert bundle.count("BEGIN CERTIFICATE") == 4
    assert "KEY" not in bundle


def test_a_folder_without_a_root_is_told(run, tmp_path, capsys):
    code, *_ = run("ca", "show", str(tmp_path))
    assert code == 3
    assert "roost ca init" in capsys.readouterr().err
