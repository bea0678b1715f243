/*
 * wa_webhook - statuses, bodies with nothing for us, many items in one body with broken ones among
 * them, and bodies of no known shape.
 */
#include "provider/wa_webhook.h"
#include "unit/provider_fixture.h"

#define ID "01900000-0000-7000-8000-000000000001"

static struct webhook_items
items_of(struct arena *a, const char *row, const char *body)
{
    struct config c = operator_settings();
    struct incoming_http in = webhook(a, body, "");
    struct webhook_items items;
    struct err e = { 0 };

    if (!wa_webhook_read(a, &c, &in, &items, &e))
        fail_msg("%s: %s", row, e.text);
    return items;
}

/* What seems to come from the number it went to is an echo; others of its batch are people's. */
static void
test_our_own_number_is_not_answered(void **state)
{
    const char *body = "{\"entry\":[{\"changes\":[{\"field\":\"messages\",\"value\":{\"metadata\":{"
                       "\"display_phone_"
                       "number\":\"+250 788 000 "
                       "000\"},\"messages\":[{\"id\":\"1\",\"from\":\"250788000000\",\"type\":"
                       "\"text\",\"text\":{\"body\":\"a\"}},{\"id\":\"2\",\"from\":"
                       "\"250788000001\",\"type\":\"text\","
                       "\"text\":{\"body\":\"b\"}}]}}]}]}";
    struct webhook_items items = items_of(*state, "own number", body);

    assert_int_equal(items.n_unanswered, 1);
    assert_string_equal(items.unanswered[0], "own_number");
    assert_int_equal(items.n_unreadable, 0);
    assert_int_equal(items.n_inbound, 1);
    assert_string_equal(items.inbound[0].external_id, "2");
}

/* Somebody with several numbers gets the events of all at one address; ours are ours alone. */
static void
test_another_number_is_not_ours(void **state)
{
    static const struct {
        const char *ours;
        const char *theirs;
        size_t taken;
    } rows[] = {
        { "1122334455", "\"1122334455\"", 2 }, { "1122334455", "\"5544332211\"", 0 },
        { "1122334455", "5544332211", 0 },     { "1122334455", "null", 2 },
        { "", "\"5544332211\"", 2 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *body = arena_printf(
            *state,
            "{\"entry\":[{\"changes\":[{\"field\":\"messages\",\"value\":{\"metadata\":{"
            "\"phone_number_id\":%s},\"messages\":[{\"id\":\"1\",\"from\":\"250788000001\","
            "\"type\":"
            "\"text\",\"text\":{\"body\":\"a\"}}],\"statuses\":[{\"id\":\"2\",\"status\":\"sent\"}]"
            "}}]}]}",
            rows[i].theirs);
        struct config c = operator_settings();
        struct incoming_http in = webhook(*state, body, "");
        struct webhook_items items;
        struct err e = { 0 };
        c.whatsapp_webhook_phone_id = rows[i].ours;
        expect_true(body, wa_webhook_read(*state, &c, &in, &items, &e));
        expect_int(body, (int64_t)(items.n_inbound + items.n_receipts), (int64_t)rows[i].taken);
        expect_int(body, (int64_t)items.n_unreadable, 0);
        expect_int(body, (int64_t)items.n_unanswered, rows[i].taken == 0);
        if (items.n_unanswered > 0)
            expect_text(body, items.unanswered[0], "other_number");
    }
}

static void
test_read_statuses(void **state)
{
    static const struct {
        const char *file;
        const char *status;
        const char *our_ref;
        const char *error_code;
    } rows[] = {
        { "sent", "sent", ID, "" },
        { "delivered", "delivered", "", "" },
        { "read", "read", "", "" },
        { "played", "read", "", "" },
        { "deleted", "deleted", "", "" },
        { "failed", "undelivered", ID, "131026" },
        { "foreign_reference", "sent", "", "" },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *file = arena_printf(a, "meta/webhook_status_%s.json", rows[i].file);
        struct webhook_items items = items_of(a, rows[i].file, fixture_text(a, file));
        expect_int(rows[i].file, (int64_t)items.n_receipts, 1);
        expect_int(rows[i].file, (int64_t)(items.n_inbound + items.n_unreadable), 0);
        const struct receipt *r = &items.receipts[0];
        expect_text(rows[i].file, r->external_id, "wamid.OURS");
        expect_text(rows[i].file, r->status, rows[i].status);
        expect_text(rows[i].file, r->our_ref, rows[i].our_ref);
        expect_text(rows[i].file, r->error_code, rows[i].error_code);
        expect_int(rows[i].file, r->at_ms, 1790000010000);
    }
}

static void
test_read_nothing_for_us(void **state)
{
    static const char *const rows[] = { "meta/webhook_unknown_field.json",
                                        "meta/webhook_calls.json",
                                        "meta/webhook_account_error.json",
                                        "meta/webhook_empty.json",
                                        "meta/webhook_status_call.json" };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct webhook_items items = items_of(*state, rows[i], fixture_text(*state, rows[i]));
        expect_int(rows[i], (int64_t)(items.n_inbound + items.n_receipts + items.n_unreadable), 0);
    }
}

static void
test_read_status_without_words(void **state)
{
    struct webhook_items items =
        items_of(*state, "wordless", fixture_text(*state, "meta/webhook_status_wordless.json"));

    assert_int_equal(items.n_receipts, 0);
    assert_int_equal(items.n_unreadable, 1);
    assert_string_equal(items.unreadable[0], "status: status: missing");
}

