/*
 * provider_fixture - the files under fixtures/providers, the settings of a made-up operator, and
 * answers and webhook requests around a body.
 */
#ifndef OMNI_UNIT_PROVIDER_FIXTURE_H
#define OMNI_UNIT_PROVIDER_FIXTURE_H

#include "base/hmac.h"
#include "base/str.h"
#include "core/json.h"
#include "provider/provider.h"
#include "unit/unit.h"

#define FIXTURE_MAX (1024 * 1024)

/* The bytes of fixtures/providers/NAME, which lies beside the folder of this file. */
static inline const char *
fixture_text(struct arena *a, const char *name)
{
    const char *here = __FILE__;
    const char *slash = strrchr(here, '/');
    int folder = slash != NULL ? (int)(slash - here) : 0;
    const char *path = arena_printf(a, "%.*s/../fixtures/providers/%s", folder, here, name);
    char *text = arena_alloc(a, FIXTURE_MAX);
    FILE *file = fopen(path, "r");

    if (file == NULL)
        fail_msg("%s: cannot be opened", path);
    expect_true(path, fread(text, 1, FIXTURE_MAX - 1, file) > 0);
    assert_int_equal(fclose(file), 0);
    return text;
}

static inline struct json_object *
parsed(struct arena *a, const char *text)
{
    struct json_object *o = NULL;
    struct err e = { 0 };

    if (!json_parse(a, text, strlen(text), &o, &e))
        fail_msg("%s: %s", text, e.text);
    return o;
}

/* The file in the spelling in which we send: no white space. */
static inline const char *
fixture_compact(struct arena *a, const char *name)
{
    return json_print(a, parsed(a, fixture_text(a, name)));
}

static inline struct config
operator_settings(void)
{
    return (struct config){
        .whatsapp_phone_id = "1122334455",
        .whatsapp_access_token = { "wa-token", "" },
        .whatsapp_api_url = "https://graph.facebook.com/v25.0",
        .whatsapp_template_summary = "call_summary",
        .wa_app_secret = { "app-secret", "" },
        .wa_verify_token = { "", "" },
        .sms_providers = { "mtn", "", "", "" },
        .mtn_sms_api_url = "https://api.mtn.rw/v1/sms/send",
        .mtn_sms_api_key = { "mtn-key", "" },
        .mtn_sms_api_secret = { "mtn-secret", "" },
        .mtn_sms_sender_id = "EasyMO",
        .mtn_webhook_secret = { "hook-secret", "" },
        .sms_webhook_token = { "", "" },
        .sms_short_code = "8080",
        .sms_allowed_prefixes = "+250",
        .sms_price_mrwf = 15000,
        .whatsapp_price_mrwf = 6000,
        .openai_api_key = { "sk-test", "" },
        .openai_base_url = "https://api.openai.com/v1",
        .openai_model = "gpt-4o-mini",
        .delivery_mode = MODE_BOTH,
    };
}

static inline struct http_response
answered(int status, const char *body)
{
    return (struct http_response){
        .reach = HTTP_ANSWERED,
        .status = status,
        .body = body,
        .body_len = strlen(body),
        .why = "",
    };
}

/* The line of the header, "" when the request has none. */
static inline const char *
header_line(const struct http_request *r, const char *name)
{
    for (const char *const *h = r->headers; *h != NULL; h++) {
        if (str_starts(*h, name) && (*h)[strlen(name)] == ':')
            return *h;
    }
    return "";
}

/* A webhook request; 'header' is a CGI variable, "" for none. */
static inline struct incoming_http
webhook(struct arena *a, const char *body, const char *header)
{
    const char **vars = arena_array(a, 2, sizeof(*vars));

    vars[0] = str_empty(header) ? NULL : header;
    return (struct incoming_http){
        .method = "POST",
        .query = "",
        .content_type = "application/json",
        .vars = vars,
        .body = body,
        .body_len = strlen(body),
    };
}

/* The hex signature of the body. */
static inline const char *
signature(struct arena *a, const char *key, const char *body)
{
    unsigned char mac[HMAC_SIZE];

    hmac_sha256(key, strlen(key), body, strlen(body), mac);
    return str_hex(a, mac, sizeof(mac));
}

#endif
