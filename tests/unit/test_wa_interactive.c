/*
 * test_wa_interactive - options as reply buttons, as a list, or as the text they are, within Meta's
 * limits; and what a tap brings back.
 */
#include "base/utf8.h"
#include "provider/providers.h"
#include "unit/provider_fixture.h"

#define ID "01900000-0000-7000-8000-000000000001"

static struct json_object *
built(struct arena *a, const char *text, const char *options, enum language l)
{
    const struct outbound m = { .id = ID,
                                .to = "+250788000001",
                                .text = text,
                                .options = options,
                                .language = l,
                                .correlation_id = "" };
    struct config c = operator_settings();
    struct http_request r = { 0 };
    struct err e = { 0 };

    if (!provider_meta.build(a, &c, &m, &r, &e))
        fail_msg("not built: %s", e.text);
    return parsed(a, r.body);
}

static void
test_the_form_depends_on_what_fits(void **state)
{
    static const struct {
        const char *name;
        const char *options;
        const char *form; /* "" for plain text */
    } rows[] = {
        { "none", "", "" },
        { "NULL", NULL, "" },
        { "an empty list", "[]", "" },
        { "one", "[\"a\"]", "" },
        { "two", "[\"a\",\"b\"]", "button" },
        { "three", "[\"a\",\"b\",\"c\"]", "button" },
        { "four", "[\"a\",\"b\",\"c\",\"d\"]", "list" },
        { "ten", "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\"]", "list" },
        { "eleven", "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\"]", "" },
        { "20 letters", "[\"12345678901234567890\",\"b\"]", "button" },
        { "20 letters of two bytes", "[\"éééééééééééééééééééé\",\"b\"]", "button" },
        { "21 letters", "[\"123456789012345678901\",\"b\"]", "list" },
        { "24 letters", "[\"123456789012345678901234\",\"b\"]", "list" },
        { "25 letters", "[\"1234567890123456789012345\",\"b\"]", "" },
        { "the same twice", "[\"a\",\"a\"]", "" },
        { "an empty one", "[\"a\",\" \"]", "" },
        { "no text", "[\"a\",2]", "" },
        { "no array", "{\"a\":1}", "" },
        { "no JSON", "[\"a\"", "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_object *body = built(*state, "Which one?", rows[i].options, LANG_EN);

        expect_text(rows[i].name, json_opt_str(*state, body, "type", "-"),
                    *rows[i].form != '\0' ? "interactive" : "text");
        expect_text(rows[i].name, json_opt_str(*state, body, "interactive.type", ""), rows[i].form);
        expect_text(rows[i].name, json_opt_str(*state, body, "text.body", ""),
                    *rows[i].form != '\0' ? "" : "Which one?");
        expect_text(rows[i].name, json_opt_str(*state, body, "biz_opaque_callback_data", ""), ID);
    }
}

static void
test_buttons_to_the_letter(void **state)
{
    struct json_object *body =
        built(*state, "1. Kimironko\n2. Remera", "[\"Kimironko\",\"Remera\"]", LANG_EN);

    assert_string_equal(
        json_print(*state, json_at(body, "interactive")),
        "{\"type\":\"button\",\"body\":{\"text\":\"1. Kimironko\\n2. "
        "Remera\"},\"action\":{\"buttons\":["
        "{\"type\":\"reply\",\"reply\":{\"id\":\"opt:1:" ID "\",\"title\":\"Kimironko\"}},"
        "{\"type\":\"reply\",\"reply\":{\"id\":\"opt:2:" ID "\",\"title\":\"Remera\"}}]}}");
}

static void
test_a_list_to_the_letter(void **state)
{
    struct json_object *body =
        built(*state, "Which?", "[\"Kimironko, 250,000 RWF\",\"Remera\"]", LANG_FR);

    assert_string_equal(json_print(*state, json_at(body, "interactive")),
                        "{\"type\":\"list\",\"body\":{\"text\":\"Which?\"},\"action\":{\"button\":"
                        "\"Choisir\",\"sections\":["
                        "{\"rows\":[{\"id\":\"opt:1:" ID "\",\"title\":\"Kimironko, 250,000 RWF\"},"
                        "{\"id\":\"opt:2:" ID "\",\"title\":\"Remera\"}]}]}}");
}

static const char *
letters(struct arena *a, size_t n)
{
    char *text = arena_alloc(a, n + 1);

    memset(text, 'x', n);
    return text;
}

static void
test_the_body_has_its_limit(void **state)
{
    static const struct {
        size_t letters;
        const char *form;
    } rows[] = { { 1024, "button" }, { 1025, "list" }, { 4096, "list" }, { 4097, "" } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_object *body =
            built(*state, letters(*state, rows[i].letters), "[\"a\",\"b\"]", LANG_EN);

        expect_text(rows[i].form, json_opt_str(*state, body, "interactive.type", ""), rows[i].form);
    }
}

static void
test_a_template_has_no_options(void **state)
{
    const struct outbound m = { .id = ID,
                                .to = "+250788000001",
                                .text = "a",
                                .is_template = true,
                                .options = "[\"a\",\"b\"]",
                                .correlation_id = "" };
    struct config c = operator_settings();
    struct http_request r = { 0 };
    struct err e = { 0 };

    assert_true(provider_meta.build(*state, &c, &m, &r, &e));
    assert_non_null(strstr(r.body, "\"type\":\"template\""));
    assert_null(strstr(r.body, "interactive"));
}

/* What a phone sends back for 'message', the rest of it as always. */
static struct inbound
read_back(struct arena *a, const char *message)
{
    char *body = arena_printf(
        a,
        "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{"
        "\"field\":"
        "\"messages\",\"value\":{\"messages\":[{\"id\":\"wamid.1\",\"from\":\"250788000001\","
        "\"timestamp\":\"1790000000\",%s}]}}]}]}",
        message);
    const struct incoming_http in = {
        .method = "POST", .content_type = "application/json", .body = body, .body_len = strlen(body)
    };
    struct config c = operator_settings();
    struct webhook_items items;
    struct err e = { 0 };

    if (!provider_meta.read_webhook(a, &c, &in, &items, &e) || items.n_inbound != 1)
        fail_msg("%s: not read", message);
    return items.inbound[0];
}

static void
test_what_a_tap_brings_back(void **state)
{
    static const struct {
        const char *message;
        const char *text;
        int choice;
        const char *list;
    } rows[] = {
        { "\"type\":\"interactive\",\"interactive\":{\"type\":\"button_reply\",\"button_reply\":{"
          "\"id\":\"opt:2:" ID "\",\"title\":\"Remera\"}}",
          "Remera", 2, ID },
        { "\"type\":\"interactive\",\"interactive\":{\"type\":\"list_reply\",\"list_reply\":{"
          "\"id\":\"opt:10\",\"title\":\"Kacyiru\"}}",
          "Kacyiru", 10, "" },
        { "\"type\":\"interactive\",\"interactive\":{\"type\":\"button_reply\",\"button_reply\":{"
          "\"id\":\"opt:11:" ID "\",\"title\":\"Remera\"}}",
          "Remera", 0, "" },
        { "\"type\":\"interactive\",\"interactive\":{\"type\":\"button_reply\",\"button_reply\":{"
          "\"id\":\"opt:2:x\",\"title\":\"Remera\"}}",
          "Remera", 2, "" },
        { "\"type\":\"interactive\",\"interactive\":{\"type\":\"button_reply\",\"button_reply\":{"
          "\"id\":\"yes\",\"title\":\"Yego\"}}",
          "Yego", 0, "" },
        { "\"type\":\"text\",\"text\":{\"body\":\"2\"}", "2", 0, "" },
        { "\"type\":\"location\",\"location\":{\"latitude\":-1.9441,\"longitude\":30.0619}",
          "[location: -1.9441, 30.0619]", 0, "" },
        { "\"type\":\"location\",\"location\":{\"latitude\":-1.5,\"longitude\":30,\"address\":"
          "\"KG 7 Ave\"}",
          "[location: -1.5, 30 KG 7 Ave]", 0, "" },
        { "\"type\":\"location\",\"location\":{}", "", 0, "" },
        { "\"type\":\"image\",\"image\":{\"id\":\"1\",\"caption\":\"This house\"}",
          "This house [picture]", 0, "" },
        { "\"type\":\"image\",\"image\":{\"id\":\"1\"}", "", 0, "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct inbound got = read_back(*state, rows[i].message);

        expect_text(rows[i].message, got.text, rows[i].text);
        expect_int(rows[i].message, got.choice, rows[i].choice);
        expect_text(rows[i].message, got.list, rows[i].list);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_the_form_depends_on_what_fits), ARENA_TEST(test_buttons_to_the_letter),
        ARENA_TEST(test_a_list_to_the_letter),          ARENA_TEST(test_the_body_has_its_limit),
        ARENA_TEST(test_a_template_has_no_options),     ARENA_TEST(test_what_a_tap_brings_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
