/* Calls as the voice webhooks learn of them: Meta's "calls" field, OpenAI's incoming SIP call. */
#ifndef OMNI_LAB_CALLS_H
#define OMNI_LAB_CALLS_H

#include "request.h"

/* POST /lab/phones/+250…/whatsapp-call, …/sip-call */
void calls_serve_whatsapp(struct request *r);
void calls_serve_sip(struct request *r);

#endif
