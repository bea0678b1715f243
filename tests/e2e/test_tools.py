"""The tools: what agents may do, once and by the channels they name; and what an operator does about a conversation."""

import time
import unittest

from harness import REPLY_TO, in_parallel, request
from tools import MESSAGING, SENT, ToolTest


class Messaging(ToolTest):
    def test_sms_goes_out_by_sms_only(self):
        number, profile, session = self.person(whatsapp=True)
        before = self.received(number)
        status, reply = self.tool("/tools/messaging_send_sms", {"profile_id": profile, "session_id": session, "message": "Your code is ready"})
        self.assertEqual((status, reply["success"], reply["status"]), (200, True, "sent"), reply)
        self.assertEqual([(c["channel"], c["status"] in SENT, c["segments"]) for c in reply["channels"]], [("sms", True, 1)])
        self.assertTrue(reply["channels"][0]["message_id"] and reply["channels"][0]["provider_message_id"])
        self.assertEqual(self.received(number)[len(before):], [("sms", "Your code is ready")])
        self.assertEqual(self.sql("SELECT message_type, status IN ('sent', 'delivered'), session_id FROM message_delivery_log WHERE id = "
                                  f"'{reply['channels'][0]['message_id']}'"), [["tool", "t", session]])

    def test_whatsapp_goes_out_by_whatsapp_only(self):
        number, profile, _ = self.person(whatsapp=True)
        before = self.received(number)
        status, reply = self.tool("/tools/messaging_send_whatsapp", {"profile_id": profile, "message": "Three houses", "subject": "Houses",
                                                                      "message_type": "follow_up"})
        self.assertEqual((status, reply["success"], reply["status"]), (200, True, "sent"), reply)
        self.assertEqual(self.received(number)[len(before):], [("whatsapp", "*Houses*\nThree houses")])
        self.assertEqual(self.value(f"SELECT message_type FROM message_delivery_log WHERE id = '{reply['channels'][0]['message_id']}'"), "follow_up")

    def test_both(self):
        number, profile, _ = self.person(whatsapp=True)
        before = self.received(number)
        status, reply = self.tool("/tools/messaging_send_dual_channel", {"profile_id": profile, "message": "The car comes at 8"})
        self.assertEqual((status, reply["status"]), (200, "sent"), reply)
        self.assertEqual(sorted(self.received(number)[len(before):]), [("sms", "The car comes at 8"), ("whatsapp", "The car comes at 8")])

    def test_window_closed(self):
        number, profile, _ = self.person()
        status, reply = self.tool("/tools/messaging_send_whatsapp", {"profile_id": profile, "message": "x"})
        self.assertEqual((status, reply["success"], reply.get("status")), (200, False, "failed"), reply)
        self.assertEqual([(c["channel"], c["status"], c["error"]["code"]) for c in reply["channels"]], [("whatsapp", "failed", "window_closed")])
        status, reply = self.tool("/tools/messaging_send_dual_channel", {"profile_id": profile, "message": "y"})
        self.assertEqual((status, reply["success"], reply["status"]), (200, True, "partial"), reply)
        self.assertEqual(sorted((c["channel"], "sent" if c["status"] in SENT else c["status"]) for c in reply["channels"]),
                         [("sms", "sent"), ("whatsapp", "failed")])
        self.assertEqual(self.received(number), [("sms", "y")])

    def test_stop_is_respected(self):
        number, profile, _ = self.person(whatsapp=True)
        self.phone_does(number, "sms", {"text": "STOP"})
        self.wait_for(f"SELECT allows_sms FROM profiles WHERE user_id = '{profile}'", "f")
        status, reply = self.tool("/tools/messaging_send_sms", {"profile_id": profile, "message": "an offer"})
        self.assertEqual((status, reply["success"], reply["status"], reply["channels"][0]["error"]["code"]), (200, False, "failed", "opted_out"))
        status, reply = self.tool("/tools/messaging_send_dual_channel", {"profile_id": profile, "message": "an answer"})
        self.assertEqual((status, reply["status"]), (200, "partial"), reply)
        self.assertNotIn("offer", str(self.received(number)))
        self.assertIn(("whatsapp", "an answer"), self.received(number))
        self.assertNotIn(("sms", "an answer"), self.received(number))

    def test_numbers_that_are_not_served(self):
        status, reply = self.tool("/tools/session_get_or_create", {"phone_number": "+256772000001"})
        status, reply = self.tool("/tools/messaging_send_sms", {"profile_id": reply["profile_id"], "message": "x"})
        self.assertEqual((status, reply["status"], reply["channels"][0]["error"]["code"]), (200, "failed", "number_not_served"))

    def test_wait_false(self):
        number, profile, _ = self.person()
        status, reply = self.tool("/tools/messaging_send_sms", {"profile_id": profile, "message": "later", "wait": False})
        self.assertEqual((status, reply["success"], reply["status"], reply["channels"][0]["status"]), (202, True, "pending", "pending"), reply)
        self.assertEqual([m["text"] for m in self.phone(number)], ["later" + REPLY_TO])

    def test_refused_for_now_and_unknown(self):
        number, profile, _ = self.person()
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "503", "match": number})
        status, reply = self.tool("/tools/messaging_send_sms", {"profile_id": profile, "message": "again"})
        # The worker may have begun the next try before this one was answered.
        self.assertEqual((status, reply["status"], reply["channels"][0]["status"] in ("failed", "sending")), (200, "pending", True), reply)
        self.assertEqual([m["text"] for m in self.phone(number)], ["again" + REPLY_TO])
        self.settled(profile)
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "400", "match": number})
        status, reply = self.tool("/tools/messaging_send_sms", {"profile_id": profile, "message": "never"})
        self.assertEqual((status, reply["success"], reply["status"], reply["channels"][0]["status"]), (200, False, "failed", "dead"), reply)
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "accept_then_close", "match": number})
        status, reply = self.tool("/tools/messaging_send_sms", {"profile_id": profile, "message": "who knows"})
        self.assertEqual((status, reply["success"], reply["status"], reply["channels"][0]["status"]), (200, False, "unknown", "unknown"), reply)
        self.assertIn("do not send it again", reply["channels"][0]["error"]["message"])

    def test_what_the_guard_did_is_said(self):
        number, profile, _ = self.person()
        send = lambda **args: self.tool("/tools/messaging_send_sms", {"profile_id": profile, **args})  # noqa: E731
        status, reply = send(message="The house is free, see http://evil.example/x for the pictures.")
        self.assertEqual((status, reply["channels"][0]["altered"]), (200, "links"), reply)
        status, reply = send(message="The owner waits for you, call 0788999888 today please.", subject="See bit.ly/x for your new house")
        self.assertEqual((status, reply["channels"][0]["altered"]), (200, "links_and_numbers"), reply)
        self.assertNotIn("altered", send(message="The house is free.")[1]["channels"][0])
        for field, message, cause in (("message", {"message": "http://evil.example/x"}, "nothing_left"),
                                      ("subject", {"message": "Yes.", "subject": "use messaging_send_sms"}, "internal")):
            status, reply = send(**message)
            self.assertEqual((status, reply["error"]["code"]), (403, "forbidden"))
            self.assertTrue(reply["error"]["message"].startswith(f"{field}: may not be sent ({cause}): "), reply)
            self.assertNotIn("evil", reply["error"]["message"])
        self.assertEqual(len(self.received(number)), 3)

    def test_too_long_for_an_sms(self):
        _, profile, _ = self.person()
        status, reply = self.tool("/tools/messaging_send_sms", {"profile_id": profile, "message": "word " * 100})
        self.assertEqual((status, reply["channels"][0]["segments"], reply["channels"][0]["shortened"]), (200, 2, True), reply)

    def test_bad_requests(self):
        _, profile, session = self.person()
        _, _, strange = self.person()
        for name in MESSAGING:
            path = "/tools/" + name
            self.refused(self.tool(path, {"message": "x"}), 400, "invalid", "profile_id")
            self.refused(self.tool(path, {"profile_id": "me", "message": "x"}), 400, "invalid", "profile_id")
            self.refused(self.tool(path, {"profile_id": profile}), 400, "invalid", "message")
            self.refused(self.tool(path, {"profile_id": profile, "message": " "}), 400, "invalid", "message")
            self.refused(self.tool(path, {"profile_id": profile, "message": "x" * 4001}), 400, "invalid", "message")
            self.refused(self.tool(path, {"profile_id": profile, "message": "x", "wait": "no"}), 400, "invalid", "wait")
            self.refused(self.tool(path, {"profile_id": profile, "message": "x", "idempotency_key": "a b"}), 400, "invalid", "idempotency_key")
            self.refused(self.tool(path, {"profile_id": profile, "message": "x", "session_id": strange}), 400, "invalid", "session_id")
            self.refused(self.tool(path, {"profile_id": profile, "message": "x", "session_id": profile}), 404, "not_found", "session_id")
            self.refused(self.tool(path, {"profile_id": session, "message": "x"}), 404, "not_found", "profile_id")
            self.refused(self.tool(path, {"profile_id": profile, "message": "x"}, key="guess"), 401, "auth")
        self.assertEqual(self.rows(profile), 0)
        self.assertEqual(request(self.base, "GET", "/tools/messaging_send_sms")[0], 405)


