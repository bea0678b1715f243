/*
 * token - what was made is read back; everything else is refused with the same words.
 */
#include "base/base64.h"
#include "base/hmac.h"
#include "base/str.h"
#include "core/token.h"
#include "unit/unit.h"

#define NOW   1800000000
#define WORDS "Authorization: missing or wrong"

static const struct secret key = { "the-key", "" };

static const struct token sample = {
    .profile_id = "01990000-0000-7000-8000-000000000001",
    .session_id = "01990000-0000-7000-8000-000000000002",
    .call_id = "",
    .turn_id = "01990000-0000-7000-8000-000000000003",
    .turn_token = 7,
    .tools = "messaging_send_sms,session_get_context",
    .expires_s = NOW + 60,
};

static void
expect_refused(struct arena *a, const char *row, const struct secret *k, const char *text)
{
    struct token got = { .profile_id = "untouched" };
    struct err e = { 0 };

    expect_true(row, !token_read(a, k, text, NOW, &got, &e));
    expect_int(row, e.kind, ERR_AUTH);
    expect_text(row, e.text, WORDS);
    expect_text(row, got.profile_id, "untouched");
}

/* A token with a payload of our choice, properly signed. */
static const char *
signed_payload(struct arena *a, const char *json)
{
    unsigned char mac[HMAC_SIZE];
    const char *payload = base64_encode_url(a, json, strlen(json));

    hmac_sha256("the-key", strlen("the-key"), payload, strlen(payload), mac);
    return arena_printf(a, "%s.%s", payload, base64_encode_url(a, mac, sizeof(mac)));
}

static void
test_token_round_trip(void **state)
{
    struct token got;
    struct err e = { 0 };
    const char *text = token_make(*state, &key, &sample);

    assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-_."),
                     strlen(text)); /* a header may carry it as it is */
    assert_true(token_read(*state, &key, text, NOW, &got, &e));
    assert_string_equal(got.profile_id, sample.profile_id);
    assert_string_equal(got.session_id, sample.session_id);
    assert_string_equal(got.call_id, "");
    assert_string_equal(got.turn_id, sample.turn_id);
    assert_int_equal(got.turn_token, 7);
    assert_string_equal(got.tools, sample.tools);
    assert_int_equal(got.expires_s, NOW + 60);
}

static void
test_token_of_a_call_keeps_its_id(void **state)
{
    struct token t = sample;
    struct token got;
    struct err e = { 0 };

    t.session_id = "";
    t.turn_id = "";
    t.turn_token = 0;
    t.call_id = "rtc_u1_9c6574da8b8a41a18da9308f4ad974ce";
    assert_true(token_read(*state, &key, token_make(*state, &key, &t), NOW, &got, &e));
    assert_string_equal(got.call_id, t.call_id);
    assert_string_equal(got.session_id, "");
    assert_int_equal(got.turn_token, 0);
}

static void
test_token_expires(void **state)
{
    struct token t = sample;
    struct token got;
    struct err e = { 0 };

    t.expires_s = NOW + 1;
    assert_true(token_read(*state, &key, token_make(*state, &key, &t), NOW, &got, &e));
    t.expires_s = NOW;
    expect_refused(*state, "at its last second", &key, token_make(*state, &key, &t));
    t.expires_s = NOW - 3600;
    expect_refused(*state, "an hour ago", &key, token_make(*state, &key, &t));
}

static void
test_token_every_changed_letter_is_refused(void **state)
{
    const char *text = token_make(*state, &key, &sample);

    for (size_t i = 0; i < strlen(text); i++) {
        char *bad = arena_strdup(*state, text);

        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        expect_refused(*state, arena_printf(*state, "letter %zu", i), &key, bad);
    }
}

static void
test_token_malformed(void **state)
{
    struct arena *a = *state;
    const char *good = token_make(a, &key, &sample);
    const char *dot = strchr(good, '.');
    char *long_one = arena_alloc(a, 8192);
    const char *rows[][2] = {
        { "nothing", "" },
        { "no dot", "abc" },
        { "only a dot", "." },
        { "no payload", dot },
        { "no signature", arena_strndup(a, good, (size_t)(dot - good) + 1) },
        { "cut", arena_strndup(a, good, strlen(good) - 1) },
        { "more behind it", arena_printf(a, "%sA", good) },
        { "padded", arena_printf(a, "%s=", good) },
        { "two signatures", arena_printf(a, "%s%s", good, dot) },
        { "the service key", "the-key" },
        { "signed, no JSON", signed_payload(a, "hello") },
        { "signed, an array", signed_payload(a, "[1]") },
        { "signed, nobody", signed_payload(a, "{\"exp\":9999999999}") },
        { "signed, no expiry", signed_payload(a, "{\"profile_id\":\"x\"}") },
        { "too long", long_one },
    };

    for (size_t i = 0; i < 8000; i++)
        long_one[i] = i == 4000 ? '.' : 'A';
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_refused(a, rows[i][0], &key, rows[i][1]);
    expect_refused(a, "NULL", &key, NULL);
}

static void
test_token_keys(void **state)
{
    static const struct {
        const char *row;
        struct secret made_with;
        struct secret read_with;
        bool good;
    } rows[] = {
        { "same", { "k1", "" }, { "k1", "" }, true },
        { "rotated, the old one still counts", { "k1", "" }, { "k2", "k1" }, true },
        { "new one, the old one still there", { "k2", "k1" }, { "k2", "k1" }, true },
        { "the old one no longer counts", { "k1", "" }, { "k2", "" }, false },
        { "made with the current one only", { "k2", "k1" }, { "k1", "" }, false },
        { "no key at all", { "", "" }, { "", "" }, false },
        { "no key to read with", { "k1", "" }, { "", "" }, false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *text = token_make(*state, &rows[i].made_with, &sample);
        struct token got;
        struct err e = { 0 };

        expect_int(rows[i].row, token_read(*state, &rows[i].read_with, text, NOW, &got, &e),
                   rows[i].good);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_token_round_trip), ARENA_TEST(test_token_of_a_call_keeps_its_id),
        ARENA_TEST(test_token_expires),    ARENA_TEST(test_token_every_changed_letter_is_refused),
        ARENA_TEST(test_token_malformed),  ARENA_TEST(test_token_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
