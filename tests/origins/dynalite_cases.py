"""The AWS SDK before a DynamoDB, with the recipe between: reads are shared, and nothing else is."""

from cases import case
from dynalite_server import Dynalite

SERVER = Dynalite

KEY = {"Id": {"S": "seven"}}


class Table:
    """A table of a case's own, reached through Forebay by the SDK."""

    def __init__(self, t):
        self.t, self.name = t, t.name
        t.server.call(t.server.port, [
            ["CreateTable", {"TableName": self.name, "BillingMode": "PAY_PER_REQUEST",
                             "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
                             "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}]}],
            ["wait", {"TableName": self.name}]])

    def calls(self, *calls):
        """Each call is (operation, input without the table); a list of calls is made at once."""
        def whole(each):
            if isinstance(each, list):
                return [whole(one) for one in each]
            return [each[0], {"TableName": self.name, **each[1]}]
        return self.t.server.call(self.t.daemon.port, [whole(each) for each in calls])

    def came(self, operation, before=0):
        """How often the operation reached the table, in all cases together."""
        return sum(1 for each in self.t.fetches("/")
                   if each["headers"].get("x-amz-target", "").endswith("." + operation)) - before


def put(number):
    return ("PutItem", {"Item": {**KEY, "Number": {"N": str(number)}}})


def get(**more):
    return ("GetItem", {"Key": KEY, **more})


def number(result):
    return int(result["output"]["Item"]["Number"]["N"])


def add_one():
    return ("UpdateItem", {"Key": KEY, "UpdateExpression": "ADD #n :one", "ExpressionAttributeNames": {"#n": "Number"},
                           "ExpressionAttributeValues": {":one": {"N": "1"}}})


@case
def reads_hit_and_what_they_give_is_what_the_table_gives(t):
    """GetItem, Query and Scan: the second of each is a hit, with the same output."""
    table = Table(t)
    table.calls(put(7))
    query = ("Query", {"KeyConditionExpression": "Id = :id", "ExpressionAttributeValues": {":id": {"S": "seven"}}})
    reads = [get(), query, ("Scan", {})]
    results = table.calls(*reads, *reads)
    direct = t.server.call(t.server.port, [[each[0], {"TableName": table.name, **each[1]}] for each in reads])
    for first, second, own, each in zip(results, results[3:], direct, reads):
        t.expect("stored" in first["cache_status"], f"{each[0]}: {first}")
        t.expect("; hit" in second["cache_status"], f"{each[0]} again: {second}")
        t.equal(first["output"], own["output"], f"{each[0]}")
        t.equal(second["output"], own["output"], f"{each[0]} again")


@case
def consistent_reads_pass_each_time(t):
    """ConsistentRead reaches the table, also where the same read without it is stored, and leaves that stored."""
    table = Table(t)
    results = table.calls(put(7), get(), get(ConsistentRead=True), get(ConsistentRead=True), get(),
                          get(ConsistentRead=False), get(ConsistentRead=False))
    said = [each["cache_status"] for each in results[1:]]
    t.expect("stored" in said[0], f"the first: {said[0]}")
    for each in said[1:3]:
        t.equal(each, "forebay; fwd=bypass; detail=rule_body", "a consistent read")
    t.expect("; hit" in said[3], f"after consistent reads: {said[3]}")
    t.expect("stored" in said[4] and "; hit" in said[5], f"ConsistentRead: false is a read like others: {said[4:]}")


@case
def writes_pass_each_time_and_make_reads_stale(t):
    """Every operation that writes, twice: the table sees both, and what is read after it is new."""
    table = Table(t)
    batch = ("BatchWriteItem", {"RequestItems": {table.name: [{"PutRequest": {"Item": {**KEY, "Number": {"N": "5"}}}}]}})
    transact = ("TransactWriteItems", {"TransactItems": [{"Put": {
        "TableName": table.name, "Item": {**KEY, "Number": {"N": "6"}}}}]})
    for name, write in (("put", put(3)), ("update", add_one()), ("delete", ("DeleteItem", {"Key": KEY}))):
        results = table.calls(put(1), get(), write, get(), write, get())
        for each in (results[2], results[4]):
            t.equal(each["cache_status"], "forebay; fwd=bypass; detail=cache_off", name)
        for each in (results[3], results[5]):
            t.expect("; hit" not in each["cache_status"], f"a read after {name}: {each}")
    named = [[each[0], each[1]] for each in (batch, batch, transact, transact)]
    for each in t.server.call(t.daemon.port, named):
        t.equal(each["cache_status"], "forebay; fwd=bypass; detail=cache_off", "several writes in one")


@case
def sixty_identical_increments_count_sixty(t):
    """ADD 1, twenty one after the other and forty at once: none is answered for another."""
    table = Table(t)
    table.calls(put(0))
    results = table.calls(*[add_one()] * 20, [add_one()] * 40, get(ConsistentRead=True), get())
    for each in results[:20] + results[20]:
        t.equal(each["cache_status"], "forebay; fwd=bypass; detail=cache_off", "ADD 1")
    t.equal(number(results[21]), 60, "a consistent read")
    t.equal(number(results[22]), 60, "a read")


@case
def errors_are_not_stored(t):
    """A table that is not there, and a document that no operation takes: 400 each time, from the table."""
    table = Table(t)
    calls = [["GetItem", {"TableName": table.name + "-none", "Key": KEY}]] * 2
    calls += [["GetItem", {"TableName": table.name, "Key": {"Other": {"S": "a"}}}]] * 2
    results = t.server.call(t.daemon.port, calls)
    for each, name in zip(results, ["ResourceNotFoundException"] * 2 + ["ValidationException"] * 2):
        t.equal(each.get("error"), name, "the error")
        t.expect("; hit" not in each["cache_status"], f"{each}")


@case
def many_readers_at_once_share_one_fetch(t):
    """Thirty equal reads at the same time reach the table once."""
    table = Table(t)
    before = table.came("GetItem")
    table.calls(put(4))
    results = table.calls([get()] * 30)[0]
    t.equal({number(each) for each in results}, {4}, "what they read")
    own = sum(1 for each in t.fetches("/") if each["headers"].get("x-amz-target", "").endswith(".GetItem"))
    t.expect(own >= before + 1, "it was asked")
    kinds = sum(1 for each in results if "stored" in each["cache_status"])
    t.equal(kinds, 1, "fetches among them")
