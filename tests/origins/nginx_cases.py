"""Sequences before nginx. It compresses on the way out: the ETag of a compressed answer is weak, that of a plain one
strong with the same text, and its 304s and its answers to HEAD name the strong one and no Vary."""

import tempfile

import processes
import ranges
import variants
import wire
from cases import case, pairs
from independence import independent, request
from nginx_server import Nginx

SERVER = Nginx
globals().update(variants.cases(folders=["", "static", "dated", "bare"], writes="written"))
globals().update(variants.cases(folders=["novary"], writes=None, says_vary=False))
globals().update(ranges.cases(measured=True))


@case
def browsers_and_curl_in_turn(t):
    """Eleven requests in turn are two fetches, whoever is first."""
    for order in (("browser", "curl"), ("curl", "browser")):
        path = t.file()
        for turn in range(11):
            (t.hits if turn > 1 else t.served)(path, order[turn % 2], what=f"request {turn}")
        t.at_most(path, 2, f"{order} in turn")


@case
def weak_and_strong_are_not_asked_about_twice(t):
    """nginx weakens the ETag of what it compresses and answers a question by it with the strong one. What is stored is
    not asked about by that validator again: from the second lifetime on a renewal is one fetch."""
    path = t.file(short=True)
    for turn in range(4):
        if turn:
            t.expire()
        before = len(t.fetches(path))
        t.served(path, "browser", what=f"lifetime {turn}")
        asked = t.at_most(path, 2 if turn == 1 else 1, f"lifetime {turn}", since=before)
        if turn > 1:
            t.expect("if-none-match" not in asked[-1]["headers"], f"{path} lifetime {turn}: asked by a tag in vain")


def in_coding(t, path, coding):
    """The answer to a client that accepts this coding alone, once Forebay has made it."""
    found = []

    def made():
        found.append(t.get(path, coding))
        return found[-1].coding == coding
    processes.until(made, f"{coding} of {path}")
    return found[-1]


@case
def forebay_compresses_what_nginx_does_not(t):
    """Without gzip_proxied nginx sends identity to who carries Via. One fetch serves every client: each gets a coding
    that it accepts, and the content that nginx has. nginx is asked about it by its own ETag."""
    path = t.file(suffix="css", folder="squeezed", short=True)
    plain = t.direct("GET", path, None)
    t.equal(t.get(path, "browser").coding, None, "a miss")
    for coding in ("gzip", "br", "zstd"):
        answer = in_coding(t, path, coding)
        t.equal(answer.body, plain.body, coding)
        t.equal(answer.etag, f"W/{plain.etag}", coding)
        t.equal(answer.get("Vary"), "Accept-Encoding", coding)
        t.equal(len(answer.content), int(t.head(path, coding).get("Content-Length")), f"HEAD of {coding}")
    for client, field in wire.CLIENTS.items():
        answer = t.get(path, client)
        if client != "refuses identity":
            t.expect(wire.acceptable(answer.coding, field), lambda: f"{client} got {answer.coding}")
        t.equal(answer.body, plain.body, client)
        t.equal(answer.get("Vary"), "Accept-Encoding", client)
    t.expire()
    for tag in (plain.etag, f"W/{plain.etag}"):
        t.equal(t.get(path, "browser", [("If-None-Match", tag)]).status, 304, tag)
    asked = t.fetches(path)
    t.expect(all(each["headers"]["accept-encoding"] == "identity" for each in asked[1:]), f"{asked}")
    t.expect(all(each["headers"].get("if-none-match", plain.etag) == plain.etag for each in asked[1:]), f"{asked}")
    t.equal(in_coding(t, path, "br").body, plain.body, "after the 304")


@case
def curl_decodes_what_forebay_compresses(t):
    """curl --compressed has the file of nginx."""
    path = t.file(suffix="css", folder="squeezed")
    plain = t.direct("GET", path, None)
    t.get(path)
    in_coding(t, path, "gzip")
    with tempfile.NamedTemporaryFile() as fields:
        url = f"http://127.0.0.1:{t.daemon.port}{path}"
        host = f"Host: {t.server.host(path)}"
        body = processes.output("curl", "-s", "--compressed", "-H", host, "-D", fields.name, url)
        t.equal(body, plain.text, "curl --compressed")
        t.expect(b"Content-Encoding:" in fields.read(), "nothing was compressed")


