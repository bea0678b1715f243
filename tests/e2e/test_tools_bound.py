"""Bound tokens: for whom a tool may be used, how often, and what its catalog shows."""

import json
import unittest

from harness import KEY, in_parallel, request
from tools import MESSAGING, TOKEN_SECRET, ToolTest, taken, token


class Bound(ToolTest):
    ALL = ("messaging_send_whatsapp,messaging_send_sms,messaging_send_dual_channel,session_get_or_create,session_update_status,"
           "session_add_context,session_get_context,agent_handover,session_pause,session_resume,operator_send,call_log_summary")

    def turn(self):
        """A person whose turn is running, as far as the database knows: (number, profile, session, turn, its token)."""
        number, profile, session = self.person()
        turn = self.value("WITH s AS (UPDATE omnichannel_sessions SET turn_token = turn_token + 1, turn_lease_owner = 'test', "
                          f"turn_lease_until = now() + interval '1 hour' WHERE id = '{session}' RETURNING id, profile_id, turn_token) "
                          "INSERT INTO turns (session_id, profile_id, token, worker) SELECT id, profile_id, turn_token, 'test' FROM s RETURNING id")
        return number, profile, session, turn, 1

    def denied(self, answer, profile):
        """403, nothing written but the evidence."""
        self.refused(answer, 403, "forbidden")
        self.assertEqual(self.rows(profile), 0)
        self.assertEqual(self.value(f"SELECT count(*) > 0 FROM tool_calls WHERE profile_id = '{profile}' AND outcome = 'denied'"), "t")

    def test_own_person(self):
        number, profile, session, turn, fence = self.turn()
        key = token(profile, self.ALL, session, turn=turn, turn_token=fence)
        status, reply = self.tool("/tools/messaging_send_sms", {"message": "for you"}, key)
        self.assertEqual((status, reply["status"]), (200, "sent"), reply)
        args = {"message": "you again", "profile_id": profile, "session_id": session}
        self.assertEqual(self.tool("/tools/messaging_send_sms", args, key)[0], 200)
        self.assertEqual([t for _, t in self.received(number)], ["for you", "you again"])
        self.assertEqual(self.tool("/tools/session_add_context", {"context": {"a": 1}}, key)[1]["session_id"], session)
        self.assertEqual(self.tool("/tools/session_get_context", {}, key)[1]["context"], {"a": 1})
        self.assertEqual(self.tool("/tools/session_get_or_create", {}, key)[1]["session_id"], session)
        self.assertEqual(self.tool("/tools/session_get_or_create", {"phone_number": number}, key)[0], 200)
        self.assertEqual(self.value("SELECT string_agg(DISTINCT caller || ' ' || outcome || ' ' || (turn_id IS NOT NULL), ', ') FROM tool_calls "
                                    f"WHERE profile_id = '{profile}' AND created_at > (SELECT started_at FROM turns WHERE id = '{turn}')"), "turn ok true")

    def test_other_person(self):
        _, profile, session, turn, fence = self.turn()
        strange_number, strange, strange_session = self.person()
        key = token(profile, self.ALL, session, turn=turn, turn_token=fence)
        for tool in MESSAGING:
            self.denied(self.tool("/tools/" + tool, {"message": "x", "profile_id": strange}, key), profile)
            self.denied(self.tool("/tools/" + tool, {"message": "x", "session_id": strange_session}, key), profile)
        for tool, more in (("session_get_context", {}), ("session_add_context", {"context": {"a": 1}}), ("session_update_status", {"status": "closed"}),
                           ("agent_handover", {"agent": "human", "reason": "r"})):
            self.denied(self.tool("/tools/" + tool, {"session_id": strange_session, **more}, key), profile)
        self.denied(self.tool("/tools/session_get_or_create", {"phone_number": strange_number}, key), profile)
        self.denied(self.tool("/tools/session_get_or_create", {"phone_number": "+250788999999"}, key), profile)
        self.denied(self.tool("/tools/session_get_or_create", {"call_id": "any"}, key), profile)
        self.denied(self.tool("/tools/call_log_summary", {"call_id": "any", "summary": "x"}, key), profile)
        self.assertEqual(self.rows(strange), 0)
        self.assertEqual(self.value(f"SELECT status || context::text FROM omnichannel_sessions WHERE id = '{strange_session}'"), "active{}")
        self.assertEqual(self.received(strange_number), [])

    def test_401(self):
        _, profile, session, turn, fence = self.turn()
        bound = {"session": session, "turn": turn, "turn_token": fence}
        good = token(profile, self.ALL, **bound)
        for key in ("", "x", good[:-1], good + "A", "." + good.split(".")[1], good.split(".")[0] + ".", TOKEN_SECRET,
                    token(profile, self.ALL, expires_in=-1, **bound), token(profile, self.ALL, secret="guess", **bound),
                    token(profile, self.ALL, secret=KEY, **bound)):
            self.refused(self.tool("/tools/messaging_send_sms", {"message": "x"}, key), 401, "auth")
        self.assertEqual(self.tool("/tools/session_get_context", {}, good)[0], 200)
        self.assertEqual(self.post("/post-call-notify", '{"call_id": "x"}', {"Authorization": "Bearer " + good})[0], 401)

    def test_unlisted_and_operators_tools(self):
        _, profile, session, turn, fence = self.turn()
        key = token(profile, "session_get_context", session, turn=turn, turn_token=fence)
        self.denied(self.tool("/tools/messaging_send_sms", {"message": "x"}, key), profile)
        key = token(profile, self.ALL, session, turn=turn, turn_token=fence)
        for name, more in (("session_pause", {}), ("session_resume", {}), ("operator_send", {"message": "x"})):
            self.denied(self.tool("/tools/" + name, {"session_id": session, **more}, key), profile)

    def test_older_turn(self):
        _, profile, session, turn, fence = self.turn()
        key = token(profile, self.ALL, session, turn=turn, turn_token=fence)
        self.denied(self.tool("/tools/messaging_send_sms", {"message": "x"}, token(profile, self.ALL, session, turn=turn, turn_token=fence + 1)), profile)
        self.sql(f"UPDATE omnichannel_sessions SET turn_token = turn_token + 1 WHERE id = '{session}'")
        self.denied(self.tool("/tools/messaging_send_sms", {"message": "x"}, key), profile)
        self.sql(f"UPDATE omnichannel_sessions SET turn_token = turn_token - 1 WHERE id = '{session}'")
        self.assertEqual(self.tool("/tools/session_get_context", {}, key)[0], 200)
        self.sql(f"UPDATE turns SET status = 'done' WHERE id = '{turn}'")
        self.denied(self.tool("/tools/session_get_context", {}, key), profile)

    def test_of_a_call(self):
        number, profile, session = self.person()
        key = token(profile, self.ALL, call="rtc-1")
        # Before the call is known.
        status, reply = self.tool("/tools/session_get_or_create", {}, key)
        self.assertEqual((status, reply["session_id"]), (200, session))
        guesses = {"ended_at": "2026-01-01T10:05:00Z", "started_at": "2026-01-01T10:00:00Z", "channel": "whatsapp", "answered": True}
        self.assertEqual(self.tool("/tools/call_log_summary", {"bullets": ["A flat"], **guesses}, key)[0], 200)
        self.assertEqual(self.sql("SELECT status, channel, started_at, ended_at, answered_at FROM call_summaries WHERE call_id = 'rtc-1'"),
                         [["in_progress", "sip", "", "", ""]], "what a voice agent thinks of times and channels is no fact")
        status, reply = self.tool("/tools/call_log_summary", {"bullets": ["A house"], "ended": True}, key)
        self.assertEqual((status, reply["call_id"], reply["status"]), (200, "rtc-1", "sent"), reply)
        self.assertEqual(self.value("SELECT profile_id FROM call_summaries WHERE call_id = 'rtc-1'"), profile)
        self.assertEqual(self.value("SELECT last_heard_at IS NOT NULL FROM call_summaries WHERE call_id = 'rtc-1'"), "t")
        self.refused(self.tool("/tools/call_log_summary", {"call_id": "rtc-2", "bullets": ["x"]}, key), 403, "forbidden")
        self.assertEqual(self.tool("/tools/messaging_send_sms", {"message": "by the way"}, key)[1]["status"], "sent")
        self.assertEqual(self.received(number)[-1], ("sms", "by the way"))

    def test_a_call_of_somebody_else(self):
        _, profile, _ = self.person()
        strange_number, _, _ = self.person()
        self.tool("/tools/call_log_summary", {"call_id": "rtc-theirs", "phone_number": strange_number, "summary": "secret"})
        self.denied(self.tool("/tools/session_get_context", {}, token(profile, self.ALL, call="rtc-theirs")), profile)

    def test_limits(self):
        number, profile, session, turn, fence = self.turn()
        key = token(profile, self.ALL, session, turn=turn, turn_token=fence)
        answers = in_parallel([lambda i=i: self.tool("/tools/messaging_send_sms", {"message": f"m{i}"}, key) for i in range(8)])
        self.assertEqual(sorted(taken(a) for a in answers), [False] * 5 + [True] * 3, answers)
        self.refused(next(a for a in answers if a[0] == 429), 429, "limit", "messages_per_turn")
        self.settled(profile)
        self.assertEqual(len(self.received(number)), 3)
        codes = [self.tool("/tools/session_get_context", {}, key)[0] for _ in range(8)]
        self.assertEqual(codes, [200] * 7 + [429])
        status, headers, text = self.post("/tools/session_get_context", "{}", {"Authorization": "Bearer " + key})
        self.assertEqual((status, "Retry-After" in headers, json.loads(text)["error"]["message"].split(":")[0]), (429, True, "calls_per_turn"))

    def test_limit_per_hour(self):
        number, profile, _ = self.person()
        answers = in_parallel([lambda i=i: self.tool("/tools/messaging_send_sms", {"profile_id": profile, "message": f"m{i}"}) for i in range(24)])
        self.assertEqual(sorted(taken(a) for a in answers), [False] * 4 + [True] * 20, answers)
        self.refused(next(a for a in answers if a[0] == 429), 429, "limit", "messages_per_hour")
        body = json.dumps({"profile_id": profile, "message": "one more"})
        _, headers, _ = self.post("/tools/messaging_send_sms", body, {"Authorization": "Bearer " + KEY})
        self.assertTrue(3000 < int(headers["Retry-After"]) <= 3600, headers)
        self.settled(profile)
        self.assertEqual(len(self.received(number)), 20)

    def test_key_of_a_turn_in_the_log(self):
        _, profile, session, turn, fence = self.turn()
        key = token(profile, self.ALL, session, turn=turn, turn_token=fence)
        args = {"message": "CANARY-TEXT", "idempotency_key": "same"}
        first = self.tool("/tools/messaging_send_sms", args, key)
        self.assertEqual(self.tool("/tools/messaging_send_sms", args, key), first)
        self.refused(self.tool("/tools/messaging_send_sms", {**args, "message": "other"}, key), 409, "conflict")
        evidence = self.value(f"SELECT string_agg(t::text, '') FROM tool_calls t WHERE profile_id = '{profile}'")
        self.assertNotIn("CANARY", evidence)
        with open(self.log.name, encoding="utf-8") as log:
            self.assertNotIn("CANARY", log.read())