class Idempotency(ToolTest):
    def test_same_key(self):
        number, profile, _ = self.person()
        args = {"profile_id": profile, "message": "once", "idempotency_key": "order-1"}
        first = self.tool("/tools/messaging_send_sms", args)
        self.assertEqual((first[0], first[1]["status"]), (200, "sent"))
        self.assertEqual(self.tool("/tools/messaging_send_sms", args), first)
        self.assertEqual(self.tool("/tools/messaging_send_sms", {"wait": False, **args}), first)
        self.refused(self.tool("/tools/messaging_send_sms", {**args, "message": "twice"}), 409, "conflict", "idempotency_key")
        _, other, _ = self.person()
        self.refused(self.tool("/tools/messaging_send_sms", {**args, "profile_id": other}), 409, "conflict", "idempotency_key")
        self.refused(self.tool("/tools/messaging_send_dual_channel", args), 409, "conflict", "idempotency_key")
        self.refused(self.tool("/tools/messaging_send_sms", {**args, "idempotency_key": ""}), 400, "invalid", "idempotency_key")
        self.assertEqual(self.rows(other), 0)
        self.assertEqual(self.received(number), [("sms", "once")])

    def test_without_a_key_two_calls_are_two_messages(self):
        number, profile, _ = self.person()
        for _ in range(2):
            self.assertEqual(self.tool("/tools/messaging_send_sms", {"profile_id": profile, "message": "hi"})[0], 200)
        self.assertEqual(len(self.received(number)), 2)

    def test_a_failure_is_repeated_too(self):
        _, profile, _ = self.person()
        args = {"profile_id": profile, "message": "x", "idempotency_key": "f"}
        first = self.tool("/tools/messaging_send_whatsapp", args)
        self.assertEqual(first[1]["status"], "failed")
        self.assertEqual(self.tool("/tools/messaging_send_whatsapp", args), first)

    def test_twenty_at_once_with_one_key(self):
        number, profile, _ = self.person()
        args = {"profile_id": profile, "message": "just one", "idempotency_key": "rush"}
        answers = in_parallel([lambda: self.tool("/tools/messaging_send_sms", args)] * 20)
        self.assertEqual({a[0] for a in answers} - {200, 202}, set(), answers)
        self.assertEqual(len({a[1]["channels"][0]["message_id"] for a in answers}), 1)
        self.assertEqual(self.rows(profile), 1)
        self.assertEqual(self.received(number), [("sms", "just one")])
        self.assertEqual(self.sql(f"SELECT count(*), min(outcome) FROM tool_calls WHERE profile_id = '{profile}' AND idem_key = 'rush'"), [["1", "ok"]])


