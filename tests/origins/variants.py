"""Sequences of two clients who get different bytes for one URL, in both orders. They are the same for every server that
compresses; its module takes them by `cases`."""

import gzip

from cases import case, pairs
from wire import ALIKE, CLIENTS

SOME = ["browser", "gzip only", "curl", "refuses gzip"]


def prepare(t, folder, names, **more):
    """A path for each pair of clients."""
    made = []
    for pair in names:
        path = t.file(folder=folder, **more)
        if folder == "static":
            t.server.put(path.lstrip("/") + ".gz", gzip.compress(t.words(path.lstrip("/")).encode()))
        made.append((path, *pair))
    return made


def fresh(t, folder, clients):
    """Two clients, one after the other, then both again: each gets its own, and the second time it is a hit."""
    for path, first, second in prepare(t, folder, pairs(clients)):
        t.served(path, first, what="1st")
        t.served(path, second, what=f"after {first!r}")
        t.hits(path, first, what=f"again, after {second!r}")
        t.hits(path, second, what=f"again, after {first!r}")
        t.at_most(path, 2, f"{first!r}, {second!r}")


def alike(t, folder):
    """Two spellings of one ability share what is stored, in both orders."""
    for path, first, second in prepare(t, folder, [*ALIKE, *[(b, a) for a, b in ALIKE]]):
        t.served(path, first, what="1st")
        t.hits(path, second, what=f"spelled otherwise than {first!r}")
        t.at_most(path, 1, f"{first!r}, {second!r}")


def stale(t, folder, between):
    """Both are stored and become stale. Each is then renewed for the client it is for, and both are hits again."""
    made = prepare(t, folder, pairs(SOME), short=True)
    for path, first, second in made:
        t.served(path, first, what="1st")
        t.served(path, second, what="2nd")
    t.expire()
    for path, first, second in made:
        between(t, path)
        t.lasting(path)
    before = {path: len(t.fetches(path)) for path, *_ in made}
    for path, first, second in made:
        t.served(path, second, what=f"stale, 1st, pair {first!r}")
        t.served(path, first, what=f"stale, after {second!r}")
        t.hits(path, second, what=f"renewed, pair {first!r}")
        t.hits(path, first, what=f"renewed, pair {second!r}")
        # One question each, and one more each where a 304 cannot be taken for what is stored.
        t.at_most(path, 4, f"stale {first!r}, {second!r}", since=before[path])


def keep(t, path):
    pass


def change(t, path):
    t.change(path)
    if path.startswith("/static/"):
        t.server.put(path.lstrip("/") + ".gz", gzip.compress(t.words(path.lstrip("/"), edition=2).encode()), age=60)


def rounds(t, folder):
    """Browsers and curl in turn over several lifetimes: nobody's answer is lost to the other."""
    made = [(t.file(folder=folder, short=True), order) for order in (("browser", "curl"), ("curl", "browser"))]
    for turn in range(3):
        for path, order in made:
            if turn == 2:
                t.lasting(path)
            for client in order:
                t.served(path, client, what=f"turn {turn}")
        if turn < 2:
            t.expire()
    for path, order in made:
        since = len(t.fetches(path))
        for _ in range(3):
            for client in order:
                t.hits(path, client, what="after three lifetimes")
        t.at_most(path, 0, "after three lifetimes", since=since)


def written(t, folder, expected=(201, 204)):
    """A write makes both stale; what comes next is the new text for both."""
    for path, first, second in prepare(t, folder, pairs(["browser", "curl"])):
        t.served(path, first)
        t.served(path, second)
        done = t.ask("PUT", path, content=t.words(path.lstrip("/"), edition=2).encode())
        t.expect(done.status in expected, f"PUT {path}: {done.status}")
        for client in (second, first):
            answer = t.served(path, client, what="written")
            t.expect("edition 2" in answer.text, f"{client!r} {path}: the old text after a write")
        t.hits(path, first, what="written")
        t.hits(path, second, what="written")


