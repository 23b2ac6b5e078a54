// The rules of bench/profile.js given to libseccomp.
//
//   build export RULES LEVEL FILE     writes the program
//   build parts RULES LEVEL TIMES     builds it TIMES times, the names resolved before
//   build parts3 RULES LEVEL TIMES    the same for x86-64, i386 and x32 together
//   build time RULES LEVEL TIMES      builds it TIMES times, then once more, and attaches that
//
// LEVEL is SCMP_FLTATR_CTL_OPTIMIZE. `parts` and `time` print nanoseconds, one line each part:
//   rules …    seccomp_init, name resolution and seccomp_rule_add_exact_array for every rule
//   program …  seccomp_export_bpf: from the rules to BPF
//   total WALL CPU  seccomp_init to the return of seccomp_load, by the clock and in processor time
// With TIMES 0 the total is that of a process that never did it before.
#define _GNU_SOURCE
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MAX_RULES 2048
#define MAX_CONDITIONS 6

struct rule {
  char name[64];
  int number;
  unsigned int count;
  struct scmp_arg_cmp conditions[MAX_CONDITIONS];
};

static struct rule rules[MAX_RULES];
static size_t rule_count;
static uint32_t default_action;
static int all_x86;
static int resolved;

static void die(const char* what) {
  fprintf(stderr, "build: %s\n", what);
  exit(1);
}

static uint64_t read_clock(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t now(void) { return read_clock(CLOCK_MONOTONIC); }
static uint64_t processor_time(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

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

static void read_rules(const char* path) {
  FILE* file = fopen(path, "r");
  char action[8];
  unsigned int data;
  if (file == NULL || fscanf(file, "%7s %u", action, &data) != 2) die("cannot read the rules");
  default_action = strcmp(action, "kill") == 0 ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(data);
  for (;;) {
    struct rule* rule = &rules[rule_count];
    if (fscanf(file, "%63s %u", rule->name, &rule->count) != 2) break;
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
  fclose(file);
}

static int resolve(const char* name) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) die(name);
  return number;
}

static scmp_filter_ctx add_rules(uint32_t level) {
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
    const int number = resolved ? rules[i].number : resolve(rules[i].name);
    // "Exact" fails for what one of several architectures does not have.
    const int added =
        all_x86 ? seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, rules[i].count,
                                         rules[i].conditions)
                : seccomp_rule_add_exact_array(context, SCMP_ACT_ALLOW, number, rules[i].count,
                                               rules[i].conditions);
    if (added != 0) die(rules[i].name);
  }
  return context;
}

static void time_parts(uint32_t level, int times) {
  uint64_t* taken = calloc((size_t)times * 2, sizeof(uint64_t));
  for (int i = 0; i < times; i++) {
    const int fd = memfd_create("program", MFD_CLOEXEC);
    const uint64_t start = now();
    scmp_filter_ctx context = add_rules(level);
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
  scmp_filter_ctx context = add_rules(level);
  if (seccomp_load(context) != 0) die("seccomp_load failed");
  const uint64_t taken[2] = {now() - start, processor_time() - used};
  printf("total %llu %llu\n", (unsigned long long)taken[0], (unsigned long long)taken[1]);
}

static void export_program(uint32_t level, const char* path) {
  FILE* file = fopen(path, "wb");
  if (file == NULL || seccomp_export_bpf(add_rules(level), fileno(file)) != 0) {
    die("seccomp_export_bpf failed");
  }
  fclose(file);
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "version") == 0) {
    const struct scmp_version* version = seccomp_version();
    printf("%u.%u.%u\n", version->major, version->minor, version->micro);
    return 0;
  }
  if (argc != 5) die("usage: build export|parts|parts3|time RULES LEVEL FILE|TIMES, or build version");
  const uint32_t level = (uint32_t)atoi(argv[3]);
  read_rules(argv[2]);
  all_x86 = strcmp(argv[1], "parts3") == 0;
  if (strcmp(argv[1], "export") == 0) {
    export_program(level, argv[4]);
    return 0;
  }
  const int times = atoi(argv[4]);
  if (strncmp(argv[1], "parts", strlen("parts")) == 0) {
    for (size_t i = 0; i < rule_count; i++) rules[i].number = resolve(rules[i].name);
    resolved = 1;
  }
  if (times > 0) time_parts(level, times);
  if (strcmp(argv[1], "time") == 0) time_total(level);
  return 0;
}
