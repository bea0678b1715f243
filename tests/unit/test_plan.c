/*
 * plan - every rule of routing and its reason, one row per rule.
 */
#include "flow/plan.h"
#include "unit/provider_fixture.h"

/* The facts of a row that differ from those of somebody whom everything reaches. */
enum fact {
    NO_WHATSAPP = 1 << 0,   /* no evidence of it */
    WINDOW_CLOSED = 1 << 1, /* WhatsApp takes templates only */
    STOP_SMS = 1 << 2,      /* opted out */
    STOP_WHATSAPP = 1 << 3,
    BSUID_ONLY = 1 << 4, /* no number known */
    NO_ADDRESS = 1 << 5, /* neither */
    FOREIGN = 1 << 6,    /* a number that SMS does not serve */
    FIXED_LINE = 1 << 7,
    WHATSAPP_OFF = 1 << 8, /* not configured */
    SMS_OFF = 1 << 9,
    NO_TEMPLATE = 1 << 10,
    ANSWERS_SMS = 1 << 11, /* it answers a message that came so */
    ANSWERS_WHATSAPP = 1 << 12,
};

static struct person
person_of(unsigned facts, const char *mode)
{
    struct person p = {
        .profile_id = "01900000-0000-7000-8000-000000000009",
        .phone = "+250788000001",
        .wa_id = "250788000001",
        .bsuid = "RW.1",
        .name = "Aline",
        .language = "rw",
        .has_whatsapp = (facts & NO_WHATSAPP) == 0,
        .window_open = (facts & WINDOW_CLOSED) == 0,
        .allows_sms = (facts & STOP_SMS) == 0,
        .allows_whatsapp = (facts & STOP_WHATSAPP) == 0,
        .mode = mode,
    };

    if ((facts & FOREIGN) != 0)
        p.phone = "+256770000001";
    if ((facts & FIXED_LINE) != 0)
        p.phone = "+250252123456";
    if ((facts & (BSUID_ONLY | NO_ADDRESS)) != 0)
        p.phone = p.wa_id = "";
    if ((facts & NO_ADDRESS) != 0)
        p.bsuid = "";
    return p;
}

static struct config
config_of(unsigned facts, enum mode mode)
{
    struct config c = operator_settings();

    c.delivery_mode = mode;
    if ((facts & WHATSAPP_OFF) != 0)
        c.whatsapp_access_token.now = "";
    if ((facts & SMS_OFF) != 0)
        c.mtn_sms_api_key.now = "";
    if ((facts & NO_TEMPLATE) != 0)
        c.whatsapp_template_summary = "";
    return c;
}

static struct plan
plan_of(enum message_type type, enum mode mode, const char *own_mode, unsigned facts)
{
    struct config c = config_of(facts, mode);
    struct person person = person_of(facts, own_mode);
    struct plan_input in = { .type = type, .person = &person };

    in.is_answer = (facts & (ANSWERS_SMS | ANSWERS_WHATSAPP)) != 0;
    in.answers = (facts & ANSWERS_SMS) != 0 ? CHANNEL_SMS : CHANNEL_WHATSAPP;
    return plan_make(&c, &in);
}

struct row {
    enum mode mode;
    unsigned facts;
    const char *want; /* plan_text() */
};

static void
expect_rows(struct arena *a, enum message_type type, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct plan p = plan_of(type, rows[i].mode, "", rows[i].facts);
        const char *row = arena_printf(a, "%s, row %zu", message_type_text(type), i);
        expect_text(row, plan_text(a, &p), rows[i].want);
        expect_int(row, p.sends, strstr(rows[i].want, ":send:") != NULL);
        expect_int(row, p.mode, rows[i].mode);
    }
}

