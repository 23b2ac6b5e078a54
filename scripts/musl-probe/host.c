/* Loads the addon under musl's own loader with every symbol bound, and registers it.
 *
 * There is no Node for musl to be had from a package registry, so this program stands in for one:
 * it exports a stub of each function of Node the addon asks for (stubs.h, made by probe.js from the
 * addon itself). It also looks up every C name that scripts/check-binary.js would let the addon
 * use. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "stubs.h"

typedef void* (*Register)(void* env, void* exports);

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  void* addon = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (addon == NULL) {
    fprintf(stderr, "dlopen: %s\n", dlerror());
    return 1;
  }
  Register initialise = (Register)dlsym(addon, "napi_register_module_v1");
  if (initialise == NULL) {
    fprintf(stderr, "dlsym: %s\n", dlerror());
    return 1;
  }
  char env, exports;
  if (initialise(&env, &exports) != &exports || stub_calls == 0) {
    fprintf(stderr, "registration went wrong after %d calls of Node-API\n", stub_calls);
    return 1;
  }
  for (size_t i = 0; i < sizeof(kNames) / sizeof(kNames[0]); i++) {
    if (dlsym(RTLD_DEFAULT, kNames[i]) != NULL) continue;
    fprintf(stderr, "scripts/check-binary.js allows %s, which musl does not have\n", kNames[i]);
    return 1;
  }
  printf("loaded and registered under musl, with %d calls of Node-API\n", stub_calls);
  return 0;
}
