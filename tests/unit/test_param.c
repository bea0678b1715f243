/*
 * param - what an argument may be, which word names the fault, and the same table as JSON Schema.
 */
#include "base/str.h"
#include "core/json.h"
#include "core/param.h"
#include "unit/unit.h"

static const struct param table[] = {
    { "note", PARAM_TEXT, true, 5, NULL, "A few letters." },
    { "call_id", PARAM_ID, false, 0, NULL, "The call." },
    { "profile_id", PARAM_UUID, false, 0, NULL, "The person." },
    { "phone", PARAM_PHONE, false, 0, NULL, "A number." },
    { "wait", PARAM_BOOL, false, 0, NULL, "Whether to wait." },
    { "at", PARAM_TIME, false, 0, NULL, "When." },
    { "channel", PARAM_WORD, false, 0, "sip|whatsapp", "How it came." },
    { "points", PARAM_TEXTS, false, 3, NULL, "Short points." },
    { "sip_call_id", PARAM_CALLID, false, 0, NULL, "The PBX's name of it." },
};

static const struct param table_of_required[] = {
    { "call_id", PARAM_ID, true, 0, NULL, "The call." },
    { "points", PARAM_TEXTS, true, 3, NULL, "Short points." },
    { "wait", PARAM_BOOL, true, 0, NULL, "Whether to wait." },
};

static struct json_object *
args_of(struct arena *a, const char *row, const char *text)
{
    struct json_object *o = NULL;
    struct err e = { 0 };

    if (!json_parse(a, text, strlen(text), &o, &e))
        fail_msg("%s: %s", row, e.text);
    return o;
}

static void
test_param_check_takes(void **state)
{
    static const char *const rows[] = {
        "{\"note\":\"abcde\"}",
        "{\"note\":\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"}", /* letters, not bytes */
        "{\"note\":\"a\",\"unknown\":{\"x\":[1]}}",
        "{\"note\":\"a\",\"call_id\":null,\"profile_id\":null,\"phone\":null,\"wait\":null,"
        "\"at\":null,\"channel\":null,\"points\":null}",
        "{\"note\":\"a\",\"call_id\":\"\",\"profile_id\":\"\",\"phone\":\"\",\"at\":\"\","
        "\"channel\":\"\",\"points\":[]}",
        "{\"note\":\"a\",\"call_id\":\"wacid.HBgM_1:a@b-c+d=/e\"}",
        "{\"note\":\"a\",\"sip_call_id\":\"a!%*~()<>[]?{}'`\\\\\\\"@10.0.0.1\"}",
        "{\"note\":\"a\",\"profile_id\":\"01900000-0000-7000-8000-00000000000A\"}",
        "{\"note\":\"a\",\"phone\":\"0788 000 001\"}",
        "{\"note\":\"a\",\"phone\":\"sip:+250788000001@pbx.example;user=phone\"}",
        "{\"note\":\"a\",\"phone\":250788000001}",
        "{\"note\":\"a\",\"wait\":true}",
        "{\"note\":\"a\",\"wait\":false}",
        "{\"note\":\"a\",\"at\":\"2026-11-22T18:05:03+02:00\"}",
        "{\"note\":\"a\",\"at\":1790000000}",
        "{\"note\":\"a\",\"at\":1790000000123}",
        "{\"note\":\"a\",\"channel\":\"sip\"}",
        "{\"note\":\"a\",\"channel\":\"whatsapp\"}",
        "{\"note\":\"a\",\"points\":[\"abc\",\"\",\"\xC3\xA9\xC3\xA9\xC3\xA9\"]}",
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err e = { 0 };
        bool ok = param_check(table, COUNT_OF(table), args_of(*state, rows[i], rows[i]), &e);
        expect_text(rows[i], e.text, "");
        expect_true(rows[i], ok);
    }
}

