/*
 * reply_way - where a person is told to write to, in every language, within one SMS.
 */
#include "core/sms_text.h"
#include "flow/compose.h"
#include "flow/reply_way.h"
#include "unit/provider_fixture.h"

static struct config
settings(const char *sender, const char *short_code)
{
    struct config c = operator_settings();

    c.mtn_sms_sender_id = sender;
    c.sms_short_code = short_code;
    return c;
}

static void
test_number(void **state)
{
    static const struct {
        const char *sender;
        const char *short_code;
        const char *number;
        const char *hint;
        const char *more;
    } rows[] = {
        { "EasyMO", "8080", "8080", "Reply to 8080.", "For more: 1 to 8080" },
        { "EasyMO", "", "", "", "1 for more" },
        { "8080", "9090", "", "Reply to continue.", "1 for more" },
        { "+250788000000", "8080", "", "Reply to continue.", "1 for more" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config c = settings(rows[i].sender, rows[i].short_code);

        expect_text(rows[i].sender, reply_way_number(&c), rows[i].number);
        expect_text(rows[i].sender, reply_way_hint(*state, &c, LANG_EN), rows[i].hint);
        expect_text(rows[i].sender, reply_way_more(*state, &c, LANG_EN, false), rows[i].more);
    }
}

static void
test_named(void **state)
{
    static const struct {
        const char *text;
        bool named;
    } rows[] = {
        { "Reply to 8080.", true },
        { "A house. To see it, reply to 8080", true },
        { "Reply to 8080 or call 112", true },
        { "Price 8080 RWF", false },
        { "8080", false },
        { "Reply to 80801", false },
        { "Reply to 808", false },
        { "Reply to us: 8080", false },
        { "", false },
    };
    struct config c = settings("EasyMO", "8080");
    struct config none = settings("EasyMO", "");

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        expect_int(rows[i].text, reply_way_is_named(*state, &c, rows[i].text, LANG_EN),
                   rows[i].named);
        expect_true(rows[i].text, !reply_way_is_named(*state, &none, rows[i].text, LANG_EN));
    }
    assert_true(reply_way_is_named(*state, &c, "Musubize kuri 8080.", LANG_RW));
    assert_true(reply_way_is_named(*state, &c, "Répondez au 8080.", LANG_FR));
    assert_false(reply_way_is_named(*state, &c, "Reply to 8080.", LANG_FR));
}

static void
test_phrases(void **state)
{
    static const struct {
        enum phrase phrase;
        enum language language;
        const char *end;
    } rows[] = {
        { PHRASE_STOPPED, LANG_EN, "again, send START to 8080." },
        { PHRASE_STOPPED, LANG_RW, "mwohereze START kuri 8080." },
        { PHRASE_STARTED, LANG_FR, "envoyez STOP au 8080." },
        { PHRASE_HELP, LANG_SW, "tuma STOP kwa 8080." },
        { PHRASE_AFRESH, LANG_EN, "what you need. Reply to 8080." },
        { PHRASE_NO_TEXT, LANG_EN, "what you need." },
    };
    struct config c = settings("EasyMO", "8080");
    struct config receives = settings("8080", "");

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *text = reply_way_phrase(*state, &c, rows[i].phrase, rows[i].language);

        expect_true(text, str_ends(text, rows[i].end));
        expect_text(text, reply_way_phrase(*state, &receives, rows[i].phrase, rows[i].language),
                    phrase_get(rows[i].phrase, rows[i].language));
    }
}

/* With the longest number there is: a fixed sentence costs one SMS, and the line that asks for more
 * is never shorter than the one that takes its place. */
static void
test_lengths(void **state)
{
    struct arena *a = *state;
    struct config c = settings("EasyMO", "+250788000000");

    for (int i = LANG_RW; i <= LANG_SW; i++) {
        enum language l = (enum language)i;
        const char *hint = reply_way_hint(a, &c, l);

        for (int p = 0; p < PHRASE_COUNT; p++) {
            const char *text = reply_way_phrase(a, &c, (enum phrase)p, l);

            expect_int(text, sms_text_size(text).segments, 1);
            expect_int(text, sms_text_size(text).encoding, SMS_GSM7);
        }
        for (int options = 0; options <= 1; options++) {
            const char *more = reply_way_more(a, &c, l, options == 1);

            expect_int(more, sms_text_size(more).encoding, SMS_GSM7);
            expect_true(more, sms_text_size(more).units >= sms_text_size(hint).units);
        }
    }
}

/* What agents and operators send. */
static void
test_reply(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        bool answers_sms;
        const char *plain;
    } rows[] = {
        { "a message", "The car comes at 8", false, "The car comes at 8\nReply to 8080." },
        { "an answer to an SMS", "At 8", true, "At 8" },
        { "the way is in it", "Reply to 8080 when", false, "Reply to 8080 when" },
        { "the number is in it", "Pay 8080 now", false, "Pay 8080 now\nReply to 8080." },
        { "a longer number", "Call 0788018080", false, "Call 0788018080\nReply to 8080." },
    };
    struct config c = settings("EasyMO", "8080");
    struct config receives = settings("8080", "");

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct compose_text t =
            compose_reply(*state, &c, rows[i].text, LANG_EN, rows[i].answers_sms);

        expect_text(rows[i].name, t.plain, rows[i].plain);
        expect_text(rows[i].name, t.rich, rows[i].text);
        expect_text(rows[i].name,
                    compose_reply(*state, &receives, rows[i].text, LANG_EN, false).plain,
                    rows[i].text);
    }
}

static void
test_long_reply(void **state)
{
    struct arena *a = *state;
    struct config c = settings("EasyMO", "8080");
    const char *text = "Choose one:\n1. Remera\n2. Gikondo\n";
    struct compose_text t;

    for (int i = 0; i < 8; i++)
        text = arena_printf(a, "%sThis sentence says something of the houses.%s", text,
                            i < 7 ? " " : "");
    t = compose_reply(a, &c, text, LANG_EN, true);
    assert_int_equal(t.n_more, 1);
    assert_true(str_ends(t.plain, "\nFor the rest: MORE to 8080"));
    assert_int_equal(sms_text_size(t.plain).segments, COMPOSE_SMS_SEGMENTS);
    assert_true(str_ends(t.more[0], "of the houses."));
    t = compose_reply(a, &c, strchr(text, 'T'), LANG_SW, false);
    assert_true(str_ends(t.plain, "\nZaidi: 1 kwa 8080"));
}

/* A summary in which somebody was told where to write says so once. */
static void
test_summary_names_it_once(void **state)
{
    static const struct {
        const char *bullets;
        const char *plain;
    } rows[] = {
        { "[\"To send a photo reply to 8080\"]", "EasyMO:\n- To send a photo reply to 8080" },
        { "[\"Price 8080 RWF\"]", "EasyMO:\n- Price 8080 RWF\nReply to 8080." },
        { "[\"Rent 180800\"]", "EasyMO:\n- Rent 180800\nReply to 8080." },
    };
    struct config c = settings("EasyMO", "8080");

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct call_record call = { .bullets = rows[i].bullets,
                                          .summary = "",
                                          .next_actions = "" };

        expect_text(rows[i].bullets, compose_summary(*state, &c, &call, LANG_EN).plain,
                    rows[i].plain);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_number),
        ARENA_TEST(test_named),
        ARENA_TEST(test_phrases),
        ARENA_TEST(test_lengths),
        ARENA_TEST(test_reply),
        ARENA_TEST(test_long_reply),
        ARENA_TEST(test_summary_names_it_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
