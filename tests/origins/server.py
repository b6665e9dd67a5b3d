"""The real servers, as each is started: on a free port of loopback, out of a temporary folder, with files that the tests
put there and a record of every request that came."""

import json
import os
import pathlib
import re
import shutil
import threading
import time

import processes
import wire


class Server:
    """What all have in common. A subclass names itself and its `routes`, and starts its program."""
    name = ""
    routes = ""  # of Forebay before it, YAML
    jobs = 64  # cases that may run beside one another

    def __init__(self, where):
        self.where = pathlib.Path(where)
        self.files = self.where / "www"
        self.record = self.where / "requests"
        for made in (self.files, self.where / "run"):
            made.mkdir()
        self.lock, self.offset, self.taken = threading.Lock(), 0, {}
        self.token = os.urandom(8).hex()
        (self.files / "ready.txt").write_text(self.token)
        self.own(self.where)

    def own(self, path):
        """Gives a file to the user that the server runs as."""

    def host(self, target):
        """The Host of requests for this target."""
        return "shop.test"

    def alike(self, name, first, second):
        """Whether two values of a field of the answers to one request are the same."""
        return first == second

    def put(self, name, content, age=3600):
        """A file with this content, last changed `age` seconds ago. It takes the place of the old one in one step."""
        path, fresh = self.files / name, self.where / f"fresh-{os.urandom(6).hex()}"
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(fresh, (time.time() - age,) * 2)
        os.chmod(fresh, 0o644)
        self.own(fresh)
        self.own(path.parent)
        fresh.rename(path)

    def lifetime(self, name, short):
        """Answers for the file state a lifetime of one second (`short`) or of ten minutes."""
        mark = self.files / f"{name}.short"
        if short:
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        else:
            mark.unlink(missing_ok=True)

    def start(self):
        """Starts it and waits until it answers; tries other ports when another program was faster."""
        for attempt in range(5):
            self.port = processes.free_port()
            self.process = self.launch()
            try:
                processes.until(lambda: self.answers() or not self.process.running, self.name)
                if self.process.running:
                    return
            except processes.Failed:
                self.process.stop()
                raise
            self.process.stop()
        raise processes.Failed(f"{self.name} does not start:\n{self.process.said()}")

    def answers(self):
        try:
            return self.token in wire.ask(self.port, "GET", "/ready.txt").text
        except OSError:
            return False

    def stop(self):
        self.process.stop()

    def requests(self, path):
        """What Forebay asked for this path, in order of arrival: each has method, target and headers."""
        self.settle()
        with self.lock:
            self.take()
            return [each for each in self.taken.get(path, []) if "forebay" in each["headers"].get("via", "")]

    def came(self, target):
        """Whether a request for this target stands in the record."""
        with self.lock:
            self.take()
            return any(each["target"] == target for each in self.taken.get(target.partition("?")[0], []))

    def take(self):
        """Reads what is new in the record."""
        if not self.record.exists():
            return
        with open(self.record, errors="replace") as file:
            file.seek(self.offset)
            while (line := file.readline()).endswith("\n"):
                self.offset = file.tell()
                if request := self.read(line.rstrip("\n")):
                    self.taken.setdefault(request["target"].partition("?")[0], []).append(request)

    def settle(self):
        """Waits until what was answered stands in the record."""

    def read(self, line):
        """A line of the record."""
        return json.loads(line)


def require(*programs):
    """The path of the first of these programs that is installed; raises Missing where none is."""
    for program in programs:
        for place in (None, "/usr/sbin:/sbin:/usr/local/sbin"):
            found = shutil.which(program, path=place)
            if found:
                return found
    raise processes.Missing(f"{' or '.join(programs)} is not installed")


def recipe_block(page, kind, which=0):
    """A fenced block of this kind of a page of docs/recipes, by default the first."""
    text = (pathlib.Path(__file__).resolve().parents[2] / "docs/recipes" / page).read_text()
    return re.findall(rf"^```{kind}\b[^\n]*\n(.*?)^```", text, re.S | re.M)[which]


def recipe(page, port, which=0):
    """A configuration of a recipe, before an origin on this port of loopback."""
    return recipe_block(page, "yaml recipe", which).replace("http://localhost:3000", f"http://127.0.0.1:{port}")
