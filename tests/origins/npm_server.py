"""verdaccio, a registry on Node.js, at the version of express/package-lock.json, and npm before it. Forebay has the second configuration
of the recipe."""

import base64
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile

import processes
import wire
from express_server import HERE, PACKAGES
from server import Server, recipe, require


class Npm(Server):
    name = "npm"
    jobs = 4  # npm is a large program

    def __init__(self, where):
        self.program, self.npm = require("node"), require("npm")
        if not (PACKAGES / "verdaccio").is_dir():
            raise processes.Missing(f"verdaccio is not in {PACKAGES}; it")
        super().__init__(where)

    def version(self):
        version = json.loads((PACKAGES / "verdaccio/package.json").read_text())["version"]
        node, npm = (processes.output(each, "--version").strip() for each in (self.program, self.npm))
        return f"node {node}, npm {npm}, verdaccio {version}"

    def start(self):
        self.process = processes.Process([self.program, str(HERE / "verdaccio/server.js"), str(self.where)], self.where / "log",
                                         env={**os.environ, "NODE_PATH": str(PACKAGES), "NODE_ENV": "production"})

        def begun():
            return re.search(r"^port (\d+)$", self.process.said(), re.M) or not self.process.running
        said = processes.until(begun, self.name)
        if not self.process.running:
            raise processes.Failed(f"verdaccio does not start:\n{self.process.said()}")
        self.port = int(said.group(1))
        answer = wire.ask(self.port, "PUT", "/-/user/org.couchdb.user:anna", [("Content-Type", "application/json")],
                          json.dumps({"name": "anna", "password": "secret anna"}).encode())
        self.token = json.loads(answer.body)["token"]

    def publish(self, name, version):
        """As npm does it, but at the registry itself, and faster."""
        manifest = {"name": name, "version": version, "description": "A cosy"}
        text, packed = json.dumps(manifest).encode(), io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            entry = tarfile.TarInfo("package/package.json")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
        content, file = packed.getvalue(), f"{name}-{version}.tgz"
        dist = {"integrity": "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode(),
                "shasum": hashlib.sha1(content).hexdigest(), "tarball": f"http://localhost/{name}/-/{file}"}
        document = {"_id": name, "name": name, "dist-tags": {"latest": version}, "access": "public",
                    "versions": {version: {**manifest, "_id": f"{name}@{version}", "dist": dist}},
                    "_attachments": {file: {"content_type": "application/octet-stream", "length": len(content),
                                            "data": base64.b64encode(content).decode()}}}
        answer = wire.ask(self.port, "PUT", "/" + name.replace("/", "%2f"), [
            ("Content-Type", "application/json"), ("Authorization", f"Bearer {self.token}")], json.dumps(document).encode())
        if answer.status != 201:
            raise processes.Failed(f"verdaccio takes no package: {answer}")

    def configuration(self):
        return recipe("package-mirrors.md", self.port, which=1)


class Machine:
    """A folder with a project, and a cache and a configuration of npm of its own. Forebay is its registry."""

    def __init__(self, t, name, token=False):
        self.npm, self.folder = t.server.npm, t.server.where / f"machine-{t.name}-{name}"
        self.folder.mkdir()
        host = f"127.0.0.1:{t.daemon.port}"
        (self.folder / "npmrc").write_text(
            f"registry=http://{host}/\n" + (f"//{host}/:_authToken={t.server.token}\n" if token else ""))
        (self.folder / "package.json").write_text("{}")
        kept = {name: value for name, value in os.environ.items() if not name.lower().startswith(("npm_", "http", "all_proxy"))}
        self.environment = {**kept, "HOME": str(self.folder), "npm_config_userconfig": str(self.folder / "npmrc"),
                            "npm_config_globalconfig": str(self.folder / "none"), "npm_config_cache": str(self.folder / "cache"),
                            "npm_config_update_notifier": "false", "npm_config_audit": "false", "npm_config_fund": "false",
                            "npm_config_fetch_retries": "0"}

    def run(self, *words, fails=False):
        done = subprocess.run([self.npm, *words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=self.environment, timeout=processes.PATIENCE)
        if (done.returncode != 0) != fails:
            raise processes.Failed(f"npm {' '.join(words)} ends with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + (done.stderr if fails else "")

    def publish(self, name, version):
        (self.folder / "package.json").write_text(json.dumps({"name": name, "version": version, "description": "A cosy"}))
        self.run("publish", "--access", "public")

    def install(self, name):
        """The version of the package that npm then has."""
        self.run("install", name)
        return json.loads((self.folder / "node_modules" / name / "package.json").read_text())["version"]
