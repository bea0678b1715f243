/* The phones' messages: see phones.h. */
#include "phones.h"

#include <stdlib.h>
#include <string.h>

#include "strmap.h"
#include "text.h"
#include "wait.h"

struct kept {
    const char *kind;
    char *text;
    char *from;
    char *reference;
    char *provider_id;
    char *template_name;
    enum provider provider;
    unsigned segments;
    bool is_duplicate;
    bool is_undelivered;
    int64_t at_ms;
    uint64_t seq;
};

struct phone {
    struct kept *messages;
    size_t count;
    size_t capacity;
};

static struct strmap phones;
static struct strmap references;
static int64_t total;
static int64_t duplicates;
static uint64_t last_seq;

/* Phones outlive a reset, because requests may be waiting on them. */
static struct phone *
phone_of(const char *number)
{
    void **slot = strmap_slot(&phones, number);
    if (*slot == NULL) {
        *slot = mem_new(sizeof(struct phone));
    }
    return *slot;
}

static const char *
channel_of(enum provider p)
{
    return p == PROVIDER_META ? "whatsapp" : "sms";
}

/* The reference names one message of the sender on one channel, whoever carries it. */
static bool
is_second(const struct message *m)
{
    if (m->reference == NULL || *m->reference == '\0') {
        return false;
    }
    char *key = str_printf("%s:%s", channel_of(m->provider), m->reference);
    void **slot = strmap_slot(&references, key);
    bool is_known = *slot != NULL;
    *slot = &references;
    free(key);
    return is_known;
}

void
phone_accept(const struct message *m)
{
    char number[32];
    phone_plus(m->to, number);
    struct phone *phone = phone_of(number);
    if (phone->count == phone->capacity) {
        phone->capacity = phone->capacity == 0 ? 4 : phone->capacity * 2;
        phone->messages = mem_grow(phone->messages, phone->capacity * sizeof *phone->messages);
    }
    struct kept *k = &phone->messages[phone->count++];
    *k = (struct kept){ .kind = m->kind, .provider = m->provider };
    k->text = str_dup(m->text);
    k->from = str_dup(m->from);
    k->reference = str_dup(m->reference);
    k->provider_id = str_dup(m->provider_id);
    k->template_name = str_dup(m->template_name);
    k->segments = m->provider == PROVIDER_META ? 0 : sms_segments(k->text);
    k->is_duplicate = is_second(m);
    k->is_undelivered = m->is_undelivered;
    k->at_ms = clock_wall_ms();
    k->seq = ++last_seq;
    total++;
    duplicates += k->is_duplicate ? 1 : 0;
    record_accepted(m->provider);
    wait_changed(phone);
    wait_changed(&phones);
}

static void
phone_clear(struct phone *phone)
{
    for (size_t i = 0; i < phone->count; i++) {
        struct kept *k = &phone->messages[i];
        free(k->text);
        free(k->from);
        free(k->reference);
        free(k->provider_id);
        free(k->template_name);
    }
    free(phone->messages);
    *phone = (struct phone){ 0 };
}

void
phones_reset(void)
{
    for (size_t i = 0; i < phones.capacity; i++) {
        if (phones.entries[i].value != NULL) {
            phone_clear(phones.entries[i].value);
        }
    }
    strmap_clear(&references);
    total = 0;
    duplicates = 0;
}

void
phones_release(void)
{
    phones_reset();
    for (size_t i = 0; i < phones.capacity; i++) {
        free(phones.entries[i].value);
    }
    strmap_clear(&phones);
}

static struct json_object *
kept_json(const struct kept *k)
{
    struct json_object *o = json_object_new_object();
    json_add_str(o, "channel", channel_of(k->provider));
    json_add_str(o, "provider", provider_name(k->provider));
    json_add_str(o, "kind", k->kind);
    json_add_str(o, "text", k->text);
    json_add_str(o, "from", k->from);
    json_add_str(o, "reference", k->reference);
    json_add_str(o, "provider_message_id", k->provider_id);
    if (*k->template_name != '\0') {
        json_add_str(o, "template", k->template_name);
    }
    if (k->segments > 0) {
        json_add_int(o, "segments", k->segments);
    }
    json_add_bool(o, "delivered", !k->is_undelivered);
    json_add_bool(o, "duplicate", k->is_duplicate);
    json_add_int(o, "at_ms", k->at_ms);
    json_add_int(o, "seq", (int64_t)k->seq);
    return o;
}

void
phones_serve_one(struct request *r)
{
    char number[32];
    phone_plus(r->segment[0], number);
    if (*number == '\0') {
        reply_error(r, 404, "the path names no phone number");
        return;
    }
    struct phone *phone = phone_of(number);
    int64_t since = form_int(r->query, "since", 0);
    size_t first = phone->count;
    while (first > 0 && (int64_t)phone->messages[first - 1].seq > since) {
        first--;
    }
    int64_t wanted = form_int(r->query, "count", 1);
    if ((int64_t)(phone->count - first) < wanted &&
        wait_on(r, phone, form_int(r->query, "wait_ms", 0))) {
        return;
    }
    struct json_object *list = json_object_new_array();
    for (size_t i = first; i < phone->count; i++) {
        (void)json_object_array_add(list, kept_json(&phone->messages[i]));
    }
    struct json_object *o = json_object_new_object();
    json_add_str(o, "phone", number);
    json_add(o, "messages", list);
    reply_json(r, 200, o);
}

void
phones_serve_all(struct request *r)
{
    int64_t wanted = form_int(r->query, "count", 0);
    if (total < wanted && wait_on(r, &phones, form_int(r->query, "wait_ms", 0))) {
        return;
    }
    struct json_object *each = json_object_new_object();
    for (size_t i = 0; i < phones.capacity; i++) {
        const struct phone *phone = phones.entries[i].value;
        if (phone != NULL && phone->count > 0) {
            json_add_int(each, phones.entries[i].key, (int64_t)phone->count);
        }
    }
    struct json_object *o = json_object_new_object();
    json_add(o, "phones", each);
    json_add_int(o, "messages", total);
    json_add_int(o, "duplicates", duplicates);
    reply_json(r, 200, o);
}
