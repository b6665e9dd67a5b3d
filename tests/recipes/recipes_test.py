#!/usr/bin/env python3
"""Performs the recipes of docs/ against the binary, and compares what is seen with what they say.

Usage: recipes_test.py FOREBAY [--show] [PAGE...]
       recipes_test.py --serve PAGE [PORT]    the origin of a page, by hand, on port 3000 of loopback

A recipe is a page of docs/ with three kinds of fenced blocks, taken in the order of the page:
  ```yaml recipe      a whole configuration: it passes `forebay check --strict`, and a daemon is started with it for the
                      sessions that follow. `http://localhost:3000` in it becomes the address of the test's origin.
                      Codes behind `recipe` are those of warnings that the page means to have: exactly these are given.
  ```json origin      what that origin answers: a list of rows with `method`, `path` (with or without a query), `when`
                      (fields that the request has), `holds` (text within its content), and `status`, `headers`, `body`.
                      The first row that fits answers; {count} in a body is the number of requests that have come so far.
  ```console recipe   lines `$ curl ...` and `$ forebay ...`, each with the lines of its output that matter, in their
                      order. `...` stands for any text within a line; `ttl=60` allows for ten seconds that have passed.
                      Ports 8080 and 8081 of localhost are the daemon's, whatever it really listens on.
"""

import http.client
import http.server
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ORIGIN = "http://localhost:3000"
PATIENCE = 120  # seconds, for a build with sanitizers on a busy machine
SLACK = 30  # how many seconds a lifetime may have counted down from what a page shows


class Wrong(Exception):
    pass


# --- pages ---


def fences(page):
    """(info, line, lines) of the fenced blocks; `line` is the number of the first line inside."""
    info, start, block = None, 0, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("```"):
            if info is None:
                info, start, block = line[3:].strip(), number + 1, []
            else:
                yield info, start, block
                info = None
        elif info is not None:
            block.append(line)


def steps(line, block):
    """(line, command, expected lines) of a session."""
    command, expected, begun = None, [], 0
    rest = iter(enumerate(block, line))
    for number, text in rest:
        if text.startswith("$ "):
            if command is not None:
                yield begun, command, expected
            command, expected, begun = text[2:], [], number
            while command.endswith("\\"):
                command = command[:-1] + next(rest)[1].strip()
        elif command is None:
            raise Wrong(f"line {number}: a session begins with a command")
        elif text.strip():
            expected.append(text)
    if command is not None:
        yield begun, command, expected


# --- the origin ---


class Origin(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Answering)
        self.lock = threading.Lock()
        self.begin([])
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def begin(self, rows):
        self.rows, self.count, self.unknown = rows, 0, []


