"""Calls of the sweep: by WhatsApp with the lab as the voice bridge, by SIP, while the database stands still, and one whose end nobody
tells. Like those of scenarios.py; the third thing they return is {statement: its value} of what must be true, too."""

import json

from test_voice import connect, sip_event, terminate

BULLETS = ["You look for a house in Kimironko", "Your budget is 300k a month"]
TRANSCRIPT = "I look for a house in Kimironko with two rooms. My budget is 300,000 francs. We will send offers on Friday."
GIST = json.dumps({"points": ["You look for a house in Kimironko", "Your budget is 300,000"], "next_steps": [], "language": "en"})
TALKER, SIPPER, WAITER, HOLDER, SILENT = [f"+25078810003{i}" for i in range(5)]


def await_action(w, call_id, kind):
    w.await_value("SELECT coalesce(min(a.status), 'none') FROM call_actions a JOIN call_summaries c ON c.id = a.call "
                  f"WHERE c.call_id = '{call_id}' AND a.kind = '{kind}'", "done")


def of_call(call_id, column):
    return f"SELECT {column} FROM call_summaries WHERE call_id = '{call_id}'"


def whatsapp_call(w):
    """Nobody stores a text: it is made from the transcript that comes after the end."""
    w.lab_json("POST", "/lab/agent", {"reply": GIST})
    w.call_hook(connect("wacid.crash", TALKER))
    await_action(w, "wacid.crash", "answer")
    w.call_hook(terminate("wacid.crash", TALKER, 60))
    w.tell_transcript(TALKER, "wacid.crash", TRANSCRIPT)
    return [], {TALKER: {"whatsapp": 1}}, {of_call("wacid.crash", "text_made"): "t", of_call("wacid.crash", "status"): "ended"}


def sip_call(w):
    w.sip_hook(sip_event("rtc_crash", f"<sip:{SIPPER}@carrier.invalid>"))
    await_action(w, "rtc_crash", "accept")
    w.call_tool("/tools/call_log_summary", {"call_id": "rtc_crash", "phone_number": SIPPER, "bullets": BULLETS, "ended": True})
    return [], {SIPPER: {"sms": 1}}, {of_call("rtc_crash", "status"): "ended"}


def calls_away(w):
    """The worker finds both calls in the spool and picks them up itself."""
    w.freeze()
    try:
        w.call_hook(connect("wacid.crashaway", WAITER))
        w.sip_hook(sip_event("rtc_crashaway", f"<sip:{HOLDER}@carrier.invalid>"))
    finally:
        w.thaw()
    await_action(w, "wacid.crashaway", "answer")
    await_action(w, "rtc_crashaway", "accept")
    w.call_hook(terminate("wacid.crashaway", WAITER, 60))
    for call_id, number in (("wacid.crashaway", WAITER), ("rtc_crashaway", HOLDER)):
        w.call_tool("/tools/call_log_summary", {"call_id": call_id, "phone_number": number, "bullets": BULLETS, "ended": True})
    return [], {WAITER: {"whatsapp": 1}, HOLDER: {"sms": 1}}, {}


def unreported_end(w):
    """The agent stores its text and is not heard of again (SETTINGS: CALL_SILENCE_S)."""
    w.call_tool("/tools/call_log_summary", {"call_id": "silent", "phone_number": SILENT, "channel": "sip", "bullets": BULLETS})
    return [], {SILENT: {"sms": 1}}, {of_call("silent", "end_cause"): "silence"}