def heads(t, folder):
    """HEAD before GET and after it, fresh and stale, from the same client and from another."""
    made = prepare(t, folder, pairs(["browser", "curl", "refuses gzip"]), short=True)
    for turn in ("fresh", "stale"):
        for path, first, second in made:
            for client in (first, second):
                t.head(path, client)
                got = t.served(path, client, what=f"{turn}, after HEAD")
                seen = t.head(path, client)
                if turn == "stale":
                    t.equal(seen.etag, got.etag, f"{turn} HEAD {client!r} {path} after GET: ETag")
                    t.equal(seen.coding, got.coding, f"{turn} HEAD {client!r} {path} after GET: Content-Encoding")
        if turn == "fresh":
            t.expire()
            for path, *_ in made:
                t.lasting(path)
    for path, first, second in made:
        for client in (first, second):
            t.hits(path, client, what="after HEADs")


def parts(t, folder):
    """A range of what was compressed for one client, and of what was not for the other: bytes of what each gets."""
    for path, first, second in prepare(t, folder, pairs(SOME)):
        for client in (first, second, first, second):
            part, whole = t.get(path, client, [("Range", "bytes=10-59")]), t.served(path, client)
            if part.status == 200:
                t.expect(part.content == whole.content, f"{client!r} {path}: 200 with other content")
                continue
            t.equal((part.status, part.coding, part.etag), (206, whole.coding, whole.etag), f"{client!r} {path}: a part")
            t.expect(part.content == whole.content[10:60], f"{client!r} {path}: other bytes in the part")


def conditions(t, folder):
    """Each client asks with the ETag that it was given: 304 for the same, the whole for another's."""
    for path, first, second in prepare(t, folder, pairs(["browser", "curl"])):
        tags = {client: t.served(path, client).etag for client in (first, second)}
        if None in tags.values():
            continue
        for client in (second, first):
            condition = [("If-None-Match", tags[client])]
            answer = t.get(path, client, condition)
            t.equal(answer.status, 304, f"{client!r} {path} If-None-Match of its own")
            t.equal(answer.etag, tags[client], f"{client!r} {path}: ETag of the 304")
            t.equal(t.get(path, client, [("If-None-Match", '"another"')]).status, 200, f"{client!r} {path} another tag")


def unsaid(t, folder, between):
    """The origin compresses and does not say Vary, or says it on what it compresses alone. Whoever names the coding that
    he wants, or refuses one, gets what he can decode, fresh and stale."""
    clients = ["browser", "gzip only", "plain", "refuses gzip"]
    made = prepare(t, folder, pairs(clients), short=True)

    def ask(path, client, what):
        answer, direct = t.get(path, client), t.direct("GET", path, client)
        # PHP itself compresses for whoever has the word gzip in the field, gzip;q=0 too.
        if direct.coding and client == "refuses gzip" or t.usable(answer, client, f"{what} {client!r} {path}"):
            t.expect(answer.body == direct.body, lambda: f"{what} {client!r} {path}: another text\n      {answer}")
    for path, first, second in made:
        for client in (first, second, first, second):
            ask(path, client, "1st")
    t.expire()
    for path, first, second in made:
        between(t, path)
        t.lasting(path)
        for client in (second, first, second, first):
            ask(path, client, "stale")


def taker():
    """A dictionary of cases, and the function that adds one: a name, what is performed, and its arguments."""
    found = {}

    def add(name, function, *arguments):
        def perform(t):
            function(t, *arguments)
        perform.__doc__ = function.__doc__
        found[name] = case(perform)
    return found, add


def cases(folders=("",), writes="", says_vary=True):
    """The cases by their names, for a server's module. `folders` are the server's ways to treat a file; `writes` is the
    one where PUT writes files, None where none is. The first folder is tried with all pairs of clients."""
    found, add = taker()
    for folder in folders:
        place = f"_{folder}" if folder else ""
        if not says_vary:
            add(f"two_clients_without_vary_unchanged{place}", unsaid, folder, keep)
            add(f"two_clients_without_vary_changed{place}", unsaid, folder, change)
            continue
        add(f"two_clients_fresh{place}", fresh, folder, CLIENTS if folder == folders[0] else SOME)
        add(f"two_clients_stale_unchanged{place}", stale, folder, keep)
        add(f"two_clients_stale_changed{place}", stale, folder, change)
        add(f"many_lifetimes{place}", rounds, folder)
        add(f"head_and_get{place}", heads, folder)
        add(f"conditions_of_clients{place}", conditions, folder)
        add(f"parts_of_two_clients{place}", parts, folder)
    if says_vary:
        add("spellings_share", alike, folders[0])
    if writes is not None:
        add("writes_renew_all_variants", written, writes)
    return found
