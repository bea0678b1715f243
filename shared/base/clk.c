/*
 * clk - the clocks. Tests link another file in the place of this one, so nothing else may live
 * here.
 */
#include "base/clk.h"

#include <stdlib.h>
#include <time.h>

static int64_t
read_ms(clockid_t id)
{
    struct timespec t;

    if (clock_gettime(id, &t) != 0)
        abort(); /* only an unknown clock fails: not the system this was built for */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clk_now_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t
clk_mono_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
}
