// Rules given to libseccomp, for the differential tests and for the bench (toText of
// bench/profile.js writes them):
//
//   default ACTION
//   SYSCALL ACTION COUNT (INDEX OP VALUE SECOND)...
//
// An ACTION is a SECCOMP_RET_* value with its data, a SYSCALL a name or a number. `default` begins
// the next rule set; the rules of a file may be several. With `default3` in its place, the
// rules must be taken for x86-64, i386 and x32 together as well; the program is that for x86-64.
//
//   libseccomp compile RULES           a line for each rule set: `program O1 O2`, in hexadecimal,
//                                      `refused RULE ERRNO`, the first rule being 0, or `died
//                                      SIGNAL`: SIGPROF after too much processor time
//   libseccomp parts RULES LEVEL TIMES builds the first rule set TIMES times, the names resolved
//   before libseccomp parts3 RULES LEVEL TIMES  the same for x86-64, i386 and x32 together
//   libseccomp time RULES LEVEL TIMES  builds the first rule set TIMES times, then once more and
//                                      attaches it
//   libseccomp version
//
// LEVEL is SCMP_FLTATR_CTL_OPTIMIZE. `parts` and `time` print nanoseconds, one line each part:
//   rules …    seccomp_init, name resolution and seccomp_rule_add_exact_array for every rule
//   program …  seccomp_export_bpf: from the rules to BPF
//   total WALL CPU  seccomp_init to the return of seccomp_load, by the clock and in processor time
// With TIMES 0 the total is that of a process that never did it before.
#define _GNU_SOURCE
#include <ctype.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define MAX_RULES 2048
#define MAX_CONDITIONS 6

struct rule {
  char name[64];
  int number;
  uint32_t action;
  unsigned int count;
  struct scmp_arg_cmp conditions[MAX_CONDITIONS];
};

static struct rule rules[MAX_RULES];
static size_t rule_count;
static uint32_t default_action;
static int all_x86;
static int set_x86;
static int resolved;

static void die(const char* what) {
  fprintf(stderr, "libseccomp: %s\n", what);
  exit(1);
}

static enum scmp_compare comparison(const char* name) {
  static const struct {
    const char* name;
    enum scmp_compare op;
  } known[] = {
      {"ne", SCMP_CMP_NE},
      {"lt", SCMP_CMP_LT},
      {"le", SCMP_CMP_LE},
      {"eq", SCMP_CMP_EQ},
      {"ge", SCMP_CMP_GE},
      {"gt", SCMP_CMP_GT},
      {"maskedEq", SCMP_CMP_MASKED_EQ},
  };
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
    if (strcmp(known[i].name, name) == 0) return known[i].op;
  }
  die("unknown operator");
  return SCMP_CMP_EQ;
}

// Reads up to the next `default` or the end. Returns 0 where there is no further rule set.
static int read_rules(FILE* file) {
  rule_count = 0;
  char kind[16];
  if (fscanf(file, "%15s %u", kind, &default_action) != 2) return 0;
  set_x86 = strcmp(kind, "default3") == 0;
  if (!set_x86 && strcmp(kind, "default") != 0) die("a rule set begins with its default");
  for (;;) {
    struct rule* rule = &rules[rule_count];
    const long start = ftell(file);
    if (fscanf(file, "%63s", rule->name) != 1) return 1;
    if (strncmp(rule->name, "default", 7) == 0) return fseek(file, start, SEEK_SET) == 0;
    if (fscanf(file, "%u %u", &rule->action, &rule->count) != 2) die("bad rule");
    if (rule->count > MAX_CONDITIONS) die("too many conditions");
    for (unsigned int i = 0; i < rule->count; i++) {
      unsigned int index;
      char op[16];
      unsigned long long value, second;
      if (fscanf(file, "%u %15s %llu %llu", &index, op, &value, &second) != 4) die("bad condition");
      rule->conditions[i] = (struct scmp_arg_cmp){
          .arg = index, .op = comparison(op), .datum_a = value, .datum_b = second};
    }
    if (++rule_count == MAX_RULES) die("too many rules");
  }
}

struct refusal {
  size_t rule;
  int error;
};

static int resolve(const char* name) {
  const int number =
      isdigit((unsigned char)name[0]) ? atoi(name) : seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) die(name);
  return number;
}

static int is_known(int number) {
  char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
  free(name);
  return name != NULL;
}

// NULL where libseccomp refuses a rule.
static scmp_filter_ctx add_rules(uint32_t level, struct refusal* refusal) {
  scmp_filter_ctx context = seccomp_init(default_action);
  if (context == NULL) die("seccomp_init failed");
  if (seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, level) != 0) die("no such level");
  // As seccomp-ts does.
  if (seccomp_attr_set(context, SCMP_FLTATR_CTL_TSYNC, 1) != 0) die("no TSYNC");
  if (all_x86 && (seccomp_arch_add(context, SCMP_ARCH_X86) != 0 ||
                  seccomp_arch_add(context, SCMP_ARCH_X32) != 0)) {
    die("no such architecture");
  }
  for (size_t i = 0; i < rule_count; i++) {
    const struct rule* rule = &rules[i];
    const int number = resolved ? rule->number : resolve(rule->name);
    // For others, a number must have a name; and they may have calls that x86-64 has not.
    if (all_x86 ? set_x86 && number >= 0 && !is_known(number) : number < 0) continue;
    // "Exact" fails for what one of several architectures does not have.
    const int result = all_x86 ? seccomp_rule_add_array(context, rule->action, number, rule->count,
                                                        rule->conditions)
                               : seccomp_rule_add_exact_array(context, rule->action, number,
                                                              rule->count, rule->conditions);
    if (result != 0) {
      *refusal = (struct refusal){i, -result};
      seccomp_release(context);
      return NULL;
    }
  }
  return context;
}

