"""What providers do with what we send: reports in every order, closed windows, failures told later, silence, and 'not now'."""

import itertools
import time

from story import story
from target import expect, in_parallel, same, until

RANK = {"pending": 0, "sending": 1, "failed": 1, "unknown": 1, "sent": 2, "undelivered": 3, "delivered": 4, "read": 5}
GRACE_MS = 2500  # until the refusal is known to all, where the database does not tell


class NoReceipts:
    """Inside the with block the lab sends no receipts of its own: the story sends them."""

    def __init__(self, target):
        self.target = target

    def __enter__(self):
        self.target.receipts(False)

    def __exit__(self, *exception):
        self.target.receipts(True)


def status_of(t, call_id, channel):
    """Through the database if there is one, else as the repeated trigger of the call answers."""
    if t.database:
        rows = t.sql(f"SELECT status FROM message_delivery_log WHERE call_id = '{call_id}' AND channel = '{channel}' "
                     "AND direction = 'outbound' AND message_type = 'summary' ORDER BY seq LIMIT 1")
        return rows[0][0] if rows else ""
    return t.reported(call_id, channel).get("status", "")


@story("all orders of sent, delivered, read", "six orders, each report once or twice; statuses only move up")
def orders(t):
    started = int(time.time())
    shown = 0
    with NoReceipts(t):
        people = t.people(6)
        expect(all(in_parallel([lambda n=n: t.greet(n) for n in people])), "not everybody was answered on WhatsApp")
        for number, words in zip(people, itertools.permutations(("sent", "delivered", "read"))):
            call = t.id("order")
            t.call(number, call)
            got = until("the summary on WhatsApp", lambda n=number: [m for m in t.phone(n, 0) if m["channel"] == "whatsapp"][1:])
            until("the provider's answer", lambda c=call: status_of(t, c, "whatsapp") == "sent")
            reports = [w for w in words for _ in range(t.random.randint(1, 2))]
            best = "sent"
            for word in reports + [t.random.choice(words)]:
                t.wa_status(got[0]["provider_message_id"], number, word, started + RANK[word])
                now = status_of(t, call, "whatsapp")
                best = max(best, word, key=RANK.get)
                same(now, best, f"the status in the order {reports} after '{word}'")
                shown += 1
    return f"{shown} reports, every status the best so far"


@story("a receipt before the send's answer", "SMS and WhatsApp accepted, DELIVERED and read posted at once, the answer 2 s later")
def early_receipt(t):
    smart, feature = t.people(2)
    seq = t.greet(smart)
    calls = {smart: t.id("early-wa"), feature: t.id("early-sms")}
    was = set()
    with NoReceipts(t):
        for number, channel in ((smart, "whatsapp"), (feature, "sms")):
            t.fault(channel, "delay", number, delay_ms=2000)
            t.call(number, calls[number], wait=False)
        [sms] = t.gets(feature, 1)
        was |= {status_of(t, calls[feature], "sms")} if t.database else set()  # to ask the server would be to wait for its answer
        same(t.post_sms({"messageId": sms["provider_message_id"], "status": "DELIVERED", "timestamp": "2026-01-02T03:04:05Z"},
                        "/sms-status-webhook"), 200, "the answer to the early report")
        wa = until("WhatsApp", lambda: [m for m in t.phone(smart, 1, seq, 2) if m["channel"] == "whatsapp"])[0]
        was |= {status_of(t, calls[smart], "whatsapp")} if t.database else set()
        t.wa_status(wa["provider_message_id"], smart, "read", time.time())
        until("the SMS is delivered", lambda: status_of(t, calls[feature], "sms") == "delivered")
        until("the WhatsApp message is read", lambda: status_of(t, calls[smart], "whatsapp") == "read")
    same(len(t.phone(feature, 0)), 1, "messages at the feature phone")
    return "kept, and applied when the answer brought the id" + (f"; the rows were {sorted(was)} then" if was else "")


