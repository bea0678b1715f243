/*
 * handler - everything between a request's arrival and the bytes that go back, with endpoints made
 * for the purpose: the order of the checks, what each refusal says, and what no answer may say.
 */
#include "base/str.h"
#include "base/uuid.h"
#include "frame/handler.h"
#include "unit/log_fixture.h"

#define SECRET_WORDS "database: inbound_record: SQLSTATE 57P01 canary"

static int runs;

static bool
run_greets(struct call *c, struct err *e)
{
    (void)e;
    runs++;
    json_set_bool(c->reply, "success", true);
    json_set_str(c->reply, "name", json_opt_str(c->arena, c->body, "name", "nobody"));
    return true;
}

static bool
run_fails(struct call *c, struct err *e)
{
    /* The kind to fail with comes in the query, as a digit or two. */
    int64_t kind = 0;

    runs++;
    json_set_str(c->reply, "half", "done");
    c->text = "half done";
    if (!str_parse_int(c->in.query, ERR_NONE, ERR_BUG, &kind))
        return err_set(e, ERR_BUG, "test");
    (void)err_set(e, (enum err_kind)kind, "%s", SECRET_WORDS);
    return err_code(e, "57P01");
}

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

static const struct handler greets = {
    .name = "greets",
    .methods = METHOD_POST,
    .max_body = 64,
    .media = "application/json",
    .auth = AUTH_SERVICE,
    .reads_json = true,
    .run = run_greets,
};
static const struct handler fails = {
    .name = "fails", .methods = METHOD_GET, .auth = AUTH_OWN, .run = run_fails
};
static const struct handler says_text = {
    .name = "says-text", .methods = METHOD_GET | METHOD_POST, .auth = AUTH_OWN, .run = run_says_text
};
static const struct handler accepts = {
    .name = "accepts", .methods = METHOD_POST, .auth = AUTH_OWN, .run = run_accepts
};

#define BEARER "HTTP_AUTHORIZATION=Bearer service-key"

/* One request with its own settings; headers are up to two CGI variables. */
static struct handler_answer
answer_of(struct fixture *f, const struct handler *h, const char *method, const char *type,
          const char *body, const char *const vars[2])
{
    struct config *config = arena_alloc(f->arena, sizeof(*config));
    struct flow *flow = arena_alloc(f->arena, sizeof(*flow));
    const char **copy = arena_array(f->arena, 3, sizeof(*copy));
    struct call c = { .arena = f->arena, .flow = flow };

    config->service_role_key = (struct secret){ "service-key", "old-key" };
    *flow = (struct flow){ .config = config, .log = f->log, .worker = "test" };
    copy[0] = vars[0];
    copy[1] = vars[0] != NULL ? vars[1] : NULL;
    c.in = (struct incoming_http){ .method = method,
                                   .query = "",
                                   .content_type = type,
                                   .vars = copy,
                                   .body = body,
                                   .body_len = strlen(body) };
    runs = 0;
    return handler_answer(h, &c, TROUBLE_NONE);
}

static struct handler_answer
failing(struct fixture *f, enum err_kind kind)
{
    struct flow flow = { .log = f->log };
    static const char *const vars[] = { NULL };
    struct call c = { .arena = f->arena, .flow = &flow };

    c.in = (struct incoming_http){ .method = "GET",
                                   .query = str_from_int(f->arena, kind),
                                   .content_type = "",
                                   .vars = vars,
                                   .body = "" };
    return handler_answer(&fails, &c, TROUBLE_NONE);
}

/* What stands behind "NAME: ", "" when there is no such header. */
static const char *
header_of(const struct handler_answer *r, const char *name)
{
    for (size_t i = 0; r->headers[i] != NULL; i++) {
        if (str_starts(r->headers[i], name) && str_starts(r->headers[i] + strlen(name), ": "))
            return r->headers[i] + strlen(name) + 2;
    }
    return "";
}

static void
expect_error(struct fixture *f, const char *row, const struct handler_answer *r, const char *code,
             const char *words)
{
    expect_text(row, r->content_type, "application/json");
    expect_text(row, r->body,
                arena_printf(f->arena,
                             "{\"success\":false,\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
                             code, words));
    expect_int(row, (int64_t)r->body_len, (int64_t)strlen(r->body));
}

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
        { "POST", &fails, "GET" },
        { "HEAD", &fails, "GET" },
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

