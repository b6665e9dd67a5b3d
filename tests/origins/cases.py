"""What the sequences of all servers are made of: a registry of cases, and what each may ask and assert."""

import inspect
import itertools
import socket
import time

import wire

SHORT = 1  # seconds: what Server.lifetime(name, short=True) makes a server state


class Wrong(AssertionError):
    pass


def case(function):
    """Marks a function of a server's module as one case. It gets a Case; its docstring is the promise."""
    function.is_case = True
    return function


def cases_of(module):
    return [(name, found) for name, found in inspect.getmembers(module, inspect.isfunction)
            if getattr(found, "is_case", False)]


def spelled(client):
    """Accept-Encoding of a client of wire.CLIENTS, or the field's own text, as header lines."""
    value = wire.CLIENTS.get(client, client)  # None: no field
    return [] if value is None else [("Accept-Encoding", value)]


def pairs(of):
    """Every ordered pair of two different ones."""
    return list(itertools.permutations(of, 2))


class Case:
    """One case while it runs. Its files are below a folder of its own, so that cases do not meet."""

    def __init__(self, name, server, daemon):
        self.name, self.server, self.daemon, self.wrong, self.made = name, server, daemon, [], 0
        self.known = {}  # what the server answered directly since the last change

    # --- files of the origin ---

    def file(self, content=None, suffix="txt", folder="", short=False, repeat=40):
        """A file that no request has named before; gives its path. `folder` chooses how the server treats it."""
        self.made += 1
        name = f"{folder}/{self.name}/{self.made}.{suffix}".lstrip("/")
        self.server.put(name, self.words(name, repeat) if content is None else content)
        self.server.lifetime(name, short)
        return "/" + name

    @staticmethod
    def words(name, repeat=40, edition=1):
        return f"edition {edition} of {name}: a line that is long enough to be compressed\n" * repeat

    def change(self, path, repeat=40):
        """Another edition of the file, changed a minute ago."""
        self.known.clear()
        self.server.put(path.lstrip("/"), self.words(path.lstrip("/"), repeat, edition=2), age=60)

    def lasting(self, path):
        """From now on the server states ten minutes for this file."""
        self.server.lifetime(path.lstrip("/"), short=False)

    def expire(self):
        """Waits until whatever was stored with the short lifetime is stale. Longer does no harm."""
        self.known.clear()
        time.sleep(SHORT + 0.1)

    # --- requests ---

    def ask(self, method, target, headers=(), content=None, **more):
        if method not in ("GET", "HEAD"):
            self.known.clear()
        more.setdefault("host", self.server.host(target))
        return wire.ask(self.daemon.port, method, target, list(headers), content, **more)

    def get(self, target, client="curl", headers=(), **more):
        return self.ask("GET", target, [*spelled(client), *headers], **more)

    def head(self, target, client="curl", headers=(), **more):
        return self.ask("HEAD", target, [*spelled(client), *headers], **more)

    def direct(self, method, target, client="curl", headers=(), content=None, **more):
        """The same request without Forebay between."""
        more.setdefault("host", self.server.host(target))
        return wire.ask(self.server.port, method, target, [*spelled(client), *headers], content, **more)

    def upload(self, method, path, content, size=None):
        """A request with Expect: 100-continue: its content is sent when 100 has come, not at all after another answer.
        `size`: what it says as its length. Gives the status lines that came."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.server.host(path)}", "Expect: 100-continue",
                 "Connection: close", f"Content-Length: {size or len(content)}"]
        with socket.create_connection(("127.0.0.1", self.daemon.port), wire.PATIENCE) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            reader, lines = connection.makefile("rb"), []
            while not lines or lines[-1].startswith("HTTP/1.1 1"):
                lines.append(reader.readline().decode().strip())
                while reader.readline().strip():
                    pass
                if lines[-1].startswith("HTTP/1.1 100"):
                    connection.sendall(content)
        return lines

    def fetches(self, path):
        return self.server.requests(path)

    # --- promises ---

    def expect(self, holds, what):
        """Notes what does not hold and goes on: one run shows all that is wrong."""
        if not holds:
            self.wrong.append(what() if callable(what) else what)
        return holds

    def equal(self, seen, expected, what):
        return self.expect(seen == expected, f"{what}: {seen!r}, not {expected!r}")

    def usable(self, answer, client, what):
        """What the client gets is something that it said it can decode."""
        field = dict(spelled(client)).get("Accept-Encoding")
        if not self.expect(answer.status != 200 or wire.acceptable(answer.coding, field) or not answer.content,
                           lambda: f"{what}: coding {answer.coding} for Accept-Encoding {field!r}\n      {answer}"):
            return False
        try:
            answer.body
        except Exception as error:  # whatever a decoder raises
            return self.expect(False, f"{what}: cannot be decoded: {error}\n      {answer}")
        return True

    SAME = ["ETag", "Content-Encoding", "Content-Type", "Content-Language", "Content-Location", "Last-Modified",
            "Location", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Set-Cookie", "WWW-Authenticate"]

    def same(self, answer, direct, what, fields=SAME):
        """Forebay's answer says what the origin says to the same request."""
        def both():
            return f"\n      {answer}\n    where the origin gives\n      {direct}"
        held = self.expect(answer.status == direct.status, lambda: f"{what}: status {answer.status}{both()}")
        for name in fields:
            held &= self.expect(self.server.alike(name, answer.get(name), direct.get(name)),
                                lambda: f"{what}: {name} is {answer.get(name)!r}, not {direct.get(name)!r}{both()}")
        if answer.method != "HEAD":
            try:
                alike = answer.body == direct.body
            except Exception as error:
                return self.expect(False, f"{what}: cannot be decoded: {error}{both()}")
            held &= self.expect(alike, lambda: f"{what}: another body{both()}")
        return held

    def served(self, target, client="curl", headers=(), what="", method="GET", **more):
        """One request: what Forebay answers is usable and what the origin would say itself. Gives the answer."""
        answer = self.ask(method, target, [*spelled(client), *headers], **more)
        what = f"{what} {client!r} {target}".strip()
        self.usable(answer, client, what)
        # A client that takes anything is as well served by what the origin compresses for those who name a coding.
        like = "browser" if client == "anything" and answer.coding else client
        key = (method, target, like, *headers)
        if key not in self.known:
            self.known[key] = self.direct(method, target, like, headers, **more)
        self.same(answer, self.known[key], what)
        return answer

    def hits(self, target, client="curl", headers=(), what="", **more):
        answer = self.served(target, client, headers, what, **more)
        self.expect(answer.hit, lambda: f"{what} {client!r} {target}: no hit: {answer.get('Cache-Status')}")
        return answer

    def at_most(self, path, number, what, since=0):
        """No more fetches than that have come for the path (after the first `since`). Gives those that came."""
        found = self.fetches(path)
        asked = [f"{each['method']} " + " ".join(f"{name}: {value}" for name, value in each["headers"].items()
                                                 if name.startswith(("if-", "accept-encoding", "range")))
                 for each in found[since:]]
        self.expect(len(asked) <= number, f"{what} {path}: {len(asked)} fetches, not {number}: {asked}")
        return found
