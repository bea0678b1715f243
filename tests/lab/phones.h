/* The phones: everything accepted for each number, in order, and what came twice. */
#ifndef OMNI_LAB_PHONES_H
#define OMNI_LAB_PHONES_H

#include <stdbool.h>
#include <stdint.h>

#include "records.h"

/* A message as a provider accepted it. The texts are copied; NULL is "". */
struct message {
    enum provider provider;
    const char *kind; /* text, template, interactive: literals */
    const char *to;   /* in any form of the number */
    const char *text;
    const char *from;
    const char *reference;
    const char *provider_id;
    const char *template_name;
    bool is_undelivered; /* accepted, but a failed status follows */
};

void phone_accept(const struct message *m);
void phones_reset(void);
void phones_release(void);

/* GET /lab/phones/+250…?since=&count=&wait_ms= */
void phones_serve_one(struct request *r);
/* GET /lab/phones?count=&wait_ms= */
void phones_serve_all(struct request *r);

#endif
