/*
 * compose - what each row of a message carries: its words, key, cost and addresses.
 */
#include "flow/compose.h"
#include "unit/provider_fixture.h"

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

static const struct person aline = {
    .profile_id = "p",
    .phone = "+250788000001",
    .wa_id = "250788000001",
    .bsuid = "RW.1",
    .name = "",
    .language = "",
    .has_whatsapp = true,
    .window_open = true,
    .allows_sms = true,
    .allows_whatsapp = true,
    .mode = "",
};

static struct plan
plan_for(const struct config *c, const struct person *person)
{
    return plan_make(c, &(struct plan_input){ .type = MESSAGE_SUMMARY, .person = person });
}

static struct compose_message
message_to(const struct person *person, struct compose_text text)
{
    return (struct compose_message){ .type = MESSAGE_SUMMARY,
                                     .person = person,
                                     .language = LANG_RW,
                                     .text = text,
                                     .key = "summary:call-7",
                                     .call_id = "call-7",
                                     .turn_id = "",
                                     .correlation_id = "req-7" };
}

static void
test_drafts_of_both_channels(void **state)
{
    struct config c = operator_settings();
    struct plan p = plan_for(&c, &aline);
    struct compose_message m = message_to(
        &aline,
        (struct compose_text){ .rich = "*rich*", .plain = "plain", .paragraph = "one paragraph" });
    struct message_draft out[PLAN_STEPS];

    assert_int_equal(compose_drafts(*state, &c, &p, &m, out), 2);
    assert_int_equal(out[0].channel, CHANNEL_WHATSAPP);
    assert_string_equal(out[0].provider, "meta");
    assert_string_equal(out[0].content, "*rich*");
    assert_string_equal(out[0].idem_key, "summary:call-7:whatsapp:1");
    assert_string_equal(out[0].bsuid, "RW.1");
    assert_int_equal(out[0].segments, 1);
    assert_int_equal(out[0].cost_mrwf, 6000);
    assert_int_equal(out[1].channel, CHANNEL_SMS);
    assert_string_equal(out[1].provider, "mtn");
    assert_string_equal(out[1].content, "plain");
    assert_string_equal(out[1].idem_key, "summary:call-7:sms:1");
    assert_string_equal(out[1].bsuid, "");
    assert_int_equal(out[1].segments, 1);
    assert_int_equal(out[1].cost_mrwf, 15000);
    assert_string_equal(out[0].group_id.text, out[1].group_id.text);
    assert_string_not_equal(out[0].id.text, out[1].id.text);
    assert_string_not_equal(out[0].id.text, out[0].group_id.text);
}

static void
test_drafts_have_in_common(void **state)
{
    struct config c = operator_settings();
    struct plan p = plan_for(&c, &aline);
    struct compose_message m = message_to(
        &aline, (struct compose_text){ .rich = "r", .plain = "p", .paragraph = "one paragraph" });
    struct message_draft out[PLAN_STEPS];
    struct uuid parsed_id;

    assert_int_equal(compose_drafts(*state, &c, &p, &m, out), 2);
    for (size_t i = 0; i < PLAN_STEPS; i++) {
        const char *row = channel_text(out[i].channel);
        expect_true(row, uuid_parse(out[i].id.text, &parsed_id));
        expect_true(row, uuid_parse(out[i].group_id.text, &parsed_id));
        expect_int(row, out[i].type, MESSAGE_SUMMARY);
        expect_text(row, out[i].recipient_phone, "+250788000001");
        expect_int(row, out[i].language, LANG_RW);
        expect_text(row, out[i].call_id, "call-7");
        expect_text(row, out[i].turn_id, "");
        expect_text(row, out[i].correlation_id, "req-7");
        expect_true(row, !out[i].is_template);
    }
}

