/*
 * job - starting and ending a job.
 */
#include "frame/job.h"

#include <stdio.h>

#include "base/str.h"

#define JOB_DB_TIMEOUT_MS 10000

int
job_main(const struct job *j, int argc, char **argv)
{
    struct app app;
    int code;

    if (app_options(j->name, j->needs, argc, argv, &code))
        return code;
    if (argc > 1 && str_eq(argv[1], "--help"))
        return fputs(j->usage, stdout) < 0;
    if (!j->accepts(argc, argv)) {
        (void)fputs(j->usage, stderr);
        return 2;
    }
    if (!app_start(&app, j->name, j->needs, JOB_DB_TIMEOUT_MS))
        return 1;
    app_signals();
    code = j->run(&app, argc, argv);
    app_stop(&app);
    return code;
}
