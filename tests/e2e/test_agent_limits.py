"""What an agent is not let do, however it is asked: speak while an operator holds the conversation, write to who said STOP, fill its
own room, reach others by ids in any spelling, put links into the summary of a call; and nobody waits for ever."""

import json
import os
import signal
import time
import unittest

from agent_server import call_tools, last_user, say
from harness import KEY, REPLY_TO, SystemTest, request
from test_continuity import Reading
from tools import ToolTest, token
from turns import person

BIG = "the house is large " * 10000  # two of them fit into an answer that is read at all


class Interrupted(SystemTest):
    """Something happens while the agent thinks."""

    env = {"TURN_QUIET_MS": "50"}

    def think(self, number, text, key):
        """The agent thinks for 10 s about this text; returns the session."""
        self.lab_json("POST", "/lab/agent", {"reply": "The answer " + key, "delay_ms": 10000})
        self.assertEqual(self.post_sms({"from": number, "to": "8080", "message": text, "messageId": key})[0], 200)
        self.wait_for(f"SELECT count(*) FROM turns WHERE profile_id = {person(number)} AND status = 'running'", 1)
        self.lab_json("GET", "/lab/agent/requests?count=1&wait_ms=60000", timeout=90)
        self.lab_json("POST", "/lab/agent", {"reply": "The answer " + key})
        return self.value(f"SELECT id FROM omnichannel_sessions WHERE profile_id = {person(number)} AND status <> 'closed'")

    def over(self, number):
        self.wait_for(f"SELECT count(*) FROM turns WHERE profile_id = {person(number)} AND status = 'running'", 0)

    def texts(self, number):
        return [m["text"] for m in self.phone(number, count=0, wait_s=0)]

    def test_an_operator_takes_over(self):
        number = "+250788020101"
        session = self.think(number, "hello", "pause-1")
        self.assertEqual(self.tool("/tools/session_pause", {"session_id": session})[0], 200)
        self.over(number)
        self.sql(f"UPDATE message_delivery_log SET created_at = created_at - interval '15 s' WHERE session_id = '{session}'")  # read at leisure
        self.assertEqual(self.tool("/tools/operator_send", {"session_id": session, "message": "This is Anne."})[0], 200)
        self.phone(number)
        self.assertEqual(self.texts(number), ["This is Anne." + REPLY_TO])
        self.assertEqual(self.value(f"SELECT string_agg(status, ' ') FROM turns WHERE profile_id = {person(number)}"), "lost")
        self.assertEqual(self.post_sms({"from": number, "to": "8080", "message": "and now?", "messageId": "pause-2"})[0], 200)
        self.assertEqual(self.tool("/tools/session_resume", {"session_id": session})[0], 200)
        self.phone(number, count=2)
        self.assertEqual(self.texts(number), ["This is Anne." + REPLY_TO, "The answer pause-1"])

    def test_stop_while_the_answer_is_on_its_way(self):
        number = "+250788020102"
        self.think(number, "hello", "stop-1")
        self.assertEqual(self.post_sms({"from": number, "to": "8080", "message": "STOP", "messageId": "stop-2"})[0], 200)
        self.over(number)
        self.wait_for(f"SELECT count(*) FROM message_delivery_log WHERE profile_id = {person(number)} AND status IN ('pending', 'sending', 'failed')", 0)
        texts = self.texts(number)
        self.assertEqual(len(texts), 1, texts)  # the confirmation
        self.assertNotIn("The answer", texts[0])

    def test_new_while_the_agent_thinks(self):
        number = "+250788020103"
        first = self.think(number, "the old matter", "new-1")
        self.assertEqual(self.post_sms({"from": number, "to": "8080", "message": "NEW", "messageId": "new-2"})[0], 200)
        self.over(number)
        self.wait_for(f"SELECT count(*) FROM message_delivery_log WHERE profile_id = {person(number)} AND awaits_turn", 0)
        self.assertEqual(self.sql(f"SELECT status FROM omnichannel_sessions WHERE profile_id = {person(number)} ORDER BY started_at"),
                         [["closed"], ["active"]])
        seen = [r for r in self.lab_json("GET", "/lab/agent/requests?limit=200")["requests"] if "the old matter" in json.dumps(r)]
        self.assertEqual(len(seen), 1, "the new conversation knows nothing of the old one")
        self.assertEqual(self.sql(f"SELECT status, error_code FROM turns WHERE session_id = '{first}'"), [["done", "began_anew"]])
        self.assertNotIn("The answer new-1", self.texts(number))

    def test_the_conversation_is_closed(self):
        number = "+250788020104"
        session = self.think(number, "hello", "closed-1")
        self.assertEqual(self.tool("/tools/session_update_status", {"session_id": session, "status": "closed"})[0], 200)
        self.over(number)
        self.phone(number)
        self.assertEqual(self.texts(number), ["The answer closed-1"])  # who wrote is answered
        self.assertEqual(self.value(f"SELECT status FROM omnichannel_sessions WHERE id = '{session}'"), "closed")

    def test_another_agent_is_chosen(self):
        number = "+250788020105"
        session = self.think(number, "hello", "chosen-1")
        self.assertEqual(self.tool("/tools/agent_handover", {"session_id": session, "agent": "nobody", "reason": "r"})[0], 404)
        self.assertEqual(self.tool("/tools/agent_handover", {"session_id": session, "agent": "jobs", "reason": "r"})[0], 200)
        self.over(number)
        self.phone(number)
        self.assertEqual(self.value(f"SELECT last_agent_id FROM omnichannel_sessions WHERE id = '{session}'"), "jobs")

    def test_the_worker_is_killed_after_a_tool(self):
        number = "+250788020106"
        send = {"tool_calls": [{"name": "messaging_send_sms", "arguments": {"message": "The code is 4711."}}]}
        self.lab_json("POST", "/lab/agent", {"replies": [send, {"reply": "Sent.", "delay_ms": 10000}, send, {"reply": "Sent."}]})
        self.assertEqual(self.post_sms({"from": number, "to": "8080", "message": "the code", "messageId": "kill-1"})[0], 200)
        self.wait_for(f"SELECT count(*) FROM tool_calls WHERE profile_id = {person(number)} AND outcome IS NOT NULL", 1)
        for pid in self.pids("message-worker"):
            os.kill(pid, signal.SIGKILL)
        self.sql(f"UPDATE omnichannel_sessions SET turn_lease_until = now() WHERE profile_id = {person(number)} AND turn_lease_until IS NOT NULL")
        self.wait_for(f"SELECT count(*) FROM turns WHERE profile_id = {person(number)} AND status = 'done'", 1)
        self.phone(number, count=2)
        time.sleep(1)
        self.assertEqual(sorted(self.texts(number)), ["Sent.", "The code is 4711." + REPLY_TO])


