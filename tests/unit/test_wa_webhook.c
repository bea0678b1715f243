/*
 * wa_webhook - the signature, and every type of message that Meta sends.
 */
#include "provider/wa_webhook.h"
#include "unit/provider_fixture.h"

/* The published vectors, made with the app secret "app-secret". */
#define VECTOR_BODY "{\"object\":\"whatsapp_business_account\",\"entry\":[]}"
#define VECTOR_HEX  "d3e4f9da0ce6c71ab3dba55929b8eeeee2455349e534924ead19f98d143e904f"
#define CAFE_BODY   "{\"t\":\"Caf\\u00e9\"}"
#define CAFE_HEX    "8c161f9ea9f5d8110c02ab9e017f7af44c7bed41a7729f14b38feb281997e11e"

static void
test_verify(void **state)
{
    static const struct {
        const char *name;
        const char *body;
        const char *now;
        const char *old;
        const char *header;
        enum err_kind want;
    } rows[] = {
        { "signed", VECTOR_BODY, "app-secret", "", "sha256=" VECTOR_HEX, ERR_NONE },
        { "escaped letters", CAFE_BODY, "app-secret", "", "sha256=" CAFE_HEX, ERR_NONE },
        { "predecessor", VECTOR_BODY, "new", "app-secret", "sha256=" VECTOR_HEX, ERR_NONE },
        { "other body", CAFE_BODY, "app-secret", "", "sha256=" VECTOR_HEX, ERR_AUTH },
        { "the letter itself", "{\"t\":\"Caf\xC3\xA9\"}", "app-secret", "", "sha256=" CAFE_HEX,
          ERR_AUTH },
        { "without prefix", VECTOR_BODY, "app-secret", "", VECTOR_HEX, ERR_AUTH },
        { "SHA-1", VECTOR_BODY, "app-secret", "", "sha1=" VECTOR_HEX, ERR_AUTH },
        { "prefix alone", VECTOR_BODY, "app-secret", "", "sha256=", ERR_AUTH },
        { "with more behind it", VECTOR_BODY, "app-secret", "", "sha256=" VECTOR_HEX "0",
          ERR_AUTH },
        { "empty", VECTOR_BODY, "app-secret", "", "", ERR_AUTH },
        { "no secret", VECTOR_BODY, "", "", "sha256=" VECTOR_HEX, ERR_UNAVAILABLE },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config c = operator_settings();
        struct err e = { 0 };
        const char *header = arena_printf(*state, "HTTP_X_HUB_SIGNATURE_256=%s", rows[i].header);
        struct incoming_http in = webhook(*state, rows[i].body, header);
        c.wa_app_secret = (struct secret){ rows[i].now, rows[i].old };
        bool ok = wa_webhook_verify(*state, &c, &in, &e);
        expect_int(rows[i].name, e.kind, rows[i].want);
        expect_int(rows[i].name, ok, rows[i].want == ERR_NONE);
    }
}

static void
test_verify_other_header(void **state)
{
    struct config c = operator_settings();
    struct err e = { 0 };
    struct incoming_http in =
        webhook(*state, VECTOR_BODY, "HTTP_X_HUB_SIGNATURE=sha256=" VECTOR_HEX);

    assert_false(wa_webhook_verify(*state, &c, &in, &e));
    assert_int_equal(e.kind, ERR_AUTH);
}

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

