"""Programs that run beside a test: each in a process group of its own, which ends with the test."""

import ctypes
import http.client
import json
import os
import pathlib
import pwd
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from wire import PATIENCE

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class Missing(Exception):
    """A program is not installed."""


class Failed(Exception):
    """A program does not start, or does not end as it should."""


def until(condition, what):
    """Waits for the condition to give something, and gives it."""
    end = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"not in time: {what}")
        time.sleep(0.01)


def free_port():
    """A port that is free now. Another program may take it first: who starts a server on it tries again then."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def own_address():
    """An address of loopback and a port of it. No other program connects from it, so the port stays free while its
    server is dead."""
    with socket.socket() as probe:
        probe.bind((f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}", 0))
        return probe.getsockname()


def folder():
    """A temporary folder that a server without privileges can read too."""
    base = pathlib.Path(tempfile.gettempdir())
    if os.geteuid() == 0 and not all(each.stat().st_mode & 0o001 for each in (base, *base.parents)):
        base = "/tmp"
    made = tempfile.TemporaryDirectory(prefix="forebay-origins-", dir=base)
    os.chmod(made.name, 0o755)
    return made


def output(*command):
    """What a command prints, on either stream; raises Missing where there is no such program."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True).stdout
    except FileNotFoundError:
        raise Missing(f"{command[0]} is not installed") from None


class Process:
    def __init__(self, command, log, user=None, parting=signal.SIGTERM, **more):
        """`user`: whom root becomes first. `parting`: what it gets when this test is killed; servers with children end
        them by TERM, and one that may be stopped then ends by KILL alone."""
        if user and os.geteuid() == 0:
            entry = pwd.getpwnam(user)
            more.update(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])
        self.log = pathlib.Path(log)
        with open(log, "ab") as file:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                            start_new_session=True,
                                            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, parting), **more)

    @property
    def running(self):
        return self.process.poll() is None

    def said(self):
        return self.log.read_text(errors="replace")

    def stop(self):
        """TERM, then the end of whatever is left of the group; gives the exit status."""
        if self.running:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                print(f"does not end by TERM: {self.process.args}", file=sys.stderr)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        return self.process.wait()


class Daemon:
    """Forebay with a configuration. The listener (where the configuration has none), the admin listener and the log are
    filled in. `ports`: of the listeners, by name."""

    def __init__(self, forebay, where, configuration):
        self.where = pathlib.Path(where)
        self.where.mkdir()
        (self.where / "forebay.yaml").write_text(configuration)
        ports = self.where / "ports"
        self.process = Process(
            [forebay, "run", "-c", "forebay.yaml", "--port-file", str(ports), "--set", "admin.listen=127.0.0.1:0", "--set",
             "log.access.output=off", "--set", "server.threads=2",
             *([] if re.search("^listen:", configuration, re.M) else ["--set", "listen=127.0.0.1:0"])],
            self.where / "log", cwd=where)
        try:
            until(lambda: not self.process.running or ports.exists() and ports.read_text().endswith("\n"), "the daemon")
            if not self.process.running:
                raise Failed("the daemon does not start")
        except Failed as error:
            self.process.stop()
            raise Failed(f"{error}:\n{self.process.said()}") from None
        found = dict(line.rsplit(" ", 1) for line in ports.read_text().splitlines())
        self.admin = int(found.pop("admin"))
        self.ports = {name: int(port) for name, port in found.items()}
        self.port = next(iter(self.ports.values()))

    def metrics(self):
        """name -> list of (labels, value)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=PATIENCE)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        found = {}
        for name, labels, value in re.findall(r"^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$", text, re.M):
            found.setdefault(name, []).append((dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)))
        return found

    def metric(self, name, **labels):
        """The sum of a metric over all series with these labels."""
        return sum(value for known, value in self.metrics().get(name, []) if labels.items() <= known.items())

    def purge(self, **order):
        """The answer of POST /api/v1/purge."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=PATIENCE)
        try:
            connection.request("POST", "/api/v1/purge", json.dumps(order), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise Failed(f"the purge was refused: {answer.status} {text}")
        return json.loads(text)

    def reload(self, configuration):
        before = self.metric("forebay_config_reloads_total")
        (self.where / "forebay.yaml").write_text(configuration)
        self.process.process.send_signal(signal.SIGHUP)
        until(lambda: self.metric("forebay_config_reloads_total") > before, "the reload")
        if self.metric("forebay_config_last_reload_successful") != 1:
            raise Failed(f"the reload was rejected:\n{self.process.said()}")

    def stop(self):
        """What was wrong with its end; nothing when it was in order."""
        status, said = self.process.stop(), self.process.said()
        wrong = status != 0 or re.search(r"Sanitizer|runtime error:", said)
        return f"the daemon ended with {status}:\n{said}" if wrong else ""