@case
def what_is_private_passes_as_nginx_compresses_it(t):
    """Forebay compresses nothing of one client. The first request asks for identity; then it is known that nothing of
    this is stored, and nginx compresses."""
    path = t.file(suffix="css", folder="squeezed-private")
    t.get(path, "gzip only")
    answer = t.get(path, "gzip only")
    t.equal(answer.coding, "gzip", "by nginx")
    t.expect(not answer.hit, answer)


@case
def expires(t):
    """`expires 10m` says both Expires and Cache-Control."""
    for first, second in pairs(["browser", "curl"]):
        path = t.file(folder="expires")
        t.served(path, first)
        t.served(path, second)
        for client in (first, second):
            seen = t.hits(path, client)
            t.expect(590 <= int(seen.cache["ttl"]) <= 600, lambda: f"{path}: {seen.get('Cache-Status')}")


@case
def lifetimes_of_the_route(t):
    """nginx says nothing of lifetimes, the route `ttl: 60s`: files are hits for each client, a missing one is kept for
    ten seconds, a denied one not at all."""
    for first, second in pairs(["browser", "curl"]):
        path = t.file(folder="silent")
        t.served(path, first)
        t.served(path, second)
        t.hits(path, first)
        t.hits(path, second)
    t.get("/silent/missing")
    missing = t.get("/silent/missing")
    t.expect(missing.hit and 0 < int(missing.cache["ttl"]) <= 10, lambda: f"404: {missing.get('Cache-Status')}")
    t.server.put("silent/denied/a.txt", "secret")
    for _ in range(2):
        denied = t.get("/silent/denied/a.txt")
        t.expect(denied.status == 403 and not denied.hit, lambda: f"403: {denied.get('Cache-Status')}")


@case
def credentials(t):
    """`ttl: 60s` alone: what is answered to credentials is for nobody else, what is answered to nobody is not for
    them."""
    requests = [request("/key"), request("/key", "X-Api-Key: anna"), request("/key", "X_Api_Key: anna"),
                request("/key", "Authorization: Bearer anna"), request("/key", "Cookie: session=anna"),
                request("/key", "Cookie: session=bert"), request("/key", "X-Api-Key: bert", "Cookie: session=anna")]
    independent(t, requests)
    independent(t, [request("/login"), request("/login", "Cookie: session=anna"),
                    request("/login", "Cookie: session=bert")])


@case
def what_trusted_proxies_say(t):
    """Fields of a trusted proxy that nginx shows in its answer are in the key, or do not reach it."""
    lines = [[], ["X-Forwarded-Host: cdn.example"], ["X_Forwarded_Host: cdn.example"],
             ["X-Forwarded-Host: other.example"], ["X-Original-URL: /admin"], ["X_Original_URL: /admin"],
             ["X-Rewrite-URL: /admin"], ["X-Forwarded-Port: 8443"],
             ["X-Forwarded-Prefix: /shop"], ["X_Forwarded_Prefix: /shop"], ["X-Forwarded-Server: inner.example"],
             ["Forwarded: for=10.0.0.1;host=cdn.example"], ["Forwarded: host=other.example;proto=https"],
             ["X-Forwarded-Proto: https"], ["X-Forwarded-Proto: https, http"],
             ["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"]]
    independent(t, [request("/link", *each) for each in lines])


@case
def vary_on_what_proxies_write(t):
    """Vary: X-Forwarded-Proto and X-Forwarded-For: chosen by the fields as nginx got them."""
    independent(t, [request("/scheme"), request("/scheme", "X-Forwarded-Proto: https"),
                    request("/scheme", "X-Forwarded-Proto: http")])
    senders = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2", "X-Forwarded-For: 192.0.2.1, 192.0.2.2"]
    found = independent(t, [request("/address"), *(request("/address", line) for line in senders)])
    t.equal(len(set(found.values())), 4, f"four senders, each by his address: {found}")


@case
def uploads_are_refused_before_they_come(t):
    """client_max_body_size: the 413 reaches a client who waits for 100 Continue, and an upload that fits is written."""
    path = "/written/upload.txt"
    t.equal(t.upload("PUT", path, b"", size=5000000)[0][:12], "HTTP/1.1 413", "an upload that is too large")
    said = [line[:12] for line in t.upload("PUT", path, b"hello\n")]
    t.equal(said, ["HTTP/1.1 100", "HTTP/1.1 201"], "an upload that fits")
    t.equal(t.served(path).text, "hello\n", "what was uploaded")
