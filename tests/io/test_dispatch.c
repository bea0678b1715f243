/* flow/dispatch and flow/deliver with a real database: what one refused outcome costs, and how a
 * database that is away is waited for. */
#include <signal.h>
#include <sys/time.h>

#include "flow/deliver.h"
#include "flow/dispatch.h"
#include "io/db_fixture.h"
#include "provider/provider.h"
#include "unit/http_server.h"

#define AWAY_MS 2500

static const struct dispatch_options single_run = {
    .job = "io-test", .once = true, .wake_fd = -1, .max_sends = 8, .max_turns = 8
};
static volatile sig_atomic_t stop;
static char log_path[64];

static void
on_alarm(int number)
{
    (void)number;
    stop = 1;
}

/* As its owner: what the programs may not do. */
static struct db *
owner(struct fixture *f)
{
    return db_new(
        arena_printf(f->arena, "host=%s dbname=io user=postgres", getenv("TEST_DATABASE_SOCKETS")),
        "io-test-owner", TIMEOUT_MS);
}

static void
make_world(struct fixture *f, struct config *c, struct flow *w, int port)
{
    struct err e = { 0 };

    (void)snprintf(log_path, sizeof(log_path), "/tmp/io_dispatch.%ld.log", (long)getpid());
    *c = (struct config){ .lease_s = 30,
                          .sms_allowed_prefixes = "+250",
                          .unknown_hold_s = 30,
                          .backoff_scale = 1,
                          .failover_after_s = 120,
                          .allow_http = true,
                          .mtn_sms_sender_id = "test" };
    c->mtn_sms_api_url = arena_printf(f->arena, "http://127.0.0.1:%d/send", port);
    c->mtn_sms_api_key = (struct secret){ "key", "" };
    c->mtn_sms_api_secret = (struct secret){ "secret", "" };
    c->whatsapp_phone_id = "";
    c->openai_base_url = c->openai_model = c->voice_bridge_url = "";
    *w = (struct flow){ .config = c, .db = f->db, .worker = "io-test:1" };
    w->spool = spool_new(f->arena, "/nowhere", 10, 1);
    assert_true(http_open(true, &w->http, &e));
    assert_true(log_open("io-test", log_path, LOG_INFO, &w->log, &e));
}

static void
end_world(struct flow *w)
{
    http_close(&w->http);
    log_close(&w->log);
    assert_int_equal(unlink(log_path), 0);
}

