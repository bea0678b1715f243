/* What the lab knows about the system under test: where it listens and the secrets they share. */
#ifndef OMNI_LAB_CONFIG_H
#define OMNI_LAB_CONFIG_H

#include "request.h"

/* Texts are never NULL; "" is "not set". */
struct config {
    char *target; /* base URL without a slash at its end; without it no receipts are sent */
    char *mtn_webhook_secret;
    char *wa_app_secret;
    char *phone_number_id;
    char *service_role_key;
    char *sms_webhook_token;
    char *openai_webhook_secret;
    char *sms_short_code;
    bool receipts;
    int64_t receipt_delay_ms;
    int64_t sms_price_rwf;
};

extern struct config config;

void config_init(const char *target);
void config_release(void);

/* POST changes what the body names, GET and POST answer what is set, secrets only as set or not. */
void config_serve(struct request *r);

#endif