static void
test_read_message_types(void **state)
{
    static const struct {
        const char *file;
        const char *kind;
        const char *text;
        bool answerable;
    } rows[] = {
        { "text", "text", "Muraho", true },
        { "text_quoted", "text", "Yego", true },
        { "text_forwarded", "text", "Inzu nziza", true },
        { "text_from_ad", "text", "Ni angahe?", true },
        { "button", "text", "Mumpamagare", true },
        { "button_without_text", "button", "", true },
        { "button_reply", "text", "Yego", true },
        { "list_reply", "text", "Kimironko", true },
        { "nfm_reply", "text", "Sent", true },
        { "call_permission_reply", "interactive", "", false },
        { "interactive_bare", "interactive", "", true },
        { "interactive_empty", "interactive", "", true },
        { "image", "image", "Iyi nzu [picture]", true },
        { "image_without_caption", "image", "", true },
        { "video", "video", "Reba [video]", true },
        { "document", "document", "CV yanjye [document]", true },
        { "audio", "audio", "", true },
        { "sticker", "sticker", "", true },
        { "location", "location", "[location: -1.9441, 30.0619 Kigali Heights]", true },
        { "contacts", "contacts", "", true },
        { "order", "order", "", true },
        { "order_with_text", "order", "Mubizane ejo [order]", true },
        { "reaction", "reaction", "", false },
        { "reaction_removed", "reaction", "", false },
        { "system_changed_number", "system", "", false },
        { "system_identity_changed", "system", "", false },
        { "edit", "edit", "Muraho neza", true },
        { "edit_caption", "edit", "Iyi nzu [picture]", true },
        { "revoke", "revoke", "", false },
        { "unsupported", "unsupported", "", true },
        { "unknown_type", "hologram", "", true },
        { "unknown_members", "text", "Muraho", true },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *file = arena_printf(a, "meta/webhook_%s.json", rows[i].file);
        struct webhook_items items = items_of(a, rows[i].file, fixture_text(a, file));
        expect_int(rows[i].file, (int64_t)items.n_inbound, 1);
        expect_int(rows[i].file, (int64_t)(items.n_receipts + items.n_unreadable), 0);
        const struct inbound *m = &items.inbound[0];
        expect_text(rows[i].file, m->external_id, "wamid.A");
        expect_text(rows[i].file, m->from.e164, "+250788000001");
        expect_text(rows[i].file, m->wa_id, "250788000001");
        expect_text(rows[i].file, m->bsuid, "RW.13491208655302741918");
        expect_text(rows[i].file, m->kind, rows[i].kind);
        expect_text(rows[i].file, m->text, rows[i].text);
        expect_int(rows[i].file, m->answerable, rows[i].answerable);
        expect_int(rows[i].file, m->at_ms, 1790000000000);
    }
}

/* They are not taken at all: no row, no answer, no open window. */
static void
test_read_message_ignored(void **state)
{
    static const struct {
        const char *file;
        const char *why;
    } rows[] = {
        { "group", "group_message" },
        { "edit_without_words", "edit_without_words" },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *file = arena_printf(a, "meta/webhook_%s.json", rows[i].file);
        struct webhook_items items = items_of(a, rows[i].file, fixture_text(a, file));
        expect_int(rows[i].file, (int64_t)(items.n_inbound + items.n_unreadable), 0);
        expect_int(rows[i].file, (int64_t)items.n_unanswered, 1);
        expect_text(rows[i].file, items.unanswered[0], rows[i].why);
    }
}

static void
test_read_message_senders(void **state)
{
    static const struct {
        const char *file;
        const char *from;
        const char *wa_id;
        const char *bsuid;
        const char *name;
    } rows[] = {
        { "text", "+250788000001", "250788000001", "RW.13491208655302741918", "Aline" },
        { "bsuid", "", "", "RW.13491208655302741918", "Aline" },
        { "bsuid_odd_number", "", "", "RW.13491208655302741918", "Aline" },
        { "foreign", "+16505551234", "16505551234", "US.1", "Sam" },
        { "system_changed_number", "+250788000001", "250788000001", "RW.13491208655302741918", "" },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *file = arena_printf(a, "meta/webhook_%s.json", rows[i].file);
        struct webhook_items items = items_of(a, rows[i].file, fixture_text(a, file));
        expect_int(rows[i].file, (int64_t)items.n_inbound, 1);
        expect_int(rows[i].file, (int64_t)items.n_unreadable, 0);
        const struct inbound *m = &items.inbound[0];
        expect_text(rows[i].file, m->from.e164, rows[i].from);
        expect_text(rows[i].file, m->wa_id, rows[i].wa_id);
        expect_text(rows[i].file, m->bsuid, rows[i].bsuid);
        expect_text(rows[i].file, m->name, rows[i].name);
    }
}

