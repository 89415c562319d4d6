"""Lists of boxes as spreadsheets write them: what is read, and what is said of what is not."""

import pytest

from roost_central.cli import claim_list
from roost_central.cli.claim_list import read
from roost_central.cli.failure import ApiError, RefusedError

ROW = {"serial": "AC-7", "site": "edge-7"}


@pytest.fixture
def written(tmp_path):
    def write(raw):
        path = tmp_path / "boxes.csv"
        path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        return str(path)

    return write


@pytest.mark.parametrize(
    "raw",
    [
        "serial,site\nAC-7,edge-7\n",
        b"\xef\xbb\xbfserial,site\r\nAC-7,edge-7\r\n",
        "Serial ; site;node\n AC-7 ;edge-7;\n;;\n\n",
        "site\tserial\nedge-7\tAC-7\n",
        'serial,site\n"AC-7","edge-7"\n',
        "serial,site,node\nAC-7,edge-7\n",
    ],
    ids=["plain", "mark", "semicolons", "tabs", "quotes", "short row"],
)
def test_what_spreadsheets_write_is_read(written, raw):
    found = read(written(raw))
    assert (found.rows, found.lines) == ([ROW], [2])


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("", "no rows"),
        ("serial,site\n", "no rows"),
        ("serial,colour\nA,b\n", "column 'colour': the first line names serial, key, site, node"),
        ("serial,serial\nA,b\n", "each once"),
        ("serial,site\nA,s\nA,s,x,y\n", "line 3: 2 more than the 2 columns"),
        ("serial,site\nA,s\nB,s\n\nA,s\n", "line 5: line 2 once more"),
        (b"serial,site\nA,s\nM\xfcller,s\n", "line 3: not UTF-8"),
        ('serial,site\nA,s\n"B,s\n', "line 3: unexpected end of data"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(written, raw, says):
    with pytest.raises(RefusedError) as refused:
        read(written(raw))
    assert says in refused.value.sentence


def test_a_list_has_an_end(written, monkeypatch):
    monkeypatch.setattr(claim_list, "ROWS_MAX", 2)
    with pytest.raises(RefusedError, match="more than 2 rows"):
        read(written("serial,site\nA,s\nB,s\nC,s\n"))
    monkeypatch.setattr(claim_list, "BYTES_MAX", 10)
    with pytest.raises(RefusedError, match="more than 10 bytes"):
        read(written("serial,site\nA,s\n"))


def test_a_refusal_of_the_centre_names_the_line(written):
    found = read(written("serial,site\nA,s\n\nB,+\n"))
    err = ApiError(
        400, "invalid", "claims[1].site: is no name", errors=[{"field": "claims[1].site"}]
    )
    found.blame(err)
    assert err.detail == f"{found.file} line 4: site: is no name"
    assert err.errors[0]["field"] == f"{found.file} line 4: site"
