/* The people behind the phones: they send an SMS or a WhatsApp message, or have just called. */
#ifndef OMNI_LAB_PEOPLE_H
#define OMNI_LAB_PEOPLE_H

#include "request.h"

/* POST /lab/phones/+250…/sms, …/whatsapp, …/call */
void people_serve_sms(struct request *r);
void people_serve_whatsapp(struct request *r);
void people_serve_call(struct request *r);

#endif
