"""Another account at a centre, which approves what the first one orders."""

import json
import urllib.request

NAME, PASSWORD = "grace", "correct horse battery staple"


def second_person(central):
    """Make the account, log it in, and return the headers that say so."""
    grants = [{"role": "operator", "on": ""}]
    central.post("/api/v1/users", {"name": NAME, "grants": grants, "password": PASSWORD})
    body = json.dumps({"user": NAME, "password": PASSWORD}).encode()
    headers = {"Content-Type": "application/json"}
    with _ask(central, "/api/v1/session", body, headers) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    return {"Cookie": cookie, "X-Roost-CSRF": "1"}


def approve(central, order, headers):
    """Stand behind somebody else's order."""
    with _ask(central, f"/api/v1/orders/{order['id']}/approve", None, headers) as answer:
        return json.load(answer)


def _ask(central, path, body, headers):
    url = f"{central.url}{path}"
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - a test's own
    return urllib.request.urlopen(request, timeout=10)  # noqa: S310 - as above