static void
test_plan_summary(void **state)
{
    static const struct row rows[] = {
        { MODE_BOTH, 0, "whatsapp:send:has_whatsapp,sms:send:both_channels" },
        { MODE_FAILOVER, 0, "whatsapp:send:has_whatsapp,sms:skip:waits_for_whatsapp" },
        { MODE_SMS_ONLY, 0, "whatsapp:skip:mode_sms_only,sms:send:sms_alone" },
        { MODE_BOTH, NO_WHATSAPP, "whatsapp:skip:no_whatsapp_known,sms:send:sms_alone" },
        { MODE_FAILOVER, NO_WHATSAPP, "whatsapp:skip:no_whatsapp_known,sms:send:sms_alone" },
        { MODE_BOTH, WINDOW_CLOSED, "whatsapp:send:window_closed_template,sms:send:both_channels" },
        { MODE_FAILOVER, WINDOW_CLOSED,
          "whatsapp:send:window_closed_template,sms:skip:waits_for_whatsapp" },
        { MODE_BOTH, WINDOW_CLOSED | NO_TEMPLATE, "whatsapp:skip:no_template,sms:send:sms_alone" },
        { MODE_FAILOVER, WINDOW_CLOSED | NO_TEMPLATE,
          "whatsapp:skip:no_template,sms:send:sms_alone" },
        { MODE_BOTH, STOP_SMS, "whatsapp:send:has_whatsapp,sms:skip:opted_out" },
        { MODE_FAILOVER, STOP_SMS, "whatsapp:send:has_whatsapp,sms:skip:opted_out" },
        { MODE_BOTH, STOP_WHATSAPP, "whatsapp:skip:opted_out,sms:send:sms_alone" },
        { MODE_BOTH, STOP_SMS | STOP_WHATSAPP, "whatsapp:skip:opted_out,sms:skip:opted_out" },
        { MODE_SMS_ONLY, STOP_SMS, "whatsapp:skip:mode_sms_only,sms:skip:opted_out" },
        { MODE_BOTH, BSUID_ONLY, "whatsapp:send:has_whatsapp,sms:skip:no_number" },
        { MODE_FAILOVER, BSUID_ONLY, "whatsapp:send:has_whatsapp,sms:skip:no_number" },
        { MODE_SMS_ONLY, BSUID_ONLY, "whatsapp:send:has_whatsapp,sms:skip:no_number" },
        { MODE_BOTH, BSUID_ONLY | WINDOW_CLOSED,
          "whatsapp:send:window_closed_template,sms:skip:no_number" },
        { MODE_BOTH, NO_ADDRESS, "whatsapp:skip:no_address,sms:skip:no_number" },
        { MODE_BOTH, FOREIGN, "whatsapp:send:has_whatsapp,sms:skip:number_not_served" },
        { MODE_BOTH, FOREIGN | NO_WHATSAPP,
          "whatsapp:skip:no_whatsapp_known,sms:skip:number_not_served" },
        { MODE_BOTH, FIXED_LINE | NO_WHATSAPP,
          "whatsapp:skip:no_whatsapp_known,sms:skip:number_not_served" },
        { MODE_BOTH, WHATSAPP_OFF, "whatsapp:skip:whatsapp_off,sms:send:sms_alone" },
        { MODE_FAILOVER, WHATSAPP_OFF, "whatsapp:skip:whatsapp_off,sms:send:sms_alone" },
        { MODE_BOTH, SMS_OFF, "whatsapp:send:has_whatsapp,sms:skip:sms_off" },
        { MODE_BOTH, WHATSAPP_OFF | SMS_OFF, "whatsapp:skip:whatsapp_off,sms:skip:sms_off" },
    };

    expect_rows(*state, MESSAGE_SUMMARY, rows, COUNT_OF(rows));
}

static void
test_plan_reply_to_sms(void **state)
{
    static const struct row rows[] = {
        { MODE_BOTH, ANSWERS_SMS, "whatsapp:send:has_whatsapp,sms:send:answers_sms" },
        { MODE_FAILOVER, ANSWERS_SMS, "whatsapp:skip:answered_by_sms,sms:send:answers_sms" },
        { MODE_SMS_ONLY, ANSWERS_SMS, "whatsapp:skip:mode_sms_only,sms:send:answers_sms" },
        { MODE_BOTH, ANSWERS_SMS | NO_WHATSAPP,
          "whatsapp:skip:no_whatsapp_known,sms:send:answers_sms" },
        { MODE_BOTH, ANSWERS_SMS | WINDOW_CLOSED,
          "whatsapp:skip:window_closed,sms:send:answers_sms" },
        { MODE_BOTH, ANSWERS_SMS | STOP_WHATSAPP, "whatsapp:skip:opted_out,sms:send:answers_sms" },
        { MODE_BOTH, ANSWERS_SMS | STOP_SMS, "whatsapp:send:has_whatsapp,sms:skip:opted_out" },
        { MODE_BOTH, ANSWERS_SMS | WHATSAPP_OFF,
          "whatsapp:skip:whatsapp_off,sms:send:answers_sms" },
    };

    expect_rows(*state, MESSAGE_REPLY, rows, COUNT_OF(rows));
    expect_rows(*state, MESSAGE_FALLBACK, rows, COUNT_OF(rows));
}

