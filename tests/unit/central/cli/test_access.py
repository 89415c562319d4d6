"""``roost user``, ``token``, ``role`` and a login by password."""

import json
import os

import pytest

AT = "2026-11-22T10:00:00.000Z"
ANN = {
    "name": "ann",
    "grants": [{"role": "viewer", "on": ""}, {"role": "operator", "on": "region:r1"}],
    "disabled": False, "password": True, "issuer": None, "subject": None, "created": AT,
    "login": None,
}  # fmt: skip
TOKEN = {
    "name": "ci", "owner": "ann", "grants": None, "created": AT, "expires": AT, "used": None,
    "token": "",
}  # fmt: skip
ME = {"name": "ann", "via": "token:x", "grants": ANN["grants"], "permissions": ["read", "alarm"],
      "everywhere": ["read"]}  # fmt: skip


@pytest.fixture(autouse=True)
def access(centre, monkeypatch):
    others = centre.route

    known = {
        ("GET", "/api/v1/users"): {"items": [ANN | {"name": "\x1b[31mx"}, ANN]},
        ("GET", "/api/v1/users/ann"): ANN,
        ("PUT", "/api/v1/users/ann"): ANN,
        ("POST", "/api/v1/users"): ANN,
        ("GET", "/api/v1/tokens"): {"items": [TOKEN]},
        ("POST", "/api/v1/tokens"): TOKEN | {"token": "rtk_test"},
        ("GET", "/api/v1/me"): ME,
        ("GET", "/api/v1/roles"): {"items": [{"role": "viewer", "permissions": ["read"]}]},
    }

    def route(self, path, params):
        if (self.command, path) in known:
            return 200, known[self.command, path]
        return (200, {}) if self.command in {"DELETE", "PUT"} else others(self, path, params)

    monkeypatch.setattr(centre, "route", route)


def sent(centre):
    return centre.seen[-1][:2], json.loads(centre.seen[-1][3] or b"null")


def test_users_are_listed_with_what_they_may(run):
    code, out, _ = run("user", "list")
    assert (code, "\x1b" in out) == (0, False)
    assert "viewer, operator@region:r1" in out
    assert run("users", "show", "ann", "-o", "json")[0] == 0


def test_a_user_is_added_with_grants_and_a_password_from_a_pipe(run, centre):
    args = ("user", "add", "ann", "--grant", "viewer", "--grant", "operator@region:r1")
    assert run(*args, input="correct horse battery\n")[0] == 0
    assert sent(centre) == (
        ("POST", "/api/v1/users"),
        {"name": "ann", "grants": ANN["grants"], "password": "correct horse battery"},
    )


def test_a_user_of_a_provider_needs_no_password(run, centre):
    assert run("user", "add", "bob", "--issuer", "https://idp", "--subject", "42")[0] == 0
    assert sent(centre)[1] == {
        "name": "bob", "grants": [], "issuer": "https://idp", "subject": "42"
    }  # fmt: skip


def test_a_grant_begins_with_a_role(run):
    assert run("user", "add", "bob", "--grant", "wizard")[0] == 2


def test_what_a_user_may_is_replaced_and_one_is_disabled_and_enabled(run, centre):
    assert run("user", "grant", "ann", "--grant", "admin")[0] == 0
    assert sent(centre)[1] == {"grants": [{"role": "admin", "on": ""}], "disabled": False}
    for verb, disabled in (("disable", True), ("enable", False)):
        assert run("user", verb, "ann")[0] == 0
        assert sent(centre)[1] == {"grants": ANN["grants"], "disabled": disabled}
    assert run("user", "delete", "ann")[0] == 0
    assert sent(centre)[0] == ("DELETE", "/api/v1/users/ann")


def test_ones_own_password_needs_the_present_one(run, centre):
    assert run("user", "password", input="old one here\nnew one here\n")[0] == 0
    path = "/api/v1/users/ann/password"
    assert sent(centre) == (
        ("PUT", path), {"password": "new one here", "current": "old one here"}
    )  # fmt: skip
    assert run("user", "password", "bob", input="new one here\n")[0] == 0
    assert sent(centre)[1] == {"password": "new one here", "current": ""}


def test_who_one_is_is_told_in_words(run):
    code, out, _ = run("user", "whoami")
    assert (code, out.splitlines()[1]) == (0, "  may: read, alarm (some sites)")


def test_a_token_is_shown_once_or_put_into_a_private_file(run, centre, tmp_path):
    code, out, _ = run("token", "create", "ci", "--grant", "viewer@region:r1", "--for", "30d")
    assert (code, out) == (0, "rtk_test\n")
    assert sent(centre)[1] == {
        "name": "ci", "grants": [{"role": "viewer", "on": "region:r1"}], "for_s": 30 * 86_400
    }  # fmt: skip
    path = tmp_path / "ci.token"
    code, out, _ = run("token", "create", "ci", "--file", str(path))
    assert (code, out, path.read_text()) == (0, "", "rtk_test\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert run("token", "revoke", "ci")[0] == 0
    assert sent(centre)[0] == ("DELETE", "/api/v1/tokens/ci")


def test_a_length_that_is_none_is_told_with_its_flag(run, capsys):
    assert run("token", "create", "ci", "--for", "abc")[0] == 2
    assert "--for: 'abc' is no length of time" in capsys.readouterr().err


def test_who_may_nothing_yet_is_told_how_to_give_it(run):
    assert "roost user grant ann --grant ROLE" in run("user", "add", "ann", "--no-password")[2]
    assert (
        "roost user grant" not in run("user", "add", "ann", "--no-password", "--grant", "viewer")[2]
    )


def test_a_token_that_cannot_be_written_is_revoked_again(run, centre, tmp_path, capsys):
    (tmp_path / "there").write_text("")
    code, out, _ = run("token", "create", "ci", "--file", str(tmp_path / "there" / "ci.token"))
    assert (code, out) == (2, "")
    assert "no token was made" in capsys.readouterr().err
    assert sent(centre)[0] == ("DELETE", "/api/v1/tokens/ci")


def test_tokens_and_roles_are_listed(run, centre):
    assert "all of its owner's" in run("token", "list", "--all")[1]
    assert centre.seen[-1][2] == {"of": "all"}
    assert "viewer" in run("role", "list")[1]


def test_a_login_by_password_keeps_a_token_and_no_password(run, centre, tmp_path, monkeypatch):
    monkeypatch.delenv("ROOST_TOKEN")
    url, seen = centre_url(monkeypatch), []
    answer = centre.answer

    def log_in(self):
        if self.path == "/api/v1/session" and self.command == "POST":
            seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Set-Cookie", "roost_session=abc; HttpOnly")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            return None
        if self.headers.get("Cookie") == "roost_session=abc":
            self.headers["Authorization"] = "Bearer rtk_test"
        return answer(self)

    for verb in ("GET", "POST", "PUT", "DELETE"):
        monkeypatch.setattr(centre, f"do_{verb}", log_in, raising=False)
    assert run("login", url, "--name", "lab", "--user", "ann", input="secret words\n")[0] == 0
    assert seen == [{"user": "ann", "password": "secret words"}]
    assert (tmp_path / "roost" / "lab.token").read_text() == "rtk_test\n"
    assert "secret words" not in (tmp_path / "roost" / "config.toml").read_text()


def centre_url(monkeypatch):
    url = os.environ["ROOST_URL"]
    monkeypatch.delenv("ROOST_URL")
    return url
