#include "kernel/audit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace seccomp_ts {
namespace {

// A record takes some 700 bytes of it: bursts of tens of thousands fit. Beyond the limit of
// net.core.rmem_max with CAP_NET_ADMIN only; else what that limit leaves.
constexpr int kBuffer = 32 << 20;

template <typename T>
bool SetOption(int fd, int name, const T& value) {
  return syscall(SYS_setsockopt, fd, SOL_SOCKET, name, &value, sizeof value) == 0;
}

}  // namespace

int OpenAuditLog() {
  const int fd =
      static_cast<int>(syscall(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT));
  if (fd < 0) return -errno;
  if (!SetOption(fd, SO_RCVBUFFORCE, kBuffer)) SetOption(fd, SO_RCVBUF, kBuffer);
  timeval wait;
  memset(&wait, 0, sizeof wait);
  wait.tv_usec = 200'000;
  sockaddr_nl address;
  memset(&address, 0, sizeof address);
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1u << (AUDIT_NLGRP_READLOG - 1);
  if (!SetOption(fd, SO_RCVTIMEO, wait) || syscall(SYS_bind, fd, &address, sizeof address) != 0) {
    const int error = errno;
    syscall(SYS_close, fd);
    return -error;
  }
  return fd;
}

}  // namespace seccomp_ts
