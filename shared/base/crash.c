/*
 * crash - ends the process at an armed place, as a power cut would.
 */
#include "base/crash.h"

#ifdef OMNI_CRASH_POINTS

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

#define LINE_MAX_BYTES 128

static const char *this_program;
static const char *armed;
static long passed;

void
crash_arm(const char *program, const char *what)
{
    this_program = program;
    armed = what;
    passed = 0;
}

/* The passing at which this point is to end us; 0 when it is not the one that is armed. */
static long
armed_for(const char *what, const char *name)
{
    size_t n = strlen(this_program);

    if (strncmp(what, this_program, n) == 0 && what[n] == '/')
        what += n + 1;
    n = strlen(name);
    if (strncmp(what, name, n) != 0)
        return 0;
    if (what[n] == ':')
        return strtol(what + n + 1, NULL, 10);
    return what[n] == '\0' ? 1 : 0;
}

/* Counts a passing down in the file, under its lock; true for the one process that is to die. */
static bool
file_says_so(const char *path, const char *name)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char line[LINE_MAX_BYTES + 1] = "";
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ssize_t n = 0;
    long left = 0;
    bool dies;

    if (fd < 0)
        return false;
    if (fcntl(fd, F_SETLKW, &lock) == 0 && (n = read(fd, line, LINE_MAX_BYTES)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        left = armed_for(line, name);
    }
    dies = left == 1 && unlink(path) == 0;
    if (left > 1) {
        n = snprintf(line, sizeof(line), "%s/%s:%ld\n", this_program, name, left - 1);
        if (pwrite(fd, line, (size_t)n, 0) != n || ftruncate(fd, n) != 0)
            (void)unlink(path);
    }
    (void)close(fd);
    return dies;
}

void
crash_point(const char *name)
{
    if (str_empty(armed))
        return;
    if (armed[0] == '@' ? file_says_so(armed + 1, name)
                        : armed_for(armed, name) > 0 && ++passed == armed_for(armed, name))
        (void)raise(SIGKILL);
}

#endif
