/*
 * openai_sip_sign - the two published vectors of Standard Webhooks, and everything close to them.
 */
#include "base/base64.h"
#include "provider/openai_sip.h"
#include "unit/provider_fixture.h"

#define SECRET1 "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID1     "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY1   "{\"test\": 2432232314}"
#define SIGN1   "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define TIME1   1614265330

#define SECRET2 "whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c="
#define ID2     "wh_685c059ae39c8190af8c71ed1022a24d"
#define BODY2                                                                                      \
    "{\"id\": \"evt_685c059ae3a481909bdc86819b066fb6\", \"object\": \"event\", \"created_at\": "   \
    "1750861210, \"type\": \"response.completed\", \"data\": {\"id\": \"resp_123\"}}"
#define SIGN2 "v1,gUAg4R2hWouRZqRQG4uJypNS8YK885G838+EHb4nKBY="
#define TIME2 1750861210

#define WRONG "v1,AAAA9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

struct row {
    const char *name;
    const char *now, *old;
    const char *id, *stamp, *sign;
    const char *body;
    int64_t at_s;
    enum err_kind want;
};

static void
expect_verdict(struct arena *a, const struct row *r)
{
    const char *vars[] = { arena_printf(a, "HTTP_WEBHOOK_ID=%s", r->id),
                           arena_printf(a, "HTTP_WEBHOOK_TIMESTAMP=%s", r->stamp),
                           arena_printf(a, "HTTP_WEBHOOK_SIGNATURE=%s", r->sign), NULL };
    struct incoming_http in = webhook(a, r->body, "");
    struct config c = operator_settings();
    struct err e = { 0 };

    in.vars = vars;
    c.openai_webhook_secret = (struct secret){ r->now, r->old };
    bool ok = openai_sip_verify(a, &c, &in, r->at_s, &e);
    expect_int(r->name, e.kind, r->want);
    expect_int(r->name, ok, r->want == ERR_NONE);
}

#define VECTOR1(label, now, stamp, sign, at, want)                                                 \
    {                                                                                              \
        label, now, "", ID1, stamp, sign, BODY1, at, want                                          \
    }

