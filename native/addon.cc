// The only file that knows JavaScript values. It checks types, calls one function of native/, and
// describes the outcome; what an outcome means to a user is said in lib/lockdown/.
//
// Nothing here throws a C++ exception, and wrong argument types become TypeErrors: lib/ is the only
// caller, so those would be bugs of ours.
#include <errno.h>
#include <linux/seccomp.h>
#include <napi.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include <cstring>
#include <vector>

#include "compiler/compiler.h"
#include "compiler/interpreter.h"
#include "kernel/audit.h"
#include "kernel/exec.h"
#include "kernel/install.h"
#include "kernel/installed.h"
#include "kernel/io_uring.h"
#include "kernel/proc.h"
#include "kernel/reexec.h"
#include "kernel/threads.h"
#include "rules_codec.h"

namespace seccomp_ts {
namespace {

static_assert(sizeof(sock_filter) == 8, "linux/filter.h");

Napi::Value BadArgument(Napi::Env env, const char* expected) {
  Napi::TypeError::New(env, expected).ThrowAsJavaScriptException();
  return env.Undefined();
}

// A list of strings, and as execve(2) takes one.
class Strings {
 public:
  bool Read(const Napi::Value& value) {
    if (!value.IsArray()) return false;
    const auto given = value.As<Napi::Array>();
    for (uint32_t i = 0; i < given.Length(); i++) {
      const Napi::Value each = given.Get(i);
      size_t length = 0;
      if (napi_get_value_string_utf8(each.Env(), each, nullptr, 0, &length) != napi_ok) {
        return false;
      }
      std::vector<char> text(length + 1);
      napi_get_value_string_utf8(each.Env(), each, text.data(), text.size(), nullptr);
      texts_.push_back(text);
    }
    for (std::vector<char>& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
    return true;
  }

  size_t size() const { return texts_.size(); }
  char* const* pointers() const { return pointers_.data(); }

 private:
  std::vector<std::vector<char>> texts_;
  std::vector<char*> pointers_;
};

bool ReadProgram(const Napi::Value& value, std::vector<sock_filter>* program) {
  if (!value.IsTypedArray()) return false;
  const auto array = value.As<Napi::TypedArray>();
  if (array.TypedArrayType() != napi_uint8_array) return false;
  const auto bytes = value.As<Napi::Uint8Array>();
  const size_t size = bytes.ByteLength();
  // BPF_MAXINSNS, linux/bpf_common.h.
  if (size == 0 || size % sizeof(sock_filter) != 0 || size / sizeof(sock_filter) > 4096) {
    return false;
  }
  program->resize(size / sizeof(sock_filter));
  memcpy(program->data(), bytes.Data(), size);
  return true;
}

Napi::Value ToBuffer(Napi::Env env, const std::vector<sock_filter>& program) {
  return Napi::Buffer<uint8_t>::Copy(env, reinterpret_cast<const uint8_t*>(program.data()),
                                     program.size() * sizeof(sock_filter));
}

Napi::Array ToArray(Napi::Env env, const std::vector<ThreadState>& threads) {
  auto array = Napi::Array::New(env, threads.size());
  for (size_t i = 0; i < threads.size(); i++) {
    auto thread = Napi::Object::New(env);
    thread.Set("tid", threads[i].tid);
    thread.Set("name", static_cast<const char*>(threads[i].name));
    thread.Set("mode", threads[i].mode);
    thread.Set("filters", threads[i].filters);
    thread.Set("noNewPrivs", Napi::Boolean::New(env, threads[i].no_new_privs));
    array.Set(static_cast<uint32_t>(i), thread);
  }
  return array;
}

// compile(words: Uint32Array) -> { outcome: 'program', program }
//   | { outcome: 'tooLarge', instructions, contributors } | { outcome: 'malformed', message, offset
//   }
Napi::Value CompileRules(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsTypedArray() ||
      info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array) {
    return BadArgument(env, "expected a Uint32Array of rules");
  }
  const auto words = info[0].As<Napi::Uint32Array>();
  auto result = Napi::Object::New(env);