static void
test_drafts_follow_the_plan(void **state)
{
    static const struct {
        const char *name;
        struct person person;
        size_t n;
        enum channel channel;
        const char *phone;
        const char *bsuid;
    } rows[] = {
        { "SMS alone",
          { .phone = "+250788000001", .bsuid = "", .allows_sms = true, .mode = "" },
          1,
          CHANNEL_SMS,
          "+250788000001",
          "" },
        { "only an id of WhatsApp",
          { .phone = "",
            .bsuid = "RW.1",
            .has_whatsapp = true,
            .window_open = true,
            .allows_whatsapp = true,
            .mode = "" },
          1,
          CHANNEL_WHATSAPP,
          "",
          "RW.1" },
        { "nobody", { .phone = "", .bsuid = "", .mode = "" }, 0, CHANNEL_SMS, "", "" },
    };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plan p = plan_for(&c, &rows[i].person);
        struct compose_message m = message_to(
            &rows[i].person,
            (struct compose_text){ .rich = "r", .plain = "p", .paragraph = "one paragraph" });
        struct message_draft out[PLAN_STEPS] = { { .channel = CHANNEL_SMS } };
        expect_int(rows[i].name, (int64_t)compose_drafts(*state, &c, &p, &m, out),
                   (int64_t)rows[i].n);
        expect_int(rows[i].name, out[0].channel, rows[i].channel);
        expect_text(rows[i].name, rows[i].n > 0 ? out[0].recipient_phone : "", rows[i].phone);
        expect_text(rows[i].name, rows[i].n > 0 ? out[0].bsuid : "", rows[i].bsuid);
    }
}

static void
test_draft_of_a_template(void **state)
{
    struct config c = operator_settings();
    struct person person = aline;
    struct message_draft out[PLAN_STEPS];

    person.window_open = false;
    struct plan p = plan_for(&c, &person);
    struct compose_message m =
        message_to(&person, (struct compose_text){ .rich = "*rich*\n\nReply",
                                                   .plain = times(*state, "a ", 140),
                                                   .paragraph = "one paragraph" });
    assert_int_equal(compose_drafts(*state, &c, &p, &m, out), 2);
    assert_true(out[0].is_template);
    assert_false(out[1].is_template);
    /* The template has its own title and hint. */
    assert_string_equal(out[0].content, m.text.paragraph);
    assert_int_equal(out[0].segments, 1);
    assert_int_equal(out[0].cost_mrwf, 6000);
    assert_int_equal(out[1].segments, 2);
}

/* The key of a second way, "" where there is none. */
static const char *
key_of(const struct message_draft *d)
{
    return d != NULL ? d->idem_key : "";
}

