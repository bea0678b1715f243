/*
 * test_phrase - every sentence exists in every language, goes out as it stands, and costs one SMS.
 */
#include "core/keyword.h"
#include "core/phrase.h"
#include "core/sms_text.h"
#include "unit/unit.h"

static const struct {
    const char *name;
    enum phrase phrase;
    const char *part; /* must occur in all four languages */
} rows[] = {
    { "fallback", PHRASE_FALLBACK, " " },
    { "stopped", PHRASE_STOPPED, "START" },
    { "stopped, who", PHRASE_STOPPED, "EasyMO" },
    { "started", PHRASE_STARTED, "STOP" },
    { "started, who", PHRASE_STARTED, "EasyMO" },
    { "help", PHRASE_HELP, "STOP" },
    { "help, who", PHRASE_HELP, "EasyMO" },
    { "no text", PHRASE_NO_TEXT, " " },
    { "summary title", PHRASE_SUMMARY_TITLE, "EasyMO" },
    { "next steps", PHRASE_NEXT_STEPS, "" },
    { "reply hint", PHRASE_REPLY_HINT, "." },
    { "reply to", PHRASE_REPLY_TO, "" },
    { "call recorded", PHRASE_CALL_RECORDED, "." },
    { "afresh", PHRASE_AFRESH, "." },
    { "handed over", PHRASE_HANDED_OVER, "." },
    { "missed call", PHRASE_MISSED_CALL, "." },
};

static void
expect_claim(const char *name, const char *text, bool claim)
{
    if (!claim)
        fail_msg("%s: \"%s\"", name, text);
}

static void
test_phrase_get_has_its_part(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int l = LANG_RW; l <= LANG_SW; l++) {
            const char *text = phrase_get(rows[i].phrase, (enum language)l);
            expect_claim(rows[i].name, text, strstr(text, rows[i].part) != NULL);
        }
    }
}

static void
test_phrase_get_fits_one_sms(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (int p = 0; p < PHRASE_COUNT; p++) {
        for (int l = LANG_RW; l <= LANG_SW; l++) {
            const char *text = phrase_get((enum phrase)p, (enum language)l);
            assert_non_null(text);
            struct sms_size size = sms_text_size(text);
            assert_string_equal(sms_text_plain(a, text), text);
            expect_claim("outside GSM-7", text, size.encoding == SMS_GSM7);
            expect_claim("not one SMS", text, size.segments == 1 && size.units <= 160);
        }
    }
    arena_free(&a);
}

/* A sentence copied from the neighbour is the mistake that nobody sees who does not read the
 * language. */
static void
test_phrase_get_differs_between_languages(void **state)
{
    (void)state;
    for (int p = 0; p < PHRASE_COUNT; p++) {
        for (int l = LANG_RW; l < LANG_SW; l++) {
            const char *text = phrase_get((enum phrase)p, (enum language)l);
            const char *next = phrase_get((enum phrase)p, (enum language)(l + 1));
            expect_claim("the same in two languages", text, strcmp(text, next) != 0);
        }
    }
}

/* The words that the sentences ask for must do what the sentences say. */
static void
test_phrase_words_are_keywords(void **state)
{
    const char *language;

    (void)state;
    assert_int_equal(keyword_find("START", CHANNEL_SMS, &language), KEYWORD_START);
    assert_int_equal(keyword_find("START", CHANNEL_WHATSAPP, &language), KEYWORD_START);
    assert_int_equal(keyword_find("STOP", CHANNEL_SMS, &language), KEYWORD_STOP);
    assert_int_equal(keyword_find("STOP", CHANNEL_WHATSAPP, &language), KEYWORD_STOP);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phrase_get_has_its_part),
        cmocka_unit_test(test_phrase_get_fits_one_sms),
        cmocka_unit_test(test_phrase_get_differs_between_languages),
        cmocka_unit_test(test_phrase_words_are_keywords),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
