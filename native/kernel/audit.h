// The kernel's audit records as they are made.
#ifndef SECCOMP_TS_NATIVE_KERNEL_AUDIT_H_
#define SECCOMP_TS_NATIVE_KERNEL_AUDIT_H_

namespace seccomp_ts {

// A socket on which every read(2) gives one record, struct nlmsghdr and text, or EAGAIN after a
// fifth of a second without one; ENOBUFS says that records were lost. Beside auditd, not in its
// place (AUDIT_NLGRP_READLOG, 3.16): takes CAP_AUDIT_READ in the initial user namespace. Or -errno.
int OpenAuditLog();

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_KERNEL_AUDIT_H_
