"""The real servers, as each is started: on a free port of loopback, out of a temporary folder, with files that the tests
put there and a record of every request that came."""

import json
import os
import pathlib
import shutil
import time

import processes
import wire


class Server:
    """What all have in common. A subclass names itself and its `routes`, and starts its program."""
    name = ""
    routes = ""  # of Forebay before it, YAML

    def __init__(self, where):
        self.where = pathlib.Path(where)
        self.files = self.where / "www"
        self.record = self.where / "requests"
        for made in (self.files, self.where / "run"):
            made.mkdir()
        self.token = os.urandom(8).hex()
        (self.files / "ready.txt").write_text(self.token)
        self.own(self.where)

    def own(self, path):
        """Gives a file to the user that the server runs as."""

    def host(self, target):
        """The Host of requests for this target."""
        return "shop.test"

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
                if processes.until(lambda: self.answers() or not self.process.running, self.name) and self.process.running:
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

    def requests(self, path=None):
        """What Forebay asked, in order of arrival: those with Via. Each has method, target and headers."""
        self.settle()
        found = []
        for line in self.record.read_text(errors="replace").splitlines() if self.record.exists() else []:
            request = self.read(line)
            if request and "forebay" in request["headers"].get("via", ""):
                if path is None or request["target"].partition("?")[0] == path:
                    found.append(request)
        return found

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
