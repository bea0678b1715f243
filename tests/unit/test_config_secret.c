/*
 * config - secrets: files, rotation, what is shown, and comparison.
 */
#include "base/str.h"
#include "fakes/fake_clk.h"
#include "unit/config_fixture.h"

static void
test_config_secret_files(void **state)
{
#define LONGEST 4000
    static char longest[LONGEST + 2];
    static const struct {
        const char *name;
        const char *bytes;
        size_t n;         /* 0: up to the NUL */
        const char *want; /* NULL: refused */
    } rows[] = {
        { "plain", "s3cret", 0, "s3cret" },
        { "line feed", "s3cret\n", 0, "s3cret" },
        { "CR LF", "s3cret\r\n", 0, "s3cret" },
        { "two line feeds", "s3cret\n\n", 0, "s3cret" },
        { "blanks belong to it", " s3cret \n", 0, " s3cret " },
        { "longest", longest, LONGEST, longest },
        { "empty", "", 0, NULL },
        { "only a line feed", "\n", 0, NULL },
        { "two lines", "one\ntwo\n", 0, NULL },
        { "tab", "a\tb", 0, NULL },
        { "NUL inside", "a\0b", 3, NULL },
        { "NUL at the end", "ab\0", 3, NULL },
        { "too long", longest, LONGEST + 1, NULL },
    };
    struct fixture *f = *state;

    memset(longest, 'x', LONGEST);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t n = rows[i].n != 0 ? rows[i].n : strlen(rows[i].bytes);
        longest[LONGEST] = rows[i].want != NULL ? '\0' : 'x';
        put_file(f, "WA_APP_SECRET_FILE", rows[i].bytes, n);
        set("WA_APP_SECRET", "the file goes before");
        expect_int(rows[i].name, load(f, CFG_WA_HOOK), rows[i].want != NULL);
        expect_text(rows[i].name, f->config.wa_app_secret.now,
                    rows[i].want != NULL ? rows[i].want : "");
        expect_true(rows[i].name,
                    rows[i].want != NULL || str_starts(f->e.text, "WA_APP_SECRET_FILE: "));
    }
    drop_file(f, "WA_APP_SECRET_FILE");
#undef LONGEST
}

static void
test_config_database_url_from_a_file(void **state)
{
    struct fixture *f = *state;

    put_text(f, "DATABASE_URL_FILE", "host=/run/pg dbname=omni\n");
    assert_true(load(f, CFG_CORE));
    assert_string_equal(f->config.database_url, "host=/run/pg dbname=omni");
    drop_file(f, "DATABASE_URL_FILE");
}

static void
test_config_refresh_once_a_second(void **state)
{
    struct fixture *f = *state;
    const char **now = &f->config.wa_app_secret.now;

    put_text(f, "WA_APP_SECRET_FILE", "one\n");
    touch(f, "WA_APP_SECRET_FILE", 1000);
    assert_true(load(f, CFG_WA_HOOK));
    const char *borrowed = *now;

    put_text(f, "WA_APP_SECRET_FILE", "two\n");
    touch(f, "WA_APP_SECRET_FILE", 2000);
    config_refresh(&f->config, false);
    assert_string_equal(*now, "one"); /* not a second has passed */
    fake_clk_advance(999);
    config_refresh(&f->config, false);
    assert_string_equal(*now, "one");
    fake_clk_advance(1);
    config_refresh(&f->config, false);
    assert_string_equal(*now, "two");
    assert_string_equal(borrowed, "one"); /* who borrowed it may go on reading */
    const char *same = *now;
    fake_clk_advance(1000);
    config_refresh(&f->config, false);
    config_refresh(&f->config, true);
    assert_ptr_equal(*now, same); /* nothing changed, nothing was copied */

    put_text(f, "WA_APP_SECRET_FILE", "three\n");
    config_refresh(&f->config, true); /* SIGHUP does not wait */
    assert_string_equal(*now, "three");
    drop_file(f, "WA_APP_SECRET_FILE");
}

/* For somebody whose secret did not match there is no waiting. */
static void
test_config_refresh_now(void **state)
{
    struct fixture *f = *state;
    const char **now = &f->config.wa_app_secret.now;

    put_text(f, "WA_APP_SECRET_FILE", "one\n");
    touch(f, "WA_APP_SECRET_FILE", 1000);
    assert_true(load(f, CFG_WA_HOOK));
    assert_false(config_refresh_now(&f->config));
    put_text(f, "WA_APP_SECRET_FILE", "two\n");
    touch(f, "WA_APP_SECRET_FILE", 2000);
    assert_true(config_refresh_now(&f->config));
    assert_string_equal(*now, "two");
    touch(f, "WA_APP_SECRET_FILE", 3000);
    assert_false(config_refresh_now(&f->config)); /* another time, the same secret */
    put_text(f, "WA_APP_SECRET_FILE", "");
    touch(f, "WA_APP_SECRET_FILE", 4000);
    assert_false(config_refresh_now(&f->config));
    assert_string_equal(*now, "two");
    put_text(f, "WA_APP_SECRET_FILE", "three\n"); /* what was empty is looked at again */
    touch(f, "WA_APP_SECRET_FILE", 4000);
    assert_true(config_refresh_now(&f->config));
    drop_file(f, "WA_APP_SECRET_FILE");
    assert_false(config_refresh_now(&(struct config){ .source = NULL }));
}