@story("a closed window", "131047 at the send, and 131047 reported later, three times")
def closed_window(t):
    at_send, later = t.people(2)
    since = {n: t.greet(n) for n in (at_send, later)}
    t.fault("whatsapp", "error_code", at_send, code=131047)
    t.fault("whatsapp", "async_failure", later, code=131047)
    for number in since:
        t.call(number, t.id("window"))
    for number, seq in since.items():
        def whatsapp(n=number, s=seq):
            got = t.phone(n, 0, s)
            return got if any(m["kind"] == "template" for m in got) and any(m["channel"] == "sms" for m in got) else None
        got = until("template and SMS", whatsapp)
        refused = [m for m in got if not m["delivered"]]
        same(len(refused), 1 if number == later else 0, "free texts that were accepted first")
        for m in refused * 2:
            t.wa_status(m["provider_message_id"], number, "failed", time.time(), 131047)
        t.sms(number, "thank you")
        until("the answer", lambda n=number, s=seq: any("thank you" in m["text"] and m["channel"] == "sms" for m in t.phone(n, 0, s)))
        got = t.phone(number, 0, seq)
        same(sum(m["kind"] == "template" for m in got), 1, "templates")
        same(sum(m["channel"] == "sms" and "OK:" not in m["text"] for m in got), 1, "summaries by SMS")
    return "one template and one SMS each"


@story("WhatsApp fails later: 131026", "a reply is accepted and then reported as undeliverable, four times")
def no_whatsapp(t):
    number = t.person()
    t.fault("whatsapp", "async_failure", number, code=131026)
    t.wa(number, "is anybody there?")
    got = until("the SMS", lambda: (lambda g: g if any(m["channel"] == "sms" for m in g) else None)(t.phone(number, 2)))
    wamid = next(m["provider_message_id"] for m in got if m["channel"] == "whatsapp")
    for _ in range(3):
        t.wa_status(wamid, number, "failed", time.time(), 131026)
    t.sms(number, "thank you")
    until("the answer", lambda: any("thank you" in m["text"] for m in t.phone(number, 0)))
    got = t.phone(number, 0)
    same([m["channel"] for m in got], ["whatsapp", "sms", "sms"], "the reply, its SMS, the next answer by SMS only")
    return "SMS once, and WhatsApp left alone from then on"


@story("accepted, then silence", "the gateway takes the SMS and never answers: once with receipts, once without")
def silence(t):
    mute, heard = t.people(2)
    calls = {mute: t.id("mute"), heard: t.id("heard")}
    with NoReceipts(t):
        t.fault("sms", "accept_then_hang", mute)
        t.call(mute, calls[mute], wait=False)
        t.gets(mute, 1)
    t.fault("sms", "accept_then_hang", heard)
    t.call(heard, calls[heard], wait=False)
    t.gets(heard, 1)
    until("the report heals it", lambda: status_of(t, calls[heard], "sms") == "delivered")
    got = t.gets(mute, 2)
    until("an outcome", lambda: status_of(t, calls[mute], "sms") in ("sent", "delivered"))
    for number in calls:
        t.sms(number, "thank you")
        until("the answer", lambda n=number: any("thank you" in m["text"] for m in t.phone(n, 0)))
    same(len({m["reference"] for m in got}), 1, "references of the two")
    same(len(t.phone(mute, 0)), 3, "without a receipt: the message, its one repetition, the answer")
    same(len(t.phone(heard, 0)), 2, "with a receipt: the message, the answer")
    return "no repetition with a receipt, one marked repetition without"


@story("429 with Retry-After in the middle", "12 calls by SMS; the fifth send is told to come back in 4 s")
def retry_after(t):
    people = t.people(13)
    for number in people[:4]:
        t.call(number, t.id("burst"), wait=False)
    for number in people[:4]:
        t.gets(number, 1)
    refused = people[4]
    asked = t.value("SELECT clock_timestamp()") if t.database else ""
    t.fault("sms", "429", refused, retry_after=4)
    t.call(refused, t.id("burst"), wait=False)
    first = until("the refused send", lambda: [r for r in t.requests("mtn") if refused in r["body"]])[0]
    if t.database:
        until("the pause", lambda: t.sql(f"SELECT 1 FROM provider_circuit WHERE provider = 'mtn' AND not_before > '{asked}'"))
    in_parallel([lambda n=n: t.call(n, t.id("burst"), wait=n == people[5]) for n in people[5:]])
    for number in people[4:]:
        t.gets(number, 1)
    grace = 0 if t.database else GRACE_MS
    early = [r["at_ms"] - first["at_ms"] for r in t.requests("mtn") if first["at_ms"] + grace < r["at_ms"] < first["at_ms"] + 4000]
    expect(not early, f"{len(early)} requests within the 4 s, after {early[:5]} ms")
    for number in people:
        same(len(t.phone(number, 0)), 1, "messages at a phone")
    return "no request within the 4 s, all 13 arrived once"
