/*
 * wa_cloud - Cloud API requests to the letter, within Meta's limits, and what its answers and error
 * codes ask of us.
 */
#include "base/utf8.h"
#include "provider/providers.h"
#include "unit/provider_fixture.h"

#define ID "01900000-0000-7000-8000-000000000001"

static void
test_configured(void **state)
{
    static const struct {
        const char *name;
        const char *phone_id;
        const char *token;
        bool want;
    } rows[] = {
        { "both", "1122334455", "t", true },
        { "no phone id", "", "t", false },
        { "no token", "1122334455", "", false },
    };
    struct config c = operator_settings();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        c.whatsapp_phone_id = rows[i].phone_id;
        c.whatsapp_access_token.now = rows[i].token;
        expect_int(rows[i].name, provider_meta.configured(&c), rows[i].want);
    }
}

static struct http_request
built(struct arena *a, const struct outbound *m)
{
    struct config c = operator_settings();
    struct http_request r = { 0 };
    struct err e = { 0 };

    if (!provider_meta.build(a, &c, m, &r, &e))
        fail_msg("not built: %s", e.text);
    return r;
}

static void
test_build_to_the_letter(void **state)
{
    static const struct {
        const char *file;
        struct outbound m;
    } rows[] = {
        { "meta/send_text.json",
          { .id = ID,
            .to = "+250788000001",
            .text = "*Muraho* Aline,\ninzu iracyahari: https://easymo.example/h/12",
            .correlation_id = "req-7" } },
        { "meta/send_bsuid.json",
          { .id = ID,
            .to = "RW.13491208655302741918",
            .to_is_bsuid = true,
            .text = "Muraho",
            .correlation_id = "req-7" } },
        { "meta/send_template.json",
          { .id = ID,
            .to = "+250788000001",
            .text = "Murashaka inzu i Kimironko.\nIbikurikira:\n- tuzabahamagara ejo\n",
            .is_template = true,
            .language = LANG_RW,
            .correlation_id = "req-7" } },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_request r = built(*state, &rows[i].m);
        expect_text(rows[i].file, r.body, fixture_compact(*state, rows[i].file));
        expect_int(rows[i].file, (int64_t)r.body_len, (int64_t)strlen(r.body));
        expect_text(rows[i].file, r.method, "POST");
        expect_text(rows[i].file, r.url, "https://graph.facebook.com/v25.0/1122334455/messages");
        expect_text(rows[i].file, header_line(&r, "Authorization"),
                    "Authorization: Bearer wa-token");
        expect_text(rows[i].file, header_line(&r, "Content-Type"),
                    "Content-Type: application/json");
        expect_text(rows[i].file, header_line(&r, "X-Correlation-Id"), "X-Correlation-Id: req-7");
    }
}

static void
test_build_recipient(void **state)
{
    static const struct {
        const char *name;
        const char *to;
        bool is_bsuid;
        const char *member;
        const char *want;
        const char *absent;
    } rows[] = {
        { "E.164", "+250788000001", false, "to", "250788000001", "recipient" },
        { "digits", "250788000001", false, "to", "250788000001", "recipient" },
        { "foreign", "+16505551234", false, "to", "16505551234", "recipient" },
        { "business-scoped id", "RW.1", true, "recipient", "RW.1", "to" },
        { "of an enterprise", "RW.ENT.1", true, "recipient", "RW.ENT.1", "to" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct outbound m = { .id = ID,
                              .to = rows[i].to,
                              .to_is_bsuid = rows[i].is_bsuid,
                              .text = "a",
                              .correlation_id = "" };
        struct json_object *body = parsed(*state, built(*state, &m).body);
        expect_text(rows[i].name, json_opt_str(*state, body, rows[i].member, "-"), rows[i].want);
        expect_true(rows[i].name, !json_has(body, rows[i].absent));
    }
}

static void
test_build_template_language(void **state)
{
    static const struct {
        enum language language;
        const char *want;
    } rows[] = {
        { LANG_RW, "rw_RW" },
        { LANG_EN, "en" },
        { LANG_FR, "fr" },
        { LANG_SW, "sw" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct outbound m = { .id = ID,
                              .to = "+250788000001",
                              .text = "a",
                              .is_template = true,
                              .language = rows[i].language,
                              .correlation_id = "" };
        struct json_object *body = parsed(*state, built(*state, &m).body);
        expect_text(rows[i].want, json_opt_str(*state, body, "template.language.code", "-"),
                    rows[i].want);
    }
}

static const char *
parameter_of(struct arena *a, const char *text)
{
    struct outbound m = {
        .id = ID, .to = "+250788000001", .text = text, .is_template = true, .correlation_id = ""
    };

    return json_opt_str(a, parsed(a, built(a, &m).body), "template.components.0.parameters.0.text",
                        "-");
}

static void
test_build_template_parameter_is_one_paragraph(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "one line", "one line" },
        { "a\nb", "a b" },
        { "a\r\n\r\nb", "a b" },
        { "a\tb", "a b" },
        { "a     b", "a b" },
        { "\n a \n", "a" },
        { "- a\n- b\n\nNext steps:\n- c", "- a - b Next steps: - c" },
        { "\xC3\xA9\n\xF0\x9F\x98\x80", "\xC3\xA9 \xF0\x9F\x98\x80" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].text, parameter_of(*state, rows[i].text), rows[i].want);
}

