/* The SMS gateways: MTN's JSON gateway, Kannel's sendsms, Africa's Talking's messaging. */
#ifndef OMNI_LAB_GATEWAYS_H
#define OMNI_LAB_GATEWAYS_H

#include "request.h"

void mtn_serve(struct request *r);
void kannel_serve(struct request *r);
void africastalking_serve(struct request *r);

#endif
