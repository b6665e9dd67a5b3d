"""What the recipe promises of nginx behind Forebay, and what each of its lines is for."""

import http.client

import wire
from cases import case, pairs
from nginx_recipe_server import NginxRecipe

SERVER = NginxRecipe

CODINGS = {"browser": "gzip", "curl": None}


def coding(t, target, client):
    return t.get(target, client).coding


@case
def each_gets_its_coding_from_memory(t):
    """A browser gets gzip, curl plain content, both from the second time on from memory, whoever was first."""
    for first, second in pairs(list(CODINGS)):
        path = t.file(suffix="css")
        for client in (first, second):
            t.equal(t.served(path, client).coding, CODINGS[client], f"{path} {client} the first time")
        for client in (first, second):
            answer = t.hits(path, client)
            t.equal(answer.coding, CODINGS[client], f"{path} {client} again")
            t.equal(answer.get("Vary"), "Accept-Encoding", f"{path} {client}")
        t.at_most(path, 2, "two clients")


@case
def without_gzip_proxied_nothing_is_compressed(t):
    """Via is why: the same request without it gets gzip."""
    path = t.file(suffix="css", folder="bare")
    for via, expected in (([], "gzip"), ([("Via", "1.1 forebay")], None)):
        headers = [("Accept-Encoding", "gzip"), *via]
        t.equal(wire.ask(t.server.bare, "GET", path, headers).coding, expected, f"nginx itself, {via}")
    t.equal(coding(t, path, "browser"), None, "through Forebay")


@case
def without_gzip_vary_clients_get_the_wrong_form(t):
    """curl gets what a browser asked for, and a browser gets plain content after one who refuses gzip."""
    seen = {}
    for first in ("browser", "curl", "plain"):
        path = t.file(suffix="css", folder="no-vary")
        seen[first] = [coding(t, path, client) for client in (first, "browser", "curl", "plain", "browser")]
    t.equal(seen["browser"], ["gzip", "gzip", "gzip", None, None], "a browser first")
    t.equal(seen["curl"], [None] * 5, "curl first")
    t.equal(seen["plain"], [None] * 5, "one who refuses gzip first")


@case
def redirects_stay_with_forebay(t):
    """The redirect of a folder names no port of nginx, unless absolute_redirect is on."""
    for folder, expected in (("", "/"), ("bare", f"http://shop.test:{t.server.bare}/")):
        path = t.file(folder=folder).rpartition("/")[0]
        answer = t.get(path)
        t.equal((answer.status, answer.get("Location")), (301, expected + path.lstrip("/") + "/"), path)


@case
def nginx_sees_the_address_of_the_client(t):
    """Of a client of another loopback address."""
    path = t.file()
    connection = http.client.HTTPConnection("127.0.0.1", t.daemon.port, timeout=wire.PATIENCE,
                                            source_address=("127.0.0.3", 0))
    connection.request("GET", path)
    t.equal(connection.getresponse().status, 200, path)
    connection.close()
    t.equal([each["address"] for each in t.fetches(path)], ["127.0.0.3"], path)


@case
def lifetimes_are_those_of_nginx(t):
    """max-age, expires 30d, and nothing of an account; a 404 has no lifetime."""
    for folder, least, most in (("", 50, 60), ("static", 2591900, 2592000)):
        path = t.file(folder=folder)
        t.served(path)
        ttl = int(t.hits(path).cache["ttl"])
        t.expect(least <= ttl <= most, f"{path}: ttl {ttl}")
    path = t.file(folder="account")
    for each in (path, path, f"/{t.name}/missing", f"/{t.name}/missing"):
        answer = t.get(each)
        t.expect(not answer.hit, f"{each}: {answer.get('Cache-Status')}")


@case
def conditions_and_ranges(t):
    """A browser that has the file gets a 304 from memory, one that goes on with a download gets the rest."""
    path = t.file(suffix="css")
    for client in ("browser", "curl"):
        etag = t.get(path, client).etag
        t.equal(t.get(path, client, [("If-None-Match", etag)]).status, 304, f"{client} by {etag}")
    part, whole = t.get(path, "curl", [("Range", "bytes=10-")]), t.get(path)
    t.equal((part.status, part.content), (206, whole.content[10:]), "a part")
    t.at_most(path, 2, "all of them")
