"""dynalite, a DynamoDB on Node.js, and the AWS SDK for JavaScript before it, at the versions of express/package-lock.json.
Forebay has the configuration of the recipe."""

import json
import os
import pathlib
import re
import subprocess

import processes
from express_server import HERE, PACKAGES
from server import Server, recipe, require


class Dynalite(Server):
    name = "dynalite"
    jobs = 1  # all tables have one URL, and a write to it makes stale what is stored for it

    def __init__(self, where):
        self.program = require("node")
        for package in ("dynalite", "@aws-sdk/client-dynamodb"):
            if not (PACKAGES / package).is_dir():
                raise processes.Missing(f"{package} is not in {PACKAGES}; it")
        super().__init__(where)
        self.environment = {**os.environ, "NODE_PATH": str(PACKAGES)}

    def version(self):
        versions = [f"{name} {json.loads((PACKAGES / name / 'package.json').read_text())['version']}"
                    for name in ("dynalite", "@aws-sdk/client-dynamodb")]
        return f"node {processes.output(self.program, '--version').strip()}, {', '.join(versions)}"

    def start(self):
        self.process = processes.Process([self.program, str(HERE / "dynalite/server.js"), str(self.where)],
                                         self.where / "log", env=self.environment)

        def begun():
            return re.search(r"port (\d+)", self.process.said()) or not self.process.running
        said = processes.until(begun, self.name)
        if not self.process.running:
            raise processes.Failed(f"dynalite does not start:\n{self.process.said()}")
        self.port = int(said.group(1))

    def call(self, port, calls):
        """What the SDK gives for these calls, by Forebay's port or dynalite's own."""
        done = subprocess.run([self.program, str(HERE / "dynalite/client.js"), str(port)], input=json.dumps(calls),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment,
                              timeout=processes.PATIENCE)
        if done.returncode != 0:
            raise processes.Failed(f"the SDK's program ends with {done.returncode}:\n{done.stderr}")
        return json.loads(done.stdout)

    def configuration(self):
        return recipe("dynamodb-style-post.md", self.port)