/* What goes out once WhatsApp has failed a message. */
static void
test_second_ways(void **state)
{
    static const char by_template[] = "k:whatsapp:1:template";
    static const char in_english[] = "k:whatsapp:1:template:en";
    static const struct {
        const char *name;
        enum message_type type;
        enum mode mode;
        bool is_answer; /* to a WhatsApp message */
        bool window_open;
        const char *template_name;
        enum language language;
        const char *by_template, *in_english, *by_sms;
        bool patient;
    } rows[] = {
        { "summary on both", MESSAGE_SUMMARY, MODE_BOTH, false, true, "call_summary", LANG_RW,
          by_template, in_english, "", false },
        { "summary in English", MESSAGE_SUMMARY, MODE_BOTH, false, true, "call_summary", LANG_EN,
          by_template, "", "", false },
        { "summary by template", MESSAGE_SUMMARY, MODE_BOTH, false, false, "call_summary", LANG_FR,
          "", in_english, "", false },
        { "summary by template in English", MESSAGE_SUMMARY, MODE_BOTH, false, false,
          "call_summary", LANG_EN, "", "", "", false },
        { "summary without template", MESSAGE_SUMMARY, MODE_BOTH, false, true, "", LANG_RW, "", "",
          "", false },
        { "summary, one after the other", MESSAGE_SUMMARY, MODE_FAILOVER, false, true,
          "call_summary", LANG_EN, by_template, "", "k:sms:1", true },
        { "reply", MESSAGE_REPLY, MODE_BOTH, true, true, "call_summary", LANG_RW, "", "", "k:sms:1",
          false },
        { "reply, one after the other", MESSAGE_REPLY, MODE_FAILOVER, true, true, "call_summary",
          LANG_RW, "", "", "k:sms:1", true },
        { "missed call", MESSAGE_MISSED_CALL, MODE_FAILOVER, false, true, "call_summary", LANG_RW,
          "", "", "k:sms:1", true },
        { "fallback", MESSAGE_FALLBACK, MODE_BOTH, true, true, "call_summary", LANG_RW, "", "", "",
          false },
        { "tool", MESSAGE_TOOL, MODE_FAILOVER, false, true, "call_summary", LANG_RW, "", "", "",
          false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config c = operator_settings();
        struct person person = aline;
        struct message_draft out[PLAN_STEPS];
        person.window_open = rows[i].window_open;
        c.delivery_mode = rows[i].mode;
        c.whatsapp_template_summary = rows[i].template_name;
        struct plan p = plan_make(&c, &(struct plan_input){ .type = rows[i].type,
                                                            .is_answer = rows[i].is_answer,
                                                            .answers = CHANNEL_WHATSAPP,
                                                            .person = &person });
        struct compose_message m = message_to(
            &person,
            (struct compose_text){ .rich = "*r*", .plain = "p", .paragraph = "one paragraph" });
        m.type = rows[i].type;
        m.language = rows[i].language;
        m.key = "k";
        expect_true(rows[i].name, compose_drafts(*state, &c, &p, &m, out) > 0);
        expect_int(rows[i].name, out[0].channel, CHANNEL_WHATSAPP);
        expect_text(rows[i].name, key_of(out[0].fallback_template), rows[i].by_template);
        expect_text(rows[i].name, key_of(out[0].fallback_template_en), rows[i].in_english);
        expect_text(rows[i].name, key_of(out[0].fallback_sms), rows[i].by_sms);
        expect_int(rows[i].name, out[0].patient, rows[i].patient);
    }
}

static void
test_second_ways_are_whole_messages(void **state)
{
    struct config c = operator_settings();
    struct message_draft out[PLAN_STEPS];

    c.delivery_mode = MODE_FAILOVER;
    struct plan p = plan_for(&c, &aline);
    struct compose_message m = message_to(
        &aline,
        (struct compose_text){ .rich = "*rich*", .plain = "plain", .paragraph = "one paragraph" });
    assert_int_equal(compose_drafts(*state, &c, &p, &m, out), 1);
    const struct message_draft *const ways[] = { out[0].fallback_template,
                                                 out[0].fallback_template_en, out[0].fallback_sms };
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        assert_non_null(ways[i]);
        expect_text(ways[i]->idem_key, ways[i]->content, i < 2 ? "one paragraph" : "plain");
        expect_text(ways[i]->idem_key, ways[i]->group_id.text, out[0].group_id.text);
        expect_true(ways[i]->idem_key, !str_eq(ways[i]->id.text, out[0].id.text));
        expect_int(ways[i]->idem_key, ways[i]->is_template, i < 2);
        expect_text(ways[i]->idem_key, ways[i]->provider, i < 2 ? "meta" : "mtn");
        expect_int(ways[i]->idem_key, ways[i]->cost_mrwf, i < 2 ? 6000 : 15000);
        expect_int(ways[i]->idem_key, ways[i]->language, i == 1 ? LANG_EN : LANG_RW);
    }
}

static void
test_drafts_cost(void **state)
{
    struct arena *a = *state;
    const struct {
        const char *name;
        const char *plain;
        int segments;
        int64_t cost_mrwf;
    } rows[] = {
        { "one SMS", times(a, "a", 160), 1, 8500 },
        { "two", times(a, "a", 161), 2, 17000 },
        { "one of another script", times(a, "\xD0\x94", 70), 1, 8500 },
        { "two of another script", times(a, "\xD0\x94", 71), 2, 17000 },
    };
    struct config c = operator_settings();

    c.sms_price_mrwf = 8500;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plan p = plan_for(&c, &aline);
        struct compose_message m = message_to(
            &aline, (struct compose_text){
                        .rich = "r", .plain = rows[i].plain, .paragraph = "one paragraph" });
        struct message_draft out[PLAN_STEPS];
        expect_int(rows[i].name, (int64_t)compose_drafts(a, &c, &p, &m, out), 2);
        expect_int(rows[i].name, out[1].segments, rows[i].segments);
        expect_int(rows[i].name, out[1].cost_mrwf, rows[i].cost_mrwf);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_drafts_of_both_channels),
        ARENA_TEST(test_drafts_have_in_common),
        ARENA_TEST(test_drafts_follow_the_plan),
        ARENA_TEST(test_draft_of_a_template),
        ARENA_TEST(test_second_ways),
        ARENA_TEST(test_second_ways_are_whole_messages),
        ARENA_TEST(test_drafts_cost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