/* n letters of two bytes each. */
static const char *
letters(struct arena *a, size_t n)
{
    char *text = arena_alloc(a, 2 * n + 1);

    for (size_t i = 0; i < n; i++)
        memcpy(text + 2 * i, "\xC3\xA9", 2);
    return text;
}

static void
test_build_cuts_to_the_limit(void **state)
{
    static const struct {
        const char *name;
        size_t letters;
        bool is_template;
        size_t want;
    } rows[] = {
        { "the longest text", 4096, false, 4096 },
        { "one letter more", 4097, false, 4096 },
        { "the longest parameter", 900, true, 900 },
        { "one letter too many", 901, true, 900 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct outbound m = { .id = ID,
                              .to = "+250788000001",
                              .text = letters(*state, rows[i].letters),
                              .is_template = rows[i].is_template,
                              .correlation_id = "" };
        struct json_object *body = parsed(*state, built(*state, &m).body);
        const char *path =
            rows[i].is_template ? "template.components.0.parameters.0.text" : "text.body";
        const char *sent = json_opt_str(*state, body, path, "");
        expect_int(rows[i].name, (int64_t)utf8_count(sent), (int64_t)rows[i].want);
        expect_true(rows[i].name, strstr(sent, "\xEF\xBF\xBD") == NULL);
    }
}

static void
test_build_refuses(void **state)
{
    static const struct {
        const char *name;
        struct outbound m;
    } rows[] = {
        { "nobody", { .id = ID, .to = "", .text = "a", .correlation_id = "" } },
        { "nobody with an id of WhatsApp",
          { .id = ID, .to = "", .to_is_bsuid = true, .text = "a", .correlation_id = "" } },
        { "no words", { .id = ID, .to = "+250788000001", .text = "", .correlation_id = "" } },
        { "a template of blanks",
          { .id = ID,
            .to = "+250788000001",
            .text = " \n\t ",
            .is_template = true,
            .correlation_id = "" } },
    };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_request r = { 0 };
        struct err e = { 0 };
        expect_true(rows[i].name, !provider_meta.build(*state, &c, &rows[i].m, &r, &e));
        expect_int(rows[i].name, e.kind, ERR_PERM);
    }
}

