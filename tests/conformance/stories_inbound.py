"""What people and gateways do to the webhooks: repeat, race, batch, break the alphabet, and send what nobody signed."""

import json
import time
from contextlib import nullcontext

from story import story
from target import expect, in_parallel, same, signature


def answers_after(target, number, text="and this"):
    """All this phone has once a last message was answered; answers come in order, so what stood before it is complete."""
    before = len(target.phone(number, count=0, channel="sms"))
    target.sms(number, text)
    for wanted in range(before + 1, before + 20):
        got = [m for m in target.gets(number, wanted) if m["channel"] == "sms"]
        if any(text in m["text"] for m in got):
            return got
    return got


@story("duplicates in parallel", "one SMS and one WhatsApp message, each 50 times at the same moment")
def duplicates(t):
    person, other = t.people(2)
    sms = json.dumps({"from": person, "to": "8080", "message": t.say("Muraho"), "messageId": t.id("same")}).encode()
    wa = t.wa_body(other, "Muraho", "wamid." + t.id("same"))
    statuses = in_parallel([lambda: t.post_sms(sms)] * 50 + [lambda: t.post_wa(wa)] * 50)
    same(set(statuses), {200}, "the answers")
    t.accepted += [("mtn", json.loads(sms)["messageId"]), ("meta", wa["entry"][0]["changes"][0]["value"]["messages"][0]["id"])]
    t.gets(person, 1)
    same(len(answers_after(t, person)), 2, "replies to the SMS and to one more")
    t.gets(other, 1)
    t.wa(other, "and this")
    got = t.gets(other, 2)
    same(sum("Muraho" in m["text"] for m in got), 1, "replies to the WhatsApp message")
    return "100 times 200, one reply each"


@story("an unknown person on two channels at once", "10 SMS and 10 WhatsApp messages of a stranger in parallel")
def two_channels(t):
    number = t.person()
    jobs = []
    for i in range(10):
        jobs.append(lambda i=i: t.sms(number, f"by sms {i}."))
        jobs.append(lambda i=i: t.wa(number, f"by whatsapp {i}."))
    expect(all(in_parallel(jobs)), "not all 20 were answered 200")
    t.gets(number, 1)
    t.sms(number, "the last one")
    wanted = [f"by {c} {i}." for c in ("sms", "whatsapp") for i in range(10)]
    seen = prompt_with(t, "the last one")
    missing = [w for w in wanted if w not in seen]
    expect(not missing, f"the conversation the agent sees lacks {len(missing)} of 20 messages: {missing[:3]}")
    if t.database:
        same(t.sql(f"""SELECT count(DISTINCT m.profile_id), count(DISTINCT m.session_id), count(*) FROM message_delivery_log m
                       JOIN profiles p ON p.user_id = m.profile_id WHERE p.phone_number = '{number}' AND direction = 'inbound'"""),
             [["1", "1", "21"]], "persons, conversations, messages")
    return "one person, one conversation, nothing missing"


def prompt_with(t, text, wait_s=40):
    """The newest request to the agent that contains this text, once there is one."""
    deadline = time.monotonic() + wait_s
    while True:
        for body in reversed(t.lab("GET", "/lab/agent/requests?limit=200")["requests"]):
            said = json.dumps(body, ensure_ascii=False)
            if text in said and t.marker in said:
                return said
        expect(time.monotonic() < deadline, "the agent was not asked")
        time.sleep(0.1)


@story("one person in seven number formats", "seven SMS, the sender written in seven ways")
def seven_formats(t):
    number = t.person()
    d = number[4:]
    spellings = ["0" + d, d, "250" + d, number, "00250" + d, f"250 {d[:3]} {d[3:6]} {d[6:]}", f"+250-{d[:3]}-{d[3:6]}-{d[6:]}"]
    for i, spelling in enumerate(spellings):
        t.sms(spelling, f"spelling {i}.")
    t.gets(number, 1)
    t.sms(number, "that was all")
    seen = prompt_with(t, "that was all")
    same([i for i in range(7) if f"spelling {i}." not in seen], [], "spellings that are not in the conversation")
    return "one conversation, answered at one number"


@story("a batch with one malformed message", "one WhatsApp request: 3 entries x 3 changes x 4 messages of 36 persons, one of them broken")
def batch(t):
    numbers = t.people(36)
    bodies = [t.wa_message(n, f"I am number {i}.", "wamid." + t.id("batch")) for i, n in enumerate(numbers)]
    broken = t.random.randrange(36)
    good = [m for i, m in enumerate(bodies) if i != broken]
    bodies[broken] = {"id": 5, "from": {}, "type": []}
    entries = []
    for e in range(3):
        changes = []
        for c in range(3):
            messages = bodies[(e * 3 + c) * 4:(e * 3 + c) * 4 + 4]
            value = t.wa_value([m for m in messages if m["from"]])
            changes.append({"field": "messages", "value": {**value, "messages": messages}})
        entries.append({"id": str(e), "changes": [*changes, {"field": "account_update", "value": {"x": 1}}]})
    same(t.post_wa({"object": "whatsapp_business_account", "entry": entries}), 200, "the answer")
    t.accepted += [("meta", m["id"]) for m in good]
    for i, number in enumerate(numbers):
        if i != broken:
            t.gets(number, 1)
    same(t.phone(numbers[broken], 1, wait_s=0), [], "messages to the sender of the broken one")
    return "35 stored and answered, the broken one left aside"


