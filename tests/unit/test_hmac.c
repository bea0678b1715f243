/*
 * hmac - published vectors, and everything that must not match.
 */
#include "base/base64.h"
#include "base/hmac.h"
#include "base/str.h"
#include "unit/unit.h"

static void
test_hmac_sha256_vectors(void **state)
{
    static const struct {
        const char *name;
        const char *key;
        const char *bytes;
        const char *want;
    } rows[] = {
        { "RFC 4231, 1",
          "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
          "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { "RFC 4231, 2", "Jefe", "what do ya want for nothing?",
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { "empty", "", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
        { "WhatsApp, an empty envelope", "app-secret",
          "{\"object\":\"whatsapp_business_account\",\"entry\":[]}",
          "d3e4f9da0ce6c71ab3dba55929b8eeeee2455349e534924ead19f98d143e904f" },
        { "WhatsApp, an escaped letter", "app-secret", "{\"t\":\"Caf\\u00e9\"}",
          "8c161f9ea9f5d8110c02ab9e017f7af44c7bed41a7729f14b38feb281997e11e" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned char mac[HMAC_SIZE];
        size_t n = strlen(rows[i].bytes);
        hmac_sha256(rows[i].key, strlen(rows[i].key), rows[i].bytes, n, mac);
        expect_text(rows[i].name, str_hex(*state, mac, sizeof(mac)), rows[i].want);
        expect_int(rows[i].name, hmac_hex_matches(rows[i].key, rows[i].bytes, n, rows[i].want),
                   rows[i].key[0] != '\0');
    }
}

/* Standard Webhooks: the key is base64 behind "whsec_", what is signed is id.timestamp.body. */
static void
test_hmac_standard_webhooks_vectors(void **state)
{
    static const struct {
        const char *name;
        const char *secret;
        const char *bytes;
        const char *want;
    } rows[] = {
        { "specification", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
          "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}",
          "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" },
        { "OpenAI", "RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=",
          "wh_685c059ae39c8190af8c71ed1022a24d.1750861210."
          "{\"id\": \"evt_685c059ae3a481909bdc86819b066fb6\", \"object\": \"event\", "
          "\"created_at\": 1750861210, \"type\": \"response.completed\", "
          "\"data\": {\"id\": \"resp_123\"}}",
          "gUAg4R2hWouRZqRQG4uJypNS8YK885G838+EHb4nKBY=" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned char mac[HMAC_SIZE];
        unsigned char *key = NULL;
        size_t key_len = 0;
        expect_true(rows[i].name, base64_decode(*state, rows[i].secret, &key, &key_len));
        hmac_sha256(key, key_len, rows[i].bytes, strlen(rows[i].bytes), mac);
        expect_text(rows[i].name, base64_encode(*state, mac, sizeof(mac)), rows[i].want);
    }
}

static void
test_hmac_digest(void **state)
{
    unsigned char digest[HMAC_SIZE];

    hmac_digest("", 0, digest);
    assert_string_equal(str_hex(*state, digest, sizeof(digest)),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hmac_digest("abc", 3, digest);
    assert_string_equal(str_hex(*state, digest, sizeof(digest)),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
test_hmac_counts_bytes_behind_a_nul(void **state)
{
    unsigned char whole[HMAC_SIZE];
    unsigned char prefix[HMAC_SIZE];

    (void)state;
    hmac_sha256("key", 3, "ab\0cd", 5, whole);
    hmac_sha256("key", 3, "ab", 2, prefix);
    assert_false(hmac_equal(whole, prefix, HMAC_SIZE));
}

static void
test_hmac_equal(void **state)
{
    (void)state;
    assert_true(hmac_equal("abc", "abc", 3));
    assert_true(hmac_equal("abX", "abY", 2));
    assert_true(hmac_equal("", "", 0));
    assert_false(hmac_equal("abc", "abd", 3));
    assert_false(hmac_equal("abc", "bbc", 3));
    assert_true(hmac_equal("a\0c", "a\0c", 3));
    assert_false(hmac_equal("a\0c", "a\0d", 3));
}

static void
test_hmac_text_equal(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } rows[] = {
        { "", "", true },           { "token", "token", true },   { "token", "Token", false },
        { "token", "toke", false }, { "toke", "token", false },   { "token", "", false },
        { "", "token", false },     { "token ", "token", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_int(rows[i].a, hmac_text_equal(rows[i].a, rows[i].b), rows[i].equal);
}

static void
test_hmac_hex_matches(void **state)
{
#define MAC "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec384"
    static const struct {
        const char *name;
        const char *key;
        const char *hex;
        bool match;
    } rows[] = {
        { "good", "Jefe", MAC "3", true },
        { "upper case", "Jefe", "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843",
          true },
        { "last digit", "Jefe", MAC "4", false },
        { "63 digits", "Jefe", MAC, false },
        { "65 digits", "Jefe", MAC "33", false },
        { "none", "Jefe", "", false },
        { "prefix", "Jefe", "sha256=" MAC "3", false },
        { "two", "Jefe", MAC "3," MAC "3", false },
        { "not hex", "Jefe", MAC "g", false },
        { "blank before", "Jefe", " " MAC "3", false },
        { "other key", "jefe", MAC "3", false },
        { "no key", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", false },
    };
#undef MAC
    static const char body[] = "what do ya want for nothing?";

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_int(rows[i].name, hmac_hex_matches(rows[i].key, body, sizeof(body) - 1, rows[i].hex),
                   rows[i].match);
    assert_false(hmac_hex_matches(
        "", "", 0, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_hmac_sha256_vectors), ARENA_TEST(test_hmac_standard_webhooks_vectors),
        ARENA_TEST(test_hmac_digest),         ARENA_TEST(test_hmac_counts_bytes_behind_a_nul),
        ARENA_TEST(test_hmac_equal),          ARENA_TEST(test_hmac_text_equal),
        ARENA_TEST(test_hmac_hex_matches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
