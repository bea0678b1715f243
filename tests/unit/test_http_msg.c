/*
 * http_msg - headers by their wire names, query parameters decoded.
 */
#include "core/http_msg.h"
#include "unit/unit.h"

static void
test_incoming_header(void **state)
{
    static const char *const vars[] = {
        "REQUEST_METHOD=POST",
        "CONTENT_TYPE=application/json",
        "CONTENT_LENGTH=12",
        "HTTP_X_HUB_SIGNATURE_256=sha256=abc=",
        "HTTP_X_MTN_SIGNATURE_OLD=old",
        "HTTP_X_MTN_SIGNATURE=one",
        "HTTP_X_MTN_SIGNATURE=two",
        "HTTP_AUTHORIZATION=Bearer t",
        "HTTP_EMPTY=",
        "HTTP_BROKEN",
        "HTTP_",
        "",
        "X_PLAIN=no header",
        NULL,
    };
    static const struct {
        const char *name;
        const char *want;
    } rows[] = {
        { "X-Hub-Signature-256", "sha256=abc=" },
        { "x-hub-signature-256", "sha256=abc=" },
        { "X-HUB-SIGNATURE-256", "sha256=abc=" },
        { "X-MTN-Signature", "one" },
        { "Authorization", "Bearer t" },
        { "Content-Type", "application/json" },
        { "content-length", "12" },
        { "Empty", "" },
        { "Broken", "" },
        { "X-Hub-Signature", "" },
        { "X-Hub-Signature-2567", "" },
        { "X-Plain", "" },
        { "Request-Method", "" },
        { "X-Absent", "" },
        { "", "" },
    };
    struct incoming_http in = { .vars = vars };
    static const char *const none[] = { NULL };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].name, incoming_header(&in, rows[i].name), rows[i].want);
    in.vars = none;
    assert_string_equal(incoming_header(&in, "Authorization"), "");
    in.vars = NULL;
    assert_string_equal(incoming_header(&in, "Authorization"), "");
}

static void
test_incoming_query(void **state)
{
    static const struct {
        const char *query;
        const char *name;
        const char *want;
    } rows[] = {
        { "", "a", "" },
        { "a=1", "a", "1" },
        { "a=1&b=2", "b", "2" },
        { "a=1&a=2", "a", "1" },
        { "aa=1&a=2", "a", "2" },
        { "a", "a", "" },
        { "a&a=2", "a", "" },
        { "a=", "a", "" },
        { "&&a=1&&", "a", "1" },
        { "a=b=c", "a", "b=c" },
        { "=x&a=1", "a", "1" },
        { "=x", "", "x" },
        { "A=1", "a", "" },
        { "phone=%2B250788000001", "phone", "+250788000001" },
        { "text=Muraho+neza%21", "text", "Muraho neza!" },
        { "hub.mode=subscribe&hub.challenge=123", "hub.challenge", "123" },
        { "hub%2Echallenge=123", "hub.challenge", "123" },
        { "a=%zz", "a", "" },
        { "a=%zz&a=2", "a", "" },
        { "a=x%00y", "a", "" },
        { "%zz=1&a=2", "a", "2" },
        { "a=%26&b=2", "a", "&" },
        { "a=1&b", "b", "" },
        { "a=1%26b=2", "b", "" },
        { "token=%C3%A9", "token", "\xC3\xA9" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct incoming_http in = { .query = rows[i].query };
        expect_text(rows[i].query, incoming_query(*state, &in, rows[i].name), rows[i].want);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_incoming_header),
        ARENA_TEST(test_incoming_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
