"""An S3 server on Node.js (s3rver, with signatures verified), and the AWS SDK for JavaScript before it, at the versions of
express/package-lock.json. Forebay has the first configuration of the recipe."""

import json
import os
import pathlib
import re
import subprocess
import threading

import processes
from express_server import HERE, PACKAGES
from server import Server, recipe, require

PAGE = "s3-objects.md"
NAMES = ("s3rver", "@aws-sdk/client-s3", "@aws-sdk/s3-request-presigner")


class S3(Server):
    name = "s3"

    def __init__(self, where):
        self.program = require("node")
        for package in NAMES:
            if not (PACKAGES / package).is_dir():
                raise processes.Missing(f"{package} is not in {PACKAGES}; it")
        super().__init__(where)
        self.environment = {**os.environ, "NODE_PATH": str(PACKAGES)}
        self.calling = threading.Lock()

    def version(self):
        versions = [f"{name} {json.loads((PACKAGES / name / 'package.json').read_text())['version']}" for name in NAMES]
        return f"node {processes.output(self.program, '--version').strip()}, {', '.join(versions)}"

    def start(self):
        self.process = processes.Process([self.program, str(HERE / "s3/server.js"), str(self.where)],
                                         self.where / "log", env=self.environment)

        def begun():
            return re.search(r"port (\d+)", self.process.said()) or not self.process.running
        said = processes.until(begun, self.name)
        if not self.process.running:
            raise processes.Failed(f"the S3 server does not start:\n{self.process.said()}")
        self.port = int(said.group(1))

        # It ends when its standard input does. One for all cases, since to load the SDK takes a while.
        self.sdk = subprocess.Popen([self.program, str(HERE / "s3/client.js")], stdin=subprocess.PIPE, text=True,
                                    stdout=subprocess.PIPE, env=self.environment)

    def stop(self):
        self.sdk.stdin.close()
        self.sdk.wait(processes.PATIENCE)
        self.sdk.stdout.close()
        super().stop()

    def call(self, port, calls):
        """What the SDK gives for these calls, by Forebay's port or the server's own."""
        with self.calling:
            self.sdk.stdin.write(json.dumps({"port": port, "calls": calls}) + "\n")
            self.sdk.stdin.flush()
            line = self.sdk.stdout.readline()
        if not line:
            raise processes.Failed("the SDK's program has ended")
        return json.loads(line)

    def configuration(self):
        return recipe(PAGE, self.port)

    def shared(self, forebay, where):
        """A daemon with the second configuration of the recipe, for one application alone."""
        return processes.Daemon(forebay, pathlib.Path(where), recipe(PAGE, self.port, which=1))
