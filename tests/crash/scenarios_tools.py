"""Tools of the sweep: an agent that sends in the middle of its turn, a caller that repeats its request under the same key, and every
endpoint once. Like those of scenarios_calls.py; the numbers of EXACT get what is said here and nothing more."""

ASKER, REGULAR, OVER_MCP = "+250788100040", "+250788100041", "+250788100042"
EXACT = (ASKER, REGULAR)
ENDED = {"SELECT count(*) FROM tool_calls WHERE idem_key IS NOT NULL AND outcome IS NULL": "0"}


def script_agent(w):
    """For whoever asks next: a turn that begins anew is told the same. Called before a program is started."""
    w.lab_json("POST", "/lab/agent", {"replies": [
        {"tool_calls": [{"name": "messaging_send_sms", "arguments": {"message": "The house is behind the market"}}]}, "I have sent it."]})


def tool_turn(w):
    """Where the caller's endpoint is to die, no job is running yet: it sends for itself."""
    w.send_whatsapp(ASKER, "Please send me the place by SMS", "wamid.asker")
    profile = w.call_tool("/tools/session_get_or_create", {"phone_number": ASKER})["profile_id"]
    w.call_tool("/tools/messaging_send_dual_channel", {"profile_id": profile, "message": "The car comes at 8", "idempotency_key": "ride-8"})
    sent = "SELECT count(*) FROM tool_calls WHERE tool = '{}' AND idem_key IS NOT NULL AND message_ids <> '{{}}'"
    return ["wamid.asker"], {ASKER: {"sms": 2, "whatsapp": 2}}, {
        **ENDED, sent.format("messaging_send_sms"): "1", sent.format("messaging_send_dual_channel"): "1"}


def every_tool(w):
    w.send_whatsapp(REGULAR, "Hello", "wamid.regular")
    who = w.call_tool("/tools/session_get_or_create", {"phone_number": REGULAR})
    profile, session = {"profile_id": who["profile_id"]}, {"session_id": who["session_id"]}
    w.call_tool("/tools/session_add_context", {**session, "context": {"rooms": 2}})
    w.call_tool("/tools/session_update_status", {**session, "status": "follow_up"})
    w.call_tool("/tools/session_get_context", session)
    w.call_tool("/tools/agent_handover", {**session, "agent": "rides", "reason": "wants a ride"})
    w.call_tool("/tools/session_pause", session)
    w.call_tool("/tools/operator_send", {**session, "message": "Good day", "idempotency_key": "operator-1"})
    w.call_tool("/tools/messaging_send_sms", {**profile, "message": "Two rooms", "idempotency_key": "sms-1"})
    w.call_tool("/tools/messaging_send_whatsapp", {**profile, "message": "Three rooms", "idempotency_key": "wa-1"})
    w.call_mcp("messaging_send_sms", {**profile, "message": "Four rooms", "idempotency_key": "mcp-1"})
    w.call_mcp("call_log_summary", {"call_id": "mcp", "phone_number": OVER_MCP, "channel": "sip", "bullets": ["A ride"], "ended": True})
    w.call_tool("/tools/session_resume", session)
    w.fetch("/tools")
    w.fetch("/healthz")
    return ["wamid.regular"], {REGULAR: {"sms": 2, "whatsapp": 3}, OVER_MCP: {"sms": 1}}, ENDED