static void
test_plan_reply_to_whatsapp(void **state)
{
    static const struct row rows[] = {
        { MODE_BOTH, ANSWERS_WHATSAPP,
          "whatsapp:send:answers_whatsapp,sms:skip:answered_by_whatsapp" },
        { MODE_FAILOVER, ANSWERS_WHATSAPP,
          "whatsapp:send:answers_whatsapp,sms:skip:answered_by_whatsapp" },
        { MODE_SMS_ONLY, ANSWERS_WHATSAPP, "whatsapp:skip:mode_sms_only,sms:send:sms_alone" },
        { MODE_SMS_ONLY, ANSWERS_WHATSAPP | BSUID_ONLY, /* no number, no SMS */
          "whatsapp:send:answers_whatsapp,sms:skip:no_number" },
        /* Whoever writes there has it, whatever was noted before. */
        { MODE_BOTH, ANSWERS_WHATSAPP | NO_WHATSAPP,
          "whatsapp:send:answers_whatsapp,sms:skip:answered_by_whatsapp" },
        { MODE_BOTH, ANSWERS_WHATSAPP | WINDOW_CLOSED,
          "whatsapp:skip:window_closed,sms:send:sms_alone" },
        { MODE_BOTH, ANSWERS_WHATSAPP | STOP_WHATSAPP,
          "whatsapp:skip:opted_out,sms:send:sms_alone" },
        { MODE_BOTH, ANSWERS_WHATSAPP | STOP_SMS,
          "whatsapp:send:answers_whatsapp,sms:skip:opted_out" },
        { MODE_BOTH, ANSWERS_WHATSAPP | BSUID_ONLY,
          "whatsapp:send:answers_whatsapp,sms:skip:no_number" },
        { MODE_BOTH, ANSWERS_WHATSAPP | BSUID_ONLY | WINDOW_CLOSED,
          "whatsapp:skip:window_closed,sms:skip:no_number" },
        { MODE_BOTH, ANSWERS_WHATSAPP | FOREIGN,
          "whatsapp:send:answers_whatsapp,sms:skip:number_not_served" },
        { MODE_BOTH, ANSWERS_WHATSAPP | WHATSAPP_OFF,
          "whatsapp:skip:whatsapp_off,sms:send:sms_alone" },
        { MODE_BOTH, ANSWERS_WHATSAPP | SMS_OFF,
          "whatsapp:send:answers_whatsapp,sms:skip:sms_off" },
    };

    expect_rows(*state, MESSAGE_REPLY, rows, COUNT_OF(rows));
    expect_rows(*state, MESSAGE_FALLBACK, rows, COUNT_OF(rows));
}

/* The template is approved for summaries only. */
static void
test_plan_only_summaries_have_a_template(void **state)
{
    static const enum message_type rows[] = { MESSAGE_REPLY,       MESSAGE_FALLBACK,
                                              MESSAGE_MISSED_CALL, MESSAGE_CONFIRMATION,
                                              MESSAGE_FOLLOW_UP,   MESSAGE_TOOL,
                                              MESSAGE_OPERATOR };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plan p = plan_of(rows[i], MODE_BOTH, "", WINDOW_CLOSED);
        expect_text(message_type_text(rows[i]), plan_text(*state, &p),
                    "whatsapp:skip:window_closed,sms:send:sms_alone");
    }
}

