/* The epoll loop: see loop.h. */
#include "loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "posts.h"
#include "server.h"
#include "timer.h"

static int epoll_fd = -1;
static int signal_fd = -1;

bool
loop_init(void)
{
    sigset_t ending;
    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigaddset(&ending, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &ending, NULL);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    signal_fd = signalfd(-1, &ending, SFD_NONBLOCK | SFD_CLOEXEC);
    if (epoll_fd < 0 || signal_fd < 0) {
        return false;
    }
    loop_watch(signal_fd, EPOLLIN, LOOP_SIGNAL);
    return true;
}

void
loop_watch(int fd, uint32_t events, enum loop_source source)
{
    struct epoll_event ev = { .events = events };
    ev.data.u64 = (uint64_t)source << 32 | (uint32_t)fd;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &ev) != 0) {
        (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
    }
}

void
loop_unwatch(int fd)
{
    /* The descriptor may be closed already, which took it out. */
    (void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static int
wait_ms(void)
{
    int64_t server = server_wait_ms();
    int64_t timers = timers_wait_ms();
    int64_t least = server < 0 || (timers >= 0 && timers < server) ? timers : server;
    return least > 60000 ? 60000 : (int)least;
}

void
loop_run(void)
{
    bool is_ending = false;
    while (!is_ending) {
        struct epoll_event events[128];
        int n = epoll_wait(epoll_fd, events, 128, wait_ms());
        for (int i = 0; i < n; i++) {
            enum loop_source source = (enum loop_source)(events[i].data.u64 >> 32);
            switch (source) {
            case LOOP_SERVER:
                break; /* served below, after whatever the timers resume */
            case LOOP_POSTS:
                posts_ready((int)(events[i].data.u64 & 0xffffffffU), events[i].events);
                break;
            case LOOP_SIGNAL:
                is_ending = true;
                break;
            }
        }
        timers_fire();
        server_serve();
    }
}

void
loop_release(void)
{
    (void)close(signal_fd);
    (void)close(epoll_fd);
}
