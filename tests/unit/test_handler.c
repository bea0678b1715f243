/*
 * handler - everything between a request's arrival and its endpoint: the order of the checks, and
 * what each refusal says.
 */
#include "unit/handler_fixture.h"
#include "unit/tool_fixture.h"

static bool
run_says_text(struct call *c, struct err *e)
{
    (void)e;
    c->text = "challenge-7";
    return true;
}

static bool
run_accepts(struct call *c, struct err *e)
{
    (void)e;
    c->status = 202;
    return true;
}

static const struct handler says_text = {
    .name = "says-text", .methods = METHOD_GET | METHOD_POST, .auth = AUTH_OWN, .run = run_says_text
};
static const struct handler only_says = {
    .name = "only-says", .methods = METHOD_GET, .auth = AUTH_OWN, .run = run_says_text
};
static const struct handler accepts = {
    .name = "accepts", .methods = METHOD_POST, .auth = AUTH_OWN, .run = run_accepts
};

static void
test_answer_of_success(void **state)
{
    static const char *const vars[2] = { BEARER };
    struct handler_answer r =
        answer_of(*state, &greets, "POST", "application/json", "{\"name\":\"Aline\"}", vars);

    assert_int_equal(r.status, 200);
    assert_string_equal(r.content_type, "application/json");
    assert_string_equal(r.body, "{\"success\":true,\"name\":\"Aline\"}");
    assert_string_equal(header_of(&r, "Cache-Control"), "no-store");
    assert_string_equal(header_of(&r, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(header_of(&r, "Retry-After"), "");
    assert_int_equal(runs, 1);
}

static void
test_answer_as_text(void **state)
{
    static const char *const none[2] = { NULL };
    struct handler_answer r = answer_of(*state, &says_text, "GET", "", "", none);

    assert_int_equal(r.status, 200);
    assert_string_equal(r.content_type, "text/plain; charset=utf-8");
    assert_string_equal(r.body, "challenge-7");
    assert_int_equal(r.body_len, strlen("challenge-7"));
}

static void
test_answer_with_another_status(void **state)
{
    static const char *const none[2] = { NULL };

    assert_int_equal(answer_of(*state, &accepts, "POST", "text/csv", "a,b", none).status, 202);
}

static void
test_method_not_allowed(void **state)
{
    static const struct {
        const char *method;
        const struct handler *h;
        const char *allow;
    } rows[] = {
        { "GET", &greets, "POST" },
        { "HEAD", &greets, "POST" },
        { "PUT", &greets, "POST" },
        { "post", &greets, "POST" },
        { "", &greets, "POST" },
        { "POST", &only_says, "GET" },
        { "HEAD", &only_says, "GET" },
        { "DELETE", &says_text, "GET, POST" },
        { "OPTIONS", &says_text, "GET, POST" },
    };
    static const char *const vars[2] = { BEARER };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct handler_answer r =
            answer_of(f, rows[i].h, rows[i].method, "application/json", "{}", vars);
        expect_int(rows[i].method, r.status, 405);
        expect_text(rows[i].method, header_of(&r, "Allow"), rows[i].allow);
        expect_error(f, rows[i].method, &r, "method_not_allowed", "method not allowed");
        expect_int(rows[i].method, runs, 0);
    }
}

static void
test_trouble_with_the_body(void **state)
{
    static const struct {
        enum handler_trouble trouble;
        int status;
        const char *code;
        const char *words;
    } rows[] = {
        { TROUBLE_TOO_LARGE, 413, "too_large", "body: larger than 64 bytes" },
        { TROUBLE_CUT, 400, "invalid", "body: shorter than announced, or too slow" },
    };
    static const char *const vars[] = { BEARER, NULL };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config config = { .service_role_key = { "service-key", "" } };
        struct flow flow = { .config = &config, .log = f->log };
        struct call c = { .arena = f->arena, .flow = &flow };
        c.in = (struct incoming_http){ .method = "POST",
                                       .query = "",
                                       .content_type = "application/json",
                                       .vars = vars,
                                       .body = "" };
        runs = 0;
        struct handler_answer r = handler_answer(&greets, &c, rows[i].trouble);
        expect_int(rows[i].code, r.status, rows[i].status);
        expect_error(f, rows[i].code, &r, rows[i].code, rows[i].words);
        expect_int(rows[i].code, runs, 0);
    }
}

