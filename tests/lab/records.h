/*
 * What reached each provider: counters, and the latest raw requests in a bounded ring each. Every
 * request counts, also those that are refused or never answered.
 */
#ifndef OMNI_LAB_RECORDS_H
#define OMNI_LAB_RECORDS_H

#include "request.h"

enum provider {
    PROVIDER_MTN,
    PROVIDER_META,
    PROVIDER_AGENT,
    PROVIDER_KANNEL,
    PROVIDER_AFRICASTALKING,
    PROVIDER_BRIDGE,
    PROVIDER_COUNT
};

/* -1 when there is none of that name; whatsapp, llm and openai are other names. */
int provider_parse(const char *name);
const char *provider_name(enum provider p);

/* Counts and keeps the request; in flight until its exchange is over. */
void record_add(struct request *r, enum provider p);
void record_accepted(enum provider p);
void record_refused(enum provider p);
void record_hung(enum provider p);

void records_reset(void);

/* {providers: {mtn: {requests, accepted, refused, hung, in_flight, max_in_flight}…}, …} */
void records_stats(struct json_object *o);

/* GET /lab/requests?provider=&limit=[&count=&wait_ms=] */
void records_serve(struct request *r);
/* GET /lab/agent/requests: the bodies of chat completions. */
void records_serve_agent(struct request *r);

#endif