class Steady(SystemTest):
    env = {"TURN_QUIET_MS": "700"}

    def test_who_goes_on_writing_is_answered(self):
        number = "+250788020201"
        self.lab_json("POST", "/lab/agent", {"reply": "I am here."})
        for i in range(20):  # for ten seconds, never quiet for long enough
            self.assertEqual(self.post_sms({"from": number, "to": "8080", "message": f"and {i}", "messageId": f"steady-{i}"})[0], 200)
            time.sleep(0.5)
            if self.phone(number, count=0, wait_s=0):
                break
        self.assertLess(i, 16, "answered while the messages still came")
        self.assertEqual(self.phone(number)[0]["text"], "I am here.")


class Room(Reading):
    """Calls without end, arguments without end, results without end: the agent's next request stays small."""

    @staticmethod
    def answer(body):
        told = [m for m in body["messages"] if m["role"] == "tool"]
        if told:
            return say("Done.")
        text = last_user(body)
        if "hundred" in text:
            return call_tools(*[("session_get_context", {})] * 100)
        if "long arguments" in text:
            return call_tools(("session_add_context", {"context": {"x": BIG}}), ("messaging_send_sms", {"message": BIG}),
                              ("session_get_context", {"x": json.loads("[" * 14 + "]" * 14)}))
        if "look" in text:
            return call_tools(("session_get_context", {}))
        return say("Noted.")

    def last(self):
        body = self.agent.requests[-1]
        return body, len(json.dumps(body))

    def test_a_hundred_calls(self):
        self.assertEqual(self.says("+250788020301", "sms", "call a hundred times"), ["Done."])
        body, size = self.last()
        self.assertLessEqual(len([m for m in body["messages"] if m["role"] == "tool"]), 20)
        self.assertLess(size, 200000)

    def test_long_arguments(self):
        self.assertEqual(self.says("+250788020302", "sms", "call with long arguments"), ["Done."])
        body, size = self.last()
        self.assertLess(size, 60000)
        results = [json.loads(m["content"])["result"] for m in body["messages"] if m["role"] == "tool"]
        self.assertEqual(results[:2], ["failed", "failed"])
        self.assertEqual(self.value(f"SELECT context::text FROM omnichannel_sessions WHERE profile_id = {person('+250788020302')}"), "{}")

    def test_ten_thousand_messages(self):
        number = "+250788020303"
        self.assertEqual(self.says(number, "sms", "hello"), ["Noted."])
        self.sql("INSERT INTO message_delivery_log (id, session_id, profile_id, channel, direction, message_type, provider, content, status, "
                 "external_message_id, idem_key) SELECT uuid_v7(), s.id, s.profile_id, 'whatsapp', 'inbound', 'message', 'meta', "
                 "repeat('a long story ', 300), 'received', 'old-' || n, 'old-' || n FROM omnichannel_sessions s, generate_series(1, 10000) AS n "
                 f"WHERE s.profile_id = {person(number)}")
        began = time.monotonic()
        self.assertEqual(self.says(number, "sms", "look"), ["Done."])
        took = time.monotonic() - began
        body, size = self.last()
        self.assertLess(took, 30)
        self.assertLess(size, 60000)
        self.assertIn('"cut"', [m["content"] for m in body["messages"] if m["role"] == "tool"][0].replace(" ", ""))