/* How often the log speaks of this event. */
static int
logged(struct fixture *f, const char *event)
{
    char *text = arena_alloc(f->arena, 262144);
    FILE *file = fopen(log_path, "r");
    int n = 0;

    assert_non_null(file);
    text[fread(text, 1, 262143, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    for (const char *at = text; (at = strstr(at, event)) != NULL; at++)
        n++;
    return n;
}

static void
enqueue(struct fixture *f, const char *phone, const char *text)
{
    (void)run(f, arena_printf(f->arena,
                              "SELECT messages_enqueue(get_or_create_omnichannel_session("
                              "person_find_or_create('%s', NULL, NULL, NULL, NULL), 'sms'), "
                              "jsonb_build_array(jsonb_build_object('id', uuid_v7(), 'channel', "
                              "'sms', 'provider', 'mtn', 'message_type', 'reply', 'content', '%s', "
                              "'recipient_phone', '%s', 'idem_key', '%s', 'group_id', uuid_v7(), "
                              "'expires_in_s', 900)))",
                              phone, text, phone, text));
}

/* Gives each message its text as id. */
static void
gateway(int listener, int report)
{
    for (;;) {
        int fd = server_accept(listener);
        char *request = server_read(fd, report);
        char id[16] = "";
        const char *at = request != NULL ? strstr(request, "\"message\":\"") : NULL;
        char body[64];

        if (at != NULL)
            (void)sscanf(at, "\"message\":\"%15[a-z0-9]", id);
        (void)snprintf(body, sizeof(body), "{\"message_id\":\"%s\"}", id);
        server_answer(fd, 200, "Connection: close\r\n", body);
        (void)close(fd);
    }
}

static void
send_all(struct flow *w)
{
    struct deliver *d = deliver_new(w, 8);
    struct err e = { 0 };
    int64_t until = real_ms() + 10000;
    int started = 0;

    assert_true(deliver_pump(d, NULL, &started, &e));
    assert_true(started > 0);
    while (http_active(w->http) > 0 && real_ms() < until)
        (void)http_step(w->http, 100);
    if (!deliver_flush(d, &e))
        fail_msg("flush: %s", e.text);
    assert_int_equal(deliver_busy(d), 0);
    deliver_free(&d);
}

/* From here on the database refuses rows whose column says 'sick', as if it could not index them.
 */
static void
refuse(struct fixture *f, struct db *db, const char *event, const char *column)
{
    (void)run_on(f, db,
                 stmt(f, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                         "RAISE EXCEPTION 'no' USING ERRCODE = '54000'; END $$"));
    (void)run_on(f, db,
                 stmt(f, arena_printf(f->arena,
                                      "CREATE TRIGGER refuse BEFORE %s ON message_delivery_log FOR "
                                      "EACH ROW WHEN (NEW.%s = 'sick') EXECUTE FUNCTION refuse()",
                                      event, column)));
}

static void
refuse_no_more(struct fixture *f, struct db *db)
{
    (void)run_on(f, db, stmt(f, "DROP TRIGGER refuse ON message_delivery_log"));
    (void)run_on(f, db, stmt(f, "DROP FUNCTION refuse()"));
}

static void
test_one_refused_outcome_costs_no_other(void **state)
{
    struct fixture *f = *state;
    struct server s = server_start(gateway);
    struct db *db = owner(f);
    struct config c;
    struct flow w;

    make_world(f, &c, &w, s.port);
    refuse(f, db, "UPDATE", "external_message_id");
    enqueue(f, "+250788000001", "well1");
    enqueue(f, "+250788000002", "sick");
    enqueue(f, "+250788000003", "well2");
    send_all(&w);
    expect_int("sent",
               number(f, "SELECT count(*) AS v FROM message_delivery_log WHERE status = 'sent'"),
               3);
    expect_int("with their ids",
               number(f, "SELECT count(*) AS v FROM message_delivery_log WHERE "
                         "external_message_id = content"),
               2);
    expect_int("said", logged(f, "OUTCOME_REFUSED"), 1);
    refuse_no_more(f, db);
    db_close(&db);
    end_world(&w);
    assert_int_equal(server_stop(&s), 3);
}

/* A sweep that the database refuses must not keep messages from going out. */
static void
test_a_failing_step_costs_the_others_nothing(void **state)
{
    struct fixture *f = *state;
    struct server s = server_start(gateway);
    struct db *db = owner(f);
    struct dispatch_counts counts = { 0 };
    struct err e = { 0 };
    struct config c;
    struct flow w;

    make_world(f, &c, &w, s.port);
    enqueue(f, "+250788000004", "well4");
    (void)run_on(f, db,
                 stmt(f, "ALTER FUNCTION sweep_outbound(int, int, int) RENAME TO sweep_away"));
    assert_false(dispatch_run(&w, &single_run, &counts, &e));
    assert_non_null(strstr(e.text, "42883"));
    expect_int("started", counts.sends, 1);
    expect_int("sent",
               number(f, "SELECT count(*) AS v FROM message_delivery_log WHERE content = 'well4' "
                         "AND status = 'sent'"),
               1);
    (void)run_on(f, db,
                 stmt(f, "ALTER FUNCTION sweep_away(int, int, int) RENAME TO sweep_outbound"));
    db_close(&db);
    end_world(&w);
    assert_int_equal(server_stop(&s), 1);
}

/* The first call in the queue is one that the database refuses. */
static void
test_a_refused_call_costs_no_other(void **state)
{
    struct fixture *f = *state;
    struct server s = server_start(gateway);
    struct db *db = owner(f);
    struct dispatch_counts counts = { 0 };
    struct err e = { 0 };
    struct config c;
    struct flow w;

    make_world(f, &c, &w, s.port);
    c.sms_allowed_prefixes = "+250";
    c.sms_short_code = "8080";
    c.sms_providers[0] = "mtn";
    refuse(f, db, "INSERT", "call_id");
    (void)run(f, "SELECT record_call(id, NULL, phone, 'sip', 'Text', NULL, NULL, NULL, NULL, NULL, "
                 "NULL, NULL, NULL, true, 6, ARRAY[uuid_v7(), uuid_v7(), uuid_v7()]) FROM (VALUES "
                 "('sick', '+250788000005'), ('well', '+250788000006')) AS c (id, phone)");
    assert_false(dispatch_run(&w, &single_run, &counts, &e));
    expect_int("told",
               number(f, "SELECT count(*) AS v FROM call_summaries WHERE call_id = 'well' AND "
                         "notify_result = 'sent'"),
               1);
    expect_int("put off",
               number(f, "SELECT count(*) AS v FROM call_summaries WHERE call_id = 'sick' AND "
                         "notify_reason = 'refused' AND notify_due_at > clock_timestamp()"),
               1);
    expect_int("sent in the same run",
               number(f, "SELECT count(*) AS v FROM message_delivery_log WHERE call_id = 'well' "
                         "AND status = 'sent'"),
               1);
    refuse_no_more(f, db);
    db_close(&db);
    end_world(&w);
    assert_int_equal(server_stop(&s), 1);
}

/* Handlers wake the worker while the database is away: one try and one line a second all the same.
 */
static void
test_away_with_callers_that_wake(void **state)
{
    struct fixture *f = *state;
    struct sigaction action = { .sa_handler = on_alarm };
    const struct itimerval at = { .it_value = { AWAY_MS / 1000, AWAY_MS % 1000 * 1000 } };
    struct dispatch_counts counts = { 0 };
    struct dispatch_options o = { .job = "io-test", .max_sends = 8, .max_turns = 8, .stop = &stop };
    struct err e = { 0 };
    struct config c;
    struct flow w;
    struct timespec before;
    struct timespec after;
    int ends[2];

    make_world(f, &c, &w, 1);
    w.db = db_new("host=/nowhere dbname=none", "io-test-away", TIMEOUT_MS);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(send(ends[1], "w", 1, 0), 1);
    o.wake_fd = ends[0];
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &at, NULL), 0);
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before), 0);
    assert_false(dispatch_run(&w, &o, &counts, &e));
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after), 0);
    assert_int_equal(e.kind, ERR_TEMP);
    expect_true("rests",
                (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 <
                    500);
    expect_true("one line a second", logged(f, "DATABASE_AWAY") >= 2);
    expect_true("... and no more", logged(f, "DATABASE_AWAY") <= 4);
    (void)close(ends[0]);
    (void)close(ends[1]);
    db_close(&w.db);
    end_world(&w);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        DB_TEST(test_one_refused_outcome_costs_no_other),
        DB_TEST(test_a_failing_step_costs_the_others_nothing),
        DB_TEST(test_a_refused_call_costs_no_other),
        DB_TEST(test_away_with_callers_that_wake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
