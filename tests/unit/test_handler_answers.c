/*
 * handler - the status and the words of every kind of failure, what no answer may say, the id that
 * joins the lines of a request, and its line in the log.
 */
#include "base/uuid.h"
#include "unit/handler_fixture.h"

#define SECRET_WORDS "database: inbound_record: SQLSTATE 57P01 canary"

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
    (void)err_retry(e, kind == ERR_LIMIT ? 1234 : 0);
    return err_code(e, "57P01");
}

static const struct handler fails = {
    .name = "fails", .methods = METHOD_GET, .auth = AUTH_OWN, .run = run_fails
};

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

static void
test_status_of_each_error(void **state)
{
    static const struct {
        enum err_kind kind;
        int status;
        const char *retry_after;
    } rows[] = {
        { ERR_INVALID, 400, "" },    { ERR_AUTH, 401, "" },      { ERR_FORBIDDEN, 403, "" },
        { ERR_NOT_FOUND, 404, "" },  { ERR_CONFLICT, 409, "" },  { ERR_TOO_LARGE, 413, "" },
        { ERR_MEDIA_TYPE, 415, "" }, { ERR_LIMIT, 429, "1234" }, { ERR_UNAVAILABLE, 503, "5" },
        { ERR_TEMP, 503, "5" },      { ERR_PERM, 500, "" },      { ERR_BUG, 500, "" },
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

/* Done before: the answer is the one that was given then. */
static void
test_done_before_is_a_success(void **state)
{
    struct handler_answer r = failing(*state, ERR_DUPLICATE);

    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, "half done");
}

static bool
run_done_before(struct call *c, struct err *e)
{
    json_set_str(c->reply, "session_id", "s-1");
    return err_set(e, ERR_DUPLICATE, "known");
}

static void
test_done_before_says_so_in_json(void **state)
{
    static const struct handler again = {
        .name = "again", .methods = METHOD_GET, .auth = AUTH_OWN, .run = run_done_before
    };
    static const char *const vars[2] = { NULL };
    struct handler_answer r = answer_of(*state, &again, "GET", "", "", vars);

    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, "{\"session_id\":\"s-1\",\"success\":true}");
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
        LOG_TEST(test_status_of_each_error),
        LOG_TEST(test_done_before_is_a_success),
        LOG_TEST(test_done_before_says_so_in_json),
        LOG_TEST(test_our_own_faults_are_constant_words),
        LOG_TEST(test_correlation_id),
        LOG_TEST(test_correlation_id_is_made),
        LOG_TEST(test_correlation_id_of_refusals),
        LOG_TEST(test_each_request_is_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