@story("NUL, lone surrogates, invalid UTF-8", "ten SMS and two WhatsApp messages with what no alphabet has")
def alphabet(t):
    odd = [b"a\\u0000b", b"\\u0000", b"\\ud83d alone", b"\\ude00\\ud83d swapped", b"x\\u202ey", b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80",
           b"\xf5\x80\x80\x80", b"\xf0\x9f\x98"]
    people = t.people(len(odd) + 2)
    for number, text in zip(people, odd):
        message_id = t.id("odd")
        raw = b'{"from":"%s","to":"8080","message":"hello %s %s","messageId":"%s"}' % (
            number.encode(), text, t.marker.encode(), message_id.encode())
        same(t.post_sms(raw), 200, f"the answer to {text!r}")
        t.accepted.append(("mtn", message_id))
    for number, text in zip(people[len(odd):], (b"a\\u0000b", b"\\udead\xff")):
        body = t.wa_body(number, "PLACE", "wamid." + t.id("odd"))
        same(t.post_wa(json.dumps(body).encode().replace(b"PLACE", text)), 200, f"the answer to {text!r}")
        t.accepted.append(("meta", body["entry"][0]["changes"][0]["value"]["messages"][0]["id"]))
    for number in people:
        t.gets(number, 1)
    return "all taken, all answered"


@story("signatures over escaped text and over raw", "the same WhatsApp message as \\u escapes, as UTF-8, with \\/, and signed over another form")
def signatures(t):
    number = t.person()
    words = "Café – ça va ? 1/2"
    for i in range(3):
        body = t.wa_body(number, words, "wamid." + t.id("sign"))
        escaped, raw = json.dumps(body).encode(), json.dumps(body, ensure_ascii=False).encode()
        slashed = escaped.replace(b"/", b"\\/")
        forms = [escaped, raw, slashed]
        wrong = signature(t.secrets["wa"], forms[(i + 1) % 3])
        same(t.post("/wa-webhook-core", forms[i], {"X-Hub-Signature-256": "sha256=" + wrong})[0], 401, "signed over another form")
        same(t.post("/wa-webhook-core", forms[i])[0], 401, "not signed")
        same(t.post_wa(forms[i]), 200, "signed over its own bytes")
        t.accepted.append(("meta", body["entry"][0]["changes"][0]["value"]["messages"][0]["id"]))
    t.gets(number, 1)
    expect(words in prompt_with(t, words), "the text did not reach the agent as it was written")
    return "each form verified over its own bytes only"


@story("long inbound parts in any order", "one SMS text in three parts, sent as 3, 1, 2, each twice")
def parts(t):
    number = t.person()
    whole = f"I look for a house with three rooms and a garden, {t.marker}, not far from Kimironko, for 250 thousand a month, from May on"
    third = len(whole) // 3 + 1
    pieces = [whole[i:i + third] for i in range(0, len(whole), third)]
    ref = t.id("ref")
    for part in t.random.sample([1, 2, 3], 3):
        body = {"from": number, "to": "8080", "message": pieces[part - 1], "messageId": f"{ref}-{part}", "part": part, "parts": 3, "ref": ref}
        same([t.post_sms(body) for _ in range(2)], [200, 200], "the answers to a part and its repeat")
    t.gets(number, 1)
    t.sms(number, "do you have it?")
    seen = prompt_with(t, "do you have it?")
    if whole in seen:
        return "joined in order"
    missing = [i + 1 for i, p in enumerate(pieces) if json.dumps(p, ensure_ascii=False)[1:-1] not in seen]
    expect(not missing, f"lost: part {missing}")
    return "not joined, nothing lost"


@story("STOP is obeyed", "STOP twice, before the worker comes to it where that can be had; a message, a call; then START")
def stop(t):
    number = t.person()
    t.sms(number, "Muraho")
    t.gets(number, 1)
    with t.stopped_worker() if t.state else nullcontext():
        for word in ("STOP", "stop!"):
            t.sms(number, word, exact=True)
    expect(len(t.phone(number, 2, wait_s=20)) == 2, "the first STOP was not confirmed")
    t.sms(number, "are you still there?")
    same(t.call(number, t.id("stopped"))[1].get("status"), "skipped", "the call's notification")
    t.sms(number, "START", exact=True)
    got = t.gets(number, 3)
    expect("still there" not in got[2]["text"] and "Kimironko" not in got[2]["text"], "something went out after STOP")
    same(len(got), 3, "a reply, one confirmation of STOP, one of START")
    return "confirmed once, silent, confirmed again"


@story("post-call three times, and before the call", "the end of a call three times in a row, 10 times at once, and before the call is known")
def post_call(t):
    first, second, third = t.people(3)
    call = t.id("thrice")
    t.call(first, call, ended=False)
    answers = [t.tool("/post-call-notify", {"call_id": call}) for _ in range(3)]
    same([a[0] for a in answers], [200] * 3, "the answers")
    same(len({json.dumps([c["message_id"] for c in a[1]["channels"]]) for a in answers}), 1, "different answers")
    burst = t.id("burst")
    t.call(second, burst, ended=False)
    statuses = {a[0] for a in in_parallel([lambda: t.tool("/post-call-notify", {"call_id": burst})] * 10)}
    expect(statuses <= {200, 202}, f"answers at once: {statuses}")
    early = t.id("early")
    same(t.tool("/post-call-notify", {"call_id": early})[0], 404, "the answer for an unknown call")
    t.call(third, early, ended=False)
    for number in (first, second, third):
        t.gets(number, 1)
        t.sms(number, "thank you")
        same(sum("Kimironko" in m["text"] and "OK:" not in m["text"] for m in t.gets(number, 2)[:2]), 1, "summaries")
    return "one summary each, the early one when its call appeared"
