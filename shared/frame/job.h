/*
 * job - a program without a web server: the worker, the cron binary.
 */
#ifndef OMNI_FRAME_JOB_H
#define OMNI_FRAME_JOB_H

#include "frame/app.h"

struct job {
    const char *name;
    unsigned needs;
    const char *usage; /* its options, a line each; --help prints them */
    /* Is this one of its command lines? Any other is answered with the usage, before anything of
     * the system is touched. */
    bool (*accepts)(int argc, char **argv);
    int (*run)(struct app *app, int argc, char **argv); /* returns the exit code */
};

/* main() of every job. */
int job_main(const struct job *j, int argc, char **argv);

#endif
