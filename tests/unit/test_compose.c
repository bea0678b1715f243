/*
 * compose - what a person reads on each channel.
 */
#include "base/utf8.h"
#include "core/phrase.h"
#include "core/sms_text.h"
#include "flow/compose.h"
#include "unit/provider_fixture.h"

#define LONG_WORDS                                                                                 \
    "Murashaka inzu y'ibyumba bibiri i Kimironko hafi y'isoko, ifite amazi n'umuriro, aho "        \
    "imodoka ihagarara, ku giciro kitarenze amafaranga ibihumbi ijana na makumyabiri ku kwezi, "   \
    "guhera ku wa mbere w'icyumweru gitaha, kandi mwifuza kuyireba mbere yo gufata icyemezo "      \
    "muri kumwe n'umuryango wanyu."

static void
test_summary_wordings(void **state)
{
    static const struct {
        const char *name;
        struct call_record call;
        const char *rich;
        const char *plain;
    } rows[] = {
        { "bullets",
          { .bullets = "[\"House in Kimironko\",\"Two rooms\"]", .next_actions = "" },
          "*Your call with EasyMO*\n\n- House in Kimironko\n- Two rooms\n\nReply to continue.",
          "EasyMO:\n- House in Kimironko\n- Two rooms\nReply to 8080." },
        { "bullets before prose",
          { .bullets = "[\"Two rooms\"]", .summary = "A long story.", .next_actions = "[]" },
          "*Your call with EasyMO*\n\n- Two rooms\n\nReply to continue.",
          "EasyMO:\n- Two rooms\nReply to 8080." },
        { "prose",
          { .bullets = "", .summary = " You look for a house. ", .next_actions = "" },
          "*Your call with EasyMO*\n\nYou look for a house.\n\nReply to continue.",
          "EasyMO: You look for a house.\nReply to 8080." },
        { "empty bullets",
          { .bullets = "[\"\",\"  \"]", .summary = "You look for a house.", .next_actions = "" },
          "*Your call with EasyMO*\n\nYou look for a house.\n\nReply to continue.",
          "EasyMO: You look for a house.\nReply to 8080." },
        { "next actions",
          { .bullets = "[\"Two rooms\"]",
            .next_actions = "[\"We call you tomorrow\",\" You send a photo \"]" },
          "*Your call with EasyMO*\n\n- Two rooms\n\n*Next steps*\n- We call you tomorrow\n- You "
          "send a photo\n\nReply to continue.",
          "EasyMO:\n- Two rooms\nNext steps:\n- We call you tomorrow\n- You send a photo\nReply to "
          "8080." },
        { "points as objects",
          { .bullets = "[{\"text\":\"Two rooms\"},{\"id\":7},\"Near the market\"]",
            .next_actions = "[{\"text\":\"We call you\"}]" },
          "*Your call with EasyMO*\n\n- Two rooms\n- Near the market\n\n*Next steps*\n- We call "
          "you\n\nReply to continue.",
          "EasyMO:\n- Two rooms\n- Near the market\nNext steps:\n- We call you\nReply to 8080." },
        { "nothing",
          { .bullets = "", .summary = "", .next_actions = "" },
          "*Your call with EasyMO*\n\nWe received your call.\n\nReply to continue.",
          "EasyMO: We received your call.\nReply to 8080." },
        { "nothing but when and how long",
          { .bullets = "", .next_actions = "", .began = "27/11 14:05", .duration_s = 61 },
          "*Your call with EasyMO*\n\nWe received your call (27/11 14:05, 2 min).\n\nReply to "
          "continue.",
          "EasyMO: We received your call (27/11 14:05, 2 min).\nReply to 8080." },
        { "nothing but when",
          { .bullets = "", .next_actions = "", .began = "27/11 14:05" },
          "*Your call with EasyMO*\n\nWe received your call (27/11 14:05).\n\nReply to continue.",
          "EasyMO: We received your call (27/11 14:05).\nReply to 8080." },
        { "as long as a day",
          { .bullets = "", .next_actions = "", .began = "27/11 14:05", .duration_s = 86400 },
          "*Your call with EasyMO*\n\nWe received your call (27/11 14:05, 1440 min).\n\nReply to "
          "continue.",
          "EasyMO: We received your call (27/11 14:05, 1440 min).\nReply to 8080." },
        { "longer than that",
          { .bullets = "", .next_actions = "", .began = "01/01 02:03", .duration_s = 86401 },
          "*Your call with EasyMO*\n\nWe received your call.\n\nReply to continue.",
          "EasyMO: We received your call.\nReply to 8080." },
        { "the short code as a price",
          { .bullets = "[\"8080 RWF\"]", .next_actions = "" },
          "*Your call with EasyMO*\n\n- 8080 RWF\n\nReply to continue.",
          "EasyMO:\n- 8080 RWF\nReply to 8080." },
        { "no list",
          { .bullets = "{\"a\":1}", .summary = "", .next_actions = "not JSON" },
          "*Your call with EasyMO*\n\nWe received your call.\n\nReply to continue.",
          "EasyMO: We received your call.\nReply to 8080." },
        { "typographic marks",
          { .bullets = "[\"The owner\xE2\x80\x99s price \xE2\x80\x93 120\xE2\x80\xAF"
                       "000\"]",
            .next_actions = "" },
          "*Your call with EasyMO*\n\n- The owner\xE2\x80\x99s price \xE2\x80\x93 120 000\n\nReply "
          "to "
          "continue.",
          "EasyMO:\n- The owner's price - 120 000\nReply to 8080." },
    };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct call_record call = rows[i].call;
        call.summary = call.summary != NULL ? call.summary : "";
        struct compose_text got = compose_summary(*state, &c, &call, LANG_EN);
        expect_text(rows[i].name, got.rich, rows[i].rich);
        expect_text(rows[i].name, got.plain, rows[i].plain);
    }
}

