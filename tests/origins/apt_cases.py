"""apt-get before a mirror, with the recipe between: packages come from memory, indexes are never older than the mirror's."""

from apt_server import Apt, Machine
from cases import case

SERVER = Apt

INDEX = "dists/stable/main/binary-amd64"


def fetched(t, path):
    """How often the content of files whose path begins so came from the mirror."""
    t.fetches("/")
    found = [each for known in list(t.server.taken) if known.startswith(f"/{t.name}/{path}") for each in t.fetches(known)]
    return sum(1 for each in found if each["status"] == 200)


@case
def a_second_machine_is_answered_from_memory(t):
    """Of three machines the first brings each file, and the mirror is asked about the index alone."""
    t.server.package(t.name, "1.0", age=3600)
    for name in "abc":
        t.equal(Machine(t, name).update(), ["1.0"], f"machine {name}")
    for path in ("dists/stable/Release", f"{INDEX}/by-hash/", "pool/"):
        t.equal(fetched(t, path), 1, f"fetches of {path}")
    asked = [each for each in t.fetches(f"/{t.name}/dists/stable/Release") if each["headers"].get("if-modified-since")]
    t.equal([each["status"] for each in asked], [304, 304], "the index is validated")


@case
def a_new_package_is_seen_at_once(t):
    """By machines that know the old one, and by new ones; nobody gets indexes of two editions."""
    editions = [("1.0", 4000), ("1.1", 3000), ("1.2", 2000)]
    t.server.package(t.name, *editions[0])
    known = [Machine(t, f"known-{by_hash}", by_hash) for by_hash in ("yes", "no")]
    for version, age in editions:
        if version != "1.0":
            t.server.package(t.name, version, age)
        for machine in (*known, Machine(t, f"new-{version}")):
            t.equal(machine.update(), [version], str(machine.root))


@case
def a_download_goes_on_where_it_broke_off(t):
    """A part of a package, and the rest by Range and If-Range, from memory."""
    t.server.package(t.name, "1.0", age=3600)
    Machine(t, "a").update()
    path = f"/{t.name}/pool/t/teacosy_1.0_all.deb"
    host = f"127.0.0.1:{t.daemon.port}"
    whole = t.hits(path, host=host)
    rest = t.get(path, headers=[("Range", "bytes=100-"), ("If-Range", whole.get("Last-Modified"))], host=host)
    t.equal((rest.status, rest.content, rest.hit), (206, whole.content[100:], True), "the rest")
    t.equal(fetched(t, "pool/"), 1, "fetches")
