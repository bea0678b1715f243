/* The webhooks of the providers as the providers send them: signed, and in their own spelling. */
#ifndef OMNI_LAB_WEBHOOKS_H
#define OMNI_LAB_WEBHOOKS_H

#include "json.h"
#include "posts.h"

/* MTN's JSON gateway: X-MTN-Signature over the body. Takes the object over. */
struct post *webhook_mtn(const char *path, struct json_object *body);
/* Meta: the value inside its envelope, ASCII only, X-Hub-Signature-256. Takes the value over. */
struct post *webhook_meta(const char *path, const char *field, struct json_object *value);
/* OpenAI, signed after Standard Webhooks: the same id names every repetition of one event, and the
 * time is in seconds, as text. Takes the object over. */
struct post *webhook_openai(const char *path, const char *id, const char *timestamp,
                            struct json_object *body);
/* {messaging_product, metadata}, the beginning of every value. */
struct json_object *webhook_meta_value(void);
/* Africa's Talking: a form, with the token the gateways that cannot sign were given. */
struct post *webhook_africastalking(const char *path, const char *form);
/* Kannel: everything in the query. */
struct post *webhook_kannel(const char *path, const char *query);
/* A tool call with the service key, as the voice agent makes it. Takes the object over. */
struct post *webhook_tool(const char *path, struct json_object *body);

#endif
