"""PHP by its built-in server, with php/router.php as the application."""

import os
import pathlib
import re

import processes
from server import Server, require

HERE = pathlib.Path(__file__).resolve().parent


class Php(Server):
    name = "php"
    routes = """\
  - name: keyed
    path: /reads
    methods: [GET, POST]
    key: { query: [lang], form: [lang], headers: [X-Tenant], cookies: [ab_home] }
  - { path: /cookie, key: { cookies: [ab_home] } }
  - { path: /me, ttl: 60s }
  - { path: /public, ttl: 60s }
  - { path: /session, ttl: 60s }
  - { name: pages, path: /page/**, close_delimited: store }
  - { name: zlib, path: /zlib/**, close_delimited: store }
  - { path: /** }
"""

    def __init__(self, where):
        self.program = require("php")
        super().__init__(where)
        (self.where / "sessions").mkdir()

    def version(self):
        return processes.output(self.program, "--version").splitlines()[0]

    def start(self):
        # Without -n the machine's php.ini counts; the directories of sessions and uploads are named by the script.
        command = [self.program, "-d", "variables_order=GPCS", "-S", "127.0.0.1:0", str(HERE / "php/router.php")]
        self.process = processes.Process(command, self.where / "log", cwd=self.where,
                                         env={**os.environ, "PHP_CLI_SERVER_WORKERS": "4"})

        def begun():
            return re.search(r"127\.0\.0\.1:(\d+)\) started", self.process.said()) or not self.process.running
        said = processes.until(begun, self.name)
        if not self.process.running:
            raise processes.Failed(f"php does not start:\n{self.process.said()}")
        self.port = int(said.group(1))
        processes.until(self.answers, self.name)

    def configuration(self):
        return f"""\
origin: http://127.0.0.1:{self.port}
server: {{ trusted_proxies: [127.0.0.0/8] }}
routes:
{self.routes}"""
