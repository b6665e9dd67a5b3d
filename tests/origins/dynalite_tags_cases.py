"""The AWS SDK writes and reads through Forebay: what a write changes is read anew at once, and all else is still a hit."""

from cases import case
from dynalite_tags_server import DynaliteTags

SERVER = DynaliteTags


class Table:
    """A table of orders by customer, reached through Forebay by the SDK."""

    def __init__(self, t, prefix=""):
        self.t, self.name = t, prefix + t.name
        t.server.call(t.server.port, [
            ["CreateTable", {"TableName": self.name, "BillingMode": "PAY_PER_REQUEST",
                             "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"},
                                                      {"AttributeName": "Line", "AttributeType": "S"}],
                             "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"},
                                           {"AttributeName": "Line", "KeyType": "RANGE"}]}],
            ["wait", {"TableName": self.name}]])

    def calls(self, *calls):
        return self.t.server.call(self.t.daemon.port,
                                  [[operation, {"TableName": self.name, **given}] for operation, given in calls])


def key(identity):
    return {"Id": {"S": identity}, "Line": {"S": "1"}}


def put(identity, number):
    return ("PutItem", {"Item": {**key(identity), "Number": {"N": str(number)}}})


def get(identity):
    return ("GetItem", {"Key": key(identity)})


def query(identity):
    return ("Query", {"KeyConditionExpression": "Id = :id", "ExpressionAttributeValues": {":id": {"S": identity}}})


def numbers(result):
    output = result["output"]
    items = output["Items"] if "Items" in output else [output["Item"]] if "Item" in output else []
    return [int(each["Number"]["N"]) for each in items]


def is_hit(result):
    return "; hit" in result["cache_status"]


@case
def a_query_after_a_write_sees_it(t):
    """PutItem, UpdateItem and DeleteItem: the item and the queries of its table are read anew, and another item hits."""
    table = Table(t)
    update = ("UpdateItem", {"Key": key("seven"), "UpdateExpression": "SET #n = :n",
                             "ExpressionAttributeNames": {"#n": "Number"},
                             "ExpressionAttributeValues": {":n": {"N": "3"}}})
    delete = ("DeleteItem", {"Key": key("seven")})
    reads = [get("seven"), query("seven"), get("eight")]
    table.calls(put("seven", 1), put("eight", 8))
    for each in (put("seven", 2), update, delete):
        before = table.calls(*reads, *reads)
        for result, operation in zip(before[3:], reads):
            t.expect(is_hit(result), f"{operation[0]} before {each[0]}: {result}")
        written, item, listed, other = table.calls(each, *reads)
        t.expect("output" in written, f"{each[0]}: {written}")
        expected = {"PutItem": [2], "UpdateItem": [3], "DeleteItem": []}[each[0]]
        t.equal(numbers(item), expected, f"the item after {each[0]}")
        t.equal(numbers(listed), expected, f"the query after {each[0]}")
        t.expect(is_hit(other), f"another item after {each[0]}: {other}")


@case
def without_invalidates_the_query_stays_stale(t):
    """The same requests where writes invalidate nothing: item and query are those from before the write."""
    table = Table(t, "plain-")
    table.calls(put("seven", 1), get("seven"), query("seven"))
    written, item, listed = table.calls(put("seven", 2), get("seven"), query("seven"))
    t.expect("output" in written, f"the write: {written}")
    t.equal(numbers(item), [1], "the item")
    t.equal(numbers(listed), [1], "the query")
    own = t.server.call(t.server.port, [["GetItem", {"TableName": table.name, "Key": key("seven")}]])
    t.equal(numbers(own[0]), [2], "the item in the table")


@case
def a_write_first_and_a_read_first_agree(t):
    """Fifty writes, each followed by a query: every query has the number that was written just before."""
    table = Table(t)
    calls = [call for number in range(50) for call in (put("seven", number), query("seven"), query("seven"))]
    results = table.calls(*calls)
    for number in range(50):
        first, second = results[3 * number + 1], results[3 * number + 2]
        t.equal(numbers(first), [number], f"the query after write {number}")
        t.equal(numbers(second), [number], f"the second query after write {number}")
        t.expect(is_hit(second), f"the second query after write {number}: {second}")


@case
def a_write_that_fails_invalidates_nothing(t):
    """A condition that does not hold: 400, and the reads are still hits."""
    table = Table(t)
    table.calls(put("seven", 1), get("seven"), query("seven"))
    refused = ("PutItem", {**put("seven", 2)[1], "ConditionExpression": "attribute_not_exists(Id)"})
    written, item, listed = table.calls(refused, get("seven"), query("seven"))
    t.equal(written.get("error"), "ConditionalCheckFailedException", "the write")
    t.expect(is_hit(item) and is_hit(listed), f"after it: {item} {listed}")


@case
def writes_that_no_route_knows_make_all_reads_stale(t):
    """A batch has no tags: what is read after it is new."""
    table = Table(t)
    table.calls(put("seven", 1), get("seven"), query("seven"))
    batch = [["BatchWriteItem", {"RequestItems": {table.name: [{"PutRequest": {"Item": put("seven", 2)[1]["Item"]}}]}}]]
    t.expect("output" in t.server.call(t.daemon.port, batch)[0], "the batch is not written")
    for result in table.calls(get("seven"), query("seven")):
        t.equal(numbers(result), [2], "after it")
