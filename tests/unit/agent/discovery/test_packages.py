from roost_agent.discovery.packages import package, package_set

STATUS = "var/lib/dpkg/status"
OPENSSL = """Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl (3.0.11-1)
Version: 3.0.11-1~deb12u2
Description: text
 Package: not-a-field
"""
REMOVED = "Package: old\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n"
BROKEN = "Package: half\nStatus: install ok half-installed\nArchitecture: all\nVersion: 1\n"
BASH = "Package: bash\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 5.2-1\n"


def test_installed_packages_are_items_by_name_and_architecture(tree):
    tree.plant({STATUS: f"{OPENSSL}\n{REMOVED}\n{BROKEN}\n{BASH}"})
    assert package(tree.reader()).items == {
        "bash:amd64": {"version": "5.2-1", "source": "bash"},
        "libssl3:amd64": {"version": "3.0.11-1~deb12u2", "source": "openssl"},
    }


def test_the_digest_does_not_depend_on_the_order(tree):
    first = package_set(tree.plant({STATUS: f"{OPENSSL}\n{BASH}"}).reader())
    second = package_set(tree.plant({STATUS: f"{BASH}\n{OPENSSL}"}).reader())
    assert first.items == second.items
    assert first.items["dpkg"]["count"] == 2


def test_a_new_version_changes_the_digest(tree):
    first = package_set(tree.plant({STATUS: BASH}).reader())
    second = package_set(tree.plant({STATUS: BASH.replace("5.2-1", "5.2-2")}).reader())
    assert first.items["dpkg"]["digest"] != second.items["dpkg"]["digest"]


def test_an_apk_database_is_read_too(tree):
    tree.plant(
        {"lib/apk/db/installed": "P:musl\nV:1.2.4-r2\nA:x86_64\n\nP:zlib\nV:1.3\nA:x86_64\n"}
    )
    assert package(tree.reader()).items == {
        "musl:x86_64": {"version": "1.2.4-r2", "source": "musl"},
        "zlib:x86_64": {"version": "1.3", "source": "zlib"},
    }


def test_an_rpm_machine_is_unsupported_and_a_bare_one_absent(tree):
    assert package_set(tree.reader()).missing == {"*": "absent"}
    tree.plant({"usr/lib/sysimage/rpm/rpmdb.sqlite": b"\0"})
    assert package_set(tree.reader()).missing == {"*": "unsupported"}


def test_half_a_database_is_no_list(tree):
    tree.plant({STATUS: BASH.encode() + b"\n" + b"x" * (2 << 20)})
    assert package(tree.reader()).missing == {"*": "too-big"}
    section = package_set(tree.reader())
    assert section.items == {"dpkg": {"count": None, "digest": None}}
    assert section.missing == {"dpkg.count": "too-big", "dpkg.digest": "too-big"}


def test_bytes_that_are_not_utf8_do_not_matter(tree):
    tree.plant(
        {STATUS: b"Package: caf\xe9\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n"}
    )
    assert list(package(tree.reader()).items) == ["caf\ufffd:all"]
