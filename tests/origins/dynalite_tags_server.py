"""dynalite and the AWS SDK, with the recipe of writes that invalidate reads between. Tables called plain-* have the same
reads, and writes that invalidate nothing, as where a cache does not know what a write changes."""

from dynalite_server import Dynalite
from server import recipe

PLAIN = """routes:
  - name: plain_reads
    path: /
    policy: reads
    match: { headers: { X-Amz-Target: ["*.GetItem", "*.Query"] }, body: { /TableName: "plain-*" } }
  - name: plain_writes
    path: /
    methods: POST
    cache: false
    match: { headers: { X-Amz-Target: "*.PutItem" }, body: { /TableName: "plain-*" } }
    invalidate_on_write: false
"""


class DynaliteTags(Dynalite):
    name = "dynalite_tags"

    def configuration(self):
        return recipe("writes-invalidate-reads.md", self.port).replace("routes:\n", PLAIN, 1)
