// The way of runc from a profile to a program, in C: the JSON that a runtime is handed, parsed by
// json-c, the rules given to libseccomp by name, for every architecture that the profile lists, and
// exported as BPF.
//
//   profile FILE TIMES [native]
//
// Prints nanoseconds, a line for each part: `parse …`, `rules …`, `program …`, and in processor
// time `total …`, TIMES of each. `native` leaves out the architectures that are not the machine's.
// As in runc, the filter is optimised (SCMP_FLTATR_CTL_OPTIMIZE 2), as is done above 32 calls; the
// file is read before the time begins.
#define _GNU_SOURCE
#include <json-c/json.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../test/differential/clock.h"

static void die(const char* what) {
  fprintf(stderr, "profile: %s\n", what);
  exit(1);
}

static struct json_object* get(struct json_object* object, const char* key) {
  struct json_object* value = NULL;
  json_object_object_get_ex(object, key, &value);
  return value;
}

static const char* text(struct json_object* object, const char* key) {
  const char* value = json_object_get_string(get(object, key));
  return value == NULL ? "" : value;
}

static uint32_t action(const char* name, struct json_object* errno_ret) {
  const int error = errno_ret == NULL ? 1 : json_object_get_int(errno_ret);
  if (strcmp(name, "SCMP_ACT_ALLOW") == 0) return SCMP_ACT_ALLOW;
  if (strcmp(name, "SCMP_ACT_ERRNO") == 0) return SCMP_ACT_ERRNO(error);
  if (strcmp(name, "SCMP_ACT_LOG") == 0) return SCMP_ACT_LOG;
  if (strcmp(name, "SCMP_ACT_KILL_PROCESS") == 0) return SCMP_ACT_KILL_PROCESS;
  die("an action that no default profile has");
  return 0;
}

static enum scmp_compare comparison(const char* name) {
  static const char* const names[] = {"",
                                      "SCMP_CMP_NE",
                                      "SCMP_CMP_LT",
                                      "SCMP_CMP_LE",
                                      "SCMP_CMP_EQ",
                                      "SCMP_CMP_GE",
                                      "SCMP_CMP_GT",
                                      "SCMP_CMP_MASKED_EQ"};
  for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
    if (strcmp(names[i], name) == 0) return (enum scmp_compare)i;
  }
  die("unknown operator");
  return SCMP_CMP_EQ;
}

static uint32_t architecture(const char* name) {
  char folded[64];
  size_t i = 0;
  const char* prefix = "SCMP_ARCH_";
  if (strncmp(name, prefix, strlen(prefix)) != 0) die("unknown architecture");
  for (const char* at = name + strlen(prefix); *at != '\0' && i < sizeof(folded) - 1; at++) {
    folded[i++] = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
  }
  folded[i] = '\0';
  return seccomp_arch_resolve_name(folded);
}

static void add_entry(scmp_filter_ctx context, struct json_object* entry, uint32_t fallback) {
  const uint32_t own = action(text(entry, "action"), get(entry, "errnoRet"));
  if (own == fallback) return;
  struct scmp_arg_cmp conditions[6];
  struct json_object* args = get(entry, "args");
  const size_t count = args == NULL ? 0 : json_object_array_length(args);
  if (count > 6) die("too many conditions");
  for (size_t i = 0; i < count; i++) {
    struct json_object* arg = json_object_array_get_idx(args, i);
    conditions[i] = (struct scmp_arg_cmp){.arg = (unsigned)json_object_get_int(get(arg, "index")),
                                          .op = comparison(text(arg, "op")),
                                          .datum_a = json_object_get_uint64(get(arg, "value")),
                                          .datum_b = json_object_get_uint64(get(arg, "valueTwo"))};
  }
  struct json_object* names = get(entry, "names");
  for (size_t i = 0; i < json_object_array_length(names); i++) {
    const char* name = json_object_get_string(json_object_array_get_idx(names, i));
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) continue;
    if (seccomp_rule_add_array(context, own, number, (unsigned)count, conditions) != 0) die(name);
  }
}

static scmp_filter_ctx add_rules(struct json_object* profile, int native) {
  const uint32_t fallback = action(text(profile, "defaultAction"), get(profile, "defaultErrnoRet"));
  scmp_filter_ctx context = seccomp_init(fallback);
  if (context == NULL) die("seccomp_init failed");
  struct json_object* architectures = native ? NULL : get(profile, "architectures");
  for (size_t i = 0; architectures != NULL && i < json_object_array_length(architectures); i++) {
    const char* name = json_object_get_string(json_object_array_get_idx(architectures, i));
    const int result = seccomp_arch_add(context, architecture(name));
    if (result != 0 && result != -17) die(name);
  }
  if (seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0) die("no such level");
  struct json_object* entries = get(profile, "syscalls");
  for (size_t i = 0; i < json_object_array_length(entries); i++) {
    add_entry(context, json_object_array_get_idx(entries, i), fallback);
  }
  return context;
}

static char* read_file(const char* path) {
  FILE* file = fopen(path, "r");
  if (file == NULL) die("cannot open the file");
  char* content = calloc(1, 1 << 20);
  if (fread(content, 1, (1 << 20) - 1, file) == 0) die("cannot read the file");
  fclose(file);
  return content;
}

int main(int argc, char** argv) {
  if (argc < 3) die("usage: profile FILE TIMES [native]");
  const char* content = read_file(argv[1]);
  const int times = atoi(argv[2]);
  static const char* const parts[] = {"parse", "rules", "program", "total"};
  uint64_t* taken = calloc((size_t)times * 4, sizeof(uint64_t));
  for (int i = 0; i < times; i++) {
    const int fd = memfd_create("program", MFD_CLOEXEC);
    const uint64_t used = processor_time();
    const uint64_t start = now();
    struct json_object* profile = json_tokener_parse(content);
    if (profile == NULL) die("not JSON");
    const uint64_t parsed = now();
    scmp_filter_ctx context = add_rules(profile, argc > 3);
    const uint64_t added = now();
    if (fd < 0 || seccomp_export_bpf(context, fd) != 0) die("seccomp_export_bpf failed");
    const uint64_t built = now();
    uint64_t* one = &taken[(size_t)i * 4];
    one[0] = parsed - start;
    one[1] = added - parsed;
    one[2] = built - added;
    one[3] = processor_time() - used;
    seccomp_release(context);
    json_object_put(profile);
    close(fd);
  }
  for (int part = 0; part < 4; part++) {
    fputs(parts[part], stdout);
    for (int i = 0; i < times; i++) printf(" %llu", (unsigned long long)taken[i * 4 + part]);
    putchar('\n');
  }
  return 0;
}
