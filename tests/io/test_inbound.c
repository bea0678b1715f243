/*
 * flow/inbound and flow/voice with a real database: what came before goes first.
 */
#include "flow/inbound.h"
#include "flow/voice.h"
#include "io/db_fixture.h"
#include "provider/providers.h"

static const char *const no_vars[] = { NULL };

/* A spool with room for one event, which is taken, and a database that was away a moment ago. */
static void
make_world(struct fixture *f, struct config *c, struct flow *w, char *dir)
{
    struct err e = { 0 };
    const struct spool_record r = { .program = "io-test",
                                    .provider = "mtn",
                                    .correlation_id = "",
                                    .content_type = "",
                                    .query = "",
                                    .body = "{}",
                                    .body_len = 2 };

    assert_non_null(mkdtemp(dir));
    *c = (struct config){ .sms_short_code = "",
                          .wake_socket = "/nowhere",
                          .sms_providers = { "mtn" } };
    *w = (struct flow){ .config = c, .db = f->db, .worker = "io-test:1" };
    assert_true(log_open("io-test", "/dev/null", LOG_INFO, &w->log, &e));
    w->spool = spool_new(f->arena, dir, 1, 1);
    assert_true(spool_put(w->spool, &r, &e));
    spool_note_away(w->spool);
    assert_true(spool_is_queue(w->spool));
}

static void
end_world(struct fixture *f, struct flow *w, const char *dir)
{
    log_close(&w->log);
    assert_int_equal(system(arena_printf(f->arena, "rm -r %s", dir)), 0);
}

static void
test_nothing_overtakes_a_full_spool(void **state)
{
    struct fixture *f = *state;
    char dir[] = "/tmp/io_inbound.XXXXXX";
    const char *body = "{\"from\":\"+250788000011\",\"message\":\"later\",\"messageId\":\"l1\"}";
    const struct incoming_http http = { .method = "POST",
                                        .query = "",
                                        .content_type = "application/json",
                                        .vars = no_vars,
                                        .body = body,
                                        .body_len = strlen(body) };
    const struct inbound_request req = { "io-test", &provider_mtn, &http, false, 0 };
    const struct voice_request call = { "io-test", VOICE_WHATSAPP, &http, 0 };
    struct inbound_result result;
    struct voice_result calls;
    struct err e = { 0 };
    struct config c;
    struct flow w;

    make_world(f, &c, &w, dir);
    assert_false(inbound_accept(&w, f->arena, &req, &result, &e));
    expect_int("503", e.kind, ERR_TEMP);
    e = (struct err){ 0 };
    assert_false(voice_accept(&w, f->arena, &call, &calls, &e));
    expect_int("503", e.kind, ERR_TEMP);
    expect_int("stored", number(f, "SELECT count(*) AS v FROM message_delivery_log"), 0);
    end_world(f, &w, dir);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        DB_TEST(test_nothing_overtakes_a_full_spool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