/* What WhatsApp refuses in a template's parameter: line breaks, tabs, more than four blanks,
 * nothing at all, too much. */
static void
test_summary_paragraph(void **state)
{
    static const struct {
        const char *name;
        struct call_record call;
        const char *want;
    } rows[] = {
        { "points",
          { .bullets = "[\"House in Kimironko.\",\"Two rooms;\",\"Is it near?\"]" },
          "House in Kimironko; Two rooms; Is it near?" },
        { "steps",
          { .bullets = "[\"Two rooms\"]", .next_actions = "[\"We call you.\",\"You pay\"]" },
          "Two rooms. Next steps: We call you; You pay." },
        { "white space",
          { .bullets = "[\" a\\n\\tb\\r\\n      c\\u00a0\\u2028d \"]" },
          "a b c d." },
        { "prose", { .summary = "One.\n\n\tTwo     three." }, "One. Two three." },
        { "nothing", { .summary = "" }, "We received your call." },
        { "nothing to be seen",
          { .bullets = "[\"\\u200b\",\" \"]", .summary = "\xC2\xA0\n" },
          "We received your call." },
    };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct call_record call = rows[i].call;

        call.summary = call.summary != NULL ? call.summary : "";
        expect_text(rows[i].name, compose_summary(*state, &c, &call, LANG_EN).paragraph,
                    rows[i].want);
    }
}

static void
test_missed(void **state)
{
    struct config c = operator_settings();
    struct compose_text got = compose_missed(*state, &c, LANG_EN);

    assert_string_equal(got.rich, "Sorry, we missed your call. Reply to continue.");
    assert_string_equal(got.plain, "EasyMO: Sorry, we missed your call.\nReply to 8080.");
    c.sms_short_code = "";
    got = compose_missed(*state, &c, LANG_RW);
    assert_string_equal(
        got.plain, arena_printf(*state, "EasyMO: %s", phrase_get(PHRASE_MISSED_CALL, LANG_RW)));
    for (int l = LANG_RW; l <= LANG_SW; l++) {
        got = compose_missed(*state, &c, (enum language)l);
        assert_int_equal(sms_text_size(got.plain).segments, 1);
        assert_int_equal(sms_text_size(got.plain).encoding, SMS_GSM7);
    }
}

static void
test_summary_languages(void **state)
{
    static const enum language rows[] = { LANG_RW, LANG_EN, LANG_FR, LANG_SW };
    const struct call_record call = { .bullets = "[\"Kigali\"]",
                                      .summary = "",
                                      .next_actions = "[\"+\"]" };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum language l = rows[i];
        struct compose_text got = compose_summary(*state, &c, &call, l);
        expect_text(language_text(l), got.rich,
                    arena_printf(*state, "*%s*\n\n- Kigali\n\n*%s*\n- +\n\n%s",
                                 phrase_get(PHRASE_SUMMARY_TITLE, l),
                                 phrase_get(PHRASE_NEXT_STEPS, l),
                                 phrase_get(PHRASE_REPLY_HINT, l)));
        expect_text(language_text(l), got.plain,
                    arena_printf(*state, "EasyMO:\n- Kigali\n%s:\n- +\n%s 8080.",
                                 phrase_get(PHRASE_NEXT_STEPS, l), phrase_get(PHRASE_REPLY_TO, l)));
        expect_int(language_text(l), sms_text_size(got.plain).encoding, SMS_GSM7);
    }
}