static void
test_status_of_each_error(void **state)
{
    static const struct {
        enum err_kind kind;
        int status;
        const char *retry_after;
    } rows[] = {
        { ERR_INVALID, 400, "" },    { ERR_AUTH, 401, "" },     { ERR_FORBIDDEN, 403, "" },
        { ERR_NOT_FOUND, 404, "" },  { ERR_CONFLICT, 409, "" }, { ERR_TOO_LARGE, 413, "" },
        { ERR_MEDIA_TYPE, 415, "" }, { ERR_LIMIT, 429, "5" },   { ERR_UNAVAILABLE, 503, "5" },
        { ERR_TEMP, 503, "5" },      { ERR_PERM, 500, "" },     { ERR_BUG, 500, "" },
        { ERR_DUPLICATE, 200, "" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct handler_answer r = failing(f, rows[i].kind);
        const char *row = err_kind_text(rows[i].kind);
        expect_int(row, r.status, rows[i].status);
        expect_text(row, header_of(&r, "Retry-After"), rows[i].retry_after);
        expect_text(row, r.content_type, "application/json");
        expect_true(row, strstr(r.body, arena_printf(f->arena, "\"code\":\"%s\"", row)) != NULL);
        /* What was half filled in is gone. */
        expect_true(row, strstr(r.body, "half") == NULL);
    }
}

static void
test_our_own_faults_are_constant_words(void **state)
{
    static const struct {
        enum err_kind kind;
        const char *words;
    } rows[] = {
        { ERR_TEMP, "temporarily unavailable, try again" },
        { ERR_PERM, "internal error" },
        { ERR_BUG, "internal error" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct handler_answer r = failing(f, rows[i].kind);
        const char *row = err_kind_text(rows[i].kind);
        expect_error(f, row, &r, row, rows[i].words);
        /* The log has what the caller has not. */
        expect_true(row, strstr(written(f), "57P01") != NULL);
    }
}

static void
test_correlation_id(void **state)
{
    static const struct {
        const char *given;
        const char *want;
    } rows[] = {
        { "req-7", "req-7" },
        { "01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000001" },
        { "a b\tc", "abc" },
        { "x\"}{\"y", "xy" },
        { "a\r\nSet-Cookie: b", "aSet-Cookie:b" },
        { "0123456789012345678901234567890123456789012345678901234567890123456789",
          "0123456789012345678901234567890123456789012345678901234567890123" },
        { "caf\xC3\xA9", "caf" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const vars[2] = { BEARER, arena_printf(f->arena, "HTTP_X_CORRELATION_ID=%s",
                                                           rows[i].given) };
        struct handler_answer r = answer_of(f, &greets, "POST", "application/json", "{}", vars);
        expect_text(rows[i].given, header_of(&r, "X-Correlation-Id"), rows[i].want);
        expect_text(rows[i].given, json_opt_str(f->arena, line(f), "correlation_id", "-"),
                    rows[i].want);
    }
}

static void
test_correlation_id_is_made(void **state)
{
    static const char *const rows[] = { "HTTP_X_CORRELATION_ID=", "HTTP_X_CORRELATION_ID=\xC3\xA9 ",
                                        "HTTP_OTHER=x" };
    struct fixture *f = *state;
    const char *before = "";

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const vars[2] = { BEARER, rows[i] };
        struct handler_answer r = answer_of(f, &greets, "POST", "application/json", "{}", vars);
        struct uuid id;
        expect_true(rows[i], uuid_parse(header_of(&r, "X-Correlation-Id"), &id));
        expect_true(rows[i], !str_eq(header_of(&r, "X-Correlation-Id"), before));
        before = arena_strdup(f->arena, id.text);
    }
}

/* Refusals have it too. */
static void
test_correlation_id_of_refusals(void **state)
{
    static const char *const vars[2] = { "HTTP_X_CORRELATION_ID=req-7" };
    struct handler_answer method = answer_of(*state, &greets, "GET", "", "", vars);
    struct handler_answer key = answer_of(*state, &greets, "POST", "", "{}", vars);

    assert_string_equal(header_of(&method, "X-Correlation-Id"), "req-7");
    assert_string_equal(header_of(&key, "X-Correlation-Id"), "req-7");
}

static void
test_each_request_is_one_line(void **state)
{
    static const struct {
        const char *method;
        const char *header;
        const char *event;
        int64_t status;
    } rows[] = {
        { "POST", BEARER, "REQUEST_DONE", 200 },
        { "POST", "HTTP_AUTHORIZATION=Bearer guess-canary", "REQUEST_REFUSED", 401 },
        { "GET", BEARER, "REQUEST_REFUSED", 405 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const vars[2] = { rows[i].header, NULL };
        (void)answer_of(f, &greets, rows[i].method, "", "{\"name\":\"canary\"}", vars);
        struct json_object *o = line(f);
        expect_text(rows[i].event, json_opt_str(f->arena, o, "event", "-"), rows[i].event);
        expect_int(rows[i].event, json_opt_int(o, "status", -1), rows[i].status);
        expect_true(rows[i].event, strstr(json_print(f->arena, o), "canary") == NULL);
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
        LOG_TEST(test_status_of_each_error),
        LOG_TEST(test_our_own_faults_are_constant_words),
        LOG_TEST(test_correlation_id),
        LOG_TEST(test_correlation_id_is_made),
        LOG_TEST(test_correlation_id_of_refusals),
        LOG_TEST(test_each_request_is_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
