/**
 * Arguments as the manual pages call them, where the kernel calls them something else: people who read
 * socket(2) write `domain`, and the tables have `family`. By position; `-` where the names agree, or the
 * argument is a pointer.
 */
const MAN_ARGUMENTS = `accept4 sockfd addr addrlen
add_key type description payload - keyring
arch_prctl op addr
bind sockfd addr
bpf - attr
chmod pathname
chown pathname owner
clock_settime clockid
clone flags stack parent_tid child_tid
connect sockfd addr
delete_module name
epoll_ctl epfd
eventfd2 initval
execve pathname
execveat dirfd pathname
faccessat dirfd pathname
faccessat2 dirfd pathname
fadvise64 - - - advice
fchmodat dirfd pathname
fchmodat2 dirfd pathname
fchownat dirfd pathname owner
fcntl - op
finit_module - param_values
futex uaddr futex_op
getrandom buf buflen
inotify_add_watch - pathname
io_uring_setup entries
ioctl - op
kcmp - - - idx1
keyctl op
linkat olddirfd oldpath newdirfd newpath
madvise addr length advice
memfd_create name
mkdirat dirfd
mknod pathname
mknodat dirfd pathname
mlock2 addr
mmap - length
mount source target filesystemtype mountflags
mprotect addr size
mremap old_address old_size new_size - new_address
munmap - length
newfstatat dirfd pathname - flags
open pathname
open_by_handle_at mount_fd
openat dirfd pathname
openat2 dirfd pathname
perf_event_open attr
personality persona
pipe2 pipefd
pkey_mprotect addr size
prctl op
prlimit64 - - new_limit old_limit
ptrace op
quotactl op
read - buf
reboot magic magic2 op
recvfrom sockfd buf len - src_addr addrlen
renameat2 olddirfd oldpath newdirfd newpath
request_key type description callout_info dest_keyring
seccomp operation - args
sendmsg sockfd
sendto sockfd buf - - dest_addr addrlen
setns - nstype
setpriority - - prio
setsockopt sockfd - - - optlen
getsockopt sockfd
shutdown sockfd
signalfd4 fd mask
socket domain
socketpair domain - - sv
statx dirfd pathname
syslog - bufp
tgkill - tid
tkill tid
umount2 target
unlinkat dirfd - flags
unshare flags
utimensat dirfd pathname times
wait4 pid wstatus
waitid idtype id
write - buf`

let parsed: ReadonlyMap<string, readonly string[]> | undefined

/** The position of an argument by its name in the call's manual page, or -1. */
export function manArgument(syscall: string, name: string): number {
  parsed ??= new Map(
    MAN_ARGUMENTS.split('\n').map((line) => {
      const [call = '', ...names] = line.split(' ')
      return [call, names]
    }),
  )
  return name === '-' ? -1 : (parsed.get(syscall)?.indexOf(name) ?? -1)
}
