"""Express on Node.js with the packages compression and cors, at the versions of express/package-lock.json."""

import json
import os
import pathlib
import re
import subprocess

import processes
from server import Server, require

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = pathlib.Path(os.environ.get("FOREBAY_NODE_MODULES", HERE.parents[1] / "build/origins/node_modules"))


class Express(Server):
    name = "express"
    routes = """\
  - { path: /me, ttl: 60s }
  - { path: /account, ttl: 60s, key: { query: [lang] } }
  - { path: "/endless/{type}", ttl: 60s }
  - { path: "/negative/{code}", ttl: 60s, statuses: [200, 4xx] }
  - { path: "/status/{code}", ttl: { default: 60s, status: { 4xx: 60s } } }
  - { path: "/events/{name}", methods: [GET], ttl: 60s }
  - { path: /ws/shout, upgrade: [shout] }
  - { name: keyed, path: /reads, methods: [GET, POST], key: { query: [lang], form: [lang], headers: [X-Tenant] } }
  - { path: /** }
"""

    def __init__(self, where):
        self.program = require("node")
        if not (PACKAGES / "express").is_dir():
            raise processes.Missing(f"express is not in {PACKAGES}; it")
        super().__init__(where)

    def version(self):
        versions = [f"{name} {json.loads((PACKAGES / name / 'package.json').read_text())['version']}"
                    for name in ("express", "compression", "cors", "ws")]
        return f"node {processes.output(self.program, '--version').strip()}, {', '.join(versions)}"

    def start(self):
        environment = {**os.environ, "NODE_PATH": str(PACKAGES), "NODE_ENV": "production"}
        self.process = processes.Process([self.program, str(HERE / "express/server.js"), str(self.where)],
                                         self.where / "log", env=environment)

        def begun():
            return re.search(r"port (\d+)", self.process.said()) or not self.process.running
        said = processes.until(begun, self.name)
        if not self.process.running:
            raise processes.Failed(f"express does not start:\n{self.process.said()}")
        self.port = int(said.group(1))

    def socket(self, port, what, program=subprocess.Popen):
        """A client that speaks WebSocket, as a process of its own: see express/sockets.js."""
        return program([self.program, str(HERE / "express/sockets.js"), f"ws://127.0.0.1:{port}", what],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       env={**os.environ, "NODE_PATH": str(PACKAGES)})

    def talked(self, port, what):
        """What such a client saw."""
        with self.socket(port, what) as client:
            said, complaint = client.communicate(timeout=processes.PATIENCE)
        if client.returncode != 0:
            raise processes.Failed(f"the client's program ends with {client.returncode}:\n{complaint}")
        return json.loads(said)

    def configuration(self):
        return f"""\
origin: http://127.0.0.1:{self.port}
server: {{ trusted_proxies: [127.0.0.0/8] }}
routes:
{self.routes}"""