static void
test_summary_hint_fits_the_sender(void **state)
{
    static const struct {
        const char *name;
        const char *sender;
        const char *short_code;
        const char *want;
    } rows[] = {
        { "a name and a short code", "EasyMO", "8080", "EasyMO: Two rooms\nReply to 8080." },
        { "a name alone promises nothing", "EasyMO", "", "EasyMO: Two rooms" },
        { "a short code receives", "8080", "", "EasyMO: Two rooms\nReply to continue." },
        { "a short code of its own", "8080", "9090", "EasyMO: Two rooms\nReply to continue." },
        { "a number receives", "+250788000000", "8080", "EasyMO: Two rooms\nReply to continue." },
        { "a name with digits", "Easy2", "8080", "EasyMO: Two rooms\nReply to 8080." },
    };
    const struct call_record call = { .bullets = "", .summary = "Two rooms", .next_actions = "" };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config c = operator_settings();
        c.mtn_sms_sender_id = rows[i].sender;
        c.sms_short_code = rows[i].short_code;
        expect_text(rows[i].name, compose_summary(*state, &c, &call, LANG_EN).plain, rows[i].want);
    }
}

/* 'text' n times. */
static const char *
times(struct arena *a, const char *text, size_t n)
{
    size_t len = strlen(text);
    char *out = arena_alloc(a, n * len + 1);

    for (size_t i = 0; i < n; i++)
        memcpy(out + i * len, text, len);
    return out;
}

/* Whatever the call was like: two SMS at most, the hint whole and on a line of its own. */
static void
test_summary_keeps_the_hint(void **state)
{
    struct arena *a = *state;
    const struct {
        const char *name;
        const char *summary;
        enum sms_encoding encoding;
    } rows[] = {
        { "long prose", LONG_WORDS, SMS_GSM7 },
        { "twice as long", times(a, LONG_WORDS " ", 2), SMS_GSM7 },
        { "as long as a summary can be", times(a, "inzu ", 1600), SMS_GSM7 },
        { "one endless word", times(a, "a", 8000), SMS_GSM7 },
        { "lines", times(a, "inzu\n", 1600), SMS_GSM7 },
        { "extension characters", times(a, "{inzu} ", 400), SMS_GSM7 },
        { "another script", times(a, "\xD0\x94\xD0\xBE\xD0\xBC ", 500), SMS_UCS2 },
        { "a script without blanks", times(a, "\xE5\xAE\xB6", 500), SMS_UCS2 },
        { "letters outside the basic plane", times(a, "\xF0\x90\x90\xB7", 500), SMS_UCS2 },
        { "GSM-7 until its end", times(a, "a", 290), SMS_GSM7 },
    };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct call_record call = { .bullets = "",
                                    .summary = rows[i].summary,
                                    .next_actions = "[\"Tuzabahamagara ejo\"]" };
        const char *plain = compose_summary(a, &c, &call, LANG_RW).plain;
        struct sms_size size = sms_text_size(plain);
        expect_int(rows[i].name, size.segments, COMPOSE_SMS_SEGMENTS);
        expect_int(rows[i].name, size.encoding, rows[i].encoding);
        expect_true(rows[i].name, str_starts(plain, "EasyMO: "));
        expect_true(rows[i].name, str_ends(plain, "...\nMusubize kuri 8080."));
        expect_true(rows[i].name, utf8_valid(plain, strlen(plain)));
    }
}

static void
test_summary_cuts_at_a_word(void **state)
{
    struct config c = operator_settings();
    struct call_record call = { .bullets = "",
                                .summary = times(*state, "inzu ", 1600),
                                .next_actions = "" };
    const char *plain = compose_summary(*state, &c, &call, LANG_EN).plain;

    assert_true(str_ends(plain, "inzu...\nReply to 8080."));
    /* No more is cut than a word: 306 septets are two SMS. */
    assert_true(sms_text_size(plain).units > 306 - (int)strlen("inzu "));
}