class Answering(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def content(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return content

    def fits(self, row, content):
        path = self.path if "?" in row["path"] else self.path.partition("?")[0]
        method = "GET" if self.command == "HEAD" else self.command
        return (path == row["path"] and method == row.get("method", "GET")
                and all(self.headers.get(name) == value for name, value in row.get("when", {}).items())
                and row.get("holds", "") in content.decode(errors="replace"))

    def answer(self):
        content = self.content()
        with self.server.lock:
            self.server.count += 1
            count = self.server.count
            row = next((row for row in self.server.rows if self.fits(row, content)), None)
            if row is None:
                self.server.unknown.append(f"{self.command} {self.path} {content!r}")
                row = {"status": 500, "body": "no row of the recipe's origin fits\n"}
        body = row.get("body", "")
        headers = dict(row.get("headers", {}))
        if not isinstance(body, str):
            body = json.dumps(body, separators=(",", ":"))
            headers.setdefault("Content-Type", "application/json")
        body = body.replace("{count}", str(count)).encode()
        self.send_response(row.get("status", 200))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


# --- the daemon ---


class Daemon:
    def __init__(self, forebay, folder):
        ports = folder / "ports"
        ports.unlink(missing_ok=True)
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(
            [forebay, "run", "-c", "forebay.yaml", "--port-file", str(ports), "--set", "listen=127.0.0.1:0", "--set",
             "admin.listen=127.0.0.1:0", "--set", "log.access.output=off"],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until = time.monotonic() + PATIENCE
        while not ports.exists():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise Wrong("the daemon does not start:\n" + (folder / "log").read_text())
            time.sleep(0.02)
        found = dict(line.rsplit(" ", 1) for line in ports.read_text().splitlines())
        self.ports = {8081: int(found.pop("admin")), 8080: int(next(iter(found.values())))}

    def stop(self):
        """Its end: nothing when it was in order, else what it said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.seek(0)
        said = self.log.read()
        self.log.close()
        return "" if self.process.returncode == 0 else f"the daemon ended with {self.process.returncode}:\n{said}"


# --- curl, as far as recipes use it ---

WITH_VALUE = {"-X": "method", "--request": "method", "-H": "header", "--header": "header", "-d": "data",
              "--data": "data", "--data-raw": "data", "--json": "json", "-b": "cookie", "--cookie": "cookie",
              "--data-urlencode": "encode", "-o": "output", "--output": "output", "-D": "dump", "--dump-header": "dump"}
WITHOUT = {"-s": "silent", "--silent": "silent", "-S": "silent", "--show-error": "silent", "-i": "include",
           "--include": "include", "-I": "head", "--head": "head", "-G": "get", "--get": "get"}


def options(words):
    words = list(words)
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            yield "url", word
        elif word in WITHOUT:
            yield WITHOUT[word], True
        elif word in WITH_VALUE:
            yield WITH_VALUE[word], words.pop(0)
        elif not word.startswith("--") and word[:2] in WITHOUT:
            yield WITHOUT[word[:2]], True
            words.insert(0, "-" + word[2:])
        elif not word.startswith("--") and word[:2] in WITH_VALUE:
            yield WITH_VALUE[word[:2]], word[2:]
        else:
            raise Wrong(f"this test knows no option {word} of curl")


def add(headers, name, value):
    """Sets what curl sends by itself, unless -H has said something of it."""
    if name.lower() not in (known.lower() for known, _ in headers):
        headers.append((name, value))


def curl(words, ports):
    given = {"header": [], "data": [], "json": []}
    for name, value in options(words):
        if name == "encode":
            key, _, text = value.partition("=")
            given["data"].append(f"{key}={urllib.parse.quote(text, safe='')}")
        elif isinstance(given.get(name), list):
            given[name].append(value)
        else:
            given[name] = value
    if set("[]{}") & set(given["url"]):
        raise Wrong("curl takes brackets and braces in a URL for a pattern")
    url = given["url"] if "://" in given["url"] else "http://" + given["url"]
    parts = urllib.parse.urlsplit(url)
    if parts.hostname != "localhost" or parts.port not in ports:
        raise Wrong("recipes ask localhost:8080 or localhost:8081")

    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    content = "".join(given["json"]) or "&".join(given["data"])
    if given.get("get"):
        target += ("&" if "?" in target else "?") + content
        content = ""
    has_content = bool(content) or bool((given["json"] or given["data"]) and not given.get("get"))
    method = given.get("method") or ("HEAD" if given.get("head") else "POST" if has_content else "GET")

    headers = []
    for header in given["header"]:
        name, colon, value = header.partition(":")
        headers.append((name, value.strip()) if colon else (name.rstrip(";"), ""))
        if colon and not value.strip():
            headers[-1] = (name, None)  # `-H 'Name:'` takes the field away.
    add(headers, "Host", parts.netloc)
    add(headers, "User-Agent", "curl/8.0")
    if given["json"]:
        add(headers, "Content-Type", "application/json")
        add(headers, "Accept", "application/json")
    elif has_content:
        add(headers, "Content-Type", "application/x-www-form-urlencoded")
    add(headers, "Accept", "*/*")
    if "cookie" in given:
        add(headers, "Cookie", given["cookie"])
    if has_content:
        add(headers, "Content-Length", str(len(content.encode())))

    connection = http.client.HTTPConnection("127.0.0.1", ports[parts.port], timeout=PATIENCE)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(content.encode() if has_content else None)
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
    finally:
        connection.close()
    head = [f"HTTP/1.1 {answer.status} {answer.reason}"] + [f"{name}: {value}" for name, value in answer.getheaders()]
    output = []
    if given.get("include") or given.get("head") or given.get("dump") == "-":
        output += [*head, ""]
    if given.get("output") != "/dev/null":
        output += body.splitlines()
    return output


# --- sessions ---


def matches(expected, line):
    pattern, numbers = "", []
    for piece in re.split(r"(\.\.\.|ttl=-?\d+)", expected):
        if piece == "...":
            pattern += ".*"
        elif piece.startswith("ttl="):
            pattern += r"ttl=(-?\d+)"
            numbers.append(int(piece[4:]))
        else:
            pattern += re.escape(piece)
    found = re.fullmatch(pattern, line.rstrip())
    return found is not None and all(0 <= said - int(seen) <= SLACK for said, seen in zip(numbers, found.groups()))


def compare(expected, output):
    """The first expected line that does not come; they come in their order, with others between them."""
    lines = iter(output)
    for line in expected:
        if not any(matches(line.rstrip(), seen) for seen in lines):
            return line
    return None


def command(words, forebay, folder, daemon):
    if words[0] == "curl":
        return curl(words[1:], daemon.ports)
    if words[0] == "forebay":
        environment = {**os.environ, "NO_COLOR": "1"}
        if daemon:
            environment["FOREBAY_ADMIN"] = f"127.0.0.1:{daemon.ports[8081]}"
        done = subprocess.run([forebay, *words[1:]], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, env=environment)
        output = done.stdout.splitlines()
        if done.returncode != 0:
            raise Wrong("\n".join([f"it ends with {done.returncode}:", *output]))
        return output
    raise Wrong(f"this test knows no command {words[0]}")


class Recipe:
    def __init__(self, page, forebay, origin, folder, show):
        self.page, self.forebay, self.origin, self.folder, self.show = page, forebay, origin, folder, show
        self.daemon, self.sessions, self.configurations, self.wrong = None, 0, 0, 0

    def fail(self, line, what):
        self.wrong += 1
        print(f"{self.page}:{line}: {what}")

    def stop(self):
        if self.daemon:
            said = self.daemon.stop()
            self.daemon = None
            if said:
                self.fail(1, said)

    def configure(self, line, block, codes):
        self.stop()
        self.configurations += 1
        text = "\n".join(block) + "\n"
        if ORIGIN not in text:
            raise Wrong(f"line {line}: the origin of a recipe is {ORIGIN}")
        text = text.replace(ORIGIN, f"http://127.0.0.1:{self.origin.server_address[1]}")
        (self.folder / "forebay.yaml").write_text(text)
        strict = [] if codes else ["--strict"]
        done = subprocess.run([self.forebay, "check", *strict, "-c", "forebay.yaml"], cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0 or sorted(re.findall(r"warning (FB\d+)", done.stdout)) != sorted(codes):
            raise Wrong(f"line {line}: forebay check {' '.join(strict)} gives {done.returncode}:\n{done.stdout}")

    def perform(self, words, expected):
        """What a command gives. A request is counted when it has ended, which may be after its client has the answer,
        so numbers of the admin listener are asked for again until they are as expected."""
        until = time.monotonic() + PATIENCE
        while True:
            output = command(words, self.forebay, self.folder, self.daemon)
            waits = words[0] == "curl" and any("localhost:8081" in word for word in words)
            if not waits or compare(expected, output) is None or time.monotonic() > until:
                return output
            time.sleep(0.05)

    def session(self, line, block):
        for number, text, expected in steps(line, block):
            self.sessions += 1
            if not self.daemon and (text.startswith("curl ") or " --live" in text):
                self.daemon = Daemon(self.forebay, self.folder)
            try:
                output = self.perform(shlex.split(text), expected)
            except (Wrong, OSError, http.client.HTTPException, subprocess.TimeoutExpired) as error:
                self.fail(number, f"$ {text}\n  {error}")
                continue
            if self.show:
                print("\n".join([f"$ {text}", *output]))
            missing = compare(expected, output)
            if missing is not None:
                seen = "\n".join("    " + line for line in output)
                self.fail(number, f"$ {text}\n  does not give, in this place: {missing}\n  but:\n{seen}")

    def run(self):
        try:
            for info, line, block in fences(self.page):
                if info == "json origin":
                    self.origin.begin(json.loads("\n".join(block)))
                elif info.split()[:2] == ["yaml", "recipe"]:
                    self.configure(line, block, info.split()[2:])
                elif info == "console recipe":
                    self.session(line, block)
            if not self.configurations or not self.sessions:
                self.fail(1, "a recipe has a configuration and a session")
        except Wrong as error:
            self.fail(1, error)
        finally:
            self.stop()
        for request in self.origin.unknown:
            self.fail(1, f"the origin has no answer to {request}")
        return self.wrong


def serve(page, port):
    """All lists of the page, one behind the other."""
    rows = [row for info, _, block in fences(page) if info == "json origin" for row in json.loads("\n".join(block))]
    if not rows:
        print(f"{page} has no list of an origin's answers")
        return 1
    try:
        origin = Origin(port)
    except OSError as error:
        print(f"cannot listen on port {port}: {error.strerror}; another one can be given: --serve {page} PORT",
              file=sys.stderr)
        return 1
    origin.begin(rows)
    print(f"answering as the origin of {page} on http://localhost:{origin.server_address[1]}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        origin.shutdown()
    return 0


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve(pathlib.Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 3000)
    arguments = [word for word in sys.argv[1:] if word != "--show"]
    forebay = str(pathlib.Path(arguments[0]).resolve())
    root = pathlib.Path(__file__).resolve().parents[2]
    pages = [pathlib.Path(name) for name in arguments[1:]]
    pages = pages or [page for page in sorted(root.glob("docs/**/*.md")) if "```yaml recipe" in page.read_text()]
    origin, wrong = Origin(), 0
    for page in pages:
        origin.begin([])
        with tempfile.TemporaryDirectory() as folder:
            recipe = Recipe(page, forebay, origin, pathlib.Path(folder), "--show" in sys.argv)
            result = recipe.run()
        wrong += result
        print(f"{'FAIL' if result else 'ok  '}  {page.name}: {recipe.sessions} commands")
    origin.shutdown()
    print(f"recipes: {len(pages)}, {wrong} things wrong")
    return 1 if wrong or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