  RuleSet rules;
  DecodeError malformed;
  if (!Decode(words.Data(), words.ElementLength(), &rules, &malformed)) {
    result.Set("outcome", "malformed");
    result.Set("message", malformed.message);
    result.Set("offset", static_cast<double>(malformed.offset));
    return result;
  }
  const CompileResult compiled = Compile(rules);
  if (compiled.status == CompileResult::Status::kOk) {
    result.Set("outcome", "program");
    result.Set("program", ToBuffer(env, compiled.program));
    return result;
  }
  result.Set("outcome", "tooLarge");
  result.Set("instructions", static_cast<double>(compiled.instructions));
  auto contributors = Napi::Array::New(env, compiled.largest.size());
  for (size_t i = 0; i < compiled.largest.size(); i++) {
    auto contributor = Napi::Object::New(env);
    contributor.Set("auditArch", compiled.largest[i].audit_arch);
    contributor.Set("number", compiled.largest[i].number);
    contributor.Set("instructions", static_cast<double>(compiled.largest[i].instructions));
    contributors.Set(static_cast<uint32_t>(i), contributor);
  }
  result.Set("contributors", contributors);
  return result;
}

const char* Name(InstallOutcome outcome) {
  switch (outcome) {
    case InstallOutcome::kInstalled:
      return "installed";
    case InstallOutcome::kInvalidProgram:
      return "invalidProgram";
    case InstallOutcome::kCensusUnavailable:
      return "censusUnavailable";
    case InstallOutcome::kThreadDiverged:
      return "threadDiverged";
    case InstallOutcome::kNoSeccomp:
      return "noSeccomp";
    case InstallOutcome::kDenied:
      return "denied";
    case InstallOutcome::kUnsupportedAction:
      return "unsupportedAction";
    case InstallOutcome::kUnsupportedFlag:
      return "unsupportedFlag";
    case InstallOutcome::kNoNewPrivsRefused:
      return "noNewPrivsRefused";
    case InstallOutcome::kNeedsNoNewPrivs:
      return "needsNoNewPrivs";
    case InstallOutcome::kListenerBusy:
      return "listenerBusy";
    case InstallOutcome::kThreadSync:
      return "threadSync";
    case InstallOutcome::kSeccompFailed:
      return "seccompFailed";
    case InstallOutcome::kCensusIncomplete:
      return "censusIncomplete";
    case InstallOutcome::kThreadUnfiltered:
      return "threadUnfiltered";
  }
  return "seccompFailed";
}

Napi::Object ToObject(Napi::Env env, const InstallResult& installed) {
  auto result = Napi::Object::New(env);
  result.Set("outcome", Name(installed.outcome));
  result.Set("error", installed.error);
  result.Set("tid", installed.tid);
  result.Set("detail", installed.detail);
  result.Set("listener", installed.listener);
  result.Set("threads", ToArray(env, installed.threads));
  return result;
}

bool Flag(const Napi::Object& options, const char* name) {
  return options.Get(name).ToBoolean().Value();
}

// install(program, { noNewPrivs, log, specAllow, listener })
//   -> { outcome, error, tid, detail, listener, threads }
Napi::Value InstallProgram(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<sock_filter> program;
  if (!ReadProgram(info[0], &program)) return BadArgument(env, "expected a program");
  if (!info[1].IsObject()) return BadArgument(env, "expected options");
  const auto given = info[1].As<Napi::Object>();
  InstallOptions options;
  options.no_new_privs = Flag(given, "noNewPrivs");
  options.log = Flag(given, "log");
  options.spec_allow = Flag(given, "specAllow");
  options.listener = Flag(given, "listener");

  return ToObject(env, Install(program, options));
}

// census() -> { error, threads }
Napi::Value ReadCensus(const Napi::CallbackInfo& info) {
  const Census census = TakeCensus();
  auto result = Napi::Object::New(info.Env());
  result.Set("error", census.error);
  result.Set("threads", ToArray(info.Env(), census.threads));
  return result;
}

// probe() -> { seccomp: errno, flags: {…: errno}, actions: {…: errno}, mode, noNewPrivs }
// Every number is 0 for "yes" or the errno that said no. Made only where the filters this process
// installed permit it.
Napi::Value Probe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  struct Named {
    const char* name;
    uint32_t value;
  };
  static constexpr Named kFlags[] = {
      {"tsync", SECCOMP_FILTER_FLAG_TSYNC},
      {"log", SECCOMP_FILTER_FLAG_LOG},
      {"specAllow", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
      {"newListener", SECCOMP_FILTER_FLAG_NEW_LISTENER},
      {"tsyncEsrch", 1u << 4},
  };
  static constexpr Named kActions[] = {
      {"kill", SECCOMP_RET_KILL_PROCESS}, {"killThread", SECCOMP_RET_KILL_THREAD},
      {"trap", SECCOMP_RET_TRAP},         {"errno", SECCOMP_RET_ERRNO},
      {"notify", SECCOMP_RET_USER_NOTIF}, {"trace", SECCOMP_RET_TRACE},
      {"log", SECCOMP_RET_LOG},           {"allow", SECCOMP_RET_ALLOW},
  };
  auto result = Napi::Object::New(env);
  const uint64_t set_filter[6] = {SECCOMP_SET_MODE_FILTER};
  const uint64_t get_action[6] = {SECCOMP_GET_ACTION_AVAIL};
  const bool permitted = Permitted(SYS_seccomp, set_filter) && Permitted(SYS_seccomp, get_action);
  result.Set("seccomp", permitted ? ProbeFlag(0) : EPERM);
  auto flags = Napi::Object::New(env);
  for (const Named& flag : kFlags) flags.Set(flag.name, permitted ? ProbeFlag(flag.value) : EPERM);
  result.Set("flags", flags);
  auto actions = Napi::Object::New(env);
  for (const Named& action : kActions) {
    actions.Set(action.name, permitted ? ProbeAction(action.value) : EPERM);
  }
  result.Set("actions", actions);
  result.Set("mode", static_cast<double>(GuardedSyscall(SYS_prctl, PR_GET_SECCOMP)));
  result.Set("noNewPrivs", static_cast<double>(GuardedSyscall(SYS_prctl, PR_GET_NO_NEW_PRIVS)));
  char disabled[16] = "-1";
  File("/proc/sys/kernel/io_uring_disabled").ReadText(disabled, sizeof(disabled));
  result.Set("ioUringDisabled", atoi(disabled));
  return result;
}

// permits(number, a0, a1, …): whether the filters this process installed let the call through.
Napi::Value Permits(const Napi::CallbackInfo& info) {
  uint64_t args[6] = {};
  for (size_t i = 1; i < info.Length() && i <= 6; i++) {
    args[i - 1] = static_cast<uint64_t>(info[i].ToNumber().Int64Value());
  }
  return Napi::Boolean::New(info.Env(), Permitted(info[0].ToNumber().Int64Value(), args));
}

// note(text): keeps it for the life of the process, for every thread.
Napi::Value KeepNote(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  size_t length = 0;
  if (napi_get_value_string_utf8(env, info[0], nullptr, 0, &length) != napi_ok) {
    return BadArgument(env, "expected a string");
  }
  std::vector<char> text(length + 1);
  napi_get_value_string_utf8(env, info[0], text.data(), text.size(), nullptr);
  RememberNote(text.data(), length);
  return env.Undefined();
}

// notes() -> string[], oldest first
Napi::Value ReadNotes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<const Note*> notes;
  for (const Note* note = NewestNote(); note != nullptr; note = note->older) notes.push_back(note);
  auto array = Napi::Array::New(env, notes.size());
  for (size_t i = 0; i < notes.size(); i++) {
    const Note* note = notes[notes.size() - 1 - i];
    array.Set(static_cast<uint32_t>(i), Napi::String::New(env, note->text, note->length));
  }
  return array;
}

// onMainThread(): cheaper to ask the kernel than to load node:worker_threads.
Napi::Value OnMainThread(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), syscall(SYS_gettid) == syscall(SYS_getpid));
}

