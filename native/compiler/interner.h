// Gives equal sequences of words equal ids, which is all that hash-consing needs.
//
// A table of its own, because std::unordered_map's rehash policy lives in libstdc++.so, and the
// shipped addon links against no C++ runtime.
#ifndef SECCOMP_TS_NATIVE_COMPILER_INTERNER_H_
#define SECCOMP_TS_NATIVE_COMPILER_INTERNER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace seccomp_ts {

class Interner {
 public:
  // The id of the sequence. Ids count up from 0 in order of first appearance, so they depend on the
  // input alone: never on addresses or on the hash.
  uint32_t Intern(const uint32_t* words, size_t length) {
    if ((entries_.size() + 1) * 2 > slots_.size()) Grow();
    uint32_t hash = Hash(words, length);
    size_t slot = FindSlot(words, length, hash);
    if (slots_[slot] == kEmpty) {
      slots_[slot] = static_cast<uint32_t>(entries_.size());
      entries_.push_back({words_.size(), length, hash});
      words_.insert(words_.end(), words, words + length);
    }
    return slots_[slot];
  }

  size_t size() const { return entries_.size(); }

 private:
  static constexpr uint32_t kEmpty = UINT32_MAX;

  struct Entry {
    size_t start;  // in words_
    size_t length;
    uint32_t hash;
  };

  static uint32_t Hash(const uint32_t* words, size_t length) {
    uint64_t hash = length;
    for (size_t i = 0; i < length; i++) {
      hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 32;
    }
    return static_cast<uint32_t>(hash);
  }

  bool Holds(const Entry& entry, const uint32_t* words, size_t length, uint32_t hash) const {
    if (entry.hash != hash || entry.length != length) return false;
    return length == 0 ||
           memcmp(words_.data() + entry.start, words, length * sizeof(uint32_t)) == 0;
  }

  // The slot that holds the sequence, or the empty one where it belongs.
  size_t FindSlot(const uint32_t* words, size_t length, uint32_t hash) const {
    size_t slot = hash & (slots_.size() - 1);
    while (slots_[slot] != kEmpty && !Holds(entries_[slots_[slot]], words, length, hash)) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    return slot;
  }

  void Grow() {
    size_t size = slots_.empty() ? 64 : slots_.size() * 2;
    slots_.assign(size, kEmpty);
    for (size_t id = 0; id < entries_.size(); id++) {
      size_t slot = entries_[id].hash & (size - 1);
      while (slots_[slot] != kEmpty) slot = (slot + 1) & (size - 1);
      slots_[slot] = static_cast<uint32_t>(id);
    }
  }

  std::vector<uint32_t> words_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> slots_;  // ids; the size is a power of two
};

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_COMPILER_INTERNER_H_