class Sessions(ToolTest):
    def test_get_or_create(self):
        number, profile, session = self.person()
        status, reply = self.tool("/tools/session_get_or_create", {"profile_id": profile, "primary_channel": "voice", "call_id": "c-1",
                                                                    "agent_id": "call_center", "intent": "a house"})
        self.assertEqual((status, reply), (200, {"success": True, "session_id": session, "profile_id": profile, "status": "active",
                                                 "created": False, "context": {}}))
        self.assertEqual(self.sql(f"SELECT call_id, last_agent_id, last_intent FROM omnichannel_sessions WHERE id = '{session}'"),
                         [["c-1", "call_center", "a house"]])
        self.assertEqual(self.tool("/tools/session_get_or_create", {"phone_number": number.replace("+250", "0")})[1]["session_id"], session)
        self.refused(self.tool("/tools/session_get_or_create", {}), 400, "invalid", "profile_id")
        self.refused(self.tool("/tools/session_get_or_create", {"phone_number": "12"}), 400, "invalid", "phone_number")
        self.refused(self.tool("/tools/session_get_or_create", {"profile_id": session}), 404, "not_found")
        self.refused(self.tool("/tools/session_get_or_create", {"phone_number": "+250788299998", "agent_id": "nobody"}), 404, "not_found", "agent_id")
        other, _, _ = self.person()
        for phone in (other, "+250788299998"):
            self.refused(self.tool("/tools/session_get_or_create", {"profile_id": profile, "phone_number": phone}), 400, "invalid", "phone_number")
        self.assertEqual(self.value("SELECT count(*) FROM profiles WHERE phone_number = '+250788299998'"), "0")
        self.refused(self.tool("/tools/session_get_or_create", {"profile_id": profile, "primary_channel": "fax"}), 400, "invalid", "primary_channel")
        answers = in_parallel([lambda: self.tool("/tools/session_get_or_create", {"phone_number": "+250788299999"})] * 8)
        self.assertEqual(len({a[1]["session_id"] for a in answers}), 1)
        self.assertEqual(sum(a[1]["created"] for a in answers), 1)

    def test_status_and_context(self):
        _, _, session = self.person()
        answer = self.tool("/tools/session_add_context", {"session_id": session, "context": {"budget": "200k", "phone": "+250788000000"}})
        self.assertEqual(answer, (200, {"success": True, "session_id": session, "status": "active", "ignored": ["phone"]}))
        answer = self.tool("/tools/session_update_status", {"session_id": session, "status": "follow_up", "context": {"rooms": 2}})
        self.assertEqual(answer, (200, {"success": True, "session_id": session, "status": "follow_up"}))
        in_parallel([lambda i=i: self.tool("/tools/session_add_context", {"session_id": session, "context": {f"k{i}": i}}) for i in range(10)])
        status, reply = self.tool("/tools/session_get_context", {"session_id": session})
        self.assertEqual((status, reply["status"], reply["messages"]), (200, "follow_up", []))
        self.assertEqual(reply["context"], {"budget": "200k", "rooms": 2, **{f"k{i}": i for i in range(10)}})
        self.assertEqual(self.tool("/tools/session_update_status", {"session_id": session, "status": "closed"})[1]["status"], "closed")
        self.assertEqual(self.tool("/tools/session_update_status", {"session_id": session, "status": "closed"})[0], 200)
        self.refused(self.tool("/tools/session_update_status", {"session_id": session, "status": "active"}), 409, "conflict")
        self.refused(self.tool("/tools/session_update_status", {"session_id": session, "status": "asleep"}), 400, "invalid", "status")
        self.refused(self.tool("/tools/session_update_status", {"status": "active"}), 400, "invalid", "session_id")
        self.refused(self.tool("/tools/session_add_context", {"session_id": session, "context": "budget"}), 400, "invalid", "context")
        self.refused(self.tool("/tools/session_add_context", {"session_id": session, "context": {"x": "y" * 9000}}), 400, "invalid", "context")
        self.refused(self.tool("/tools/session_get_context", {"session_id": "00000000-0000-7000-8000-000000000000"}), 404, "not_found", "session_id")
        _, _, full = self.person()
        for i in range(3):
            self.assertEqual(self.tool("/tools/session_add_context", {"session_id": full, "context": {f"x{i}": "y" * 8000}})[0], 200)
        self.assertEqual(self.tool("/tools/session_add_context", {"session_id": full, "context": {"x3": "y" * 8000}})[0], 200)
        self.refused(self.tool("/tools/session_add_context", {"session_id": full, "context": {"x4": "y" * 8000}}), 400, "invalid", "too large")

    def test_context_shows_call_and_messages(self):
        number, _, session = self.person(whatsapp=True)
        self.tool("/tools/call_log_summary", {"call_id": "ctx-1", "phone_number": number, "bullets": ["Two rooms"], "next_actions": ["Visit"]})
        status, reply = self.tool("/tools/session_get_context", {"session_id": session})
        self.assertEqual(status, 200)
        self.assertEqual((reply["call"]["call_id"], reply["call"]["bullets"], reply["call"]["next_actions"]), ("ctx-1", ["Two rooms"], ["Visit"]))
        self.assertEqual([(m["direction"], m["channel"], m["text"]) for m in reply["messages"]],
                         [("inbound", "whatsapp", "hello"), ("outbound", "whatsapp", "Noted.")])

    def test_handover(self):
        _, _, session = self.person()
        args = {"session_id": session, "agent": "call_center", "reason": "knows houses"}
        self.assertEqual(self.tool("/tools/agent_handover", args), (200, {"success": True, "session_id": session, "status": "active", "agent": "call_center"}))
        self.refused(self.tool("/tools/agent_handover", {**args, "agent": "nobody"}), 404, "not_found", "agent")
        self.refused(self.tool("/tools/agent_handover", {"session_id": session, "agent": "human"}), 400, "invalid", "reason")
        self.assertEqual(self.tool("/tools/agent_handover", {**args, "agent": "human"})[0], 200)
        reply = self.tool("/tools/session_get_context", {"session_id": session})[1]
        self.assertEqual((reply["paused"], reply["needs_human"], reply["context"]["handover"]["to"]), (True, True, "human"))


