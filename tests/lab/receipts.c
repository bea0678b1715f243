/* Delivery receipts, one chain of statuses per message, each sent once the one before was answered:
 * see receipts.h. */
#include "receipts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "receipt_bodies.h"
#include "timer.h"
#include "wait.h"

#define STATUS_MAX 600

static struct chain *chains;
static int64_t pending; /* chains of this generation */
static int64_t posted;
static int64_t statuses[STATUS_MAX];
/* A reset begins a new generation; of the old one only posts already on their way still go out, and
 * they are not counted. */
static uint64_t generation;

static void
chain_free(struct chain *c)
{
    if (c->generation == generation && --pending == 0) {
        wait_changed(&pending);
    }
    *c->slot = c->next;
    if (c->next != NULL) {
        c->next->slot = c->slot;
    }
    timer_cancel(c->timer);
    free(c->message_id);
    free(c->reference);
    free(c->phone);
    free(c->dlr_url);
    free(c);
}

static void chain_step(struct chain *c);

static void
on_answer(struct post *p, void *arg)
{
    struct chain *c = arg;
    if (c->generation == generation) {
        posted++;
        statuses[p->status >= 0 && p->status < STATUS_MAX ? p->status : 0]++;
    }
    chain_step(c);
}

static void
chain_step(struct chain *c)
{
    struct post *p = NULL;
    while (c->generation == generation && p == NULL && *c->words[c->sent] != '\0') {
        p = receipt_post(c, c->words[c->sent++]);
    }
    if (p == NULL) {
        chain_free(c);
        return;
    }
    p->done = on_answer;
    p->arg = c;
    post_start(p);
}

static void
on_due(void *arg)
{
    struct chain *c = arg;
    c->timer = NULL;
    chain_step(c);
}

static void
chain_start(const struct receipt_subject *s, const struct fault *f)
{
    struct chain *c = mem_new(sizeof *c);
    c->provider = s->provider;
    c->message_id = str_dup(s->message_id);
    c->reference = str_dup(s->reference);
    c->phone = str_dup(s->phone);
    c->dlr_url = str_dup(s->dlr_url);
    c->dlr_mask = s->dlr_mask;
    c->code = fault_code_number(f, 0);
    c->generation = generation;
    receipt_words(c, f);
    c->next = chains;
    if (chains != NULL) {
        chains->slot = &c->next;
    }
    chains = c;
    c->slot = &chains;
    pending++;
    c->timer = timer_start(config.receipt_delay_ms + (fault_is_of_receipt(f) ? f->delay_ms : 0),
                           on_due, c);
}

void
receipts_plan(const struct receipt_subject *s, const struct fault *f)
{
    bool is_wanted = config.receipts && *config.target != '\0';
    if (s->provider == PROVIDER_KANNEL) {
        is_wanted = config.receipts && s->dlr_url != NULL && s->dlr_mask != 0;
    }
    if (!is_wanted || f->kind == FAULT_LOST_RECEIPT) {
        return;
    }
    chain_start(s, f);
    if (f->kind == FAULT_DUPLICATE_RECEIPT) {
        chain_start(s, f);
    }
}

void
receipts_reset(void)
{
    generation++;
    pending = 0;
    posted = 0;
    memset(statuses, 0, sizeof statuses);
    for (struct chain *c = chains, *next; c != NULL; c = next) {
        next = c->next;
        if (c->timer != NULL) {
            chain_free(c);
        }
    }
    wait_changed(&pending);
}

int64_t
receipts_pending(void)
{
    return pending;
}

const void *
receipts_topic(void)
{
    return &pending;
}

void
receipts_stats(struct json_object *o)
{
    struct json_object *by_status = json_object_new_object();
    for (int i = 0; i < STATUS_MAX; i++) {
        if (statuses[i] > 0) {
            char key[8];
            (void)snprintf(key, sizeof key, "%d", i);
            json_add_int(by_status, key, statuses[i]);
        }
    }
    struct json_object *receipts = json_object_new_object();
    json_add_int(receipts, "pending", pending);
    json_add_int(receipts, "posted", posted);
    json_add(receipts, "statuses", by_status);
    json_add(o, "receipts", receipts);
}
