/* Outgoing requests: see posts.h. */
#include "posts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "loop.h"
#include "timer.h"

#define ACTIVE_MAX      256
#define POST_TIMEOUT_MS 60000L

static CURLM *multi;
static struct timer *multi_timer;
static struct post *active[ACTIVE_MAX];
static int active_count;
static bool is_ending;
static struct post *waiting_first;
static struct post *waiting_last;
/* Handles at rest, with their settings cleared; the connections live in the multi handle. */
static CURL *idle[ACTIVE_MAX];
static int idle_count;

struct post *
post_new(const char *url, char *body)
{
    struct post *p = mem_new(sizeof *p);
    p->url = str_dup(url);
    p->body = body;
    p->body_len = body == NULL ? 0 : strlen(body);
    /* Without this curl waits for a 100 before it sends a large body. */
    p->headers = curl_slist_append(NULL, "Expect:");
    return p;
}

void
post_header(struct post *p, const char *name, const char *value)
{
    char *line = str_printf("%s: %s", name, value);
    p->headers = curl_slist_append(p->headers, line);
    free(line);
}

static void
post_free(struct post *p)
{
    curl_slist_free_all(p->headers);
    buf_free(&p->answer);
    free(p->body);
    free(p->url);
    free(p);
}

static size_t
on_answer(char *data, size_t size, size_t count, void *arg)
{
    struct post *p = arg;
    buf_add(&p->answer, data, size * count);
    return size * count;
}

static void
post_perform(struct post *p)
{
    p->easy = idle_count > 0 ? idle[--idle_count] : curl_easy_init();
    (void)curl_easy_setopt(p->easy, CURLOPT_URL, p->url);
    (void)curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
    (void)curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
    (void)curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, on_answer);
    (void)curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
    (void)curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, POST_TIMEOUT_MS);
    (void)curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(p->easy, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(p->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (p->body != NULL) {
        (void)curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS, p->body);
        (void)curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->body_len);
    }
    p->slot = active_count;
    active[active_count++] = p;
    p->started_us = clock_mono_us();
    (void)curl_multi_add_handle(multi, p->easy);
}

void
post_start(struct post *p)
{
    if (is_ending) {
        p->done(p, p->arg);
        post_free(p);
        return;
    }
    if (active_count < ACTIVE_MAX) {
        post_perform(p);
    } else if (p->is_urgent || waiting_first == NULL) {
        p->next = waiting_first;
        waiting_first = p;
        waiting_last = p->next == NULL ? p : waiting_last;
    } else {
        waiting_last->next = p;
        waiting_last = p;
    }
}

static void
start_waiting(void)
{
    while (waiting_first != NULL && active_count < ACTIVE_MAX) {
        struct post *p = waiting_first;
        waiting_first = p->next;
        p->next = NULL;
        if (waiting_first == NULL) {
            waiting_last = NULL;
        }
        post_perform(p);
    }
}

static void
post_finish(struct post *p, bool has_answer)
{
    char *type = NULL;
    if (has_answer) {
        (void)curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &p->status);
    }
    (void)curl_easy_getinfo(p->easy, CURLINFO_CONTENT_TYPE, &type);
    if (type != NULL) {
        (void)snprintf(p->answer_type, sizeof p->answer_type, "%s", type);
    }
    p->took_us = clock_mono_us() - p->started_us;
    (void)curl_multi_remove_handle(multi, p->easy);
    curl_easy_reset(p->easy);
    if (idle_count < ACTIVE_MAX) {
        idle[idle_count++] = p->easy;
    } else {
        curl_easy_cleanup(p->easy);
    }
    active[p->slot] = active[--active_count];
    active[p->slot]->slot = p->slot;
    p->done(p, p->arg);
    post_free(p);
}

static void
finish_all(void)
{
    int left;
    for (CURLMsg *m = curl_multi_info_read(multi, &left); m != NULL;
         m = curl_multi_info_read(multi, &left)) {
        char *private = NULL;
        bool has_answer = m->data.result == CURLE_OK;
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
        struct post *p = (struct post *)(void *)private;
        post_finish(p, has_answer);
    }
    start_waiting();
}

void
posts_ready(int fd, uint32_t events)
{
    int running;
    int what = ((events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
               ((events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
               ((events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
    (void)curl_multi_socket_action(multi, fd, what, &running);
    finish_all();
}

static void
on_multi_timer(void *arg)
{
    (void)arg;
    int running;
    multi_timer = NULL;
    (void)curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_all();
}

static int
set_multi_timer(CURLM *m, long timeout_ms, void *arg)
{
    (void)m;
    (void)arg;
    timer_cancel(multi_timer);
    multi_timer = timeout_ms < 0 ? NULL : timer_start(timeout_ms, on_multi_timer, NULL);
    return 0;
}

static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    (void)easy;
    (void)arg;
    (void)socket_arg;
    if (what == CURL_POLL_REMOVE) {
        loop_unwatch(fd);
    } else {
        uint32_t in = what != CURL_POLL_OUT ? (uint32_t)EPOLLIN : 0;
        uint32_t out = what != CURL_POLL_IN ? (uint32_t)EPOLLOUT : 0;
        loop_watch(fd, in | out, LOOP_POSTS);
    }
    return 0;
}

bool
posts_init(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return false;
    }
    multi = curl_multi_init();
    if (multi == NULL) {
        return false;
    }
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_multi_timer);
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)ACTIVE_MAX);
    (void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    return true;
}

void
posts_release(void)
{
    is_ending = true;
    while (active_count > 0) {
        post_finish(active[active_count - 1], false);
    }
    for (struct post *p = waiting_first, *next; p != NULL; p = next) {
        next = p->next;
        p->done(p, p->arg);
        post_free(p);
    }
    while (idle_count > 0) {
        curl_easy_cleanup(idle[--idle_count]);
    }
    (void)curl_multi_cleanup(multi);
    curl_global_cleanup();
}