class Catalog(ToolTest):
    def catalog(self, key, path="/tools"):
        status, _, text = request(self.base, "GET", path, headers={"Authorization": f"Bearer {key}"})
        return status, json.loads(text)

    def test_catalog(self):
        for path in ("/tools", "/functions/v1/tools"):
            status, reply = self.catalog(KEY, path)
            self.assertEqual(status, 200)
        tools = {t["function"]["name"]: t["function"]["parameters"] for t in reply["tools"]}
        self.assertEqual(set(tools), set(Bound.ALL.split(",")))
        self.assertTrue(all(t["type"] == "function" for t in reply["tools"]))
        self.assertEqual(tools["messaging_send_sms"]["required"], ["profile_id", "message"])
        self.assertEqual(self.catalog("guess")[0], 401)
        self.assertEqual(self.post("/tools", "{}", {"Authorization": f"Bearer {KEY}"})[0], 405)
        self.assertEqual(self.catalog(KEY, "/tools/nothing")[0], 404)

    def test_bound_catalog(self):
        _, profile, session = self.person()
        status, reply = self.catalog(token(profile, "messaging_send_sms,call_log_summary,operator_send", session))
        self.assertEqual((status, {t["function"]["name"] for t in reply["tools"]}), (200, {"messaging_send_sms", "call_log_summary"}))
        for field in ("profile_id", "phone_number", "session_id", "call_id"):
            self.assertNotIn(field, json.dumps([t["function"]["parameters"] for t in reply["tools"]]))


if __name__ == "__main__":
    unittest.main()