static void
test_param_check_refuses(void **state)
{
    static const struct {
        const char *args;
        const char *want;
    } rows[] = {
        { "{}", "note: missing" },
        { "{\"note\":null}", "note: missing" },
        { "{\"note\":\"\"}", "note: empty" },
        { "{\"note\":\" \\n\\t\"}", "note: empty" },
        { "{\"note\":\"abcdef\"}", "note: longer than 5 characters" },
        { "{\"note\":7}", "note: must be text" },
        { "{\"note\":{}}", "note: must be text" },
        { "{\"note\":[\"a\"]}", "note: must be text" },
        { "{\"note\":true}", "note: must be text" },
        { "{\"note\":\"a\",\"call_id\":\"a b\"}", "call_id: not an id" },
        { "{\"note\":\"a\",\"call_id\":\"a'b\"}", "call_id: not an id" },
        { "{\"note\":\"a\",\"call_id\":\"a\\nb\"}", "call_id: not an id" },
        { "{\"note\":\"a\",\"call_id\":\"\xC3\xA9\"}", "call_id: not an id" },
        { "{\"note\":\"a\",\"call_id\":true}", "call_id: must be text" },
        { "{\"note\":\"a\",\"call_id\":1700000000.50}", "call_id: must be text" },
        { "{\"note\":\"a\",\"sip_call_id\":5}", "sip_call_id: must be text" },
        { "{\"note\":\"a\",\"sip_call_id\":\"a b\"}", "sip_call_id: not a SIP Call-ID" },
        { "{\"note\":\"a\",\"sip_call_id\":\"\xC3\xA9\"}", "sip_call_id: not a SIP Call-ID" },
        { "{\"note\":\"a\",\"call_id\":[1]}", "call_id: must be text" },
        { "{\"note\":\"a\",\"profile_id\":\"01900000-0000-7000-8000\"}", "profile_id: not a UUID" },
        { "{\"note\":\"a\",\"profile_id\":7}", "profile_id: must be text" },
        { "{\"note\":\"a\",\"phone\":\"8080\"}", "phone: a short code, not a phone number" },
        { "{\"note\":\"a\",\"phone\":8080}", "phone: a short code, not a phone number" },
        { "{\"note\":\"a\",\"phone\":\"EasyMO\"}", "phone: not a phone number" },
        { "{\"note\":\"a\",\"phone\":false}", "phone: must be text" },
        { "{\"note\":\"a\",\"wait\":\"true\"}", "wait: must be true or false" },
        { "{\"note\":\"a\",\"wait\":1}", "wait: must be true or false" },
        { "{\"note\":\"a\",\"at\":\"yesterday\"}", "at: not a time (ISO 8601)" },
        { "{\"note\":\"a\",\"at\":-1}", "at: not a time (ISO 8601)" },
        { "{\"note\":\"a\",\"channel\":\"SIP\"}", "channel: must be one of sip|whatsapp" },
        { "{\"note\":\"a\",\"channel\":\"sip|whatsapp\"}", "channel: must be one of sip|whatsapp" },
        { "{\"note\":\"a\",\"channel\":1}", "channel: must be text" },
        { "{\"note\":\"a\",\"points\":\"abc\"}", "points: must be an array of texts" },
        { "{\"note\":\"a\",\"points\":{}}", "points: must be an array of texts" },
        { "{\"note\":\"a\",\"points\":[\"a\",7]}", "points: item 1 must be text" },
        { "{\"note\":\"a\",\"points\":[null]}", "points: item 0 must be text" },
        { "{\"note\":\"a\",\"points\":[\"a\",\"b\",\"abcd\"]}",
          "points: item 2 is longer than 3 characters" },
        { "[]", "body: must be a JSON object" },
        { "\"note\"", "body: must be a JSON object" },
        { "null", "body: must be a JSON object" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err e = { 0 };
        struct json_object *args = args_of(*state, rows[i].args, rows[i].args);
        expect_true(rows[i].args, !param_check(table, COUNT_OF(table), args, &e));
        expect_text(rows[i].args, e.text, rows[i].want);
        expect_int(rows[i].args, e.kind, ERR_INVALID);
    }
}

static void
test_param_check_required_kinds(void **state)
{
    static const struct {
        const char *args;
        const char *want;
    } rows[] = {
        { "{\"call_id\":\"c\",\"points\":[\"a\"],\"wait\":true}", "" },
        { "{\"call_id\":\"\",\"points\":[\"a\"],\"wait\":true}", "call_id: empty" },
        { "{\"points\":[\"a\"],\"wait\":true}", "call_id: missing" },
        { "{\"call_id\":\"c\",\"wait\":true}", "points: missing" },
        { "{\"call_id\":\"c\",\"points\":[\"a\"]}", "wait: missing" },
        { "{\"call_id\":\"c\",\"points\":[\"a\"],\"wait\":null}", "wait: missing" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err e = { 0 };
        struct json_object *args = args_of(*state, rows[i].args, rows[i].args);
        bool ok = param_check(table_of_required, COUNT_OF(table_of_required), args, &e);
        expect_text(rows[i].args, e.text, rows[i].want);
        expect_int(rows[i].args, ok, rows[i].want[0] == '\0');
    }
}

/* Text of n letters in JSON quotation marks. */
static const char *
quoted(struct arena *a, size_t n)
{
    char *text = arena_alloc(a, n + 3);

    memset(text, 'x', n + 2);
    text[0] = text[n + 1] = '"';
    return text;
}

static void
test_param_check_bounds(void **state)
{
    static const struct param one[] = {
        { "id", PARAM_ID, false, 0, NULL, "" },
        { "text", PARAM_TEXT, false, 65000, NULL, "" },
    };
    static const struct {
        const char *name;
        const char *field;
        size_t n;
        bool ok;
    } rows[] = {
        { "the longest id", "id", 256, true },
        { "one more", "id", 257, false },
        { "the longest text", "text", 65000, true },
        { "one letter more", "text", 65001, false },
        { "more than a field is read of", "text", 70000, false },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err e = { 0 };
        const char *text = arena_printf(a, "{\"%s\":%s}", rows[i].field, quoted(a, rows[i].n));
        bool ok = param_check(one, COUNT_OF(one), args_of(a, rows[i].name, text), &e);
        expect_int(rows[i].name, ok, rows[i].ok);
    }
}

static void
test_param_check_at_most_fifty_items(void **state)
{
    static const struct {
        const char *name;
        int items;
        const char *want;
    } rows[] = {
        { "fifty", 50, "" },
        { "fifty-one", 51, "points: more than 50 items" },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_object *args = json_new_object(a);
        struct json_object *points;
        struct err e = { 0 };
        json_set_str(args, "note", "a");
        points = json_add_array(args, "points");
        for (int k = 0; k < rows[i].items; k++)
            json_push_str(points, "a");
        bool ok = param_check(table, COUNT_OF(table), args, &e);
        expect_text(rows[i].name, e.text, rows[i].want);
        expect_int(rows[i].name, ok, rows[i].want[0] == '\0');
    }
}

static void
test_param_schema(void **state)
{
    assert_string_equal(
        json_print(*state, param_schema(*state, table, COUNT_OF(table))),
        "{\"type\":\"object\",\"properties\":{"
        "\"note\":{\"type\":\"string\",\"maxLength\":5,\"description\":\"A few letters.\"},"
        "\"call_id\":{\"type\":\"string\",\"maxLength\":256,\"description\":\"The call.\"},"
        "\"profile_id\":{\"type\":\"string\",\"format\":\"uuid\",\"description\":\"The person.\"},"
        "\"phone\":{\"type\":\"string\",\"description\":\"A number.\"},"
        "\"wait\":{\"type\":\"boolean\",\"description\":\"Whether to wait.\"},"
        "\"at\":{\"type\":\"string\",\"format\":\"date-time\",\"description\":\"When.\"},"
        "\"channel\":{\"type\":\"string\",\"enum\":[\"sip\",\"whatsapp\"],"
        "\"description\":\"How it came.\"},"
        "\"points\":{\"type\":\"array\",\"maxItems\":50,"
        "\"items\":{\"type\":\"string\",\"maxLength\":3},\"description\":\"Short points.\"},"
        "\"sip_call_id\":{\"type\":\"string\",\"maxLength\":256,"
        "\"description\":\"The PBX's name of it.\"}},"
        "\"required\":[\"note\"]}");
    assert_string_equal(json_print(*state, param_schema(*state, table, 0)),
                        "{\"type\":\"object\",\"properties\":{},\"required\":[]}");
}

/* In a text a NUL is a blemish, in a name it makes another one. */
static void
test_param_nul(void **state)
{
    static const struct {
        const char *args;
        const char *fault; /* "" for none */
    } rows[] = {
        { "{\"note\":\"n\",\"call_id\":\"a\\u0000b\"}", "call_id: holds a NUL" },
        { "{\"note\":\"n\",\"phone\":\"+250788000001\\u0000\"}", "phone: holds a NUL" },
        { "{\"note\":\"a\\u0000b\"}", "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_object *args = NULL;
        struct err e = { 0 };
        expect_true(rows[i].args,
                    json_parse(*state, rows[i].args, strlen(rows[i].args), &args, &e));
        expect_int(rows[i].args, param_check(table, COUNT_OF(table), args, &e),
                   str_empty(rows[i].fault));
        expect_text(rows[i].args, e.text, rows[i].fault);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_param_check_takes),
        ARENA_TEST(test_param_check_refuses),
        ARENA_TEST(test_param_check_required_kinds),
        ARENA_TEST(test_param_check_bounds),
        ARENA_TEST(test_param_check_at_most_fifty_items),
        ARENA_TEST(test_param_schema),
        ARENA_TEST(test_param_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