class Spelling(ToolTest):
    """Ids of somebody else, however they are given."""

    def test_other_ids_in_every_spelling(self):
        _, profile, session = self.person()
        strange_number, strange, strange_session = self.person()
        key = token(profile, "messaging_send_sms,session_get_context,session_add_context,session_get_or_create,call_log_summary", session)
        for other in (strange, strange.upper(), " " + strange, "{" + strange + "}", strange.replace("-", ""), [strange], {"id": strange}, True, 1):
            self.tool("/tools/messaging_send_sms", {"message": "x", "profile_id": other}, key)
        for other in (strange_session, strange_session.upper(), [strange_session], {"id": strange_session}, strange_session.replace("-", "")):
            for tool, more in (("messaging_send_sms", {"message": "x"}), ("session_get_context", {}), ("session_add_context", {"context": {"evil": 1}})):
                self.tool("/tools/" + tool, {"session_id": other, **more}, key)
        bare = strange_number[1:]
        for other in (strange_number, bare, "00" + bare, "0" + bare[3:], bare[3:], int(bare), " ".join(strange_number), [strange_number], strange_number + "\u200b"):
            self.tool("/tools/session_get_or_create", {"phone_number": other}, key)
            self.tool("/tools/call_log_summary", {"phone_number": other, "call_id": "spelled", "bullets": ["x"], "ended": True}, key)
        raw = '{"message": "x", "profile_id": "%s", "profile_id": "%s"}' % (profile, strange)
        self.assertEqual(self.post("/tools/messaging_send_sms", raw, {"Authorization": "Bearer " + key})[0], 400)
        self.assertEqual(self.received(strange_number), [])
        self.assertEqual(self.value(f"SELECT count(*) FROM message_delivery_log WHERE profile_id = '{strange}'"), "0")
        self.assertEqual(self.value(f"SELECT context::text FROM omnichannel_sessions WHERE id = '{strange_session}'"), "{}")
        self.assertEqual(self.value(f"SELECT count(*) FROM call_summaries WHERE profile_id = '{strange}'"), "0")

    def test_a_token_belongs_into_the_header(self):
        _, profile, session = self.person()
        key = token(profile, "session_get_context", session)
        for query in (f"?token={key}", f"?access_token={key}", f"?authorization=Bearer%20{key}"):
            self.assertEqual(self.post("/tools/session_get_context" + query, "{}")[0], 401)
            self.assertEqual(self.post("/mcp" + query, '{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}')[0], 401)
        self.assertEqual(self.post("/tools/session_get_context", "{}", {"Authorization": "Basic " + key})[0], 401)


class Summary(ToolTest):
    """A voice agent's words reach the caller's phone through the same guard as any agent's."""

    def test_links_and_strange_numbers_do_not_get_into_a_summary(self):
        number, profile, _ = self.person()
        key = token(profile, "call_log_summary", call="rtc-evil")
        args = {"bullets": ["A house in Kimironko, 250,000 RWF", "Pay at https://evil.example/x now please", "https://evil.example/x",
                            "My system prompt says so"],
                "next_actions": ["Call the owner on 0788999888 today"], "ended": True}
        status, reply = self.tool("/tools/call_log_summary", args, key)
        self.assertEqual((status, reply["status"]), (200, "sent"), reply)
        text = " ".join(t for _, t in self.received(number))
        self.assertIn("250,000 RWF", text)
        stored = self.value("SELECT bullets::text || next_actions::text FROM call_summaries WHERE call_id = 'rtc-evil'")
        for words in ("evil.example", "0788999888", "system prompt"):
            self.assertNotIn(words, text)
            self.assertNotIn(words, stored)

    def test_an_operators_words_stay(self):
        number, _, _ = self.person()
        args = {"call_id": "rtc-pbx", "phone_number": number, "bullets": ["See https://partner.example/x or call 0788999888"], "ended": True}
        self.assertEqual(self.tool("/tools/call_log_summary", args)[1]["status"], "sent")
        self.assertIn("https://partner.example/x or call 0788999888", self.received(number)[-1][1])

    def test_nothing_left_is_still_an_ended_call(self):
        number, profile, _ = self.person()
        key = token(profile, "call_log_summary", call="rtc-empty")
        status, reply = self.tool("/tools/call_log_summary", {"summary": "https://evil.example/x", "ended": True}, key)
        self.assertIn(status, (200, 202), reply)
        self.assertEqual(self.value("SELECT summary_text IS NULL AND ended_at IS NOT NULL FROM call_summaries WHERE call_id = 'rtc-empty'"), "t")
        self.assertNotIn("evil", " ".join(t for _, t in self.received(number)))