// evaluate(program, auditArch, number, args: BigUint64Array(6)) -> SECCOMP_RET_* value
Napi::Value EvaluateProgram(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<sock_filter> program;
  ProgramFault fault;
  if (!ReadProgram(info[0], &program) || !ValidateProgram(program.data(), program.size(), &fault)) {
    return BadArgument(env, "expected a valid program");
  }
  if (!info[3].IsTypedArray() ||
      info[3].As<Napi::TypedArray>().TypedArrayType() != napi_biguint64_array ||
      info[3].As<Napi::TypedArray>().ElementLength() != 6) {
    return BadArgument(env, "expected a BigUint64Array of six arguments");
  }
  const auto args = info[3].As<Napi::BigUint64Array>();
  seccomp_data data = {};
  data.arch = info[1].ToNumber().Uint32Value();
  data.nr = static_cast<int>(info[2].ToNumber().Uint32Value());
  for (size_t i = 0; i < 6; i++) data.args[i] = args[i];
  return Napi::Number::New(env, Evaluate(program.data(), data).action);
}

template <typename T>
Napi::Array ToNumbers(Napi::Env env, const std::vector<T>& values) {
  auto array = Napi::Array::New(env, values.size());
  for (size_t i = 0; i < values.size(); i++) {
    array.Set(static_cast<uint32_t>(i), Napi::Number::New(env, values[i]));
  }
  return array;
}