static scmp_filter_ctx add_all_rules(uint32_t level) {
  struct refusal refusal;
  scmp_filter_ctx context = add_rules(level, &refusal);
  if (context == NULL) die(rules[refusal.rule].name);
  return context;
}

static void print_program(scmp_filter_ctx context) {
  const int fd = memfd_create("program", MFD_CLOEXEC);
  if (fd < 0 || seccomp_export_bpf(context, fd) != 0) die("seccomp_export_bpf failed");
  const off_t size = lseek(fd, 0, SEEK_END);
  const unsigned char* bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
  if (bytes == MAP_FAILED) die("mmap failed");
  putchar(' ');
  for (off_t i = 0; i < size; i++) printf("%02x", bytes[i]);
  munmap((void*)bytes, (size_t)size);
  close(fd);
}

static void compile_one(void) {
  struct refusal refusal;
  if (set_x86) {
    all_x86 = 1;
    scmp_filter_ctx together = add_rules(1, &refusal);
    all_x86 = 0;
    if (together == NULL) {
      printf("refused %zu %d\n", refusal.rule, refusal.error);
      return;
    }
    seccomp_release(together);
  }
  scmp_filter_ctx levels[2];
  for (uint32_t i = 0; i < 2; i++) {
    levels[i] = add_rules(i + 1, &refusal);
    if (levels[i] == NULL) {
      printf("refused %zu %d\n", refusal.rule, refusal.error);
      return;
    }
  }
  printf("program");
  for (int i = 0; i < 2; i++) print_program(levels[i]);
  printf("\n");
}

// Each in a process of its own: there are rules with which libseccomp does not come to an end.
static void compile(FILE* file) {
  // A Docker-sized profile takes a tenth of it.
  const struct itimerval limit = {.it_value = {.tv_usec = 300000}};
  while (read_rules(file)) {
    fflush(stdout);
    const pid_t child = fork();
    if (child < 0) die("no child");
    if (child == 0) {
      if (setitimer(ITIMER_PROF, &limit, NULL) != 0) die("no limit");
      compile_one();
      fflush(stdout);
      _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child) die("no child");
    if (WIFSIGNALED(status)) printf("died %d\n", WTERMSIG(status));
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) die("a child failed");
  }
}

static void time_parts(uint32_t level, int times) {
  uint64_t* taken = calloc((size_t)times * 2, sizeof(uint64_t));
  for (int i = 0; i < times; i++) {
    const int fd = memfd_create("program", MFD_CLOEXEC);
    const uint64_t start = now();
    scmp_filter_ctx context = add_all_rules(level);
    const uint64_t added = now();
    if (fd < 0 || seccomp_export_bpf(context, fd) != 0) die("seccomp_export_bpf failed");
    const uint64_t built = now();
    taken[i] = added - start;
    taken[times + i] = built - added;
    seccomp_release(context);
    close(fd);
  }
  printf("rules");
  for (int i = 0; i < times; i++) printf(" %llu", (unsigned long long)taken[i]);
  printf("\nprogram");
  for (int i = 0; i < times; i++) printf(" %llu", (unsigned long long)taken[times + i]);
  printf("\n");
  fflush(stdout);
}

// As ours does, on itself: the filter cannot be taken off again, and what is left to do, the
// profile allows. Not in a fork: every page that the child then writes would have to be copied
// within the time.
static void time_total(uint32_t level) {
  const uint64_t start = now();
  const uint64_t used = processor_time();
  scmp_filter_ctx context = add_all_rules(level);
  if (seccomp_load(context) != 0) die("seccomp_load failed");
  const uint64_t taken[2] = {now() - start, processor_time() - used};
  printf("total %llu %llu\n", (unsigned long long)taken[0], (unsigned long long)taken[1]);
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "version") == 0) {
    const struct scmp_version* version = seccomp_version();
    printf("%u.%u.%u\n", version->major, version->minor, version->micro);
    return 0;
  }
  FILE* file = argc > 2 ? fopen(argv[2], "r") : NULL;
  if (file == NULL)
    die("usage: libseccomp compile RULES | parts|parts3|time RULES LEVEL TIMES | version");
  if (argc == 3 && strcmp(argv[1], "compile") == 0) {
    compile(file);
  } else if (argc == 5) {
    const int whole = strcmp(argv[1], "time") == 0;
    all_x86 = strcmp(argv[1], "parts3") == 0;
    if (!whole && !all_x86 && strcmp(argv[1], "parts") != 0) die("unknown command");
    if (!read_rules(file)) die("cannot read the rules");
    const uint32_t level = (uint32_t)atoi(argv[3]);
    const int times = atoi(argv[4]);
    if (!whole) {
      for (size_t i = 0; i < rule_count; i++) rules[i].number = resolve(rules[i].name);
      resolved = 1;
    }
    if (times > 0) time_parts(level, times);
    if (whole) time_total(level);
  } else {
    die("unknown command");
  }
  return 0;
}
