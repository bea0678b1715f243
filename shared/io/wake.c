/*
 * wake - datagrams on a Unix socket.
 */
#include "io/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool
address(const char *path, struct sockaddr_un *out)
{
    size_t n = strlen(path);

    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (n == 0 || n >= sizeof(out->sun_path))
        return false;
    memcpy(out->sun_path, path, n);
    return true;
}

static int
nonblocking_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    if (fd >= 0 && (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

bool
wake_listen(const char *path, int *fd, struct err *e)
{
    struct sockaddr_un at;

    if (!address(path, &at))
        return err_set(e, ERR_INVALID, "WAKE_SOCKET: empty or too long for a socket");
    *fd = nonblocking_socket();
    if (*fd < 0)
        return err_set(e, ERR_TEMP, "wake: cannot make a socket");
    (void)unlink(path);
    if (bind(*fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
        (void)close(*fd);
        return err_set(e, ERR_TEMP, "WAKE_SOCKET: cannot bind: %s", strerror(errno));
    }
    (void)chmod(path, 0666); /* the programs may run as other users; a poke says nothing */
    return true;
}

void
wake_send(const char *path)
{
    struct sockaddr_un at;
    int fd;

    if (!address(path, &at))
        return;
    fd = nonblocking_socket();
    if (fd < 0)
        return;
    (void)sendto(fd, "", 1, 0, (struct sockaddr *)&at, sizeof(at));
    (void)close(fd);
}

void
wake_drain(int fd)
{
    char bytes[64];

    while (recv(fd, bytes, sizeof(bytes), 0) > 0)
        continue;
}