// rings() -> { known, fds, mappings, sqpollThreads }
Napi::Value ReadRings(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const RingCensus census = ListRings();
  auto result = Napi::Object::New(env);
  result.Set("known", Napi::Boolean::New(env, census.known));
  result.Set("fds", ToNumbers(env, census.fds));
  result.Set("mappings", static_cast<double>(census.mappings));
  result.Set("sqpollThreads", ToNumbers(env, census.sqpoll_threads));
  return result;
}

// retireRings() -> { refusal: '' | text, retired, fds, tids }
Napi::Value Retire(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) loop = nullptr;
  const RetireResult retired = RetireRings(loop == nullptr ? nullptr : loop->internal_fields);
  auto result = Napi::Object::New(env);
  result.Set("refusal", retired.Ok() ? "" : Explain(retired.refusal));
  result.Set("retired", retired.retired);
  result.Set("fds", ToNumbers(env, retired.fds));
  result.Set("tids", ToNumbers(env, retired.tids));
  return result;
}

// planReexec() -> { blocker: '' | text, stdinConsumed, children }
Napi::Value DescribeReexec(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const ReexecPlan plan = PlanReexec();
  auto result = Napi::Object::New(env);
  result.Set("blocker", plan.blocker == ReexecBlocker::kNone ? "" : Explain(plan.blocker));
  result.Set("stdinConsumed", Napi::Boolean::New(env, plan.traces.stdin_consumed));
  result.Set("children", plan.traces.children);
  return result;
}

// reexec(['NAME=value', …]) -> errno, if it returns at all
Napi::Value ExecuteAgain(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Strings variables;
  if (!variables.Read(info[0])) return BadArgument(env, "expected an array of variables");
  ReexecOptions options;
  for (size_t i = 0; i < variables.size(); i++) {
    options.environment.push_back(variables.pointers()[i]);
  }
  return Napi::Number::New(env, Reexec(PlanReexec(), options));
}

// exec(program, path, arguments, environment, { log })
//   -> { outcome, error, tid, detail, listener, threads }, if it returns at all
Napi::Value ExecuteUnder(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<sock_filter> program;
  if (!ReadProgram(info[0], &program)) return BadArgument(env, "expected a program");
  Strings path;
  Strings arguments;
  Strings environment;
  auto paths = Napi::Array::New(env, 1);
  paths.Set(0u, info[1]);
  if (!path.Read(paths) || !arguments.Read(info[2]) || !environment.Read(info[3])) {
    return BadArgument(env, "expected a path, arguments and an environment");
  }
  if (!info[4].IsObject()) return BadArgument(env, "expected options");
  ExecOptions options;
  options.log = Flag(info[4].As<Napi::Object>(), "log");
  return ToObject(env, Exec(program, options, path.pointers()[0], arguments.pointers(),
                            environment.pointers()));
}

// openAuditLog() -> a descriptor, or -errno
Napi::Value ListenToAudit(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), OpenAuditLog());
}

Napi::Object Initialise(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("compile", CompileRules);
  add("install", InstallProgram);
  add("census", ReadCensus);
  add("probe", Probe);
  add("permits", Permits);
  add("rings", ReadRings);
  add("retireRings", Retire);
  add("planReexec", DescribeReexec);
  add("reexec", ExecuteAgain);
  add("exec", ExecuteUnder);
  add("openAuditLog", ListenToAudit);
  add("note", KeepNote);
  add("notes", ReadNotes);
  add("onMainThread", OnMainThread);
  add("evaluate", EvaluateProgram);
  return exports;
}

}  // namespace
}  // namespace seccomp_ts

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  return seccomp_ts::Initialise(env, exports);
}
NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