static void
test_read_answer(void **state)
{
    static const struct {
        int status;
        const char *file;
        enum outcome outcome;
        const char *external_id;
        const char *error_code;
    } rows[] = {
        { 200, "meta/answer_accepted.json", OUTCOME_ACCEPTED, "wamid.HBgMMjUwNzg4MDAwMDAxFQIAERgS",
          "" },
        { 200, "meta/answer_held.json", OUTCOME_ACCEPTED, "wamid.HELD", "" },
        { 200, "meta/answer_without_messages.json", OUTCOME_ACCEPTED, "", "" },
        { 400, "meta/error_pair_limit.json", OUTCOME_RETRY, "", "131056" },
        { 200, "meta/error_pair_limit.json", OUTCOME_RETRY, "", "131056" },
        { 500, "meta/error_pair_limit.json", OUTCOME_RETRY, "", "131056" },
        { 400, "meta/error_window_closed.json", OUTCOME_PERMANENT, "", "131047" },
        { 500, "meta/error_window_closed.json", OUTCOME_PERMANENT, "", "131047" },
        { 400, "meta/error_parameter_newline.json", OUTCOME_PERMANENT, "", "132018" },
        { 401, "meta/error_token_expired.json", OUTCOME_HOLD, "", "190" },
        { 400, "meta/error_token_expired.json", OUTCOME_HOLD, "", "190" },
        { 400, "meta/error_transient.json", OUTCOME_RETRY, "", "131053" },
        { 400, "meta/error_without_code.json", OUTCOME_PERMANENT, "", "http_400" },
        { 401, "meta/error_without_code.json", OUTCOME_HOLD, "", "http_401" },
        { 500, "meta/error_without_code.json", OUTCOME_AMBIGUOUS, "", "http_500" },
        { 503, "meta/error_without_code.json", OUTCOME_RETRY, "", "http_503" },
        { 429, "meta/error_without_code.json", OUTCOME_RETRY, "", "http_429" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *row = arena_printf(*state, "%d %s", rows[i].status, rows[i].file);
        struct http_response r = answered(rows[i].status, fixture_text(*state, rows[i].file));
        r.retry_after_s = 17;
        struct send_result got = provider_meta.read_answer(*state, &r);
        expect_int(row, got.outcome, rows[i].outcome);
        expect_text(row, got.external_id, rows[i].external_id);
        expect_text(row, got.error_code, rows[i].error_code);
        expect_int(row, got.retry_after_s, 17);
    }
}

static void
test_read_answer_codes(void **state)
{
    static const struct {
        enum outcome want;
        int codes[20]; /* ended by -1 */
    } rows[] = {
        { OUTCOME_RETRY,
          { 1, 2, 4, 368, 80007, 130429, 131000, 131016, 131048, 131056, 131057, 131064, 133004,
            133016, -1 } },
        { OUTCOME_HOLD,
          { 0, 3, 10, 33, 190, 200, 250, 299, 130497, 131005, 131031, 131037, 131042, 131044,
            131045, 133010, -1 } },
        { OUTCOME_PERMANENT,
          { 100,    199,    300,    130403, 130472, 131008, 131009, 131021, 131026, 131030,
            131047, 131049, 131050, 131051, 131053, 132000, 132001, 132015, 135000, -1 } },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (const int *code = rows[i].codes; *code >= 0; code++) {
            const char *body = arena_printf(a, "{\"error\":{\"code\":%d}}", *code);
            struct http_response r = answered(400, body);
            struct send_result got = provider_meta.read_answer(a, &r);
            expect_int(body, got.outcome, rows[i].want);
            expect_text(body, got.error_code, str_from_int(a, *code));
        }
    }
}

static void
test_read_answer_odd_bodies(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum outcome outcome;
        const char *error_code;
    } rows[] = {
        { 200, "", OUTCOME_ACCEPTED, "" },
        { 200, "<html>ok</html>", OUTCOME_ACCEPTED, "" },
        { 200, "{\"messages\":[{\"id\":7}]}", OUTCOME_ACCEPTED, "" },
        { 200, "{\"messages\":{\"id\":\"x\"}}", OUTCOME_ACCEPTED, "" },
        { 400, "{\"error\":\"code\"}", OUTCOME_PERMANENT, "http_400" },
        { 400, "{\"error\":{\"code\":\"131056\"}}", OUTCOME_RETRY, "131056" },
        { 400, "{\"error\":{\"code\":-7}}", OUTCOME_PERMANENT, "http_400" },
        { 400, "{\"error\":{\"code\":100,\"is_transient\":true}}", OUTCOME_RETRY, "100" },
        { 400, "{\"error\":{\"code\":100,\"is_transient\":\"true\"}}", OUTCOME_PERMANENT, "100" },
        { 502, "<html>Bad Gateway</html>", OUTCOME_AMBIGUOUS, "http_502" },
        { 404, "", OUTCOME_PERMANENT, "http_404" },
        { 302, "", OUTCOME_HOLD, "http_302" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_response r = answered(rows[i].status, rows[i].body);
        struct send_result got = provider_meta.read_answer(*state, &r);
        expect_int(rows[i].body, got.outcome, rows[i].outcome);
        expect_text(rows[i].body, got.error_code, rows[i].error_code);
        expect_text(rows[i].body, got.external_id, "");
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_configured),
        ARENA_TEST(test_build_to_the_letter),
        ARENA_TEST(test_build_recipient),
        ARENA_TEST(test_build_template_language),
        ARENA_TEST(test_build_template_parameter_is_one_paragraph),
        ARENA_TEST(test_build_cuts_to_the_limit),
        ARENA_TEST(test_build_refuses),
        ARENA_TEST(test_read_answer),
        ARENA_TEST(test_read_answer_codes),
        ARENA_TEST(test_read_answer_odd_bodies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