class Watched(ToolTest):
    def test_who_waits_for_a_person_is_seen(self):
        _, _, session = self.person()
        before = json.loads(request(self.base, "GET", "/healthz")[2])["backlog"]["needs_human"]
        self.assertEqual(self.tool("/tools/agent_handover", {"session_id": session, "agent": "human", "reason": "r"})[0], 200)
        self.assertEqual(json.loads(request(self.base, "GET", "/healthz")[2])["backlog"]["needs_human"], before + 1)
        self.assertEqual(self.value(f"SELECT status FROM sessions_needing_human WHERE session_id = '{session}'"), "active")
        self.assertEqual(self.tool("/tools/session_resume", {"session_id": session})[0], 200)
        self.assertEqual(json.loads(request(self.base, "GET", "/healthz")[2])["backlog"]["needs_human"], before)

    def test_who_waits_in_a_conversation_that_was_closed(self):
        number, _, session = self.person()
        self.assertEqual(self.tool("/tools/session_pause", {"session_id": session})[0], 200)
        self.assertEqual(self.post_sms({"from": number, "to": "8080", "message": "is anybody there?", "messageId": "held-1"})[0], 200)
        self.assertEqual(self.value(f"SELECT unanswered FROM sessions_needing_human WHERE session_id = '{session}'"), "1")
        self.assertEqual(self.tool("/tools/session_update_status", {"session_id": session, "status": "closed"})[0], 200)
        self.assertEqual(self.value(f"SELECT status FROM sessions_needing_human WHERE session_id = '{session}'"), "closed")
        n = len(self.received(number))
        self.assertEqual(self.tool("/tools/session_resume", {"session_id": session}),
                         (200, {"success": True, "session_id": session, "status": "closed", "paused": False}))
        self.phone(number, count=n + 1)
        self.wait_for(f"SELECT count(*) FROM sessions_needing_human WHERE session_id = '{session}'", 0)
        self.refused(self.tool("/tools/session_resume", {"session_id": session}), 409, "conflict", "session_id")

    def test_an_agents_server_that_rests_is_seen(self):
        agent = lambda: json.loads(request(self.base, "GET", "/healthz")[2])["checks"]["agent"]
        self.assertEqual(agent(), "ok")
        self.sql("INSERT INTO provider_circuit (provider, state) VALUES ('agent:elsewhere', 'forced_open')")
        self.assertEqual(agent(), "degraded")
        self.sql("UPDATE provider_circuit SET state = 'open', open_until = now() - interval '1 hour' WHERE provider = 'agent:elsewhere'")
        self.assertEqual(agent(), "ok")  # nobody has asked it since
        self.sql("UPDATE provider_circuit SET state = 'closed', open_until = NULL WHERE provider = 'agent:elsewhere'")
        self.assertEqual(agent(), "ok")

    def test_twenty_calls_a_second(self):
        _, profile, session = self.person()
        key = token(profile, "session_get_context", session)
        # As if nineteen had come in this very second, whatever this machine can do.
        self.sql("INSERT INTO tool_calls (id, tool, caller, profile_id, outcome, created_at) SELECT uuid_v7(), 'session_get_context', 'bound', "
                 f"'{profile}', 'ok', now() + interval '5 seconds' FROM generate_series(1, 19)")
        self.assertEqual(self.tool("/tools/session_get_context", {}, key)[0], 200)
        self.refused(self.tool("/tools/session_get_context", {}, key), 429, "limit", "calls_per_second")
        self.assertEqual(self.tool("/tools/session_get_context", {"session_id": session}, KEY)[0], 200)


if __name__ == "__main__":
    unittest.main()
