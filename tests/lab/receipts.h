/* Delivery receipts: what the providers tell the system under test after they took a message. */
#ifndef OMNI_LAB_RECEIPTS_H
#define OMNI_LAB_RECEIPTS_H

#include "faults.h"

/* One accepted message, as its receipts name it. The texts are copied; NULL is "". */
struct receipt_subject {
    enum provider provider;
    const char *message_id;
    const char *reference;
    const char *phone;   /* +250… */
    const char *dlr_url; /* Kannel's own idea of where and how to report */
    int dlr_mask;
};

/* Starts them after config.receipt_delay_ms plus the fault's delay. */
void receipts_plan(const struct receipt_subject *s, const struct fault *f);

/* Forgets those not yet sent, and the counters. */
void receipts_reset(void);
/* {receipts: {pending, posted, statuses{}}} */
void receipts_stats(struct json_object *o);
int64_t receipts_pending(void);
/* The topic that changes when the last one was answered. */
const void *receipts_topic(void);

#endif
