/*
 * main_job - main() of every job: it runs the one 'job' it is linked with.
 */
#include "frame/job.h"

extern const struct job job;

int
main(int argc, char **argv)
{
    return job_main(&job, argc, argv);
}
