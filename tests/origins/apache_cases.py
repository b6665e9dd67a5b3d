"""Sequences before Apache httpd. mod_deflate and mod_brotli put a suffix on the ETag of what they compress, and httpd
answers a question by such an ETag with the whole; a 304 is there for the plain one alone."""

import gzip

import ranges
import variants
from apache_server import Apache
from cases import case, pairs

SERVER = Apache
globals().update(variants.cases(folders=["", "br", "nochange", "noetag"], writes="dav"))
globals().update(ranges.cases())

READERS = [[("Accept-Language", "de")], [("Accept-Language", "en;q=0.8, de;q=0.3")], [("Accept-Language", "fr")], []]


def negotiated(t, folder="multi", short=False):
    """A page in two languages, each also compressed; its path has neither language nor coding. It has a folder of its
    own, since httpd puts the time of the folder's last change into the ETag."""
    t.made += 1
    name = f"{folder}/{t.name}/{t.made}/page.html"
    for language in ("en", "de"):
        text = f"<p>{name} in {language}</p>\n" * 40
        t.server.put(f"{name}.{language}", text)
        t.server.put(f"{name}.{language}.gz", gzip.compress(text.encode()))
    t.server.lifetime(name.removesuffix(".html"), short)
    return "/" + name


@case
def languages_and_codings(t):
    """MultiViews with Vary: negotiate, accept-language, accept-encoding: every reader has his language and a coding
    that he can decode, fresh, again and stale."""
    kinds = [(client, reader) for client in ("browser", "curl") for reader in READERS]
    made = [(negotiated(t, short=True), *pair) for pair in pairs(kinds)]
    for path, *both in made:
        for client, reader in (*both, *both):
            t.served(path, client, reader, what="fresh")
    t.expire()
    for path, *both in made:
        t.lasting(path.removesuffix(".html"))
        for client, reader in reversed(both):
            t.served(path, client, reader, what="stale")
        for client, reader in both:
            t.hits(path, client, reader, what="renewed")


@case
def pages_that_nobody_accepts(t):
    """406 for one reader's languages, the page for another's; 406 is never what the other gets."""
    t.made += 1
    path = f"/strict/{t.name}.html"
    for language in ("en", "de"):
        t.server.put(f"{path[1:]}.{language}", f"in {language}\n")
    readers = [[("Accept-Language", name)] for name in ("fr", "de", "en")]
    for first, second in pairs(readers):
        for reader in (first, second, first, second):
            answer, direct = t.get(path, headers=reader), t.direct("GET", path, headers=reader)
            t.same(answer, direct, f"{reader} {path}", ["Content-Language", "Content-Location"])


@case
def expires_by_type(t):
    """mod_expires says Expires and Cache-Control: max-age."""
    for first, second in pairs(["browser", "curl"]):
        path = t.file(folder="expires")
        t.served(path, first)
        t.served(path, second)
        for client in (first, second):
            seen = t.hits(path, client)
            t.expect(590 <= int(seen.cache["ttl"]) <= 600, lambda: f"{path}: {seen.get('Cache-Status')}")


@case
def charset_of_httpd(t):
    """AddDefaultCharset: the type of a stored answer has the charset that httpd adds, after a renewal too."""
    path = t.file(short=True)
    for _ in range(2):
        t.equal(t.served(path).get("Content-Type"), "text/plain; charset=utf-8", path)
        t.expire()


@case
def lifetimes_of_the_route(t):
    """httpd says nothing of lifetimes, the route `ttl: 60s`: a denied page is not kept, a missing one for ten
    seconds."""
    for first, second in pairs(["browser", "curl"]):
        path = t.file(folder="silent")
        t.served(path, first)
        t.served(path, second)
        t.hits(path, first)
        t.hits(path, second)
    t.get("/silent/missing")
    missing = t.get("/silent/missing")
    t.expect(missing.hit and 0 < int(missing.cache["ttl"]) <= 10, lambda: f"404: {missing.get('Cache-Status')}")
    for _ in range(2):
        denied = t.get("/denied/a.txt")
        t.expect(denied.status == 403 and not denied.hit, lambda: f"403: {denied.get('Cache-Status')}")


@case
def addresses_of_clients(t):
    """From a peer that is not trusted: what a client says of his address, host and scheme does not reach httpd so."""
    path, said = t.file(), "203.0.113.66"
    names = ["X-Forwarded-For", "X-Real-IP", "True-Client-IP", "X-Client-IP", "CF-Connecting-IP", "X-Forwarded-Host",
             "X-Forwarded-Server", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Original-URL", "X-Rewrite-URL",
             "X-HTTP-Method-Override", "X_Forwarded_For", "X_Real_IP"]
    t.get(path, headers=[(name, said) for name in names] + [("Forwarded", f"for={said};host={said}")])
    for name, value in t.fetches(path)[0]["headers"].items():
        t.expect(said not in value, f"{name}: {value} reaches the origin")


@case
def uploads_are_refused_before_they_come(t):
    """LimitRequestBody: the 413 reaches a client who waits for 100 Continue, and an upload that fits is written."""
    path = "/limited/upload.txt"
    t.equal(t.upload("PUT", path, b"", size=5000000)[0][:12], "HTTP/1.1 413", "an upload that is too large")
    said = [line[:12] for line in t.upload("PUT", path, b"hello\n")]
    t.equal(said, ["HTTP/1.1 100", "HTTP/1.1 201"], "an upload that fits")
    t.equal(t.get(path).text, "hello\n", "what was uploaded")