static void
test_summary_fills_exactly(void **state)
{
    static const char tail[] = "\nReply to 8080.";
    struct config c = operator_settings();
    size_t room = 306 - strlen("EasyMO: ") - strlen(tail);

    for (size_t n = room - 1; n <= room + 1; n++) {
        const char *row = str_from_int(*state, (int64_t)n);
        struct call_record call = { .bullets = "",
                                    .summary = times(*state, "a", n),
                                    .next_actions = "" };
        const char *plain = compose_summary(*state, &c, &call, LANG_EN).plain;
        expect_int(row, sms_text_size(plain).segments, 2);
        expect_int(row, strstr(plain, "...") == NULL, n <= room);
        expect_true(row, str_ends(plain, tail));
    }
}

static void
test_summary_stays_below_whatsapps_limit(void **state)
{
    struct arena *a = *state;
    const struct {
        const char *name;
        const char *summary;
    } rows[] = {
        { "prose", times(a, "inzu ", 1600) },
        { "letters of two bytes", times(a, "\xC3\xA9", 8000) },
        { "letters of four bytes", times(a, "\xF0\x9F\x98\x80", 20000) },
    };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct call_record call = { .bullets = "", .summary = rows[i].summary, .next_actions = "" };
        const char *rich = compose_summary(a, &c, &call, LANG_RW).rich;
        expect_true(rows[i].name, utf8_valid(rich, strlen(rich)));
        expect_true(rows[i].name, utf8_count(rich) <= 4096);
        expect_true(rows[i].name, utf8_count(rich) > 4000);
        expect_true(rows[i].name, str_ends(rich, phrase_get(PHRASE_REPLY_HINT, LANG_RW)));
    }
}

static void
test_summary_of_many_points(void **state)
{
    struct config c = operator_settings();
    struct json_object *points = json_new_array(*state);

    for (int i = 0; i < 50; i++)
        json_push_str(points, times(*state, "ibyumba ", 60));
    struct call_record call = { .bullets = json_print(*state, points),
                                .summary = "",
                                .next_actions = json_print(*state, points) };
    struct compose_text got = compose_summary(*state, &c, &call, LANG_FR);
    assert_true(utf8_count(got.rich) <= 4096);
    assert_int_equal(sms_text_size(got.plain).segments, COMPOSE_SMS_SEGMENTS);
    assert_true(str_ends(got.plain, "\nR\xC3\xA9pondez au 8080."));
    assert_true(utf8_count(got.paragraph) <= 900);
    assert_true(utf8_count(got.paragraph) > 880);
    assert_true(str_ends(got.paragraph, "ibyumba..."));
}

static void
test_plain_words(void **state)
{
    static const struct {
        const char *text;
        const char *plain;
    } rows[] = {
        { "Yego.", "Yego." },
        { "", "" },
        { "*Yego*, n\xE2\x80\x99"
          "ejo \xF0\x9F\x98\x80",
          "Yego, n'ejo" },
        { "a\n\n\n\nb", "a\n\nb" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct compose_text got = compose_plain(*state, rows[i].text);
        expect_text(rows[i].text, got.rich, rows[i].text);
        expect_text(rows[i].text, got.plain, rows[i].plain);
    }
}

static void
test_plain_words_within_limits(void **state)
{
    struct compose_text got = compose_plain(*state, times(*state, "\xC3\xA9t\xC3\xA9 ", 4000));

    assert_int_equal(utf8_count(got.rich), 4096);
    assert_true(utf8_valid(got.rich, strlen(got.rich)));
    assert_int_equal(sms_text_size(got.plain).segments, COMPOSE_SMS_SEGMENTS);
    assert_true(str_ends(got.plain, "..."));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_summary_wordings),
        ARENA_TEST(test_summary_paragraph),
        ARENA_TEST(test_missed),
        ARENA_TEST(test_summary_languages),
        ARENA_TEST(test_summary_hint_fits_the_sender),
        ARENA_TEST(test_summary_keeps_the_hint),
        ARENA_TEST(test_summary_cuts_at_a_word),
        ARENA_TEST(test_summary_fills_exactly),
        ARENA_TEST(test_summary_stays_below_whatsapps_limit),
        ARENA_TEST(test_summary_of_many_points),
        ARENA_TEST(test_plain_words),
        ARENA_TEST(test_plain_words_within_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
