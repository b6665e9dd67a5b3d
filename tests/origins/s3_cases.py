"""The AWS SDK before an S3 server that verifies signatures, with the recipe between."""

import urllib.parse

from cases import case
from s3_server import S3

SERVER = S3


class Bucket:
    """A bucket of a case's own, made at the server itself. What its name begins with says who may read, see s3/server.js."""

    def __init__(self, t, kind="public", key="a b+c(1)!'*~é.bin"):
        self.t, self.kind, self.port = t, kind, t.daemon.port
        self.where = {"Bucket": f"{kind}-{t.name.replace('_', '-')}"[:60].rstrip("-"), "Key": key}
        self.calls(("CreateBucket", {"Key": None}), self.put("one"), port=t.server.port)

    def calls(self, *calls, port=None):
        """What the SDK gives for (operation, input, who): each must have been answered."""
        asked = [{"op": op, "input": {**self.where, **given}, "as": who[0] if who else "anna", "seconds": 600}
                 for op, given, *who in calls]
        return self.t.server.call(port or self.port, asked)

    def put(self, body):
        return ("PutObject", {"Body": body}, "anna")

    def get(self, who="nobody", **more):
        return ("GetObject", more, who)


def hit(each):
    return "; hit" in (each["cache_status"] or "")


def bodies(results):
    return [each.get("output", {}).get("Body", each.get("error")) for each in results]


@case
def public_objects_are_hits_for_the_anonymous(t):
    """Whole, in parts, by HEAD and by conditions; the server is asked once. A part has no checksum of the whole."""
    bucket = Bucket(t)
    etag = bucket.calls(("HeadObject", {}), port=t.server.port)[0]["output"]["ETag"]
    results = bucket.calls(bucket.get(), bucket.get(), bucket.get(Range="bytes=1-"), ("HeadObject", {}, "nobody"),
                           bucket.get(IfMatch=etag), bucket.get(IfNoneMatch=etag))
    t.equal(bodies(results)[:5], ["one", "one", "ne", None, "one"], "what they give")
    t.equal([each["status"] for each in results], [200, 200, 206, 200, 200, 304], "their status")
    t.expect(not hit(results[0]) and all(map(hit, results[1:])), f"{results}")
    path = "/" + bucket.where["Bucket"] + "/" + urllib.parse.quote(bucket.where["Key"], safe="~")
    t.equal([each["method"] for each in t.fetches(path)], ["GET"], "fetches")


@case
def signed_requests_are_asked_of_the_server(t):
    """What anna reads is for nobody else, and the server says who may read, each time."""
    bucket = Bucket(t, "private")
    who = ["anna", "nobody", "bert", "anna", "nobody"]
    results = bucket.calls(*(bucket.get(each) for each in who))
    t.equal(bodies(results), ["one", "AccessDenied", "AccessDenied", "one", "AccessDenied"], "in turn")
    t.expect(not any(map(hit, results)), f"{results}")
    shared = Bucket(t, "shared")
    results = shared.calls(shared.get("bert"), shared.get("nobody"), shared.get("bert", Range="bytes=1-"))
    t.equal(bodies(results), ["one", "AccessDenied", "ne"], "an object of anna and bert")


@case
def public_in_cache_control_shares_no_private_object(t):
    """An object that says `public` and whose bucket is private stays with those who sign."""
    bucket = Bucket(t, "private")
    results = bucket.calls(("PutObject", {"Body": "one", "CacheControl": "public, max-age=600"}), bucket.get("anna"),
                           bucket.get("nobody"))
    t.equal(bodies(results[1:]), ["one", "AccessDenied"], "in turn")


