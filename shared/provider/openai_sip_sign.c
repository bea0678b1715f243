/*
 * openai_sip_sign - Standard Webhooks: HMAC-SHA256 over "id.timestamp.body", its key base64 in a
 * secret that begins with whsec_.
 */
#include "base/base64.h"
#include "base/buf.h"
#include "base/hmac.h"
#include "base/str.h"
#include "provider/openai_sip.h"

#define TOLERANCE_S 300
#define KEY_MIN     24
#define KEY_MAX     64
#define ID_MAX      255

const char *
openai_sip_webhook_id(const struct incoming_http *in)
{
    return incoming_header(in, "webhook-id");
}

static bool
key_of(struct arena *a, const char *secret, unsigned char **key, size_t *n)
{
    if (str_starts(secret, "whsec_"))
        secret += strlen("whsec_");
    return base64_decode(a, secret, key, n) && *n >= KEY_MIN && *n <= KEY_MAX;
}

/* Does any v1 entry of the header hold this key's signature of the bytes? */
static bool
is_signed(struct arena *a, const unsigned char *key, size_t key_len, const struct buf *bytes,
          const char *header)
{
    unsigned char mac[HMAC_SIZE];
    const char *want;
    size_t n;
    char **entries = str_split(a, header, ' ', &n);
    bool found = false;

    hmac_sha256(key, key_len, bytes->data, bytes->len, mac);
    want = arena_printf(a, "v1,%s", base64_encode(a, mac, sizeof(mac)));
    for (size_t i = 0; i < n; i++)
        found = hmac_text_equal(entries[i], want) || found;
    return found;
}

bool
openai_sip_verify(struct arena *a, const struct config *c, const struct incoming_http *in,
                  int64_t now_s, struct err *e)
{
    const char *secrets[] = { c->openai_webhook_secret.now, c->openai_webhook_secret.old };
    const char *id = openai_sip_webhook_id(in);
    const char *stamp = incoming_header(in, "webhook-timestamp");
    struct buf bytes = buf_init(a, in->body_len + ID_MAX + 64);
    size_t usable = 0;
    bool good = false;
    int64_t at_s;

    buf_printf(&bytes, "%s.%s.", id, stamp);
    buf_add(&bytes, in->body, in->body_len);
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        unsigned char *key;
        size_t n;

        if (str_empty(secrets[i]) || !key_of(a, secrets[i], &key, &n))
            continue;
        usable++;
        good = is_signed(a, key, n, &bytes, incoming_header(in, "webhook-signature")) || good;
    }
    if (usable == 0)
        return err_set(e, ERR_UNAVAILABLE, "OPENAI_WEBHOOK_SECRET: not set, or not whsec_...");
    if (str_empty(id) || strlen(id) > ID_MAX || !good)
        return err_set(e, ERR_AUTH, "webhook-signature: missing or wrong");
    if (!str_parse_int(stamp, 0, INT64_MAX / 2, &at_s) || at_s > now_s + TOLERANCE_S ||
        at_s < now_s - TOLERANCE_S)
        return err_set(e, ERR_AUTH, "webhook-timestamp: too old or too new");
    return true;
}