/* Replaced by a file of the same size and time, as "mv" does with copies that keep their time. */
static void
test_config_refresh_sees_another_file(void **state)
{
    struct fixture *f = *state;

    put_text(f, "WA_APP_SECRET_FILE", "one\n");
    touch(f, "WA_APP_SECRET_FILE", 1000);
    assert_true(load(f, CFG_WA_HOOK));
    const char *path = file_path(f, "WA_APP_SECRET_FILE");
    put_text(f, "NEXT", "two\n");
    touch(f, "NEXT", 1000);
    assert_int_equal(rename(file_path(f, "NEXT"), path), 0);
    fake_clk_advance(1000);
    config_refresh(&f->config, false);
    assert_string_equal(f->config.wa_app_secret.now, "two");
    drop_file(f, "WA_APP_SECRET_FILE");
}

static void
test_config_refresh_leaves_what_cannot_be_read(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t n;
    } rows[] = {
        { "empty", "", 0 },
        { "two lines", "a\nb\n", 4 },
        { "NUL", "a\0b", 3 },
    };
    struct fixture *f = *state;
    const char **now = &f->config.wa_app_secret.now;

    put_text(f, "WA_APP_SECRET_FILE", "good\n");
    assert_true(load(f, CFG_WA_HOOK));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        put_file(f, "WA_APP_SECRET_FILE", rows[i].bytes, rows[i].n);
        touch(f, "WA_APP_SECRET_FILE", 1000 + (time_t)i);
        fake_clk_advance(1000);
        config_refresh(&f->config, false);
        expect_text(rows[i].name, *now, "good");
        config_refresh(&f->config, true);
        expect_text(rows[i].name, *now, "good");
    }
    drop_file(f, "WA_APP_SECRET_FILE");
    config_refresh(&f->config, true);
    assert_string_equal(*now, "good");
    fake_clk_advance(1000);
    config_refresh(&f->config, false);
    assert_string_equal(*now, "good");

    put_text(f, "WA_APP_SECRET_FILE", "bet\ter\n");
    touch(f, "WA_APP_SECRET_FILE", 2000);
    fake_clk_advance(1000);
    config_refresh(&f->config, false);
    assert_string_equal(*now, "good");
    put_text(f, "WA_APP_SECRET_FILE",
             "better\n"); /* mended, of the same size, in the same moment */
    touch(f, "WA_APP_SECRET_FILE", 2000);
    fake_clk_advance(1000);
    config_refresh(&f->config, false);
    assert_string_equal(*now, "better");
    drop_file(f, "WA_APP_SECRET_FILE");
}

static void
test_config_rotation_with_files(void **state)
{
    struct fixture *f = *state;
    const struct secret *s = &f->config.mtn_webhook_secret;

    put_text(f, "MTN_WEBHOOK_SECRET_FILE", "one\n");
    set("MTN_WEBHOOK_SECRET_OLD_FILE", file_path(f, "MTN_WEBHOOK_SECRET_OLD_FILE"));
    assert_true(load(f, CFG_SMS_HOOK));
    assert_true(secret_matches(s, "one"));

    put_text(f, "MTN_WEBHOOK_SECRET_FILE", "two\n");
    put_text(f, "MTN_WEBHOOK_SECRET_OLD_FILE", "one\n");
    config_refresh(&f->config, true);
    assert_true(secret_matches(s, "one"));
    assert_true(secret_matches(s, "two"));

    drop_file(f, "MTN_WEBHOOK_SECRET_OLD_FILE");
    fake_clk_advance(1000);
    config_refresh(&f->config, false);
    assert_false(secret_matches(s, "one"));
    assert_true(secret_matches(s, "two"));

    put_text(f, "MTN_WEBHOOK_SECRET_OLD_FILE", "zero\n");
    fake_clk_advance(1000);
    config_refresh(&f->config, false);
    assert_true(secret_matches(s, "zero"));
    put_text(f, "MTN_WEBHOOK_SECRET_OLD_FILE", "");
    config_refresh(&f->config, true);
    assert_false(secret_matches(s, "zero"));
    assert_string_equal(s->old, "");
    drop_file(f, "MTN_WEBHOOK_SECRET_OLD_FILE");
    drop_file(f, "MTN_WEBHOOK_SECRET_FILE");
}

