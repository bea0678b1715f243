/*
 * crash - places where a test may end the process with kill -9, to see what is left behind. Without
 * the build option OMNI_CRASH_POINTS none of this is compiled.
 *
 * What is armed is "[PROGRAM/]NAME[:N]": the N-th passing (the first) of that point, in any program
 * or in this one. "@FILE" means that the file, while it exists, holds such a line: passings are
 * then counted over all processes, and the one that dies removes the file, so it happens exactly
 * once.
 */
#ifndef OMNI_BASE_CRASH_H
#define OMNI_BASE_CRASH_H

#include "base/base.h"

#ifdef OMNI_CRASH_POINTS
#define CRASH_ARM(program, what) crash_arm(program, what)
#define CRASH_POINT(name)        crash_point(name)
#else
#define CRASH_ARM(program, what) ((void)0)
#define CRASH_POINT(name)        ((void)0)
#endif

/* What this process is called and what shall end it; NULL for nothing. The texts are kept. */
void crash_arm(const char *program, const char *what);

void crash_point(const char *name);

#endif
