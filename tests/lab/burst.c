/* Parallel posts of one webhook: see burst.h. */
#include "burst.h"

#include <stdlib.h>

#define TIMES_MAX 256

struct shot {
    struct burst *burst;
    struct post *post;
    long status;
    double ms;
};

struct burst {
    struct request *request; /* NULL once answered */
    const char *name;
    char *id;
    int times;
    int added;
    int answered;
    struct shot shots[TIMES_MAX];
};

struct burst *
burst_new(struct request *r, struct json_object *options, const char *name, const char *id)
{
    struct burst *b = mem_new(sizeof *b);
    int64_t times = json_int(options, "times", 1);
    b->request = r;
    b->name = name;
    b->id = str_dup(id);
    b->times = times < 1 ? 1 : times > TIMES_MAX ? TIMES_MAX : (int)times;
    if (!json_flag(options, "wait", true)) {
        struct json_object *o = json_object_new_object();
        json_add_str(o, name, id);
        reply_json(r, 202, o);
        b->request = NULL;
    }
    return b;
}

static void
burst_answer(const struct burst *b)
{
    struct json_object *statuses = json_object_new_array();
    struct json_object *ms = json_object_new_array();
    for (int i = 0; i < b->times; i++) {
        (void)json_object_array_add(statuses, json_object_new_int64(b->shots[i].status));
        (void)json_object_array_add(ms, json_object_new_double(b->shots[i].ms));
    }
    struct json_object *o = json_object_new_object();
    json_add_str(o, b->name, b->id);
    json_add(o, "statuses", statuses);
    json_add(o, "ms", ms);
    reply_json(b->request, 200, o);
}

static void
on_answer(struct post *p, void *arg)
{
    struct shot *shot = arg;
    struct burst *b = shot->burst;
    shot->status = p->status;
    shot->ms = (double)p->took_us / 1000.0;
    b->answered++;
    if (b->answered == b->times) {
        if (b->request != NULL) {
            burst_answer(b);
        }
        free(b->id);
        free(b);
    }
}

bool
burst_wants_more(const struct burst *b)
{
    return b->added < b->times;
}

void
burst_add(struct burst *b, struct post *p)
{
    struct shot *shot = &b->shots[b->added++];
    shot->burst = b;
    shot->post = p;
    p->done = on_answer;
    p->arg = shot;
    p->is_urgent = true;
}

void
burst_start(struct burst *b)
{
    /* The last answer frees the burst, but never before post_start has returned. */
    int times = b->times;
    for (int i = 0; i < times; i++) {
        post_start(b->shots[i].post);
    }
}
