/* Counters and rings of raw requests: see records.h. */
#include "records.h"

#include <ctype.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "wait.h"

#define RING_SIZE     2000
#define RING_BYTES    ((size_t)32 * 1024 * 1024)
#define LIMIT_DEFAULT 100

struct record {
    char method[12];
    char *uri;
    struct buf headers; /* name NUL value NUL … */
    struct buf body;
    int64_t at_ms;
    bool is_secondary;
};

struct ledger {
    struct record *ring[RING_SIZE];
    uint64_t recorded; /* ever; the ring holds the last ones */
    size_t oldest;     /* first slot in use, as a running number */
    size_t bytes;
    int64_t requests, primary, accepted, refused, hung, in_flight, max_in_flight;
};

static struct ledger ledgers[PROVIDER_COUNT];
static int64_t in_flight, max_in_flight;

static const char *const names[PROVIDER_COUNT] = { "mtn",    "meta",           "agent",
                                                   "kannel", "africastalking", "bridge" };

int
provider_parse(const char *name)
{
    if (strcmp(name, "whatsapp") == 0) {
        return PROVIDER_META;
    }
    if (strcmp(name, "llm") == 0 || strcmp(name, "openai") == 0) {
        return PROVIDER_AGENT;
    }
    for (int i = 0; i < PROVIDER_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

const char *
provider_name(enum provider p)
{
    return names[p];
}

static size_t
record_size(const struct record *record)
{
    return record->headers.cap + record->body.cap + strlen(record->uri) + sizeof *record;
}

static void
drop_oldest(struct ledger *l)
{
    struct record *record = l->ring[l->oldest % RING_SIZE];
    l->ring[l->oldest++ % RING_SIZE] = NULL;
    l->bytes -= record_size(record);
    buf_free(&record->headers);
    buf_free(&record->body);
    free(record->uri);
    free(record);
}

static char
lower(char c)
{
    return (char)tolower((unsigned char)c);
}

static enum MHD_Result
keep_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct record *record = arg;
    for (; *name != '\0'; name++) {
        buf_char(&record->headers, lower(*name));
    }
    buf_char(&record->headers, '\0');
    buf_add(&record->headers, value == NULL ? "" : value, value == NULL ? 1 : strlen(value) + 1);
    return MHD_YES;
}

static void
on_end(struct request *r)
{
    ledgers[r->provider].in_flight--;
    in_flight--;
}

static void
count_in(struct ledger *l, bool is_secondary)
{
    l->requests++;
    l->primary += is_secondary ? 0 : 1;
    l->in_flight++;
    in_flight++;
    l->max_in_flight = l->in_flight > l->max_in_flight ? l->in_flight : l->max_in_flight;
    max_in_flight = in_flight > max_in_flight ? in_flight : max_in_flight;
}

void
record_add(struct request *r, enum provider p)
{
    struct ledger *l = &ledgers[p];
    r->provider = (int)p;
    r->ended = on_end;
    count_in(l, r->is_secondary);
    struct record *record = mem_new(sizeof *record);
    memcpy(record->method, r->method, sizeof record->method);
    record->uri = str_dup(r->uri);
    record->at_ms = clock_wall_ms();
    record->is_secondary = r->is_secondary;
    buf_add(&record->body, r->body.data, r->body.len);
    buf_add(&record->headers, "", 0);
    (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, keep_header, record);
    if (l->recorded - l->oldest == RING_SIZE) {
        drop_oldest(l);
    }
    l->ring[l->recorded++ % RING_SIZE] = record;
    l->bytes += record_size(record);
    while (l->bytes > RING_BYTES && l->recorded - l->oldest > 1) {
        drop_oldest(l);
    }
    wait_changed(l);
}

void
record_accepted(enum provider p)
{
    ledgers[p].accepted++;
}

void
record_refused(enum provider p)
{
    ledgers[p].refused++;
}

void
record_hung(enum provider p)
{
    ledgers[p].hung++;
}

void
records_reset(void)
{
    for (int i = 0; i < PROVIDER_COUNT; i++) {
        struct ledger *l = &ledgers[i];
        while (l->oldest < l->recorded) {
            drop_oldest(l);
        }
        l->requests = l->primary = l->accepted = l->refused = l->hung = 0;
        l->max_in_flight = l->in_flight;
    }
    max_in_flight = in_flight;
}

void
records_stats(struct json_object *o)
{
    struct json_object *all = json_object_new_object();
    int64_t accepted = 0;
    for (int i = 0; i < PROVIDER_COUNT; i++) {
        const struct ledger *l = &ledgers[i];
        struct json_object *one = json_object_new_object();
        json_add_int(one, "requests", l->requests);
        json_add_int(one, "accepted", l->accepted);
        json_add_int(one, "refused", l->refused);
        json_add_int(one, "hung", l->hung);
        json_add_int(one, "in_flight", l->in_flight);
        json_add_int(one, "max_in_flight", l->max_in_flight);
        json_add(all, names[i], one);
        accepted += l->accepted;
    }
    json_add(o, "providers", all);
    json_add_int(o, "accepted", accepted);
    json_add_int(o, "in_flight", in_flight);
    json_add_int(o, "max_in_flight", max_in_flight);
}

static struct json_object *
record_json(const struct record *record)
{
    struct json_object *headers = json_object_new_object();
    for (const char *p = record->headers.data, *end = p + record->headers.len; p < end;) {
        const char *value = p + strlen(p) + 1;
        json_add_str(headers, p, value);
        p = value + strlen(value) + 1;
    }
    struct json_object *o = json_object_new_object();
    json_add_str(o, "method", record->method);
    json_add_str(o, "path", record->uri);
    json_add(o, "headers", headers);
    json_add(o, "body", json_object_new_string_len(record->body.data, (int)record->body.len));
    json_add_int(o, "at_ms", record->at_ms);
    return o;
}

static struct json_object *
record_body(const struct record *record)
{
    struct json_object *body = json_parse(record->body.data, record->body.len);
    return body != NULL ? body : json_object_new_string(record->body.data);
}

/* Walks back over the newest `limit`, then adds them oldest first. */
static struct json_object *
ledger_list(const struct ledger *l, int64_t limit, bool is_agent)
{
    uint64_t first = l->recorded;
    for (int64_t n = 0; first > l->oldest && n < limit; first--) {
        n += is_agent && l->ring[(first - 1) % RING_SIZE]->is_secondary ? 0 : 1;
    }
    struct json_object *list = json_object_new_array();
    for (uint64_t i = first; i < l->recorded; i++) {
        const struct record *record = l->ring[i % RING_SIZE];
        if (!is_agent) {
            (void)json_object_array_add(list, record_json(record));
        } else if (!record->is_secondary) {
            (void)json_object_array_add(list, record_body(record));
        }
    }
    return list;
}

static void
serve_ledger(struct request *r, struct ledger *l, bool is_agent)
{
    int64_t count = is_agent ? l->primary : l->requests;
    int64_t wanted = form_int(r->query, "count", 0);
    if (count < wanted && wait_on(r, l, form_int(r->query, "wait_ms", 0))) {
        return;
    }
    struct json_object *o = json_object_new_object();
    json_add_int(o, "count", count);
    json_add(o, "requests", ledger_list(l, form_int(r->query, "limit", LIMIT_DEFAULT), is_agent));
    reply_json(r, 200, o);
}

void
records_serve(struct request *r)
{
    char *name = form_get(r->query, "provider");
    int p = name == NULL ? -1 : provider_parse(name);
    free(name);
    if (p < 0) {
        reply_error(r, 400, "provider: unknown or missing");
        return;
    }
    serve_ledger(r, &ledgers[p], false);
}

void
records_serve_agent(struct request *r)
{
    serve_ledger(r, &ledgers[PROVIDER_AGENT], true);
}
