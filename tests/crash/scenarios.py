"""The scenarios of the sweep. Each is a function of a world that does what people and gateways do, each thing until it was
answered, and returns what must be true of it in the end: (inbound ids, {number: channels that must each have brought something})."""

import urllib.parse

from harness import in_parallel
from scenarios_calls import BULLETS, calls_away, sip_call, unreported_end, whatsapp_call
from scenarios_tools import EXACT, every_tool, script_agent, tool_turn

FEATURE = "+250788100001"
SMART = "+250788100002"
STRANGER = "+250788100003"
HANGS, DOWN, GONE = "+250788100004", "+250788100005", "+250788100006"
CROWD = [f"+25078810001{i}" for i in range(5)]
CALLER = "+250788100020"
BEFORE, AWAY, AWAY_WA = "+250788100021", "+250788100022", "+250788100023"
MARKERS = ["0788100", "Kimironko", "Musanze", "my dog", "Aline", "behind the market", "comes at 8"]  # what must not be in a log


def feature_phone(w):
    w.call_tool("/tools/call_log_summary", {"call_id": "feature", "phone_number": FEATURE, "channel": "sip", "bullets": BULLETS})
    w.call_tool("/post-call-notify", {"call_id": "feature"})
    w.send_sms(FEATURE, "Change budget to 250k", "feature-1")
    return ["feature-1"], {FEATURE: {"sms": 2}}


def smartphone(w):
    w.call_tool("/tools/call_log_summary", {"call_id": "smart", "phone_number": SMART, "channel": "whatsapp", "bullets": BULLETS,
                                            "ended": True})
    w.send_whatsapp(SMART, "Can I bring my dog?", "wamid.smart1")
    return ["wamid.smart1"], {SMART: {"whatsapp": 2}}  # the summary's SMS twin may be given up when WhatsApp has it


def stranger(w):
    w.send_sms(STRANGER, "Do you have rooms in Musanze?", "stranger-1")
    return ["stranger-1"], {STRANGER: {"sms": 1}}


def faults(w):
    for fault in ({"provider": "mtn", "fault": "accept_then_hang", "match": HANGS[1:]},
                  {"provider": "mtn", "fault": "503", "match": DOWN[1:]},
                  {"provider": "meta", "fault": "async_failure", "code": 131026, "match": GONE[1:]}):
        w.lab_json("POST", "/lab/faults", {**fault, "times": 1})
    for number, channel in ((HANGS, "sip"), (DOWN, "sip"), (GONE, "whatsapp")):
        w.call_tool("/tools/call_log_summary", {"call_id": "fault" + number[-1], "phone_number": number, "channel": channel,
                                                "bullets": BULLETS, "ended": True})
    w.send_sms(DOWN, "Thank you", "fault-1")
    return ["fault-1"], {HANGS: {"sms": 1}, DOWN: {"sms": 2}, GONE: {"sms": 1}}


def burst(w):
    """Several people at once, one of them with three messages in a row, and the end of a call that nobody has told of."""
    jobs = [lambda n=n: w.send_sms(n, "Hello", "burst-" + n[-2:]) for n in CROWD[1:]]
    jobs.append(lambda: [w.send_sms(CROWD[0], f"Word {i}", f"burst-word{i}") for i in range(3)])
    jobs.append(lambda: w.call_tool("/post-call-notify", {"call_id": "cdr", "phone_number": CALLER}))
    in_parallel(jobs)
    return (["burst-" + n[-2:] for n in CROWD[1:]] + [f"burst-word{i}" for i in range(3)],
            {**{n: {"sms": 1} for n in CROWD}, CALLER: {"sms": 1}})


def away(w):
    """The database stands still while messages and a report come, and then comes back."""
    w.call_tool("/tools/call_log_summary", {"call_id": "away", "phone_number": BEFORE, "channel": "sip", "bullets": BULLETS, "ended": True})
    brought = w.phone(BEFORE)[0]
    w.freeze()
    try:
        for i in range(3):
            w.send_sms(AWAY, f"Word {i}", f"away-{i}")
        w.send_whatsapp(AWAY_WA, "Is anybody there?", "wamid.away")
        w.report(BEFORE, brought)
    finally:
        w.thaw()
    return ["away-0", "away-1", "away-2", "wamid.away"], {BEFORE: {"sms": 1}, AWAY: {"sms": 1}, AWAY_WA: {"whatsapp": 1}}


BASIC = {f.__name__: f for f in (feature_phone, smartphone, stranger, faults, burst, away)}
SCENARIOS = BASIC | {f.__name__: f for f in (whatsapp_call, sip_call, calls_away, unreported_end, tool_turn, every_tool)}
SETTINGS = {"unreported_end": {"CALL_SILENCE_S": "2"}}  # of the jobs
PREPARE = {"tool_turn": script_agent}  # done before each start of a job


def missing(w, inbound, wanted, truths):
    """What the scenario promises and is not there; empty when all is well."""
    found = []
    for external_id in inbound:
        n = w.value(f"SELECT count(*) FROM message_delivery_log WHERE direction = 'inbound' AND external_message_id = '{external_id}'")
        if n != "1":
            found.append(f"I1 {external_id}: stored {n} times")
    for number, channels in wanted.items():
        messages = w.lab_json("GET", f"/lab/phones/{urllib.parse.quote(number)}")["messages"]
        for channel, least in channels.items():
            n = len({m["reference"] for m in messages if m["channel"] == channel and m["delivered"]})
            if n < least or (n > least and number in EXACT):
                found.append(f"{number[-2:]}: {n} of {least} by {channel}")
    for statement, value in truths.items():
        if w.value(statement) != value:
            found.append(f"{statement}: {w.value(statement)}, not {value}")
    return found
