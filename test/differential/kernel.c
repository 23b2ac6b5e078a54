// Programs on the live kernel: each is installed in a child, which then makes system calls, with
// any bits in all six registers, and tells what became of every one.
//
//   kernel [UID] < CASES > RESULTS
//
// With UID it becomes that user first, and sets no_new_privs in the children. Everything is
// little-endian words, as here:
//
//   case     uint32 instructions, uint32 calls; struct sock_filter[], struct call[]
//   results  uint64 instruction pointer of all calls, once; then for each case int64[calls][2]:
//            {DONE, result}, {TRAPPED, SECCOMP_RET_DATA} or {KILLED, signal}; a case without
//            instructions makes its calls without a filter
//
// A child that is killed is succeeded by another, which goes on with the next call. The program
// must let exit_group(2) and rt_sigreturn(2) through. Only calls that are harmless with any
// arguments belong here: they are made as they are given.
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CALLS 4096

enum { STARTED = 1, DONE, TRAPPED, KILLED };

struct call {
  uint64_t number;
  uint64_t args[6];
};

struct result {
  int64_t what;
  int64_t value;
};

static struct sock_filter instructions[BPF_MAXINSNS];
static struct call calls[MAX_CALLS];
// Shared with the children, which need no system call to answer.
static struct result* results;
static struct result* current;

static void die(const char* what) {
  fprintf(stderr, "kernel: %s: %s\n", what, strerror(errno));
  exit(1);
}

// The one place that all calls are made from, so that the instruction pointer is known.
int64_t make_call(const struct call* call);
extern const char after_call[];
#if defined(__x86_64__)
__asm__(
    ".text\n"
    "make_call:\n"
    "  mov %rdi, %rcx\n"
    "  mov (%rcx), %rax\n"
    "  mov 8(%rcx), %rdi\n"
    "  mov 16(%rcx), %rsi\n"
    "  mov 24(%rcx), %rdx\n"
    "  mov 32(%rcx), %r10\n"
    "  mov 40(%rcx), %r8\n"
    "  mov 48(%rcx), %r9\n"
    "  syscall\n"
    "after_call:\n"
    "  ret\n");
#elif defined(__aarch64__)
__asm__(
    ".text\n"
    "make_call:\n"
    "  mov x9, x0\n"
    "  ldr x8, [x9]\n"
    "  ldp x0, x1, [x9, #8]\n"
    "  ldp x2, x3, [x9, #24]\n"
    "  ldp x4, x5, [x9, #40]\n"
    "  svc #0\n"
    "after_call:\n"
    "  ret\n");
#endif

static void on_sigsys(int signal, siginfo_t* info, void* context) {
  (void)signal;
  (void)context;
  current->what = TRAPPED;
  // SECCOMP_RET_DATA.
  current->value = (uint16_t)info->si_errno;
}

static void install(size_t length, int no_new_privs) {
  const struct sock_fprog program = {(unsigned short)length, instructions};
  if (no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("no_new_privs");
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) die("seccomp");
}

static void make_calls(size_t next, size_t count) {
  for (; next < count; next++) {
    current = &results[next];
    current->what = STARTED;
    const int64_t value = make_call(&calls[next]);
    if (current->what == TRAPPED) continue;
    *current = (struct result){DONE, value};
  }
}

static void run_case(size_t length, size_t count, int no_new_privs) {
  memset(results, 0, count * sizeof(*results));
  for (size_t next = 0; next < count;) {
    const pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
      if (length > 0) install(length, no_new_privs);
      make_calls(next, count);
      syscall(SYS_exit_group, 0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child) die("waitpid");
    while (next < count && (results[next].what == DONE || results[next].what == TRAPPED)) next++;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && next == count) return;
    if (!WIFSIGNALED(status) || next == count || results[next].what != STARTED) {
      die("a child ended otherwise than by a call");
    }
    results[next++] = (struct result){KILLED, WTERMSIG(status)};
  }
}

static int read_all(void* to, size_t size) { return fread(to, 1, size, stdin) == size; }

static void write_all(const void* from, size_t size) {
  if (fwrite(from, 1, size, stdout) != size) die("write");
}

int main(int argc, char** argv) {
  if (argc > 1) {
    const uid_t user = (uid_t)atoi(argv[1]);
    if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 ||
        setresuid(user, user, user) != 0) {
      die("cannot become another user: the tests must be run as root");
    }
  }
  // Children die by the dozen, and some actions dump core.
  const struct rlimit no_core = {0, 0};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0) die("setrlimit");
  results = mmap(NULL, MAX_CALLS * sizeof(*results), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (results == MAP_FAILED) die("mmap");
  const struct sigaction trap = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
  if (sigaction(SIGSYS, &trap, NULL) != 0) die("sigaction");
  const uint64_t pointer = (uintptr_t)after_call;
  write_all(&pointer, sizeof(pointer));
  uint32_t sizes[2];
  while (read_all(sizes, sizeof(sizes))) {
    if (sizes[0] > BPF_MAXINSNS || sizes[1] > MAX_CALLS ||
        !read_all(instructions, sizes[0] * sizeof(*instructions)) ||
        !read_all(calls, sizes[1] * sizeof(*calls))) {
      die("bad case");
    }
    // What is buffered must not be written by the children.
    if (fflush(stdout) != 0) die("write");
    run_case(sizes[0], sizes[1], argc > 1);
    write_all(results, sizes[1] * sizeof(*results));
  }
  return fflush(stdout) == 0 ? 0 : 1;
}