static void
test_plan_own_mode_goes_first(void **state)
{
    static const struct {
        enum mode settings;
        const char *own;
        enum mode want;
        const char *plan;
    } rows[] = {
        { MODE_BOTH, "sms_only", MODE_SMS_ONLY, "whatsapp:skip:mode_sms_only,sms:send:sms_alone" },
        { MODE_BOTH, "failover", MODE_FAILOVER,
          "whatsapp:send:has_whatsapp,sms:skip:waits_for_whatsapp" },
        { MODE_SMS_ONLY, "both", MODE_BOTH, "whatsapp:send:has_whatsapp,sms:send:both_channels" },
        { MODE_FAILOVER, "both", MODE_BOTH, "whatsapp:send:has_whatsapp,sms:send:both_channels" },
        { MODE_FAILOVER, "", MODE_FAILOVER,
          "whatsapp:send:has_whatsapp,sms:skip:waits_for_whatsapp" },
        { MODE_SMS_ONLY, "pigeon", MODE_SMS_ONLY,
          "whatsapp:skip:mode_sms_only,sms:send:sms_alone" },
        { MODE_SMS_ONLY, "BOTH", MODE_SMS_ONLY, "whatsapp:skip:mode_sms_only,sms:send:sms_alone" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plan p = plan_of(MESSAGE_SUMMARY, rows[i].settings, rows[i].own, 0);
        expect_int(rows[i].own, p.mode, rows[i].want);
        expect_text(rows[i].own, plan_text(*state, &p), rows[i].plan);
    }
}

static void
test_plan_steps_name_their_provider(void **state)
{
    struct plan sends = plan_of(MESSAGE_SUMMARY, MODE_BOTH, "", 0);
    struct plan skips = plan_of(MESSAGE_SUMMARY, MODE_BOTH, "", STOP_SMS | STOP_WHATSAPP);

    (void)state;
    assert_int_equal(sends.steps[0].channel, CHANNEL_WHATSAPP);
    assert_string_equal(sends.steps[0].provider, "meta");
    assert_int_equal(sends.steps[1].channel, CHANNEL_SMS);
    assert_string_equal(sends.steps[1].provider, "mtn");
    assert_string_equal(skips.steps[0].provider, "");
    assert_string_equal(skips.steps[1].provider, "");
    assert_false(skips.sends);
}

/* SMS is held back only where WhatsApp goes first and SMS could. */
static void
test_plan_holds_sms_in_reserve(void **state)
{
    static const struct {
        enum message_type type;
        enum mode mode;
        unsigned facts;
        bool want;
    } rows[] = {
        { MESSAGE_SUMMARY, MODE_FAILOVER, 0, true },
        { MESSAGE_SUMMARY, MODE_FAILOVER, WINDOW_CLOSED, true },
        { MESSAGE_REPLY, MODE_BOTH, ANSWERS_WHATSAPP, true },
        { MESSAGE_REPLY, MODE_FAILOVER, ANSWERS_WHATSAPP, true },
        { MESSAGE_SUMMARY, MODE_BOTH, 0, false },
        { MESSAGE_SUMMARY, MODE_SMS_ONLY, 0, false },
        { MESSAGE_SUMMARY, MODE_FAILOVER, STOP_SMS, false },
        { MESSAGE_SUMMARY, MODE_FAILOVER, FOREIGN, false },
        { MESSAGE_SUMMARY, MODE_FAILOVER, BSUID_ONLY, false },
        { MESSAGE_SUMMARY, MODE_FAILOVER, SMS_OFF, false },
        { MESSAGE_SUMMARY, MODE_FAILOVER, NO_WHATSAPP, false },
        { MESSAGE_REPLY, MODE_BOTH, ANSWERS_SMS, false },
        { MESSAGE_REPLY, MODE_BOTH, ANSWERS_WHATSAPP | STOP_SMS, false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plan p = plan_of(rows[i].type, rows[i].mode, "", rows[i].facts);
        const char *row = arena_printf(*state, "row %zu", i);
        expect_int(row, p.steps[1].in_reserve, rows[i].want);
        expect_true(row, !p.steps[0].in_reserve);
        expect_true(row, !(p.steps[1].in_reserve && p.steps[1].send));
        expect_true(row, !p.steps[1].in_reserve || str_eq(p.steps[1].provider, "mtn"));
    }
}

static void
test_plan_marks_the_template(void **state)
{
    struct plan open = plan_of(MESSAGE_SUMMARY, MODE_BOTH, "", 0);
    struct plan closed = plan_of(MESSAGE_SUMMARY, MODE_BOTH, "", WINDOW_CLOSED);

    (void)state;
    assert_false(open.steps[0].is_template || open.steps[1].is_template);
    assert_true(closed.steps[0].is_template);
    assert_false(closed.steps[1].is_template);
}

static void
test_plan_prefixes(void **state)
{
    static const struct {
        const char *prefixes;
        unsigned facts;
        const char *want;
    } rows[] = {
        { "+250,+256", FOREIGN, "whatsapp:send:has_whatsapp,sms:send:both_channels" },
        { "+256", 0, "whatsapp:send:has_whatsapp,sms:skip:number_not_served" },
        { "", 0, "whatsapp:send:has_whatsapp,sms:skip:number_not_served" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config c = config_of(rows[i].facts, MODE_BOTH);
        struct person person = person_of(rows[i].facts, "");
        struct plan_input in = { .type = MESSAGE_SUMMARY, .person = &person };
        c.sms_allowed_prefixes = rows[i].prefixes;
        struct plan p = plan_make(&c, &in);
        expect_text(rows[i].prefixes, plan_text(*state, &p), rows[i].want);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_plan_summary),
        ARENA_TEST(test_plan_reply_to_sms),
        ARENA_TEST(test_plan_reply_to_whatsapp),
        ARENA_TEST(test_plan_only_summaries_have_a_template),
        ARENA_TEST(test_plan_own_mode_goes_first),
        cmocka_unit_test(test_plan_steps_name_their_provider),
        ARENA_TEST(test_plan_holds_sms_in_reserve),
        cmocka_unit_test(test_plan_marks_the_template),
        ARENA_TEST(test_plan_prefixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
