/* The queue of fault rules: see faults.h. */
#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rule {
    enum provider provider;
    const char *name;
    struct fault fault;
    char *match;   /* "" = every request that carries a message */
    int64_t times; /* left; -1 = for ever */
    double chance; /* 1 = always */
    uint64_t chances;
    int64_t drawn;
    struct rule *next;
};

static struct rule *rules;

static const struct {
    const char *name;
    enum fault_kind kind;
    unsigned http_status;
} kinds[] = {
    { "delay", FAULT_DELAY, 0 },
    { "400", FAULT_STATUS, 400 },
    { "401", FAULT_STATUS, 401 },
    { "429", FAULT_STATUS, 429 },
    { "500", FAULT_STATUS, 500 },
    { "503", FAULT_STATUS, 503 },
    { "error_code", FAULT_ERROR_CODE, 0 },
    { "hang", FAULT_HANG, 0 },
    { "accept_then_hang", FAULT_ACCEPT_THEN_HANG, 0 },
    { "accept_then_close", FAULT_ACCEPT_THEN_CLOSE, 0 },
    { "garbage", FAULT_GARBAGE, 0 },
    { "duplicate_receipt", FAULT_DUPLICATE_RECEIPT, 0 },
    { "reorder_receipts", FAULT_REORDER_RECEIPTS, 0 },
    { "lost_receipt", FAULT_LOST_RECEIPT, 0 },
    { "async_failure", FAULT_ASYNC_FAILURE, 0 },
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static void
rule_free(struct rule *rule)
{
    free(rule->match);
    free(rule);
}

static bool
rule_matches(const struct rule *rule, enum provider p, const struct request *r)
{
    if (rule->provider != p) {
        return false;
    }
    if (*rule->match == '\0') {
        return !r->is_secondary;
    }
    return strstr(r->body.data, rule->match) != NULL || strstr(r->uri, rule->match) != NULL;
}

struct fault
faults_draw(enum provider p, const struct request *r)
{
    for (struct rule **slot = &rules; *slot != NULL; slot = &(*slot)->next) {
        struct rule *rule = *slot;
        if (!rule_matches(rule, p, r)) {
            continue;
        }
        if (rule->chance < 1 && chance_next(&rule->chances) >= rule->chance) {
            continue;
        }
        struct fault fault = rule->fault;
        rule->drawn++;
        if (rule->times > 0 && --rule->times == 0) {
            *slot = rule->next;
            rule_free(rule);
        }
        return fault;
    }
    return (struct fault){ .kind = FAULT_NONE };
}

bool
fault_is_of_receipt(const struct fault *f)
{
    return f->kind == FAULT_DUPLICATE_RECEIPT || f->kind == FAULT_REORDER_RECEIPTS ||
           f->kind == FAULT_LOST_RECEIPT || f->kind == FAULT_ASYNC_FAILURE;
}

int64_t
fault_answer_delay(const struct fault *f)
{
    return fault_is_of_receipt(f) ? 0 : f->delay_ms;
}

long
fault_code_number(const struct fault *f, long fallback)
{
    char *end;
    long number = strtol(f->code, &end, 10);
    return f->code[0] != '\0' && *end == '\0' ? number : fallback;
}

void
faults_reset(void)
{
    while (rules != NULL) {
        struct rule *next = rules->next;
        rule_free(rules);
        rules = next;
    }
}

/* Numbers and strings alike, so that both "code": 131047 and "code": "insufficient_quota" work. */
static void
copy_word(char *out, size_t size, struct json_object *o, const char *key)
{
    struct json_object *value = json_get(o, key);
    (void)snprintf(out, size, "%s", value == NULL ? "" : json_object_get_string(value));
}

static double
chance_of(struct json_object *o)
{
    struct json_object *p = json_get(o, "p");
    return p == NULL ? 1 : json_object_get_double(p);
}

/* NULL and a message when the rule makes no sense. */
static struct rule *
rule_parse(struct json_object *o, const char **why)
{
    char word[48];
    copy_word(word, sizeof word, o, "fault");
    size_t k = 0;
    while (k < KINDS && strcmp(kinds[k].name, word) != 0) {
        k++;
    }
    int p = provider_parse(json_str(o, "provider", ""));
    int64_t times = json_int(o, "times", json_has(o, "p") ? -1 : 1);
    *why = p < 0        ? "provider: unknown or missing"
           : k == KINDS ? "fault: unknown or missing"
           : times == 0 ? "times: 0 would never apply"
           : times < -1 ? "times: below -1"
                        : NULL;
    if (*why != NULL) {
        return NULL;
    }
    struct rule *rule = mem_new(sizeof *rule);
    rule->provider = (enum provider)p;
    rule->name = kinds[k].name;
    rule->match = str_dup(json_str(o, "match", ""));
    rule->times = times;
    rule->chance = chance_of(o);
    rule->chances = (uint64_t)json_int(o, "seed", 1);
    rule->fault.kind = kinds[k].kind;
    rule->fault.http_status = (unsigned)json_int(o, "http_status", kinds[k].http_status);
    rule->fault.retry_after = (long)json_int(o, "retry_after", 0);
    rule->fault.delay_ms = json_int(o, "delay_ms", 0);
    copy_word(rule->fault.code, sizeof rule->fault.code, o, "code");
    copy_word(rule->fault.receipt, sizeof rule->fault.receipt, o, "status");
    return rule;
}

static void
faults_add(struct request *r)
{
    struct json_object *o = json_parse(r->body.data, r->body.len);
    const char *why = NULL;
    struct rule *rule = rule_parse(o, &why);
    (void)json_object_put(o);
    if (rule == NULL) {
        reply_error(r, 400, why);
        return;
    }
    int64_t queued = 1;
    struct rule **slot = &rules;
    for (; *slot != NULL; slot = &(*slot)->next) {
        queued += (*slot)->provider == rule->provider ? 1 : 0;
    }
    *slot = rule;
    struct json_object *answer = json_object_new_object();
    json_add_int(answer, "queued", queued);
    reply_json(r, 200, answer);
}

static struct json_object *
faults_list(void)
{
    struct json_object *list = json_object_new_array();
    for (const struct rule *rule = rules; rule != NULL; rule = rule->next) {
        struct json_object *o = json_object_new_object();
        json_add_str(o, "provider", provider_name(rule->provider));
        json_add_str(o, "fault", rule->name);
        json_add_str(o, "match", rule->match);
        json_add_int(o, "times", rule->times);
        json_add_int(o, "drawn", rule->drawn);
        (void)json_object_array_add(list, o);
    }
    return list;
}

void
faults_serve(struct request *r)
{
    if (strcmp(r->method, "POST") == 0) {
        faults_add(r);
        return;
    }
    if (strcmp(r->method, "DELETE") == 0) {
        faults_reset();
    }
    struct json_object *answer = json_object_new_object();
    json_add(answer, "faults", faults_list());
    reply_json(r, 200, answer);
}
