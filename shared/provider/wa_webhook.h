/*
 * wa_webhook - what Meta sends us: signature, and every message and status of every change of every
 * entry (Cloud API, webhooks).
 */
#ifndef OMNI_PROVIDER_WA_WEBHOOK_H
#define OMNI_PROVIDER_WA_WEBHOOK_H

#include "provider/provider.h"

struct json_object;

/* X-Hub-Signature-256 over the raw bytes. ERR_AUTH, or ERR_UNAVAILABLE where WA_APP_SECRET is not
 * set. */
bool wa_webhook_verify(struct arena *a, const struct config *c, const struct incoming_http *in,
                       struct err *e);

/* Fails only for what is no JSON object. Unknown fields, types and events are passed over; a broken
 * item is listed as unreadable. */
bool wa_webhook_read(struct arena *a, const struct config *c, const struct incoming_http *in,
                     struct webhook_items *out, struct err *e);

/* Is the change about our number, WHATSAPP_WEBHOOK_PHONE_ID? Whoever has several numbers gets the
 * events of all of them at one address. Where the setting or the change names none, it is. */
bool wa_webhook_is_ours(struct arena *a, const struct config *c, struct json_object *value);

/* The name that a change's "contacts" give whoever goes by one of these ids ("" is none); "" if
 * none does. The person's own choice of words, never trusted. */
const char *wa_webhook_name(struct arena *a, struct json_object *value, const char *wa_id,
                            const char *bsuid);

#endif
