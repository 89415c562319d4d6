"""`roost release` as its holders type it, where no centre is."""

import json
import os
import re

import pytest

PASSPHRASE = "gravel otter lantern cobalt"


@pytest.fixture
def keyed(run, tmp_path):
    """Three holders with keys, and the signer's two."""
    for name in ("ann", "bob", "cy"):
        said = f"{PASSPHRASE}\n{PASSPHRASE}\n"
        code, out, err = run("release", "keygen", name, "--to", f"{tmp_path}/keys", input=said)
        assert code == 0, err
        assert PASSPHRASE not in out + err
    assert run("release", "keygen", "--online", "--to", f"{tmp_path}/online")[0] == 0
    return tmp_path


@pytest.fixture
def refused(run, capsys):
    """Run what is refused; return its exit code and sentence."""

    def refused(*words, **more):
        code = run(*words, **more)[0]
        return int(code), capsys.readouterr().err

    return refused


def words_of(folder, *names):
    found = ["--online", f"{folder}/online"]
    for name in names:
        found += ["--root", f"{folder}/keys/{name}.pub", "--signer", f"{folder}/keys/{name}.pub"]
    return found


def digests_of(run, draft):
    rows = json.loads(run("release", "draft", draft, "-o", "json")[1])
    return [word for row in rows for word in ("--digest", row["digest"])]


def test_two_of_three_make_the_roots_and_neither_signs_what_was_not_compared(run, refused, keyed):
    draft = f"{keyed}/first"
    words = words_of(keyed, "ann", "bob", "cy")
    assert run("release", "init", "--draft", draft, *words)[0] == 0
    said = f"{PASSPHRASE}\n"
    sign = ["release", "sign", draft, "--key"]
    code, err = refused(*sign, f"{keyed}/keys/ann.key", input=said)
    assert (code, "compare it with the other holders'" in err) == (1, True)
    digests = digests_of(run, draft)
    assert run(*sign, f"{keyed}/keys/ann.key", *digests, input=said)[0] == 0
    code, err = refused("release", "anchors", draft, "--to", f"{keyed}/anchors")
    assert (code, "it has those of ann" in err) == (1, True)
    reader, writer = os.pipe()
    os.write(writer, f"{PASSPHRASE}\n".encode())
    os.close(writer)
    fd = ["--passphrase-fd", str(reader)]
    assert run(*sign, f"{keyed}/keys/bob.key", *digests, *fd)[0] == 0
    os.close(reader)
    assert run("release", "anchors", draft, "--to", f"{keyed}/anchors")[0] == 0
    assert (keyed / "anchors/image-root.json").is_file()
    assert run("release", "anchors", draft, "--to", f"{keyed}/anchors")[0] != 0  # never again


def test_one_key_alone_is_for_a_lab_that_says_so(run, refused, keyed):
    words = words_of(keyed, "ann")
    assert "--one-key" in refused("release", "init", "--draft", f"{keyed}/d", *words)[1]
    assert run("release", "init", "--draft", f"{keyed}/d", *words, "--one-key")[0] == 0


@pytest.mark.parametrize("role", [("image", "root"), ("image", "targets"), ("director", "root")])
def test_no_role_of_holders_is_given_to_one_key_by_the_way(refused, keyed, role):
    key = ("--key", f"{keyed}/keys/ann.pub", "--draft", f"{keyed}/d")
    assert "--one-key" in refused("release", "rotate", *role, *key)[1]
    assert "--one-key" in refused("release", "delegate", "app", *key)[1]
    assert "nix is no role" in refused("release", "delegate", "nix", *key)[1]


def test_a_key_has_a_name_of_a_holder_and_its_public_half_signs_nothing(run, refused, keyed):
    said = f"{PASSPHRASE}\n{PASSPHRASE}\n"
    code, err = refused("release", "keygen", "../eve", "--to", f"{keyed}/k", input=said)
    assert (code, "a holder's name has 1 to 63 letters" in err) == (1, True)
    assert not (keyed / "k").exists()
    run("release", "init", "--draft", f"{keyed}/d", *words_of(keyed, "ann", "bob"))
    words = ["release", "sign", f"{keyed}/d", "--key", f"{keyed}/keys/ann.pub"]
    assert "is no private key" in refused(*words, input=f"{PASSPHRASE}\n")[1]


def test_a_wrong_passphrase_or_a_short_one_is_told(run, refused, keyed):
    code, err = refused("release", "keygen", "eve", "--to", f"{keyed}/k", input="short\nshort\n")
    assert (code, "at least 16 bytes" in err) == (1, True)
    words = words_of(keyed, "ann", "bob")
    run("release", "init", "--draft", f"{keyed}/d", *words)
    key = ["--key", f"{keyed}/keys/ann.key"]
    code, err = refused("release", "sign", f"{keyed}/d", *key, input="another passphrase\n")
    assert (code, "does not open" in err) == (1, True)


def test_a_bundle_is_built_and_says_what_a_node_fetches(run, refused, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/data").write_bytes(bytes(range(256)) * 1_000)
    words = ["--component", "app/web", "--installer", "files"]
    made = {}
    for version in ("1", "2"):
        (tmp_path / "src/version").write_text(f"{version}\n" * 200)
        more = ["--previous", f"{tmp_path}/b1"] if version == "2" else []
        code, out, err = run(
            "release", "build", f"{tmp_path}/src", "--to", f"{tmp_path}/b{version}",
            "--version", version, "--counter", version, *words, *more,
        )  # fmt: skip
        assert code == 0, err
        made[version] = out
    assert re.fullmatch(r"app/web/2\.json: [0-9a-f]{64}\n", made["2"])
    code, out, _ = run("release", "delta", f"{tmp_path}/b2", "--from", f"{tmp_path}/b1")
    assert code == 0
    assert out.startswith("from 1: ")
    code, err = refused("release", "draft", f"{tmp_path}/b2")
    assert (code, "is no draft" in err) == (1, True)


def test_a_bundle_in_place_of_a_draft_is_told_what_is_published(refused, tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    code, err = refused("release", "publish", str(tmp_path))
    assert code == 2
    assert "is a bundle, and a signed draft is published" in err
