/* The people behind the phones: they send an SMS or a WhatsApp message, or have just called. */
#ifndef OMNI_LAB_PEOPLE_H
#define OMNI_LAB_PEOPLE_H

#include "request.h"

/* The body as an object and the number of the path; NULL when answered already. */
struct json_object *people_begin(struct request *r, char phone[32]);

/* POST /lab/phones/+250…/sms, …/whatsapp, …/call */
void people_serve_sms(struct request *r);
void people_serve_whatsapp(struct request *r);
void people_serve_call(struct request *r);

#endif
