/*
 * prompt - which messages the agent reads, in which order and how much of them.
 */
#include "unit/prompt_fixture.h"

static void
test_messages_in_order(void **state)
{
    struct turn_line lines[] = {
        { .is_inbound = true, .channel = CHANNEL_SMS, .text = "Muraho", .at = "Sat 21 Nov 20:05" },
        { .channel = CHANNEL_SMS, .text = "Muraho neza!", .at = "Sat 21 Nov 20:05" },
        { .is_staff = true, .channel = CHANNEL_SMS, .text = "Ni Jean.", .at = "Sun 22 Nov 09:00" },
        { .is_inbound = true,
          .waits = true,
          .channel = CHANNEL_WHATSAPP,
          .text = "Ni angahe?\nNi hehe?",
          .at = "Sun 22 Nov 20:06" },
    };
    static const struct {
        const char *role;
        const char *content;
    } want[] = {
        { "system", NO_CALL },
        { "user", "[by sms, Sat 21 Nov 20:05] Muraho" },
        { "assistant", "Muraho neza!" },
        { "assistant", "[a colleague of our staff, Sun 22 Nov 09:00] Ni Jean." },
        { "user", "[by whatsapp, Sun 22 Nov 20:06] Ni angahe?\nNi hehe?" },
    };
    struct turn_context t = context_of();
    size_t n = 0;

    t.lines = (struct turn_lines){ lines, COUNT_OF(lines) };
    struct chat_message *got = prompt_messages(*state, &t, PROMPT_MAX_TOKENS, &n);
    assert_int_equal(n, COUNT_OF(want));
    for (size_t i = 0; i < n; i++) {
        expect_text("role", got[i].role, want[i].role);
        expect_text("content", got[i].content, want[i].content);
    }
}

/* Which lines are kept of those that fit in 1,000 tokens beside the system message: 'w' waits for
 * the answer, 'u' is an older message, 'a' one of ours. */
static void
test_messages_within_the_budget(void **state)
{
    static const struct {
        const char *name;
        const char *kinds;
        size_t bytes[6];
        const char *want; /* the numbers of those kept */
    } rows[] = {
        { "all fit", "uaw", { 1200, 1200, 1200 }, "012" },
        { "too many", "uaw", { 2400, 1200, 1200 }, "12" },
        { "what waits is always there", "aw", { 10, 9000 }, "01" },
        { "all that wait", "ww", { 9000, 9000 }, "01" },
        { "an older one that waits", "wauw", { 10, 3600, 400, 10 }, "023" },
        { "nothing older than what is left out", "uuw", { 10, 5000, 10 }, "2" },
        { "the newest only", "uuuuuu", { 1, 1, 1, 1, 4000, 1 }, "5" },
        { "none", "", { 0 }, "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *a = *state;
        struct turn_line lines[6] = { { .text = "" } };
        struct turn_context t = context_of();
        char kept[8] = { 0 };
        size_t n = 0;
        t.lines = (struct turn_lines){ lines, strlen(rows[i].kinds) };
        for (size_t k = 0; k < t.lines.n; k++) {
            char *text = arena_strdup(a, long_text(a, rows[i].bytes[k]));
            text[0] = (char)('0' + k);
            lines[k] = (struct turn_line){ .is_inbound = rows[i].kinds[k] != 'a',
                                           .waits = rows[i].kinds[k] == 'w',
                                           .channel = CHANNEL_SMS,
                                           .text = text,
                                           .at = "" };
        }
        struct chat_message *got = prompt_messages(a, &t, strlen(NO_CALL) / 4 + 1000, &n);
        size_t total = 0;
        assert_string_equal(got[0].role, "system");
        for (size_t k = 1; k < n; k++) {
            const char *mark = strstr(got[k].content, "] ");
            kept[k - 1] = mark != NULL ? mark[2] : got[k].content[0];
            total += strlen(got[k].content);
        }
        expect_text(rows[i].name, kept, rows[i].want);
        expect_true(rows[i].name, total <= 4000 || total <= n * (PROMPT_WAIT_CHARS + 50));
    }
}

/* A flood is told in full, each message with its share of the room. */
static void
test_messages_share_the_room(void **state)
{
    struct arena *a = *state;
    struct turn_line lines[30];
    struct turn_context t = context_of();
    size_t total = 0;
    size_t n = 0;

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        lines[i] = (struct turn_line){ .is_inbound = true,
                                       .waits = true,
                                       .channel = CHANNEL_SMS,
                                       .text = long_text(a, 4000),
                                       .at = "" };
    t.lines = (struct turn_lines){ lines, COUNT_OF(lines) };
    struct chat_message *got = prompt_messages(a, &t, strlen(NO_CALL) / 4 + 4000, &n);
    assert_int_equal(n, 31);
    for (size_t i = 1; i < n; i++) {
        assert_true(strlen(got[i].content) >= PROMPT_WAIT_LEAST);
        total += strlen(got[i].content);
    }
    assert_true(total <= 30 * 600 + 4000); /* the newest one may have stood there in full */
}

/* However little room there is: the call's summary is told. */
static void
test_messages_summary_always(void **state)
{
    struct turn_context t = context_of();
    size_t n = 0;

    t.call_id = "call-7";
    t.call.summary = long_text(*state, 4000);
    struct chat_message *got = prompt_messages(*state, &t, 10, &n);
    assert_int_equal(n, 1);
    assert_non_null(strstr(got[0].content, t.call.summary));
}

static void
test_unmarked(void **state)
{
    static const struct {
        const char *said;
        const char *want;
    } rows[] = {
        { "Yes, it is free.", "Yes, it is free." },
        { "[by sms, Mon 23 Nov 01:10] Yes.", "Yes." },
        { "OK: [by whatsapp, Mon 23 Nov 01:10] hello [by voice, Mon 23 Nov 01:11]bye",
          "OK: hello bye" },
        { "[not delivered] Yes, it is free.", "Yes, it is free." },
        { "[a colleague of our staff, Mon 23 Nov 01:10] Yes.", "Yes." },
        { "[by the way] no mark", "[by the way] no mark" },
        { "[by sms, without an end", "[by sms, without an end" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].said, prompt_unmarked(*state, rows[i].said), rows[i].want);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_unmarked),
        ARENA_TEST(test_messages_in_order),
        ARENA_TEST(test_messages_within_the_budget),
        ARENA_TEST(test_messages_share_the_room),
        ARENA_TEST(test_messages_summary_always),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
