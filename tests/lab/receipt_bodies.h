/* How each provider words its delivery receipts and where it sends them. */
#ifndef OMNI_LAB_RECEIPT_BODIES_H
#define OMNI_LAB_RECEIPT_BODIES_H

#include "faults.h"
#include "posts.h"

#define RECEIPT_WORDS 4

/* The receipts of one message, under way. */
struct chain {
    enum provider provider;
    char *message_id;
    char *reference;
    char *phone;
    char *dlr_url;
    int dlr_mask;
    long code; /* of a failure, 0 = none */
    char words[RECEIPT_WORDS][24];
    int sent;
    uint64_t generation;
    struct timer *timer;
    struct chain *next;
    struct chain **slot;
};

/* Fills words with what will be reported, in order; "" ends them. */
void receipt_words(struct chain *c, const struct fault *f);
/* The request that reports one word; NULL when the sender did not ask for it. */
struct post *receipt_post(const struct chain *c, const char *word);

#endif