static void
test_config_token_secret_follows_the_service_key(void **state)
{
    struct fixture *f = *state;

    put_text(f, "SERVICE_ROLE_KEY_FILE", "key-one\n");
    assert_true(load(f, CFG_SERVICE));
    assert_string_equal(f->config.token_secret.now, "key-one");
    put_text(f, "SERVICE_ROLE_KEY_FILE", "key-two\n");
    config_refresh(&f->config, true);
    assert_string_equal(f->config.service_role_key.now, "key-two");
    assert_string_equal(f->config.token_secret.now, "key-two");

    put_text(f, "TOKEN_SECRET_FILE", "own\n");
    assert_true(load(f, CFG_SERVICE));
    config_refresh(&f->config, true);
    assert_string_equal(f->config.token_secret.now, "own");
    drop_file(f, "TOKEN_SECRET_FILE");
    drop_file(f, "SERVICE_ROLE_KEY_FILE");
}

static void
test_config_shows_no_secret(void **state)
{
    struct fixture *f = *state;

    set("DATABASE_URL", "postgresql://u:CANARY@h/d");
    set("SERVICE_ROLE_KEY", "CANARY");
    set("TOKEN_SECRET_OLD", "CANARY");
    set("TOKEN_SECRET", "CANARY");
    set("WHATSAPP_ACCESS_TOKEN", "CANARY");
    set("WA_APP_SECRET", "CANARY");
    set("WA_VERIFY_TOKEN", "CANARY");
    set("MTN_SMS_API_KEY", "CANARY");
    set("MTN_SMS_API_SECRET", "CANARY");
    set("MTN_WEBHOOK_SECRET", "CANARY");
    set("SMS_WEBHOOK_TOKEN", "CANARY");
    put_text(f, "OPENAI_API_KEY_FILE", "CANARY");
    assert_true(load(f, ALL));
    assert_null(strstr(shown(f), "CANARY"));
    assert_non_null(strstr(shown(f), "OPENAI_API_KEY=***\n"));
    assert_non_null(strstr(shown(f), "TOKEN_SECRET_OLD=***\n"));
    drop_file(f, "OPENAI_API_KEY_FILE");
}

static void
test_secret_matches(void **state)
{
    static const struct {
        const char *name;
        struct secret secret;
        const char *given;
        bool match;
    } rows[] = {
        { "current", { "new", "old" }, "new", true },
        { "old", { "new", "old" }, "old", true },
        { "other", { "new", "old" }, "other", false },
        { "nothing given", { "new", "old" }, "", false },
        { "no old one", { "new", "" }, "", false },
        { "no old one, good", { "new", "" }, "new", true },
        { "only an old one", { "", "old" }, "old", true },
        { "unset, nothing given", { "", "" }, "", false },
        { "unset, something given", { "", "" }, "x", false },
        { "prefix", { "new", "old" }, "ne", false },
        { "longer", { "new", "old" }, "newer", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_int(rows[i].name, secret_matches(&rows[i].secret, rows[i].given), rows[i].match);
}

static void
test_secret_signed_hex(void **state)
{
#define BY_JEFE  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
#define BY_EMPTY "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
    static const struct {
        const char *name;
        struct secret secret;
        const char *bytes;
        const char *hex;
        bool match;
    } rows[] = {
        { "current", { "Jefe", "" }, "what do ya want for nothing?", BY_JEFE, true },
        { "old", { "new", "Jefe" }, "what do ya want for nothing?", BY_JEFE, true },
        { "another", { "new", "old" }, "what do ya want for nothing?", BY_JEFE, false },
        { "another body", { "Jefe", "" }, "what do ya want for nothing!", BY_JEFE, false },
        { "unset", { "", "" }, "", BY_EMPTY, false },
        { "no old one", { "new", "" }, "", BY_EMPTY, false },
        { "no signature", { "Jefe", "" }, "what do ya want for nothing?", "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_int(
            rows[i].name,
            secret_signed_hex(&rows[i].secret, rows[i].bytes, strlen(rows[i].bytes), rows[i].hex),
            rows[i].match);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        CONFIG_TEST(test_config_secret_files),
        CONFIG_TEST(test_config_database_url_from_a_file),
        CONFIG_TEST(test_config_refresh_once_a_second),
        CONFIG_TEST(test_config_refresh_now),
        CONFIG_TEST(test_config_refresh_sees_another_file),
        CONFIG_TEST(test_config_refresh_leaves_what_cannot_be_read),
        CONFIG_TEST(test_config_rotation_with_files),
        CONFIG_TEST(test_config_token_secret_follows_the_service_key),
        CONFIG_TEST(test_config_shows_no_secret),
        cmocka_unit_test(test_secret_matches),
        cmocka_unit_test(test_secret_signed_hex),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