@case
def presigned_urls_are_cached_each_for_itself(t):
    """Twice and in parts from memory; a URL that is changed or of another key is refused."""
    bucket = Bucket(t, "private")
    anna, bert = bucket.calls(("presign", {}, "anna"), ("presign", {}, "bert"))
    target = anna.split(f":{t.daemon.port}", 1)[1]
    host = f"127.0.0.1:{t.daemon.port}"
    first, second, part = (t.get(target, headers=headers, host=host)
                           for headers in ([], [], [("Range", "bytes=1-")]))
    t.equal([(each.status, each.text, each.hit) for each in (first, second, part)],
            [(200, "one", False), (200, "one", True), (206, "ne", True)], "the URL")
    for wrong in (bert.split(host, 1)[1], target.replace("X-Amz-Signature=", "X-Amz-Signature=0"),
                  target.replace("Expires=600", "Expires=601"), target.split("?")[0]):
        t.equal(t.get(wrong, host=host).status, 403, wrong)
    # As the page says: a write does not reach what is stored of a URL with a signature. One that is signed anew is new.
    bucket.calls(bucket.put("two"))
    again = {"op": "presign", "input": bucket.where, "as": "anna", "seconds": 599}
    fresh = t.server.call(t.daemon.port, [again])[0].split(host, 1)[1]
    t.equal([t.get(each, host=host).text for each in (target, fresh)], ["one", "two"], "after a write")


@case
def writes_make_objects_stale(t):
    """PUT, DELETE, an upload in parts, a copy and a change of access, each by the SDK and answered by the server."""
    bucket = Bucket(t)
    source = bucket.where["Bucket"] + "/other"
    results = bucket.calls(("PutObject", {"Body": "copy", "Key": "other"}), bucket.get(), bucket.get())
    t.expect(hit(results[2]), f"before the writes: {results}")
    changes = [(bucket.put("two"), "two"), (("multipart", {"parts": [100000, 10]}), 100010), (bucket.put(3000000), 3000000),
               (("CopyObject", {"CopySource": source}), "copy"), (("DeleteObject", {}), "NoSuchKey"), (bucket.put("new"), "new"),
               (("PutObjectTagging", {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}), "new")]
    for write, expected in changes:
        done, *reads = bucket.calls(write, bucket.get(), bucket.get())
        for each in done if isinstance(done, list) else [done]:
            t.expect("error" not in each, f"{write[0]}: {each}")
        t.equal(bodies(reads), [expected] * 2, f"after {write[0]}")
        t.expect(not hit(reads[0]), f"after {write[0]}: {reads[0]}")
        t.expect(hit(reads[1]) or expected == "NoSuchKey", f"after {write[0]}, again: {reads[1]}")


@case
def listings_and_what_belongs_to_objects_pass(t):
    """A listing shows a new object at once; tags and the parts of an upload are not mixed up with the object."""
    bucket = Bucket(t)
    listing = ("ListObjectsV2", {"Key": None})
    tags = ("GetObjectTagging", {})
    results = bucket.calls(bucket.get(), listing, ("PutObject", {"Key": "second", "Body": "2"}), listing, tags, tags)
    t.equal([len(each["output"]["Contents"]) for each in (results[1], results[3])], [1, 2], "listings")
    for each in (results[1], results[3], *results[4:]):
        t.equal(each["cache_status"], "forebay; fwd=bypass; detail=cache_off", "passes")
    t.equal(results[4]["output"], {"TagSet": []}, "the tags of an object that is stored")


@case
def one_application_alone_shares_what_it_reads(t):
    """The second configuration: signed reads are hits, whole and in parts; writes make them stale; a session has its own."""
    where = t.server.where / t.name
    daemon = t.server.shared(t.daemon.process.process.args[0], where)
    try:
        bucket = Bucket(t, "private")
        bucket.port = daemon.port
        results = bucket.calls(bucket.get("anna", Range="bytes=1-"), *[bucket.get("anna")] * 2, bucket.get("anna", Range="bytes=1-"),
                               ("HeadObject", {}), bucket.put("two"), *[bucket.get("anna")] * 2)
        t.equal(bodies(results), ["ne", "one", "one", "ne", None, None, "two", "two"], "what they give")
        t.equal([hit(each) for each in results], [False, False, True, True, True, False, False, True], "hits")
        t.equal(bodies(bucket.calls(bucket.get("nobody"))), ["two"], "as the page says, who reaches it reads")
        asked = [{"op": "GetObject", "input": bucket.where, "as": "anna", "token": token} for token in "aabb"]
        t.equal([hit(each) for each in t.server.call(daemon.port, asked)], [False, True, False, True], "two sessions")
    finally:
        t.equal(daemon.stop(), "", "its end")
