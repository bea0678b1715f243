/*
 * fake_clk - two numbers.
 */
#include "fakes/fake_clk.h"

static int64_t now_ms = FAKE_CLK_START;
static int64_t mono_ms = FAKE_CLK_START;

int64_t
clk_now_ms(void)
{
    return now_ms;
}

int64_t
clk_mono_ms(void)
{
    return mono_ms;
}

void
fake_clk_set(int64_t ms)
{
    now_ms = ms;
}

void
fake_clk_advance(int64_t ms)
{
    now_ms += ms;
    mono_ms += ms;
}
