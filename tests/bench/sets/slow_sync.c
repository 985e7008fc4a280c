// SPDX-License-Identifier: Apache-2.0
// LD_PRELOAD: each fdatasync takes GANTRY_SYNC_DELAY_US microseconds more, as on a slower disk. What
// a broker does while it waits is what counts there, which a fast disk on few CPUs does not show.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  const char* text = getenv("GANTRY_SYNC_DELAY_US");
  const long us = text ? atol(text) : 0;
  const int result = real(fd);
  const int error = errno;
  const struct timespec delay = {us / 1000000, us % 1000000 * 1000};
  nanosleep(&delay, NULL);
  errno = error;
  return result;
}