/* Entries, changes and items in the order they stand; the broken ones hold back none. */
static void
test_read_batch(void **state)
{
    static const struct {
        const char *id;
        const char *from;
        const char *name;
    } messages[] = {
        { "wamid.A1", "+250788000001", "Aline" },
        { "wamid.B2", "+250788000002", "Eric" },
        { "wamid.C3", "+250788000001", "Aline" },
        { "wamid.D4", "+250788000001", "Aline" },
    };
    static const char *const receipts[][2] = {
        { "wamid.S1", "sent" },
        { "wamid.S2", "read" },
        { "wamid.S3", "delivered" },
    };
    static const char *const unreadable[] = {
        "message: id: missing", "status: id: missing",  "message: id: missing",
        "message: id: missing", "message: id: missing", "message: id: missing",
    };
    struct webhook_items items =
        items_of(*state, "batch", fixture_text(*state, "meta/webhook_batch.json"));

    assert_int_equal(items.n_inbound, COUNT_OF(messages));
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        expect_text(messages[i].id, items.inbound[i].external_id, messages[i].id);
        expect_text(messages[i].id, items.inbound[i].from.e164, messages[i].from);
        expect_text(messages[i].id, items.inbound[i].name, messages[i].name);
    }
    assert_int_equal(items.n_receipts, COUNT_OF(receipts));
    for (size_t i = 0; i < COUNT_OF(receipts); i++) {
        expect_text(receipts[i][0], items.receipts[i].external_id, receipts[i][0]);
        expect_text(receipts[i][0], items.receipts[i].status, receipts[i][1]);
    }
    assert_int_equal(items.n_unreadable, COUNT_OF(unreadable));
    for (size_t i = 0; i < COUNT_OF(unreadable); i++)
        expect_text(unreadable[i], items.unreadable[i], unreadable[i]);
}

static void
test_read_duplicate(void **state)
{
    struct webhook_items items =
        items_of(*state, "duplicate", fixture_text(*state, "meta/webhook_duplicate.json"));

    /* The database keeps the first; here both are seen. */
    assert_int_equal(items.n_inbound, 2);
    assert_string_equal(items.inbound[0].external_id, items.inbound[1].external_id);
}

static void
test_read_many(void **state)
{
    struct arena *a = *state;
    struct json_object *root = json_new_object(a);
    struct json_object *change = json_push_object(
        json_add_array(json_push_object(json_add_array(root, "entry")), "changes"));
    struct json_object *messages;

    json_set_str(change, "field", "messages");
    messages = json_add_array(json_add_object(change, "value"), "messages");
    for (int i = 0; i < 1000; i++) {
        struct json_object *m = json_push_object(messages);
        json_set_str(m, "id", arena_printf(a, "wamid.%d", i));
        json_set_str(m, "from", "250788000001");
    }
    struct webhook_items items = items_of(a, "1000 messages", json_print(a, root));
    assert_int_equal(items.n_inbound, 1000);
    assert_string_equal(items.inbound[999].external_id, "wamid.999");
    assert_string_equal(items.inbound[999].kind, "unsupported");
}

static void
test_read_odd_shapes(void **state)
{
    static const char *const rows[] = {
        "{\"entry\":[{}]}",
        "{\"entry\":[{\"changes\":{}}]}",
        "{\"entry\":[{\"changes\":[{}]}]}",
        "{\"entry\":[{\"changes\":[{\"field\":\"messages\",\"value\":[]}]}]}",
        "{\"entry\":[{\"changes\":[{\"field\":\"messages\",\"value\":{\"messages\":{}}}]}]}",
        "{\"entry\":[{\"changes\":[{\"field\":7,\"value\":{\"messages\":[{}]}}]}]}",
        "{\"entry\":[{\"changes\":[{\"value\":{\"messages\":[{}]}}]}]}",
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct webhook_items items = items_of(*state, rows[i], rows[i]);
        expect_int(rows[i], (int64_t)(items.n_inbound + items.n_receipts + items.n_unreadable), 0);
    }
}

static void
test_read_refuses(void **state)
{
    static const struct {
        const char *body;
        const char *want;
    } rows[] = {
        { "", "not JSON" },
        { "{\"entry\":[", "not JSON" },
        { "hub.mode=subscribe", "not JSON" },
        { "{}", "entry: missing" },
        { "[]", "entry: missing" },
        { "null", "entry: missing" },
        { "{\"entry\":{}}", "entry: missing" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config c = operator_settings();
        struct incoming_http in = webhook(*state, rows[i].body, "");
        struct webhook_items items;
        struct err e = { 0 };
        expect_true(rows[i].body, !wa_webhook_read(*state, &c, &in, &items, &e));
        expect_int(rows[i].body, e.kind, ERR_INVALID);
        expect_true(rows[i].body, str_starts(e.text, rows[i].want));
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_our_own_number_is_not_answered),
        ARENA_TEST(test_another_number_is_not_ours),
        ARENA_TEST(test_read_statuses),
        ARENA_TEST(test_read_nothing_for_us),
        ARENA_TEST(test_read_status_without_words),
        ARENA_TEST(test_read_batch),
        ARENA_TEST(test_read_duplicate),
        ARENA_TEST(test_read_many),
        ARENA_TEST(test_read_odd_shapes),
        ARENA_TEST(test_read_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
