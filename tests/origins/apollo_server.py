"""Apollo Server on Node.js, with Apollo Client and urql before it, at the versions of express/package-lock.json. Forebay
has the configuration of the recipe, and routes for servers that are set up in other ways."""

import json
import os
import pathlib
import re
import subprocess

import processes
from express_server import HERE, PACKAGES
from server import Server, recipe, require

NAMES = ("@apollo/server", "@apollo/client", "@urql/core")


class Apollo(Server):
    name = "apollo"

    def __init__(self, where):
        self.program = require("node")
        for package in NAMES:
            if not (PACKAGES / package).is_dir():
                raise processes.Missing(f"{package} is not in {PACKAGES}; it")
        super().__init__(where)
        self.environment = {**os.environ, "NODE_PATH": str(PACKAGES), "NODE_ENV": "production"}

    def version(self):
        versions = [f"{name} {json.loads((PACKAGES / name / 'package.json').read_text())['version']}" for name in NAMES]
        return f"node {processes.output(self.program, '--version').strip()}, {', '.join(versions)}"

    def start(self):
        self.process = processes.Process([self.program, str(HERE / "apollo/server.js"), str(self.where)],
                                         self.where / "log", env=self.environment)

        def begun():
            return re.search(r"ports (.*) end", self.process.said()) or not self.process.running
        said = processes.until(begun, self.name)
        if not self.process.running:
            raise processes.Failed(f"Apollo Server does not start:\n{self.process.said()}")
        self.plain, self.hints, self.port = said.group(1).split()

    def ask(self, port, path, asked):
        """What clients give for these operations, by Forebay's port or the server's own."""
        done = subprocess.run([self.program, str(HERE / "apollo/client.js"), f"http://127.0.0.1:{port}{path}"],
                              input=json.dumps(asked), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=self.environment, timeout=processes.PATIENCE)
        if done.returncode != 0:
            raise processes.Failed(f"the clients' program ends with {done.returncode}:\n{done.stderr}")
        return json.loads(done.stdout)

    def configuration(self):
        route = "methods: [GET, POST], ttl: 30s, key: { graphql: true }"
        return recipe("graphql.md", self.port).replace("routes:\n", f"""\
routes:
  - {{ path: /default, origin: "http://127.0.0.1:{self.plain}", {route} }}
  - {{ path: /hints, origin: "http://127.0.0.1:{self.hints}", {route} }}
  - {{ path: /override, origin: "http://127.0.0.1:{self.plain}", origin_cache_control: override, {route} }}
""")