static void
test_vectors(void **state)
{
    static const struct row rows[] = {
        { "first", SECRET1, "", ID1, "1614265330", SIGN1, BODY1, TIME1, ERR_NONE },
        { "second", SECRET2, "", ID2, "1750861210", SIGN2, BODY2, TIME2, ERR_NONE },
        { "predecessor", SECRET2, SECRET1, ID1, "1614265330", SIGN1, BODY1, TIME1, ERR_NONE },
        { "only the predecessor can be read", "whsec_*", SECRET1, ID1, "1614265330", SIGN1, BODY1,
          TIME1, ERR_NONE },
        { "another's secret", SECRET2, "", ID1, "1614265330", SIGN1, BODY1, TIME1, ERR_AUTH },
        { "another id", SECRET1, "", ID2, "1614265330", SIGN1, BODY1, TIME1, ERR_AUTH },
        { "no id", SECRET1, "", "", "1614265330", SIGN1, BODY1, TIME1, ERR_AUTH },
        { "one byte of the body", SECRET1, "", ID1, "1614265330", SIGN1, "{\"test\": 2432232315}",
          TIME1, ERR_AUTH },
        { "a byte more", SECRET1, "", ID1, "1614265330", SIGN1, BODY1 " ", TIME1, ERR_AUTH },
        { "no body", SECRET1, "", ID1, "1614265330", SIGN1, "", TIME1, ERR_AUTH },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_verdict(*state, &rows[i]);
}

static void
test_times(void **state)
{
    static const struct row rows[] = {
        VECTOR1("300 s old", SECRET1, "1614265330", SIGN1, TIME1 + 300, ERR_NONE),
        VECTOR1("301 s old", SECRET1, "1614265330", SIGN1, TIME1 + 301, ERR_AUTH),
        VECTOR1("300 s ahead", SECRET1, "1614265330", SIGN1, TIME1 - 300, ERR_NONE),
        VECTOR1("301 s ahead", SECRET1, "1614265330", SIGN1, TIME1 - 301, ERR_AUTH),
        VECTOR1("another time", SECRET1, "1614265331", SIGN1, TIME1, ERR_AUTH),
        VECTOR1("no time", SECRET1, "", SIGN1, TIME1, ERR_AUTH),
        VECTOR1("no number", SECRET1, "now", SIGN1, TIME1, ERR_AUTH),
        VECTOR1("with a blank", SECRET1, " 1614265330", SIGN1, TIME1, ERR_AUTH),
        VECTOR1("beyond all numbers", SECRET1, "99999999999999999999", SIGN1, TIME1, ERR_AUTH),
        VECTOR1("negative", SECRET1, "-1614265330", SIGN1, -TIME1, ERR_AUTH),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_verdict(*state, &rows[i]);
}

/* What is signed may be anything; the time still counts. */
static void
test_signed_nonsense(void **state)
{
    static const char key[] = "an entirely made-up key of 32 b."; /* base64 below */
    static const char *const stamps[] = { "1614265330", "-1614265330", "1614265330.5", "0x10", "" };

    for (size_t i = 0; i < COUNT_OF(stamps); i++) {
        const char *bytes = arena_printf(*state, "%s.%s.%s", ID1, stamps[i], BODY1);
        unsigned char mac[HMAC_SIZE];
        hmac_sha256(key, strlen(key), bytes, strlen(bytes), mac);
        const struct row r = {
            stamps[i],
            "whsec_YW4gZW50aXJlbHkgbWFkZS11cCBrZXkgb2YgMzIgYi4=",
            "",
            ID1,
            stamps[i],
            arena_printf(*state, "v1,%s", base64_encode(*state, mac, sizeof(mac))),
            BODY1,
            TIME1,
            i == 0 ? ERR_NONE : ERR_AUTH /* the first is there to show that the key is right */
        };
        expect_verdict(*state, &r);
    }
}

static void
test_entries(void **state)
{
    static const struct row rows[] = {
        VECTOR1("wrong, then right", SECRET1, "1614265330", WRONG " " SIGN1, TIME1, ERR_NONE),
        VECTOR1("right, then wrong", SECRET1, "1614265330", SIGN1 " " WRONG, TIME1, ERR_NONE),
        VECTOR1("among other versions", SECRET1, "1614265330", "v1a,AAAA v2,BBBB " SIGN1, TIME1,
                ERR_NONE),
        VECTOR1("wrong twice", SECRET1, "1614265330", WRONG " " WRONG, TIME1, ERR_AUTH),
        VECTOR1("version 2 alone", SECRET1, "1614265330",
                "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", TIME1, ERR_AUTH),
        VECTOR1("version 1a alone", SECRET1, "1614265330",
                "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", TIME1, ERR_AUTH),
        VECTOR1("without a version", SECRET1, "1614265330",
                "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", TIME1, ERR_AUTH),
        VECTOR1("hex, as the older scheme had it", SECRET1, "1614265330",
                "sha256=83484cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1", TIME1,
                ERR_AUTH),
        VECTOR1("prefix alone", SECRET1, "1614265330", "v1,", TIME1, ERR_AUTH),
        VECTOR1("cut", SECRET1, "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1O",
                TIME1, ERR_AUTH),
        VECTOR1("none", SECRET1, "1614265330", "", TIME1, ERR_AUTH),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_verdict(*state, &rows[i]);
}

static void
test_secrets(void **state)
{
    static const struct row rows[] = {
        VECTOR1("not set", "", "1614265330", SIGN1, TIME1, ERR_UNAVAILABLE),
        VECTOR1("prefix alone", "whsec_", "1614265330", SIGN1, TIME1, ERR_UNAVAILABLE),
        VECTOR1("bad base64", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", "1614265330", SIGN1, TIME1,
                ERR_UNAVAILABLE),
        VECTOR1("too short a key", "whsec_c2hvcnQ=", "1614265330", SIGN1, TIME1, ERR_UNAVAILABLE),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_verdict(*state, &rows[i]);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_vectors), ARENA_TEST(test_times),   ARENA_TEST(test_signed_nonsense),
        ARENA_TEST(test_entries), ARENA_TEST(test_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