static void
test_media_type(void **state)
{
    static const struct {
        const char *type;
        int status;
    } rows[] = {
        { "application/json", 200 },
        { "application/json; charset=utf-8", 200 },
        { "application/json;charset=utf-8", 200 },
        { "Application/JSON", 200 },
        { "", 200 },
        { "application/jsonp", 415 },
        { "application/json-patch+json", 415 },
        { "application/x-www-form-urlencoded", 415 },
        { "text/json", 415 },
        { "application", 415 },
        { "multipart/form-data; boundary=application/json", 415 },
    };
    static const char *const vars[2] = { BEARER };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct handler_answer r = answer_of(f, &greets, "POST", rows[i].type, "{}", vars);
        expect_int(rows[i].type, r.status, rows[i].status);
        expect_int(rows[i].type, runs, rows[i].status == 200);
        expect_int(rows[i].type, strstr(r.body, "Content-Type: must be application/json") != NULL,
                   rows[i].status == 415);
    }
}

static void
test_service_key(void **state)
{
    static const struct {
        const char *header;
        int status;
    } rows[] = {
        { "HTTP_AUTHORIZATION=Bearer service-key", 200 },
        { "HTTP_AUTHORIZATION=bearer service-key", 200 },
        { "HTTP_AUTHORIZATION=Bearer old-key", 200 },
        { "HTTP_AUTHORIZATION=Bearer service-keY", 401 },
        { "HTTP_AUTHORIZATION=Bearer service-key2", 401 },
        { "HTTP_AUTHORIZATION=Bearer service", 401 },
        { "HTTP_AUTHORIZATION=Bearer ", 401 },
        { "HTTP_AUTHORIZATION=Bearer", 401 },
        { "HTTP_AUTHORIZATION=service-key", 401 },
        { "HTTP_AUTHORIZATION=Basic service-key", 401 },
        { "HTTP_AUTHORIZATION=", 401 },
        { "HTTP_X_AUTHORIZATION=Bearer service-key", 401 },
        { NULL, 401 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const vars[2] = { rows[i].header, NULL };
        const char *row = rows[i].header != NULL ? rows[i].header : "no header";
        struct handler_answer r = answer_of(f, &greets, "POST", "application/json", "{}", vars);
        expect_int(row, r.status, rows[i].status);
        expect_int(row, runs, rows[i].status == 200);
        expect_text(row, header_of(&r, "WWW-Authenticate"), rows[i].status == 401 ? "Bearer" : "");
        expect_true(row, strstr(r.body, "key") == NULL);
        expect_true(row, strstr(written(f), "service-key") == NULL);
    }
}

static void
test_unset_service_key_opens_nothing(void **state)
{
    static const char *const vars[] = { "HTTP_AUTHORIZATION=Bearer ", NULL };
    struct fixture *f = *state;
    struct config config = { .service_role_key = { "", "" } };
    struct flow flow = { .config = &config, .log = f->log };
    struct call c = { .arena = f->arena, .flow = &flow };

    c.in = (struct incoming_http){
        .method = "POST", .query = "", .content_type = "", .vars = vars, .body = "{}", .body_len = 2
    };
    assert_int_equal(handler_answer(&greets, &c, TROUBLE_NONE).status, 401);
}

/* Nobody without the key learns what is wrong with a body. */
static void
test_key_before_body(void **state)
{
    static const char *const none[2] = { NULL };

    assert_int_equal(answer_of(*state, &greets, "POST", "application/json", "no JSON", none).status,
                     401);
}

static void
test_body_that_is_no_object(void **state)
{
    static const char *const rows[] = { "", "{", "{\"a\":1,}", "name=Aline", "{'a':1}" };
    static const char *const wrong[] = { "[]", "\"text\"", "7", "null", "true" };
    static const char *const vars[2] = { BEARER };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct handler_answer r = answer_of(f, &greets, "POST", "application/json", rows[i], vars);
        expect_int(rows[i], r.status, 400);
        expect_true(rows[i], strstr(r.body, "\"message\":\"body: not JSON") != NULL);
        expect_int(rows[i], runs, 0);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct handler_answer r = answer_of(f, &greets, "POST", "application/json", wrong[i], vars);
        expect_int(wrong[i], r.status, 400);
        expect_error(f, wrong[i], &r, "invalid", "body: must be a JSON object");
        expect_int(wrong[i], runs, 0);
    }
}

