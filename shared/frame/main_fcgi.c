/*
 * main_fcgi - main() of every FastCGI program: it runs the one 'handler' it is linked with.
 */
#include "frame/handler.h"

extern const struct handler handler;

int
main(int argc, char **argv)
{
    return handler_main(&handler, argc, argv);
}
