/*
 * Misbehaviour on request. Rules stand in a queue per provider; a request takes the first rule that
 * matches it and whose chance, if it has one, says yes.
 */
#ifndef OMNI_LAB_FAULTS_H
#define OMNI_LAB_FAULTS_H

#include "records.h"

enum fault_kind {
    FAULT_NONE,
    FAULT_DELAY,
    FAULT_STATUS, /* an HTTP status of its own: 429, 500, 503, 400, 401 */
    FAULT_ERROR_CODE,
    FAULT_HANG,
    FAULT_ACCEPT_THEN_HANG,
    FAULT_ACCEPT_THEN_CLOSE,
    FAULT_GARBAGE,
    FAULT_DUPLICATE_RECEIPT,
    FAULT_REORDER_RECEIPTS,
    FAULT_LOST_RECEIPT,
    FAULT_ASYNC_FAILURE
};

struct fault {
    enum fault_kind kind;
    unsigned http_status; /* 0 = whatever suits the code */
    char code[48];        /* the provider's word for it, "" = the usual one */
    char receipt[24];     /* the word of a failure receipt, "" = the usual one */
    long retry_after;
    int64_t delay_ms;
};

/* FAULT_NONE when nothing applies. Requests that carry no message (a read mark, an accepted call)
 * take only rules that name a match. */
struct fault faults_draw(enum provider p, const struct request *r);
/* The fault is about the receipts; its delay is theirs and the answer is the usual one. */
bool fault_is_of_receipt(const struct fault *f);
int64_t fault_answer_delay(const struct fault *f);
long fault_code_number(const struct fault *f, long fallback);

void faults_reset(void);

/* GET, POST and DELETE /lab/faults */
void faults_serve(struct request *r);

#endif
