// The sixteen calls that a busy HTTP server makes most (epoll, reads and writes, futex, accept,
// memory, opening and closing) have the share they have there, the call mix that compilers of
// filters are compared on (bench/README.md). Every other call has a fifth of its mean share in 99
// runs of Node 18 to 26 under `strace -f -c`, from after the start to the exit: HTTP, HTTPS and
// HTTP/2 servers and clients, express, fastify, undici, TCP, UDP, Unix and web sockets, cluster.
// Shares below 3 in 10,000 are left out. On arm64 a call that does not exist there counts for the
// one that is made instead.
//
// Only the order of tests depends on it, never a verdict. It is data and not measured on the spot,
// so that the same rules give the same bytes everywhere.
#include "call_frequency.h"

#include <linux/audit.h>

#include <cstddef>

namespace seccomp_ts {
namespace {

constexpr CallFrequency kX86_64[] = {
    {0, 2000},    // read
    {1, 1500},    // write
    {3, 400},     // close
    {5, 22},      // fstat
    {8, 11},      // lseek
    {9, 200},     // mmap
    {10, 211},    // mprotect
    {11, 200},    // munmap
    {12, 31},     // brk
    {13, 79},     // rt_sigaction
    {14, 39},     // rt_sigprocmask
    {16, 3},      // ioctl
    {20, 800},    // writev
    {28, 300},    // madvise
    {39, 26},     // getpid
    {41, 100},    // socket
    {42, 8},      // connect
    {46, 10},     // sendmsg
    {47, 15},     // recvmsg
    {48, 15},     // shutdown
    {49, 4},      // bind
    {51, 6},      // getsockname
    {52, 4},      // getpeername
    {54, 46},     // setsockopt
    {55, 6},      // getsockopt
    {56, 30},     // clone
    {60, 23},     // exit
    {63, 3},      // uname
    {72, 19},     // fcntl
    {89, 3},      // readlink
    {157, 3},     // prctl
    {202, 1500},  // futex
    {231, 4},     // exit_group
    {232, 2000},  // epoll_wait
    {233, 500},   // epoll_ctl
    {257, 100},   // openat
    {262, 25},    // newfstatat
    {273, 5},     // set_robust_list
    {281, 97},    // epoll_pwait
    {288, 300},   // accept4
    {332, 50},    // statx
    {334, 5},     // rseq
    {426, 29},    // io_uring_enter
    {435, 20},    // clone3
};

constexpr CallFrequency kAarch64[] = {
    {21, 500},   // epoll_ctl
    {22, 2097},  // epoll_pwait
    {25, 19},    // fcntl
    {29, 3},     // ioctl
    {56, 100},   // openat
    {57, 400},   // close
    {62, 11},    // lseek
    {63, 2000},  // read
    {64, 1500},  // write
    {66, 800},   // writev
    {78, 3},     // readlinkat
    {79, 25},    // newfstatat
    {80, 22},    // fstat
    {93, 23},    // exit
    {94, 4},     // exit_group
    {98, 1500},  // futex
    {99, 5},     // set_robust_list
    {134, 79},   // rt_sigaction
    {135, 39},   // rt_sigprocmask
    {160, 3},    // uname
    {167, 3},    // prctl
    {172, 26},   // getpid
    {198, 100},  // socket
    {200, 4},    // bind
    {203, 8},    // connect
    {204, 6},    // getsockname
    {205, 4},    // getpeername
    {208, 46},   // setsockopt
    {209, 6},    // getsockopt
    {210, 15},   // shutdown
    {211, 10},   // sendmsg
    {212, 15},   // recvmsg
    {214, 31},   // brk
    {215, 200},  // munmap
    {220, 30},   // clone
    {222, 200},  // mmap
    {226, 211},  // mprotect
    {233, 300},  // madvise
    {242, 300},  // accept4
    {291, 50},   // statx
    {293, 5},    // rseq
    {426, 29},   // io_uring_enter
    {435, 20},   // clone3
};

template <size_t N>
CallFrequencies All(const CallFrequency (&frequencies)[N]) {
  return {frequencies, frequencies + N};
}

}  // namespace

CallFrequencies FrequenciesOf(uint32_t audit_arch) {
  if (audit_arch == AUDIT_ARCH_X86_64) return All(kX86_64);
  if (audit_arch == AUDIT_ARCH_AARCH64) return All(kAarch64);
  return {nullptr, nullptr};
}

}  // namespace seccomp_ts
