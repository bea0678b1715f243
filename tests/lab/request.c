/* Answers and ends of HTTP exchanges: see request.h. */
#include "request.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "timer.h"
#include "wait.h"

/* The suspended requests. */
static struct request *open_requests;

struct request *
request_new(struct MHD_Connection *connection, const char *uri)
{
    struct request *r = mem_new(sizeof *r);
    r->connection = connection;
    r->uri = str_dup(uri);
    size_t path_len = strcspn(uri, "?");
    r->query = uri[path_len] == '?' ? r->uri + path_len + 1 : "";
    r->path = mem_new(path_len + 1);
    memcpy(r->path, uri, path_len);
    url_decode(r->path, false);
    r->provider = -1;
    r->stage = STAGE_HEAD;
    return r;
}

static void
open_add(struct request *r)
{
    r->open_next = open_requests;
    if (open_requests != NULL) {
        open_requests->open_slot = &r->open_next;
    }
    open_requests = r;
    r->open_slot = &open_requests;
}

static void
open_remove(struct request *r)
{
    if (r->open_slot == NULL) {
        return;
    }
    *r->open_slot = r->open_next;
    if (r->open_next != NULL) {
        r->open_next->open_slot = r->open_slot;
    }
    r->open_slot = NULL;
}

void
request_free(struct request *r)
{
    if (r->ended != NULL) {
        r->ended(r);
    }
    open_remove(r);
    wait_forget(r);
    timer_cancel(r->timer);
    buf_free(&r->body);
    free(r->answer);
    free(r->path);
    free(r->uri);
    free(r);
}

const char *
request_header(const struct request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

void
answer_bytes(struct request *r, unsigned status, const char *content_type, struct buf *bytes)
{
    free(r->answer);
    r->status = status;
    r->content_type = content_type;
    r->answer = bytes->data;
    r->answer_len = bytes->len;
    *bytes = (struct buf){ 0 };
}

void
answer_text(struct request *r, unsigned status, const char *content_type, const char *text)
{
    struct buf bytes = { 0 };
    buf_str(&bytes, text);
    answer_bytes(r, status, content_type, &bytes);
}

void
answer_json(struct request *r, unsigned status, struct json_object *o)
{
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    answer_text(r, status, "application/json", json_object_to_json_string_ext(o, flags));
    (void)json_object_put(o);
}

static bool has_resumed;

bool
requests_resumed(void)
{
    bool is_so = has_resumed;
    has_resumed = false;
    return is_so;
}

/* MHD calls the access handler again, which then finds the answer or the wish to close. */
static void
resume(struct request *r)
{
    wait_forget(r);
    if (r->is_suspended) {
        r->is_suspended = false;
        open_remove(r);
        MHD_resume_connection(r->connection);
        has_resumed = true;
    }
}

void
request_send(struct request *r)
{
    r->is_sent = true;
    resume(r);
}

void
request_close(struct request *r)
{
    r->is_closing = true;
    resume(r);
}

static void
send_now(void *arg)
{
    struct request *r = arg;
    r->timer = NULL;
    request_send(r);
}

void
request_send_later(struct request *r, int64_t delay_ms)
{
    if (delay_ms <= 0) {
        request_send(r);
        return;
    }
    r->is_abandonable = true;
    r->timer = timer_start(delay_ms, send_now, r);
}

void
request_hang(struct request *r)
{
    r->is_hung = true;
    r->is_abandonable = true;
}

void
reply_json(struct request *r, unsigned status, struct json_object *o)
{
    answer_json(r, status, o);
    request_send(r);
}

void
reply_error(struct request *r, unsigned status, const char *message)
{
    struct json_object *o = json_object_new_object();
    json_add_str(o, "error", message);
    reply_json(r, status, o);
}

void
request_suspend(struct request *r)
{
    r->is_suspended = true;
    open_add(r);
    MHD_suspend_connection(r->connection);
}

static bool
peer_has_left(const struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char byte;
    return info != NULL && recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void
requests_sweep(void)
{
    for (struct request *r = open_requests, *next; r != NULL; r = next) {
        next = r->open_next;
        if (r->is_abandonable && peer_has_left(r)) {
            request_close(r);
        }
    }
}

void
requests_close_hung(void)
{
    for (struct request *r = open_requests, *next; r != NULL; r = next) {
        next = r->open_next;
        if (r->is_hung) {
            request_close(r);
        }
    }
}

void
requests_close_all(void)
{
    while (open_requests != NULL) {
        request_close(open_requests);
    }
}
