/*
 * tool_send - each message goes out on the channels it names and on no other; and what the answer
 * says of it.
 */
#include "flow/tool_send.h"
#include "model/message.h"
#include "unit/provider_fixture.h"

#define BOTH (TOOL_BY_WHATSAPP | TOOL_BY_SMS)

static struct person
reachable(void)
{
    return (struct person){
        .profile_id = "01900000-0000-7000-8000-000000000009",
        .phone = "+250788000001",
        .wa_id = "250788000001",
        .bsuid = "",
        .name = "Aline",
        .language = "rw",
        .has_whatsapp = true,
        .window_open = true,
        .allows_sms = true,
        .allows_whatsapp = true,
        .mode = "",
    };
}

/* "whatsapp,sms": a reason, with + when it sends, - when the channel was not named. */
static const char *
plan_words(struct arena *a, const struct config *c, const struct person *p, unsigned channels)
{
    struct plan plan = tool_send_plan(c, p, channels, MESSAGE_TOOL);
    const char *words[PLAN_STEPS];

    for (size_t i = 0; i < PLAN_STEPS; i++) {
        const struct plan_step *s = &plan.steps[i];

        expect_true("nothing waits for the other channel", !s->in_reserve && !s->is_template);
        words[i] = s->send ? "+" : s->reason[0] == '\0' ? "-" : s->reason;
    }
    expect_int("sends", plan.sends, plan.steps[0].send || plan.steps[1].send);
    return arena_printf(a, "%s,%s", words[0], words[1]);
}

static void
test_only_the_channels_that_were_named(void **state)
{
    static const struct {
        unsigned channels;
        const char *want;
    } rows[] = {
        { TOOL_BY_WHATSAPP, "+,-" },
        { TOOL_BY_SMS, "-,+" },
        { BOTH, "+,+" },
    };
    static const enum mode modes[] = { MODE_BOTH, MODE_FAILOVER };
    struct config c = operator_settings();
    struct person p = reachable();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t m = 0; m < COUNT_OF(modes); m++) {
            c.delivery_mode = modes[m];
            expect_text(mode_text(modes[m]), plan_words(*state, &c, &p, rows[i].channels),
                        rows[i].want);
        }
    }
}

static void
test_why_a_channel_does_not_carry_it(void **state)
{
    const struct person fine = reachable();
    struct person p[10];
    const char *want[] = {
        "window_closed,+",     /* outside the window */
        "window_closed,+",     /* ... also where nothing is known of WhatsApp */
        "no_whatsapp_known,+", /* the last message did not arrive */
        "opted_out,+",         /* STOP by WhatsApp */
        "+,opted_out",         /* STOP by SMS */
        "opted_out,opted_out", /* both */
        "+,number_not_served", /* abroad */
        "no_address,no_number",
        "mode_sms_only,+", /* the person's own wish */
        "+,+",             /* the wish for failover holds back neither */
    };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(p); i++)
        p[i] = fine;
    p[0].window_open = false;
    p[1].window_open = p[1].has_whatsapp = false;
    p[2].has_whatsapp = false;
    p[3].allows_whatsapp = false;
    p[4].allows_sms = false;
    p[5].allows_sms = p[5].allows_whatsapp = false;
    p[6].phone = "+256770000001";
    p[7].phone = p[7].wa_id = "";
    p[8].mode = "sms_only";
    p[9].mode = "failover";
    for (size_t i = 0; i < COUNT_OF(p); i++)
        expect_text(want[i], plan_words(*state, &c, &p[i], BOTH), want[i]);
}

static void
test_status_of_the_whole(void **state)
{
    static const struct {
        const char *states; /* of the rows, blanks between */
        size_t skipped;
        const char *want;
    } rows[] = {
        { "sent", 0, "sent" },
        { "delivered read", 0, "sent" },
        { "pending", 0, "pending" },
        { "sending sent", 0, "pending" },
        { "failed", 0, "pending" },
        { "failed sent", 0, "pending" },
        { "unknown", 0, "unknown" },
        { "unknown sent", 0, "unknown" },
        { "unknown pending", 0, "pending" },
        { "dead", 0, "failed" },
        { "undelivered suppressed", 0, "failed" },
        { "", 1, "failed" },
        { "", 2, "failed" },
        { "dead", 1, "failed" },
        { "sent", 1, "partial" },
        { "pending", 1, "partial" },
        { "sent dead", 0, "partial" },
        { "unknown", 1, "unknown" },
        { "unknown dead", 0, "unknown" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct message_state states[PLAN_STEPS] = { 0 };
        size_t n = 0;
        char **words = str_split(*state, rows[i].states, ' ', &n);

        for (size_t j = 0; j < n; j++)
            states[j].status = words[j];
        expect_text(rows[i].states, tool_send_status(states, n, rows[i].skipped), rows[i].want);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_only_the_channels_that_were_named),
        ARENA_TEST(test_why_a_channel_does_not_carry_it),
        ARENA_TEST(test_status_of_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