class Operator(ToolTest):
    def test_pause_write_resume(self):
        number, _, session = self.person(whatsapp=True)
        self.assertEqual(self.tool("/tools/session_pause", {"session_id": session}),
                         (200, {"success": True, "session_id": session, "status": "active", "paused": True}))
        asked = len(self.lab_json("GET", "/lab/agent/requests?limit=100")["requests"])
        self.phone_does(number, "whatsapp", {"text": "is anybody there?"})
        self.wait_for(f"SELECT count(*) FROM message_delivery_log WHERE session_id = '{session}' AND awaits_turn", 1)
        time.sleep(1)
        self.assertEqual(len(self.lab_json("GET", "/lab/agent/requests?limit=100")["requests"]), asked)
        self.sql(f"UPDATE message_delivery_log SET created_at = created_at - interval '15 s' WHERE session_id = '{session}'")  # read at leisure
        status, reply = self.tool("/tools/operator_send", {"session_id": session, "message": "Good day, this is Jean."})
        self.assertEqual((status, reply["status"], [c["channel"] for c in reply["channels"]]), (200, "sent", ["whatsapp"]), reply)
        self.assertEqual(self.received(number)[-1], ("whatsapp", "Good day, this is Jean."))
        self.assertEqual(self.value(f"SELECT count(*) FROM message_delivery_log WHERE session_id = '{session}' AND message_type = 'operator'"), "1")
        self.assertEqual(self.value(f"SELECT count(*) FROM message_delivery_log WHERE session_id = '{session}' AND awaits_turn"), "0")
        self.phone_does(number, "whatsapp", {"text": "and what does it cost?"})
        self.wait_for(f"SELECT count(*) FROM message_delivery_log WHERE session_id = '{session}' AND awaits_turn", 1)
        n = len(self.received(number))
        self.assertEqual(self.tool("/tools/session_resume", {"session_id": session})[1]["paused"], False)
        self.assertEqual([m["text"] for m in self.phone(number, count=n + 1)][n:], ["Noted."])
        self.wait_for(f"SELECT count(*) FROM message_delivery_log WHERE session_id = '{session}' AND awaits_turn", 0)

    def test_on_the_last_channel(self):
        number, profile, session = self.person(whatsapp=True)
        self.phone_does(number, "sms", {"text": "now by SMS"})
        self.wait_for(f"SELECT last_active_channel FROM profiles WHERE user_id = '{profile}'", "sms")
        reply = self.tool("/tools/operator_send", {"session_id": session, "message": "to your SMS", "idempotency_key": "op-1"})[1]
        self.assertEqual([c["channel"] for c in reply["channels"]], ["sms"])
        self.assertEqual(self.tool("/tools/operator_send", {"session_id": session, "message": "to your SMS", "idempotency_key": "op-1"})[1], reply)
        self.assertEqual(self.rows(profile), 1)

    def test_refusals(self):
        _, profile, session = self.person()
        self.tool("/tools/session_update_status", {"session_id": session, "status": "closed"})
        for name in ("session_pause", "session_resume"):
            self.refused(self.tool("/tools/" + name, {"session_id": session}), 409, "conflict", "session_id")
            self.refused(self.tool("/tools/" + name, {"session_id": profile}), 404, "not_found", "session_id")
            self.refused(self.tool("/tools/" + name, {}), 400, "invalid", "session_id")
        self.refused(self.tool("/tools/operator_send", {"session_id": session}), 400, "invalid", "message")


if __name__ == "__main__":
    unittest.main()
