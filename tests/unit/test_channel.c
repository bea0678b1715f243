/*
 * channel - every word in both directions, expiry, and the spellings of languages.
 */
#include "core/channel.h"
#include "unit/unit.h"

static void
test_channel_words(void **state)
{
    static const struct {
        enum channel value;
        const char *word;
    } rows[] = {
        { CHANNEL_VOICE, "voice" },
        { CHANNEL_WHATSAPP, "whatsapp" },
        { CHANNEL_SMS, "sms" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum channel back = CHANNEL_VOICE;
        expect_text(rows[i].word, channel_text(rows[i].value), rows[i].word);
        expect_true(rows[i].word, channel_parse(rows[i].word, &back));
        expect_int(rows[i].word, back, rows[i].value);
    }
}

static void
test_mode_words(void **state)
{
    static const struct {
        enum mode value;
        const char *word;
    } rows[] = {
        { MODE_BOTH, "both" },
        { MODE_FAILOVER, "failover" },
        { MODE_SMS_ONLY, "sms_only" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum mode back = MODE_BOTH;
        expect_text(rows[i].word, mode_text(rows[i].value), rows[i].word);
        expect_true(rows[i].word, mode_parse(rows[i].word, &back));
        expect_int(rows[i].word, back, rows[i].value);
    }
}

static void
test_message_type_words_and_expiry(void **state)
{
    static const struct {
        const char *word;
        enum message_type value;
        int expiry_s;
    } rows[] = {
        { "summary", MESSAGE_SUMMARY, 21600 },
        { "reply", MESSAGE_REPLY, 900 },
        { "fallback", MESSAGE_FALLBACK, 21600 },
        { "missed_call", MESSAGE_MISSED_CALL, 21600 },
        { "confirmation", MESSAGE_CONFIRMATION, 21600 },
        { "follow_up", MESSAGE_FOLLOW_UP, 21600 },
        { "tool", MESSAGE_TOOL, 21600 },
        { "operator", MESSAGE_OPERATOR, 21600 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum message_type back = MESSAGE_SUMMARY;
        expect_text(rows[i].word, message_type_text(rows[i].value), rows[i].word);
        expect_true(rows[i].word, message_type_parse(rows[i].word, &back));
        expect_int(rows[i].word, back, rows[i].value);
        expect_int(rows[i].word, message_type_expiry_s(rows[i].value), rows[i].expiry_s);
    }
}

static void
test_channel_unknown_words(void **state)
{
    static const char *const rows[] = {
        "", " ", "SMS", "sms ", "Both", "telegram", "summary ", "x"
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum channel c = CHANNEL_SMS;
        enum mode m = MODE_SMS_ONLY;
        enum message_type t = MESSAGE_OPERATOR;
        expect_true(rows[i], !channel_parse(rows[i], &c) && c == CHANNEL_SMS);
        expect_true(rows[i], !mode_parse(rows[i], &m) && m == MODE_SMS_ONLY);
        expect_true(rows[i], !message_type_parse(rows[i], &t) && t == MESSAGE_OPERATOR);
    }
}

static void
test_language(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "rw", "rw" },
        { "RW", "rw" },
        { "rw_RW", "rw" },
        { "kin", "rw" },
        { "Kinyarwanda", "rw" },
        { "ikinyarwanda", "rw" },
        { "en", "en" },
        { "en-GB", "en" },
        { "English", "en" },
        { "fr", "fr" },
        { "fr_FR", "fr" },
        { "FR-be", "fr" },
        { "French", "fr" },
        { "fran\xC3\xA7"
          "ais",
          "fr" },
        { "Igifaransa", "fr" },
        { "sw", "sw" },
        { "sw-TZ", "sw" },
        { "swahili", "sw" },
        { "Kiswahili", "sw" },
        { "swahili (Tanzania)", "sw" },
        { " fr", "fr" },
        { "fr/rw", "fr" },
        { "rw,en", "rw" },
        { "sw;q=0.9", "sw" },
        { "", "en" },
        { "  ", "en" },
        { "de", "en" },
        { "frx", "en" },
        { "frisian", "en" },
        { "swe", "en" },
        { "r", "en" },
        { "rwx", "en" },
        { "null", "en" },
        { "\xFF\xFE", "en" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].text, language_text(language_parse(rows[i].text)), rows[i].want);
}

static void
test_language_that_is_none(void **state)
{
    static const char *const rows[] = { "", " ", "de", "frisian", "und", "null", "lingala" };
    enum language l;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_true(rows[i], !language_find(rows[i], &l));
    assert_true(language_find("English", &l));
    assert_int_equal(l, LANG_EN);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel_words),
        cmocka_unit_test(test_mode_words),
        cmocka_unit_test(test_message_type_words_and_expiry),
        cmocka_unit_test(test_channel_unknown_words),
        cmocka_unit_test(test_language),
        cmocka_unit_test(test_language_that_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
