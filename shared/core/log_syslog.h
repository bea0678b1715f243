/*
 * log_syslog - syslog(3) behind a few functions: the names of its levels are also those of log.h.
 */
#ifndef OMNI_CORE_LOG_SYSLOG_H
#define OMNI_CORE_LOG_SYSLOG_H

#include "base/base.h"

/* 'program' must stay valid until log_syslog_close(). */
void log_syslog_open(const char *program);
void log_syslog_close(void);

void log_syslog_debug(const char *line);
void log_syslog_info(const char *line);
void log_syslog_warning(const char *line);
void log_syslog_error(const char *line);

#endif
