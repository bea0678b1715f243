/*
 * sms_mtn - what is read from the gateway's webhooks: messages, parts of messages, and what is
 * none.
 */
#include "provider/providers.h"
#include "unit/provider_fixture.h"

static const struct config settings; /* nothing of it is asked for */

static void
test_read_webhook_messages(void **state)
{
    static const struct {
        const char *file;
        const char *external_id;
        const char *from;
        const char *text;
        int64_t at_ms;
    } rows[] = {
        { "mtn/inbound.json", "mo-5001", "+250788000001", "Ni angahe ku kwezi?", 1795370703000 },
        { "mtn/inbound_snake_case.json", "mo-5002", "+250788000001", "Yego, ejo saa tatu.",
          1795370703000 },
        { "mtn/inbound_numbers.json", "5003", "+250788000001", "Oui, \xC3\xA0 demain",
          1795370703123 },
        { "mtn/inbound_local_number.json", "mo-5004", "+250788000001", "Muraho", 1795370703000 },
        { "mtn/inbound_foreign.json", "mo-5005", "+256770000001", "Hello from Kampala",
          1795370703000 },
        { "mtn/inbound_part.json", "mo-5006:1", "+250788000001",
          "Ndashaka inzu y'ibyumba bibiri i Kimironko, ", 1795370703000 },
        { "mtn/inbound_odd_time.json", "mo-5011", "+250788000001", "Muraho", 0 },
        { "mtn/inbound_empty_message.json", "mo-5012", "+250788000001", "", 1795370703000 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct incoming_http in = webhook(*state, fixture_text(*state, rows[i].file), "");
        struct webhook_items items;
        struct err e = { 0 };
        expect_true(rows[i].file, provider_mtn.read_webhook(*state, &settings, &in, &items, &e));
        expect_int(rows[i].file, (int64_t)items.n_inbound, 1);
        expect_int(rows[i].file, (int64_t)(items.n_receipts + items.n_unreadable), 0);
        const struct inbound *m = &items.inbound[0];
        expect_text(rows[i].file, m->external_id, rows[i].external_id);
        expect_text(rows[i].file, m->from.e164, rows[i].from);
        expect_text(rows[i].file, m->text, rows[i].text);
        expect_int(rows[i].file, m->at_ms, rows[i].at_ms);
        expect_text(rows[i].file, m->kind, "text");
        expect_text(rows[i].file, arena_printf(*state, "%s%s%s", m->wa_id, m->bsuid, m->name), "");
        expect_true(rows[i].file, m->answerable);
    }
}

static void
test_read_webhook_parts(void **state)
{
    static const struct {
        const char *members;
        const char *external_id;
        int part, parts;
        const char *ref;
    } rows[] = {
        { "\"part\":1,\"parts\":3,\"ref\":\"77\"", "mo-1:1", 1, 3, "77" },
        { "\"part\":3,\"parts\":3,\"ref\":77", "mo-1:3", 3, 3, "77" },
        { "\"part\":\"2\",\"parts\":\"20\",\"ref\":\"a\"", "mo-1:2", 2, 20, "a" },
        { "\"part\":1,\"parts\":1,\"ref\":\"77\"", "mo-1", 1, 1, "" },
        { "\"ref\":\"77\"", "mo-1", 1, 1, "" },
        { "\"part\":4,\"parts\":3,\"ref\":\"77\"", "mo-1", 1, 1, "" },
        { "\"part\":0,\"parts\":3,\"ref\":\"77\"", "mo-1", 1, 1, "" },
        { "\"part\":-1,\"parts\":-3,\"ref\":\"77\"", "mo-1", 1, 1, "" },
        { "\"part\":null,\"parts\":{},\"ref\":[]", "mo-1", 1, 1, "" },
        /* Not to be put together, and still no doubles of each other. */
        { "\"part\":2,\"parts\":3", "mo-1:2", 1, 1, "" },
        { "\"part\":2,\"parts\":3,\"ref\":\"\"", "mo-1:2", 1, 1, "" },
        { "\"part\":21,\"parts\":21,\"ref\":\"77\"", "mo-1:21", 1, 1, "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *body = arena_printf(
            *state, "{\"from\":\"+250788000001\",\"message\":\"a\",\"messageId\":\"mo-1\",%s}",
            rows[i].members);
        struct incoming_http in = webhook(*state, body, "");
        struct webhook_items items;
        struct err e = { 0 };
        expect_true(body, provider_mtn.read_webhook(*state, &settings, &in, &items, &e));
        expect_int(body, (int64_t)items.n_inbound, 1);
        expect_text(body, items.inbound[0].external_id, rows[i].external_id);
        expect_int(body, items.inbound[0].part, rows[i].part);
        expect_int(body, items.inbound[0].parts, rows[i].parts);
        expect_text(body, items.inbound[0].ref, rows[i].ref);
    }
}

static void
test_read_webhook_unreadable(void **state)
{
    static const struct {
        const char *file;
        const char *why;
    } rows[] = {
        { "mtn/inbound_no_sender.json", "from: empty" },
        { "mtn/inbound_no_message.json", "message: missing or not a text" },
        { "mtn/report.json", "from: empty" },
        { "mtn/report_array.json", "from: empty" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct incoming_http in = webhook(*state, fixture_text(*state, rows[i].file), "");
        struct webhook_items items;
        struct err e = { 0 };
        expect_true(rows[i].file, provider_mtn.read_webhook(*state, &settings, &in, &items, &e));
        expect_int(rows[i].file, (int64_t)(items.n_inbound + items.n_receipts), 0);
        expect_int(rows[i].file, (int64_t)items.n_unreadable, 1);
        expect_text(rows[i].file, items.unreadable[0], rows[i].why);
        expect_int(rows[i].file, e.kind, ERR_NONE); /* success leaves the error alone */
    }
}

static void
test_read_webhook_senders_never_answered(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *why;
    } rows[] = {
        { "8080", "3939", "service_sender" },
        { "MTN-Info", "8080", "service_sender" },
        { "anonymous", "8080", "service_sender" },
        { "+250788000009", "0788 000 009", "own_number" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *body = arena_printf(
            *state, "{\"from\":\"%s\",\"to\":\"%s\",\"message\":\"a\",\"messageId\":\"1\"}",
            rows[i].from, rows[i].to);
        struct incoming_http in = webhook(*state, body, "");
        struct webhook_items items;
        struct err e = { 0 };
        expect_true(body, provider_mtn.read_webhook(*state, &settings, &in, &items, &e));
        expect_int(body, (int64_t)(items.n_inbound + items.n_unreadable), 0);
        expect_int(body, (int64_t)items.n_unanswered, 1);
        expect_text(body, items.unanswered[0], rows[i].why);
    }
}

static void
test_read_webhook_odd_members(void **state)
{
    static const struct {
        const char *body;
        const char *why;
    } rows[] = {
        { "{\"from\":{},\"message\":\"a\"}", "from: empty" },
        { "{\"from\":[\"+250788000001\"],\"message\":\"a\"}", "from: empty" },
        { "{\"from\":true,\"message\":\"a\"}", "from: empty" },
        { "{\"from\":\"+25078800000\",\"message\":\"a\"}", "from: not a number of Rwanda's plan" },
        { "{\"from\":\"+250788000001\",\"message\":7}", "message: missing or not a text" },
        { "{\"from\":\"+250788000001\",\"message\":null}", "message: missing or not a text" },
        { "null", "from: empty" },
        { "\"text\"", "from: empty" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct incoming_http in = webhook(*state, rows[i].body, "");
        struct webhook_items items;
        struct err e = { 0 };
        expect_true(rows[i].body, provider_mtn.read_webhook(*state, &settings, &in, &items, &e));
        expect_int(rows[i].body, (int64_t)items.n_inbound, 0);
        expect_int(rows[i].body, (int64_t)items.n_unreadable, 1);
        expect_text(rows[i].body, items.unreadable[0], rows[i].why);
    }
}

static void
test_read_webhook_no_json(void **state)
{
    static const char *const rows[] = { "", "from=%2B250788000001&message=a",
                                        "{\"from\":", "{'from':'x'}" };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct incoming_http in = webhook(*state, rows[i], "");
        struct webhook_items items;
        struct err e = { 0 };
        expect_true(rows[i], !provider_mtn.read_webhook(*state, &settings, &in, &items, &e));
        expect_int(rows[i], e.kind, ERR_INVALID);
    }
}

static const char *
id_read(struct arena *a, const char *body)
{
    struct incoming_http in = webhook(a, body, "");
    struct webhook_items items;
    struct err e = { 0 };

    expect_true(body, provider_mtn.read_webhook(a, &settings, &in, &items, &e));
    expect_int(body, (int64_t)items.n_inbound, 1);
    return items.inbound[0].external_id;
}

static void
test_read_webhook_makes_an_id(void **state)
{
    struct arena *a = *state;
    const char *id = id_read(a, fixture_text(a, "mtn/inbound_no_id.json"));
    static const char *const others[] = {
        "{\"from\":\"0788000002\",\"to\":\"8080\",\"message\":\"Murakoze\","
        "\"timestamp\":\"2026-11-22T18:05:03Z\"}",
        "{\"from\":\"0788000001\",\"to\":\"8081\",\"message\":\"Murakoze\","
        "\"timestamp\":\"2026-11-22T18:05:03Z\"}",
        "{\"from\":\"0788000001\",\"to\":\"8080\",\"message\":\"Murakoze!\","
        "\"timestamp\":\"2026-11-22T18:05:03Z\"}",
        "{\"from\":\"0788000001\",\"to\":\"8080\",\"message\":\"Murakoze\","
        "\"timestamp\":\"2026-11-22T18:05:04Z\"}",
    };

    assert_int_equal(strlen(id), strlen("sha256:") + 64);
    assert_true(str_starts(id, "sha256:"));
    assert_string_equal(id_read(a, fixture_text(a, "mtn/inbound_no_id.json")), id);
    assert_string_equal(id_read(a, fixture_text(a, "mtn/inbound_null_id.json")), id);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        expect_true(others[i], !str_eq(id_read(a, others[i]), id));
}

/* Neither id nor time: the words and the moment of arrival; the database tells repeats. */
static void
test_read_webhook_without_id_and_time(void **state)
{
    static const struct {
        const char *body;
        bool same_words;
    } rows[] = {
        { "{\"from\":\"0788000001\",\"to\":\"8080\",\"message\":\"yes\"}", true },
        { "{\"from\":\"0788000001\",\"to\":\"8080\",\"message\":\"Yes\"}", false },
        { "{\"from\":\"0788000002\",\"to\":\"8080\",\"message\":\"yes\"}", false },
        { "{\"from\":\"0788000001\",\"to\":\"8080\",\"message\":\"yes\",\"part\":2,"
          "\"parts\":2,\"ref\":\"7\"}",
          false },
    };
    struct incoming_http in = webhook(*state, rows[0].body, "");
    struct webhook_items first;
    struct webhook_items again;
    struct err e = { 0 };

    in.received_at_ms = 1795370703000;
    assert_true(provider_mtn.read_webhook(*state, &settings, &in, &first, &e));
    assert_string_equal(first.inbound[0].external_id,
                        arena_printf(*state, "%s@1795370703000", first.inbound[0].words_id));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        in = webhook(*state, rows[i].body, "");
        in.received_at_ms = 1795370703001;
        expect_true(rows[i].body, provider_mtn.read_webhook(*state, &settings, &in, &again, &e));
        expect_true(rows[i].body,
                    !str_eq(again.inbound[0].external_id, first.inbound[0].external_id));
        expect_int(rows[i].body, str_eq(again.inbound[0].words_id, first.inbound[0].words_id),
                   rows[i].same_words);
    }
    in = webhook(*state, fixture_text(*state, "mtn/inbound_no_id.json"), "");
    assert_true(provider_mtn.read_webhook(*state, &settings, &in, &again, &e));
    assert_null(again.inbound[0].words_id); /* it has a time of its own */
}

static void
test_read_webhook_nul_in_an_id(void **state)
{
    static const char *const rows[] = {
        "{\"from\":\"0788000001\",\"message\":\"a\",\"messageId\":\"a\\u0000b\"}",
        "{\"from\":\"0788000001\",\"message\":\"a\",\"message_id\":\"\\u0000\"}",
        "{\"from\":\"0788000001\",\"message\":\"a\",\"messageId\":\"a\",\"ref\":\"1\\u0000\"}",
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct incoming_http in = webhook(*state, rows[i], "");
        struct webhook_items items;
        struct err e = { 0 };
        expect_true(rows[i], provider_mtn.read_webhook(*state, &settings, &in, &items, &e));
        expect_int(rows[i], (int64_t)items.n_inbound, 0);
        expect_int(rows[i], (int64_t)items.n_unreadable, 1);
        expect_text(rows[i], items.unreadable[0], "messageId: holds a NUL");
    }
    assert_string_equal(id_read(*state, "{\"from\":\"0788000001\",\"message\":\"a\\u0000b\","
                                        "\"messageId\":\"mo-1\"}"),
                        "mo-1"); /* in a text it is only a blemish */
}

static void
test_read_report_nul_in_an_id(void **state)
{
    struct incoming_http in = webhook(*state,
                                      "[{\"messageId\":\"a\\u0000\",\"status\":\"DELIVERED\"},"
                                      "{\"messageId\":\"b\",\"status\":\"DELIVERED\"}]",
                                      "");
    struct webhook_items items;
    struct err e = { 0 };

    assert_true(provider_mtn.read_report(*state, &settings, &in, &items, &e));
    assert_int_equal(items.n_receipts, 1);
    assert_string_equal(items.receipts[0].external_id, "b");
    assert_int_equal(items.n_unreadable, 1);
    assert_string_equal(items.unreadable[0], "report: messageId: holds a NUL");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_read_webhook_messages),
        ARENA_TEST(test_read_webhook_parts),
        ARENA_TEST(test_read_webhook_unreadable),
        ARENA_TEST(test_read_webhook_senders_never_answered),
        ARENA_TEST(test_read_webhook_odd_members),
        ARENA_TEST(test_read_webhook_no_json),
        ARENA_TEST(test_read_webhook_makes_an_id),
        ARENA_TEST(test_read_webhook_without_id_and_time),
        ARENA_TEST(test_read_webhook_nul_in_an_id),
        ARENA_TEST(test_read_report_nul_in_an_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
