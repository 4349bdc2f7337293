/* Makes chosen system calls fail, in a process that preloads it: see test_faults.py.
 *
 * Chosen from inside the process, by fault_set(call, nth, errno): the nth following call of
 * that kind fails without reaching the kernel. fault_count(call) is how many there were. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

enum { SOCKET, SETSOCKOPT, BIND, LISTEN, GETSOCKNAME, GETSOCKOPT, CALLS };

static int seen[CALLS], failing = -1, at, number, fired;

void fault_set(int call, int nth, int error)
{
    for (int i = 0; i < CALLS; i++)
        seen[i] = 0;
    failing = call, at = nth, number = error, fired = 0;
}

int fault_count(int call) { return seen[call]; }
int fault_fired(void) { return fired; }

static int fails(int call)
{
    if (++seen[call] != at || call != failing)
        return 0;
    fired = 1;
    errno = number;
    return 1;
}

#define WRAP(CALL, name, parameters, arguments)                        \
    int name parameters                                                \
    {                                                                  \
        static int (*real) parameters;                                 \
        if (!real)                                                     \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                 \
        return fails(CALL) ? -1 : real arguments;                      \
    }

WRAP(SOCKET, socket, (int d, int t, int p), (d, t, p))
WRAP(SETSOCKOPT, setsockopt, (int s, int l, int o, const void *v, socklen_t n), (s, l, o, v, n))
WRAP(GETSOCKOPT, getsockopt, (int s, int l, int o, void *v, socklen_t *n), (s, l, o, v, n))
WRAP(BIND, bind, (int s, const struct sockaddr *a, socklen_t n), (s, a, n))
WRAP(LISTEN, listen, (int s, int b), (s, b))
WRAP(GETSOCKNAME, getsockname, (int s, struct sockaddr *a, socklen_t *n), (s, a, n))
