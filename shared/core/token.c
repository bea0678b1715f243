/*
 * token - bound tokens: written as JSON, signed, and read with nothing believed before the
 * signature is.
 */
#include "core/token.h"

#include "base/base64.h"
#include "base/hmac.h"
#include "base/str.h"
#include "core/json.h"

#define TOKEN_MAX 4096 /* no token of ours is longer */

static const char *
signature_of(struct arena *a, const char *key, const char *payload, size_t n)
{
    unsigned char mac[HMAC_SIZE];

    hmac_sha256(key, strlen(key), payload, n, mac);
    return base64_encode_url(a, mac, sizeof(mac));
}

const char *
token_make(struct arena *a, const struct secret *key, const struct token *t)
{
    struct json_object *o = json_new_object(a);
    const char *json;
    const char *payload;

    json_set_str(o, "profile_id", t->profile_id);
    json_set_str(o, "session_id", t->session_id);
    json_set_str(o, "call_id", t->call_id);
    json_set_str(o, "turn_id", t->turn_id);
    json_set_int(o, "turn_token", t->turn_token);
    json_set_str(o, "tools", t->tools);
    json_set_int(o, "exp", t->expires_s);
    json = json_print(a, o);
    payload = base64_encode_url(a, json, strlen(json));
    return arena_printf(a, "%s.%s", payload, signature_of(a, key->now, payload, strlen(payload)));
}

/* Whether the text behind the dot is the signature of what is before it, under this key. The texts
 * are compared, not their bytes: each signature then has one spelling only. */
static bool
is_signed_with(struct arena *a, const char *key, const char *text, const char *dot)
{
    const char *want = signature_of(a, key, text, (size_t)(dot - text));

    return !str_empty(key) && hmac_text_equal(want, dot + 1);
}

/* Both keys are tried always, so that the time does not tell which one it was. */
static bool
is_signed(struct arena *a, const struct secret *key, const char *text, const char *dot)
{
    bool by_now = is_signed_with(a, key->now != NULL ? key->now : "", text, dot);
    bool by_old = is_signed_with(a, key->old != NULL ? key->old : "", text, dot);

    return by_now || by_old;
}

static bool
read_payload(struct arena *a, const char *payload, struct token *out)
{
    struct json_object *o = NULL;
    unsigned char *json = NULL;
    size_t n = 0;
    struct err ignored = { 0 };

    if (!base64_decode(a, payload, &json, &n) ||
        !json_parse(a, (const char *)json, n, &o, &ignored) || !json_is_object(o))
        return false;
    *out = (struct token){
        .profile_id = json_opt_str(a, o, "profile_id", ""),
        .session_id = json_opt_str(a, o, "session_id", ""),
        .call_id = json_opt_str(a, o, "call_id", ""),
        .turn_id = json_opt_str(a, o, "turn_id", ""),
        .turn_token = json_opt_int(o, "turn_token", 0),
        .tools = json_opt_str(a, o, "tools", ""),
        .expires_s = json_opt_int(o, "exp", 0),
    };
    return !str_empty(out->profile_id);
}

bool
token_read(struct arena *a, const struct secret *key, const char *text, int64_t now_s,
           struct token *out, struct err *e)
{
    const char *dot = text != NULL && strlen(text) <= TOKEN_MAX ? strchr(text, '.') : NULL;
    struct token t = { 0 };

    if (dot == NULL || dot == text || !is_signed(a, key, text, dot) ||
        !read_payload(a, arena_strndup(a, text, (size_t)(dot - text)), &t) || t.expires_s <= now_s)
        return err_set(e, ERR_AUTH, "Authorization: missing or wrong");
    *out = t;
    return true;
}
