/*
 * log_syslog - see the header. A file of its own, because <syslog.h> and log.h cannot be included
 * together.
 */
#include "core/log_syslog.h"

#include <syslog.h>

void
log_syslog_open(const char *program)
{
    openlog(program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_syslog_close(void)
{
    closelog();
}

void
log_syslog_debug(const char *line)
{
    syslog(LOG_DEBUG, "%s", line);
}

void
log_syslog_info(const char *line)
{
    syslog(LOG_INFO, "%s", line);
}

void
log_syslog_warning(const char *line)
{
    syslog(LOG_WARNING, "%s", line);
}

void
log_syslog_error(const char *line)
{
    syslog(LOG_ERR, "%s", line);
}
