"""npm before a registry, with the recipe between."""

import json

from cases import case
from npm_server import Machine, Npm

SERVER = Npm

ABBREVIATED = ("Accept", "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*")
FULL = ("Accept", "application/json")


def package(t):
    """The name of a package that is this case's alone. It ends as a script does."""
    return t.name.replace("_", "-")[:30] + ".js"


@case
def a_second_machine_is_answered_from_memory(t):
    """Metadata and tarball of the first installation serve the second; the tarball's address leads to Forebay."""
    name = package(t)
    t.server.publish(name, "1.0.0")
    for which in "ab":
        machine = Machine(t, which)
        t.equal(machine.install(name), "1.0.0", f"machine {which}")
        resolved = json.loads((machine.folder / "package-lock.json").read_text())["packages"][f"node_modules/{name}"]["resolved"]
        t.equal(resolved, f"http://127.0.0.1:{t.daemon.port}/{name}/-/{name}-1.0.0.tgz", "where the tarball comes from")
    for path in (f"/{name}", f"/{name}/-/{name}-1.0.0.tgz"):
        found = [each for each in t.fetches(path) if each["method"] == "GET" and "authorization" not in each["headers"]]
        t.equal(len(found), 1, f"fetches of {path}")


@case
def two_forms_of_metadata_under_one_url(t):
    """Whoever is first, each gets the form that it asked for; npm reads the full one after another has got the short one."""
    host = f"127.0.0.1:{t.daemon.port}"
    for first, second in ((ABBREVIATED, FULL), (FULL, ABBREVIATED)):
        name = package(t) + ("-a" if first == FULL else "")
        t.server.publish(name, "1.0.0")
        for accept in (first, second):
            t.served("/" + name, headers=[accept], host=host)
        for accept in (first, second):
            answer = t.hits("/" + name, headers=[accept], host=host)
            t.equal("readme" in json.loads(answer.body), accept == FULL, f"{name} {accept}")
            same = t.get("/" + name, headers=[accept, ("If-None-Match", answer.etag)], host=host)
            t.equal((same.status, same.hit), (304, True), f"{name} {accept}: the same again")
    t.equal(Machine(t, "reader").run("view", package(t), "description").strip(), "A cosy", "npm view")


@case
def a_new_version_is_seen_at_once(t):
    """npm publish through Forebay makes the metadata stale, in both forms."""
    name, author = package(t), Machine(t, "author", token=True)
    t.server.publish(name, "1.0.0")
    for version in ("1.0.0", "1.1.0"):
        if version != "1.0.0":
            author.publish(name, version)
        for accept in (ABBREVIATED, FULL):
            answer = t.get("/" + name, headers=[accept], host=f"127.0.0.1:{t.daemon.port}")
            t.equal(json.loads(answer.body)["dist-tags"]["latest"], version, f"{accept}")
    t.equal(Machine(t, "reader").install(name), "1.1.0", "npm install")


@case
def private_packages_are_for_those_with_a_token(t):
    """Metadata and tarball, after one with a token has got them."""
    name = "@private/" + package(t)
    t.server.publish(name, "1.0.0")
    t.equal(Machine(t, "author", token=True).install(name), "1.0.0", "with a token")
    said = Machine(t, "stranger").run("install", name, fails=True)
    t.expect("E401" in said or "E403" in said, f"without one: {said}")
    host = f"127.0.0.1:{t.daemon.port}"
    for path in (f"/{name.replace('/', '%2f')}", f"/{name}/-/{package(t)}-1.0.0.tgz"):
        t.equal(t.get(path, headers=[FULL, ("Authorization", f"Bearer {t.server.token}")], host=host).status, 200, f"{path} with a token")
        answer = t.get(path, headers=[FULL], host=host)
        t.expect(answer.status in (401, 403) and not answer.hit, lambda: f"{path} without: {answer}")