static void
test_read_message_time(void **state)
{
    static const struct {
        const char *timestamp;
        int64_t want;
    } rows[] = {
        { "\"1790000000\"", 1790000000000 },
        { "1790000000", 1790000000000 },
        { "\"1790000000123\"", 1790000000123 },
        { "\"soon\"", 0 },
        { "null", 0 },
        { "{}", 0 },
        { "\"-1\"", 0 },
        { "99999999999999999999", 0 },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *body = arena_printf(
            a,
            "{\"entry\":[{\"changes\":[{\"field\":\"messages\",\"value\":{\"messages\":[{\"id\":"
            "\"wamid.A\",\"from\":\"250788000001\",\"type\":\"text\",\"timestamp\":%s}]}}]}]}",
            rows[i].timestamp);
        struct webhook_items items = items_of(a, rows[i].timestamp, body);
        expect_int(rows[i].timestamp, (int64_t)items.n_inbound, 1);
        expect_int(rows[i].timestamp, items.inbound[0].at_ms, rows[i].want);
        expect_text(rows[i].timestamp, items.inbound[0].text, "");
        expect_text(rows[i].timestamp, items.inbound[0].name, "");
    }
}

static void
test_read_message_as_meta_escapes_it(void **state)
{
    struct webhook_items items =
        items_of(*state, "raw", fixture_text(*state, "meta/webhook_raw.json"));

    assert_int_equal(items.n_inbound, 1);
    assert_string_equal(items.inbound[0].text, "Caf\xC3\xA9 \xF0\x9F\x98\x80 http://a.example/b");
}

static void
test_read_message_unreadable(void **state)
{
    static const struct {
        const char *file;
        const char *why;
    } rows[] = {
        { "nobody", "message: from: missing" },
        { "odd_number", "message: from: a short code, not a phone number" },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *file = arena_printf(a, "meta/webhook_%s.json", rows[i].file);
        struct webhook_items items = items_of(a, rows[i].file, fixture_text(a, file));
        expect_int(rows[i].file, (int64_t)items.n_inbound, 0);
        expect_int(rows[i].file, (int64_t)items.n_unreadable, 1);
        expect_text(rows[i].file, items.unreadable[0], rows[i].why);
    }
}

static void
test_read_nul_in_an_id(void **state)
{
#define WHOLE(items)                                                                               \
    "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"changes\":[{\"field\":\"messages\","  \
    "\"value\":{" items "}}]}]}"
    static const struct {
        const char *body;
        const char *why;
    } rows[] = {
        { WHOLE("\"messages\":[{\"id\":\"w\\u0000\",\"from\":\"250788000001\",\"type\":\"text\","
                "\"text\":{\"body\":\"a\"}}]"),
          "message: id: holds a NUL" },
        { WHOLE("\"messages\":[{\"id\":\"w\",\"from\":\"250788000001\\u0000\",\"type\":\"text\","
                "\"text\":{\"body\":\"a\"}}]"),
          "message: id: holds a NUL" },
        { WHOLE("\"statuses\":[{\"id\":\"w\\u0000x\",\"status\":\"sent\"}]"),
          "status: id: holds a NUL" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct webhook_items items = items_of(*state, rows[i].body, rows[i].body);
        expect_int(rows[i].body, (int64_t)(items.n_inbound + items.n_receipts), 0);
        expect_int(rows[i].body, (int64_t)items.n_unreadable, 1);
        expect_text(rows[i].body, items.unreadable[0], rows[i].why);
    }
#undef WHOLE
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_verify),
        ARENA_TEST(test_verify_other_header),
        ARENA_TEST(test_read_message_types),
        ARENA_TEST(test_read_message_ignored),
        ARENA_TEST(test_read_message_senders),
        ARENA_TEST(test_read_message_time),
        ARENA_TEST(test_read_message_as_meta_escapes_it),
        ARENA_TEST(test_read_message_unreadable),
        ARENA_TEST(test_read_nul_in_an_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
