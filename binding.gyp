{
  "targets": [
    {
      "target_name": "seccomp-ts",
      "conditions": [
        ["OS=='linux'", {
          "sources": [
            "native/addon.cc",
            "native/rules_codec.cc",
            "native/runtime_support.cc",
            "<!@(node -p \"['native/compiler','native/kernel'].flatMap(d=>require('fs').readdirSync(d).filter(f=>f.endsWith('.cc')).sort().map(f=>d+'/'+f)).join(' ')\")"
          ],
          "include_dirs": [
            "native",
            "<!(node -p \"require('node-addon-api').include_dir\")"
          ],
          "defines": [
            "NAPI_VERSION=8",
            "NAPI_DISABLE_CPP_EXCEPTIONS",
            "NODE_ADDON_API_DISABLE_DEPRECATED"
          ],
          # Both architectures have 64-bit offsets anyway, and asking for them makes glibc's headers
          # turn open into open64 and its kin, which musl does not export any more.
          "defines!": ["_FILE_OFFSET_BITS=64", "_LARGEFILE_SOURCE"],
          "cflags!": ["-fno-omit-frame-pointer"],
          "cflags": [
            # Some distributions turn it on by default, and __memcpy_chk and its kin are glibc's alone.
            "-U_FORTIFY_SOURCE",
            "-fvisibility=hidden",
            "-fvisibility-inlines-hidden",
            "-fstack-protector-strong",
            "-ffunction-sections",
            "-fdata-sections",
            "-Wall",
            "-Wextra"
          ],
          "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-O3"],
          "cflags_cc": [
            # Not 17: there libstdc++'s headers refer std::string to the shared library; from 20 on it is
            # instantiated here.
            "-std=c++20",
            "-O2",
            "-fno-exceptions",
            "-fno-rtti",
            "-fno-threadsafe-statics",
            "-fno-asynchronous-unwind-tables"
          ],
          # No C or C++ library by name: the host process has both, and symbols without a version
          # resolve against glibc and musl alike. scripts/check-binary.js holds it to that.
          "ldflags": [
            "-nodefaultlibs",
            "-Wl,--version-script=<(module_root_dir)/native/exports.map",
            "-Wl,--gc-sections",
            "-Wl,-z,relro,-z,now",
            "-Wl,-z,noexecstack",
            # What is installed is remembered for the life of the process, not of the Worker that
            # loaded this: Node closes an addon when the last environment that uses it ends.
            "-Wl,-z,nodelete"
          ],
          "libraries": ["-lgcc"],
          "conditions": [
            # libgcc's out-of-line atomics ask the C library for __getauxval.
            ["target_arch=='arm64'", {"cflags": ["-mno-outline-atomics"]}]
          ]
        }, {
          "type": "none"
        }]
      ]
    }
  ]
}
