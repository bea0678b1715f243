/*
 * log - one valid JSON object per line, whatever is put into its fields, and nothing in it that
 * must not be seen.
 */
#include "unit/log_fixture.h"

static void
test_log_line_to_the_letter(void **state)
{
    struct fixture *f = *state;
    struct phone phone = { "+250788000056" };
    struct err e = { .kind = ERR_TEMP, .code = "40001", .text = "database: serialization" };

    log_set_correlation(f->log, "req-1");
    log_event(f->log, SMS_SEND_FAILED, LF_ID("provider", "mtn"), LF_INT("ms", 12),
              LF_TEXT("message", "Muraho"), LF_PHONE("to", &phone), LF_ERR(&e));
    char masked[20];
    phone_mask(&phone, masked);
    assert_string_equal(
        written(f),
        arena_printf(f->arena,
                     "{\"ts\":\"2026-01-15T10:00:00.000Z\",\"level\":\"warn\","
                     "\"event\":\"SMS_SEND_FAILED\",\"program\":\"unit-test\",\"pid\":%d,"
                     "\"correlation_id\":\"req-1\",\"provider\":\"mtn\",\"ms\":12,"
                     "\"message_len\":6,\"to\":\"%s\",\"error\":\"temp\","
                     "\"error_code\":\"40001\",\"error_text\":\"database: serialization\"}\n",
                     (int)getpid(), masked));
}

static void
test_log_injection(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        const char *want;
    } rows[] = {
        { "line feed", "a\nb", "a\nb" },
        { "whole line", "x\n{\"level\":\"error\"}", "x\n{\"level\":\"error\"}" },
        { "end of the object", "\"}", "\"}" },
        { "carriage return", "a\r\nb", "a\nb" },
        { "clears the screen", "\x1B[2J", "[2J" },
        { "backslash", "a\\", "a\\" },
        { "format", "%s%n", "%s%n" },
        { "broken UTF-8", "\xFF\xFE", "\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "surrogate", "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "bidi",
          "a\xE2\x80\xAE"
          "b",
          "ab" },
        { "line separator", "\xE2\x80\xA8", "\xE2\x80\xA8" },
        { "DEL", "a\x7F", "a" },
        { "empty", "", "" },
        { "none", NULL, "" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err e = { .kind = ERR_BUG };
        size_t n = rows[i].value != NULL ? strlen(rows[i].value) : 0;
        memcpy(e.text, n > 0 ? rows[i].value : "", n);
        log_event(f->log, REQUEST_FAILED, LF_ID("id", rows[i].value), LF_ERR(&e));
        struct json_object *o = line(f);
        expect_text(rows[i].name, json_opt_str(f->arena, o, "id", "-"), rows[i].want);
        expect_text(rows[i].name, json_opt_str(f->arena, o, "error_text", "-"), rows[i].want);
        expect_text(rows[i].name, json_opt_str(f->arena, o, "level", "-"), "error");
    }
}

static void
test_log_cuts_ids(void **state)
{
    struct fixture *f = *state;
    char id[1000] = { 0 };

    memset(id, 'x', sizeof(id) - 1);
    log_event(f->log, REQUEST_DONE, LF_ID("id", id));
    assert_int_equal(strlen(json_opt_str(f->arena, line(f), "id", "")), 120);
}

static void
test_log_text_shows_only_its_length(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {
        { "secret-text-CANARY", 18 }, { "", 0 },         { NULL, 0 },
        { "caf\xC3\xA9", 4 },         { "\xFF\xFE", 2 }, { "a\nb", 3 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        log_event(f->log, SMS_INBOUND_RECEIVED, LF_TEXT("message", rows[i].text));
        struct json_object *o = line(f);
        assert_int_equal(json_opt_int(o, "message_len", -1), rows[i].want);
        assert_false(json_has(o, "message"));
        assert_null(strstr(json_print(f->arena, o), "CANARY"));
    }
}

static void
test_log_masks_phones(void **state)
{
    static const struct phone phones[] = {
        { "+250788123456" },
        { "+14155550123" },
        { "+2507881" },
        { "" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(phones); i++) {
        char masked[20];
        phone_mask(&phones[i], masked);
        log_event(f->log, SMS_INBOUND_RECEIVED, LF_PHONE("from", &phones[i]));
        const char *shown = json_opt_str(f->arena, line(f), "from", "-");
        expect_text(phones[i].e164, shown, masked);
        expect_true(phones[i].e164,
                    strstr(shown, "88123") == NULL && strstr(shown, "5550") == NULL);
    }
}

/* The same number is the same in all programs that share the key, and nobody else can tell which it
 * is. */
static void
test_log_knows_a_number_by_its_keyed_hash(void **state)
{
    static const struct phone phone = { "+250788123456" };
    static const struct {
        const char *key;
        const char *want;
    } rows[] = {
        { "service-key", "+2507******56 ph:a97366fd" },
        { "another-key", "+2507******56 ph:c4f7ee6a" },
        { "", "+2507******56" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        log_set_phone_key(f->log, rows[i].key);
        log_event(f->log, SMS_INBOUND_RECEIVED, LF_PHONE("from", &phone));
        expect_text(rows[i].key, json_opt_str(f->arena, line(f), "from", "-"), rows[i].want);
    }
    log_set_phone_key(f->log, "service-key");
    log_event(f->log, SMS_INBOUND_RECEIVED, LF_PHONE("from", &(struct phone){ "" }));
    assert_string_equal(json_opt_str(f->arena, line(f), "from", "-"), "");
}

static void
test_log_err_without_code(void **state)
{
    struct fixture *f = *state;
    struct err e;

    (void)err_set(&e, ERR_AUTH, "signature: missing");
    log_event(f->log, REQUEST_REFUSED, LF_ERR(&e));
    struct json_object *o = line(f);
    assert_string_equal(json_opt_str(f->arena, o, "error", "-"), "auth");
    assert_string_equal(json_opt_str(f->arena, o, "error_text", "-"), "signature: missing");
    assert_false(json_has(o, "error_code"));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        LOG_TEST(test_log_line_to_the_letter), LOG_TEST(test_log_injection),
        LOG_TEST(test_log_cuts_ids),           LOG_TEST(test_log_text_shows_only_its_length),
        LOG_TEST(test_log_masks_phones),       LOG_TEST(test_log_knows_a_number_by_its_keyed_hash),
        LOG_TEST(test_log_err_without_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