static const struct param tool_params[] = {
    { "note", PARAM_TEXT, true, 5, NULL, "A few letters." },
};
static const size_t n_tool_params = COUNT_OF(tool_params);

static bool
run_tool(struct flow *f, struct tool_call *call, struct err *e)
{
    (void)f;
    (void)e;
    runs++;
    json_set_str(call->reply, "note", json_opt_str(call->arena, call->args, "note", ""));
    call->status = 202;
    return true;
}

static const struct tool a_tool = { .name = "a_tool",
                                    .description = "For this test.",
                                    .params = tool_params,
                                    .n_params = &n_tool_params,
                                    .run = run_tool };
static const struct handler tool_endpoint = TOOL_HANDLER(a_tool, 1024, 0);

static void
test_tool_endpoint(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *want;
    } rows[] = {
        { "{\"note\":\"a\"}", 202, "{\"note\":\"a\",\"success\":true}" },
        { "{}", 400,
          "{\"success\":false,\"error\":{\"code\":\"invalid\","
          "\"message\":\"note: missing\"}}" },
        { "{\"note\":\"abcdef\"}", 400,
          "{\"success\":false,\"error\":{\"code\":\"invalid\","
          "\"message\":\"note: longer than 5 characters\"}}" },
    };
    static const char *const vars[2] = { BEARER };

    fake_tool_log_reset();
    assert_string_equal(handler_name(&tool_endpoint), "a_tool");
    assert_string_equal(handler_name(&greets), "greets");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct handler_answer r =
            answer_of(*state, &tool_endpoint, "POST", "application/json", rows[i].body, vars);
        expect_int(rows[i].body, r.status, rows[i].status);
        expect_text(rows[i].body, r.body, rows[i].want);
        expect_int(rows[i].body, runs, rows[i].status == 202);
    }
}

static void
test_endpoint_with_params(void **state)
{
    static const struct {
        const char *body;
        int status;
    } rows[] = {
        { "{\"note\":\"a\"}", 200 },
        { "{\"note\":7}", 400 },
        { "{}", 400 },
    };
    static const char *const vars[2] = { BEARER };
    struct handler h = greets;

    h.params = tool_params;
    h.n_params = &n_tool_params;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct handler_answer r =
            answer_of(*state, &h, "POST", "application/json", rows[i].body, vars);
        expect_int(rows[i].body, r.status, rows[i].status);
        expect_int(rows[i].body, runs, rows[i].status == 200);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        LOG_TEST(test_answer_of_success),
        LOG_TEST(test_answer_as_text),
        LOG_TEST(test_answer_with_another_status),
        LOG_TEST(test_method_not_allowed),
        LOG_TEST(test_trouble_with_the_body),
        LOG_TEST(test_media_type),
        LOG_TEST(test_service_key),
        LOG_TEST(test_unset_service_key_opens_nothing),
        LOG_TEST(test_key_before_body),
        LOG_TEST(test_body_that_is_no_object),
        LOG_TEST(test_tool_endpoint),
        LOG_TEST(test_endpoint_with_params),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
